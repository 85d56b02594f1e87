"""When a job comes again: after a failure, and where it is periodic. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

MAX_DELAY: Final = 3600.0
"""Seconds; however often a job has failed, it is tried again within this time."""

_MAX_DOUBLINGS: Final = 16
_JITTER: Final = 0.2


def retry_delay(backoff: float, attempt: int, chance: float) -> float:
    """Give the seconds until the next attempt: ``backoff * 2**(attempt-1)``, give or take a fifth.

    ``attempt`` is the one that failed, counted from 1; ``chance`` is drawn from 0 to 1. At most an
    hour.
    """
    delay = backoff * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS)
    return min(delay * (1 - _JITTER + 2 * _JITTER * chance), MAX_DELAY)


def next_run(planned: datetime, every: timedelta, moment: datetime) -> datetime:
    """Give when a periodic job runs next: on its own beat, or counted from now if it missed one."""
    following = planned + every
    return following if following > moment else moment + every


def periodic_key(name: str) -> str:
    """Give the unique key of a periodic job's one waiting row."""
    return f"every:{name}"
