"""The rate limiter of one process: a sliding log, kept in few slots a key and few keys in all."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Final

from mainstay.core.ratelimit import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainstay.core.ratelimit import Policy

MAX_KEYS: Final = 50_000
"""Keys that are remembered: 16 MB, or 85 MB if all are busy. The longest unseen go first."""

SLOTS: Final = 16
"""Parts of a window; hits within a part leave the window together, with the last of them."""


class _Slot:
    __slots__ = ("count", "last", "opened")

    def __init__(self, opened: float) -> None:
        self.opened = opened
        self.last = opened
        self.count = 1


class _Log:
    """The hits of one key that still count."""

    __slots__ = ("slots", "total")

    def __init__(self) -> None:
        self.slots: list[_Slot] = []
        self.total = 0


class LocalRateLimiter:
    """Admits at most ``quota`` hits in any window, and forgets one at most 1/16 of it too late.

    A refused hit does not count. Keys live in two generations: one that was not hit during a whole
    longest window is dropped with its generation, so nothing is ever swept. For one event loop.
    ``clock`` gives seconds that never go back.
    """

    def __init__(
        self, *, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._max_young = max(1, max_keys // 2)
        self._young: dict[tuple[str, str], _Log] = {}
        self._old: dict[tuple[str, str], _Log] = {}
        self._longest = 1
        self._turn_at = clock() + self._longest

    def __len__(self) -> int:
        """Give the number of keys that are remembered."""
        return len(self._young) + len(self._old)

    def hit(self, policy: Policy, key: str) -> Decision:
        """Count one hit under the policy for the key."""
        now, window = self._clock(), policy.window
        if window > self._longest or now >= self._turn_at or len(self._young) >= self._max_young:
            self._turn(window, now)
        name = (policy.name, key)
        log = self._young.get(name) or self._taken_over(name)
        slots = log.slots
        while slots and slots[0].last + window <= now:
            log.total -= slots.pop(0).count
        remaining = policy.quota - log.total
        if remaining <= 0:
            return Decision(False, 0, _seconds(slots[0].last + window - now, window))  # noqa: FBT003
        if slots and now - slots[-1].opened < window / SLOTS:
            newest = slots[-1]
            newest.count += 1
            newest.last = now
        else:
            slots.append(_Slot(now))
        log.total += 1
        return Decision(True, remaining - 1, _seconds(slots[0].last + window - now, window))  # noqa: FBT003

    def _taken_over(self, name: tuple[str, str]) -> _Log:
        """Give the log of a key that the young generation does not have yet."""
        log = self._old.pop(name) if name in self._old else _Log()
        self._young[name] = log
        return log

    def _turn(self, window: int, now: float) -> None:
        """Let the young generation grow old, where it is time; a longer window puts that off."""
        if window > self._longest:
            self._turn_at += window - self._longest
            self._longest = window
        if now >= self._turn_at or len(self._young) >= self._max_young:
            self._old, self._young = self._young, {}
            self._turn_at = now + self._longest


def _seconds(left: float, window: int) -> int:
    """Give whole seconds, rounded up; a sum of floats may pass the window by a little."""
    return min(ceil(left), window)
