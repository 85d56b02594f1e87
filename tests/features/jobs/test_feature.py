"""What the jobs feature brings."""

from __future__ import annotations

import pytest

from mainstay.core.jobs import JobQueue
from mainstay.core.settings import SettingsError, load
from mainstay.features.jobs import feature
from mainstay.features.jobs.settings import JobsSettings


def test_administrators_may_see_and_manage_jobs() -> None:
    permissions = {p.name: p.lowest_role for p in feature.permissions}
    assert permissions == {"jobs:read": "admin", "jobs:manage": "admin"}


def test_it_provides_the_queue() -> None:
    assert JobQueue in {provision.port for provision in feature.provides}


def test_a_broker_cannot_be_chosen_yet() -> None:
    with pytest.raises(SettingsError, match=r"JOBS_URL got .* takes nothing yet"):
        load([JobsSettings], environ={"JOBS_URL": "redis://localhost"}, env_file=None)
    assert load([JobsSettings], environ={}, env_file=None)[JobsSettings].JOBS_URL is None
