"""When a job comes again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.features.jobs.schedule import MAX_DELAY, next_run, retry_delay

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def test_each_delay_doubles_the_one_before() -> None:
    assert [retry_delay(5, attempt, 0.5) for attempt in range(1, 5)] == [5, 10, 20, 40]


def test_jitter_is_a_fifth_either_way() -> None:
    assert retry_delay(10, 1, 0) == pytest.approx(8)
    assert retry_delay(10, 1, 1) == pytest.approx(12)


@given(backoff=st.floats(0.01, 1000), attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_delay_is_never_longer_than_an_hour(backoff: float, attempt: int, chance: float) -> None:
    assert 0 < retry_delay(backoff, attempt, chance) <= MAX_DELAY


def test_a_periodic_job_keeps_its_beat() -> None:
    late = MOMENT + timedelta(minutes=3)
    assert next_run(MOMENT, timedelta(hours=1), late) == MOMENT + timedelta(hours=1)


def test_missed_beats_are_not_made_up_for() -> None:
    much_later = MOMENT + timedelta(days=3)
    every = timedelta(hours=1)
    assert next_run(MOMENT, every, much_later) == much_later + every
