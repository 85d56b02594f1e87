"""The limiter of one process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.ratelimit import Decision, Policy
from mainstay.features.ratelimit.limiter import SLOTS, LocalRateLimiter

MINUTE = Policy("user", 3, 60)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_quota_is_admitted_and_the_next_hit_is_not() -> None:
    limiter = LocalRateLimiter(clock=Clock())
    assert [limiter.hit(MINUTE, "a") for _ in range(4)] == [
        Decision(True, 2, 60),
        Decision(True, 1, 60),
        Decision(True, 0, 60),
        Decision(False, 0, 60),
    ]


def test_keys_and_policies_count_apart() -> None:
    limiter = LocalRateLimiter(clock=Clock())
    other = Policy("auth", 1, 60)
    for _ in range(3):
        limiter.hit(MINUTE, "a")
    assert not limiter.hit(MINUTE, "a").allowed
    assert limiter.hit(MINUTE, "b").allowed
    assert limiter.hit(other, "a").allowed


def test_hits_leave_the_window_as_they_came() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    limiter.hit(MINUTE, "a")
    clock.now += 30
    limiter.hit(MINUTE, "a")
    limiter.hit(MINUTE, "a")
    assert limiter.hit(MINUTE, "a") == Decision(False, 0, 30)
    clock.now += 30
    assert limiter.hit(MINUTE, "a") == Decision(True, 0, 30)
    assert limiter.hit(MINUTE, "a") == Decision(False, 0, 30)


def test_hits_close_together_leave_with_the_last_of_them() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    for gap in (0, 1, 1):
        clock.now += gap
        limiter.hit(MINUTE, "a")
    clock.now = 1000 + 60.5
    assert limiter.hit(MINUTE, "a") == Decision(False, 0, 2)
    clock.now = 1000 + 62
    assert limiter.hit(MINUTE, "a").allowed


def test_a_refused_hit_does_not_count() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    for _ in range(50):
        limiter.hit(MINUTE, "a")
        clock.now += 0.1
    clock.now = 1060.3
    assert limiter.hit(MINUTE, "a").allowed


def test_keys_are_bounded_and_the_busy_ones_stay() -> None:
    limiter = LocalRateLimiter(max_keys=100, clock=Clock())
    for number in range(10_000):
        limiter.hit(MINUTE, f"10.0.0.{number}")
        decision = limiter.hit(MINUTE, "busy")
        assert len(limiter) <= 100
    assert not decision.allowed


def test_keys_that_are_not_hit_any_more_are_forgotten() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    for number in range(1000):
        limiter.hit(MINUTE, str(number))
    for _ in range(2):
        clock.now += 61
        limiter.hit(MINUTE, "other")
    assert len(limiter) == 1


def test_a_longer_window_is_not_forgotten_by_a_shorter_one() -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    day = Policy("day", 1, 86400)
    limiter.hit(MINUTE, "a")
    limiter.hit(day, "a")
    for _ in range(100):
        clock.now += 800
        limiter.hit(MINUTE, "a")
        assert limiter.hit(day, "a").allowed is (clock.now >= 87400)
        if clock.now >= 87400:
            break


times = st.lists(st.floats(0, 40, allow_nan=False), min_size=1, max_size=80)


@given(st.integers(1, 6), st.sampled_from([1, 10, 60]), times)
def test_no_window_ever_holds_more_than_the_quota(
    quota: int, window: int, gaps: list[float]
) -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    policy = Policy("p", quota, window)
    admitted: list[float] = []
    for gap in gaps:
        clock.now += gap
        before = [t for t in admitted if t + window > clock.now]
        decision = limiter.hit(policy, "a")
        assert 1 <= decision.reset <= window
        assert decision.remaining <= quota - len(before) - decision.allowed
        if decision.allowed:
            assert len(before) < quota
            admitted.append(clock.now)
        else:
            # Refused too long by one part of a window at most.
            early = [t for t in admitted if t + window + window / SLOTS > clock.now]
            assert len(early) >= quota


@given(st.integers(1, 5), st.lists(st.floats(0, 15, allow_nan=False), max_size=40))
def test_whoever_waits_as_told_is_admitted(quota: int, gaps: list[float]) -> None:
    clock = Clock()
    limiter = LocalRateLimiter(clock=clock)
    policy = Policy("p", quota, 60)
    for gap in gaps:
        clock.now += gap
        decision = limiter.hit(policy, "a")
        if not decision.allowed:
            clock.now += decision.reset
            assert limiter.hit(policy, "a").allowed
