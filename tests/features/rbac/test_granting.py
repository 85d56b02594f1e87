"""What may be written into a role, and by whom: the algebra of permissions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.principal import admits
from mainstay.features.rbac.granting import is_grantable, overreach

RESOURCES = ("users", "roles", "files")
PLAIN = [f"{r}:{a}" for r in RESOURCES for a in ("read", "update", "read:self", "update:self")]
WILD = ["*", *(f"{r}:*" for r in RESOURCES)]

NOT_GRANTABLE = [
    *("", ":", ":*", "*:*", "**", "users", "users:", "user:*", "users:rea", "users:read:*"),
    *("files:*", "users*", "users:**", "USERS:*", "users:* ", "use:*"),
]

plain = st.sampled_from(PLAIN)
names = st.sampled_from(PLAIN + WILD)
sets = st.frozensets(names)


def reach(held):
    """Give all plain permissions that the held ones admit."""
    return {name for name in PLAIN if admits(held, name)}


@given(sets, names)
def test_what_is_held_is_admitted(held, name):
    assert admits(held | {name}, name)


@given(sets, names)
def test_a_star_admits_everything(held, name):
    assert admits(held | {"*"}, name)


@given(sets, sets, names)
def test_more_held_never_admits_less(held, more, name):
    assert not admits(held, name) or admits(held | more, name)


@given(sets, sets, names)
def test_two_sets_admit_together_what_one_of_them_does(one, other, name):
    assert admits(one | other, name) == (admits(one, name) or admits(other, name))


@given(sets, names)
def test_what_admits_a_name_admits_all_that_the_name_admits(held, name):
    if admits(held, name):
        assert reach({name}) <= reach(held)


@given(sets, plain)
def test_a_permission_implies_its_self_form(held, name):
    if admits(held, name) and not name.endswith(":self"):
        assert admits(held, f"{name}:self")


@given(sets)
def test_no_set_without_a_wildcard_admits_one(held):
    if not held & set(WILD):
        assert not any(admits(held, wild) for wild in WILD)


@pytest.mark.parametrize(
    ("held", "name", "admitted"),
    [
        ({"users:read:self"}, "users:read", False),
        ({"users:read"}, "users:read:self", True),
        ({"users:*"}, "users:read:self", True),
        ({"users:*"}, "roles:read", False),
        ({"users:*"}, "*", False),
        ({"user:*"}, "users:read", False),
        (set(PLAIN), "users:*", False),
        (set(PLAIN) | set(WILD[1:]), "*", False),
        ({"*"}, "users:*", True),
        ({"users:rea"}, "users:read", False),
        ({"users:self"}, "users:read", False),
        (set(), "users:read:self", False),
    ],
)
def test_admits(held, name, admitted):
    assert admits(held, name) is admitted


@given(sets, sets, sets)
def test_H6_giving_reaches_no_further_than_giver_and_role_together(wanted, giver, present):
    too_much = set(overreach(wanted, giver=giver, present=present))
    assert too_much <= wanted
    assert reach(wanted - too_much) <= reach(giver) | reach(present)


@given(sets, sets)
def test_H6_nobody_gives_what_they_lack(wanted, giver):
    too_much = overreach(wanted, giver=giver)
    assert too_much == sorted(name for name in wanted if not admits(giver, name))


@given(sets, sets)
def test_what_a_role_has_may_stay(giver, present):
    assert overreach(present, giver=giver, present=present) == []


@given(sets)
def test_who_may_do_everything_gives_everything(wanted):
    assert overreach(wanted, giver={"*"}) == []


@pytest.mark.parametrize("name", ["*", "users:*", "users:read", "users:read:self"])
def test_grantable(name):
    assert is_grantable(name, {"users:read", "users:read:self"})


@pytest.mark.parametrize("name", NOT_GRANTABLE)
def test_not_grantable(name):
    assert not is_grantable(name, {"users:read", "users:read:self"})


@given(st.text())
def test_only_declared_names_and_wildcards_over_them_are_grantable(name):
    assert is_grantable(name, PLAIN) == (name in PLAIN + WILD)
