"""Who acts: rank, what is lacking, and how recent the proof of it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mainstay.core.errors import ReauthRequiredError
from mainstay.core.principal import RECENT, Principal, require_recent
from mainstay.kit.clock import now, replaced


@pytest.mark.parametrize(
    ("role", "rank", "highest"),
    [("user", 10, 10), ("lead", 25, 25), ("admin", 0, 30), ("nobody", 0, 0), ("user", 25, 25)],
)
def test_the_rank_is_the_one_given_or_that_of_a_built_in_role(role, rank, highest):
    assert Principal(id="x", role=role, rank=rank).highest_rank == highest


def test_higher_ranks_have_the_lower_roles():
    lead = Principal(id="x", role="lead", roles=("lead", "clerk"), rank=25)
    held = [n for n in ("user", "moderator", "clerk", "lead", "admin", "other") if lead.has_role(n)]
    assert held == ["user", "moderator", "clerk", "lead"]


def test_what_is_lacking_is_named_once_and_in_order():
    principal = Principal(id="x", permissions=frozenset({"users:*", "jobs:read"}))
    wanted = ["roles:read", "jobs:*", "users:read", "users:*", "jobs:read:self", "*", "jobs:*"]
    assert principal.lacks(wanted) == ["*", "jobs:*", "roles:read"]
    assert principal.lacks([]) == []


@pytest.mark.parametrize(
    ("age", "recent"),
    [(timedelta(0), True), (RECENT, True), (RECENT + timedelta(microseconds=1), False)],
)
def test_a_proof_is_recent_for_ten_minutes(age, recent):
    moment = now()
    principal = Principal(id="x", authenticated_at=moment - age)
    with replaced(lambda: moment):
        if recent:
            require_recent(principal)
        else:
            with pytest.raises(ReauthRequiredError):
                require_recent(principal)


def test_who_never_proved_it_has_not_done_so_lately():
    with pytest.raises(ReauthRequiredError):
        require_recent(Principal(id="x"))
