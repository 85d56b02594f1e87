"""Looking at one part of the system: within a time limit, and once for all who ask together."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mainstay.core.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LIMIT: Final = 2.0
"""Seconds after which a part that does not answer is down."""

KEEP: Final = 1.0
"""Seconds for which an answer stands, so that probing costs nothing however often it is done."""

_log = get_logger("mainstay.health")


@dataclass(frozen=True, slots=True)
class State:
    """Whether a part answers, and how long that took, in milliseconds."""

    up: bool
    latency_ms: float


class Probe:
    """One part; ``look`` raises where it is down. A change of state is logged."""

    def __init__(
        self,
        name: str,
        look: Callable[[], Awaitable[None]],
        *,
        limit: float = LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._look = look
        self._limit = limit
        self._clock = clock
        self._state: State | None = None
        self._seen_at = 0.0
        self._running: asyncio.Task[State] | None = None

    async def state(self) -> State:
        """Give the state, at most a second old; never raises."""
        if self._state is not None and self._clock() - self._seen_at < KEEP:
            return self._state
        task = self._running
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._running = asyncio.create_task(self._ask())
        # A caller who goes away must not take the answer from the others.
        return await asyncio.shield(task)

    async def _ask(self) -> State:
        began = self._clock()
        fault: Exception | None = None
        try:
            async with asyncio.timeout(self._limit):
                await self._look()
        except Exception as error:  # noqa: BLE001 - whatever it is, the part is down
            fault = error
        state = State(fault is None, round((self._clock() - began) * 1000, 1))
        self._note(fault)
        self._state, self._seen_at = state, self._clock()
        return state

    def _note(self, fault: Exception | None) -> None:
        was_up = self._state is None or self._state.up
        if fault is not None and was_up:
            _log.warning("health.down", part=self.name, reason=type(fault).__name__)
        elif fault is None and not was_up:
            _log.info("health.up", part=self.name)
