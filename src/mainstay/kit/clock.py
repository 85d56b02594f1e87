"""The time, in one place, so that tests can set it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, aware and in UTC."""


def _system() -> datetime:
    return datetime.now(UTC)


# One for the process and no context variable: a server in another task must see it as well.
_clocks: list[Clock] = [_system]


def now() -> datetime:
    """Give the present moment, aware, in UTC, with microseconds."""
    return _clocks[-1]()


@contextmanager
def replaced(clock: Clock) -> Iterator[None]:
    """Let ``now()`` ask another clock, in the whole process; for tests."""
    _clocks.append(clock)
    try:
        yield
    finally:
        _clocks.remove(clock)
