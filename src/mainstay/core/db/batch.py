"""Joins concurrent reads by key into one statement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

Load = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]
"""Reads the rows of some keys in one statement; a key without a row is left out."""


class BatchedReader(Generic[T]):
    """Reads by key; those asked for within one turn of the event loop share a statement.

    The statement starts after every read that it serves was asked for, so each sees what was
    committed before. A caller that is cancelled leaves the others their answer; an error goes to
    all. ``enabled=False`` gives each read a statement of its own.
    """

    def __init__(self, load: Load[T], *, largest: int = 256, enabled: bool = True) -> None:
        self._load = load
        self._largest = largest
        self._enabled = enabled
        self._waiting: dict[str, list[asyncio.Future[T | None]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> T | None:
        """Give the row with that key, or None."""
        if not self._enabled:
            return (await self._load([key])).get(key)
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._waiting = loop, {}
        if not self._waiting:
            loop.call_soon(self._start)
        answer: asyncio.Future[T | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(answer)
        if len(self._waiting) >= self._largest:
            self._start()
        return await answer

    def _start(self) -> None:
        """Send off what waits; nothing may, if a full batch has already gone."""
        batch, self._waiting = self._waiting, {}
        if batch:
            task = asyncio.ensure_future(self._serve(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _serve(self, batch: dict[str, list[asyncio.Future[T | None]]]) -> None:
        try:
            found = await self._load(list(batch))
        except BaseException as error:
            for answers in batch.values():
                for answer in answers:
                    if not answer.done():
                        _fail(answer, error)
            if not isinstance(error, Exception):
                raise
            return
        for key, answers in batch.items():
            for answer in answers:
                if not answer.done():
                    answer.set_result(found.get(key))


def _fail(answer: asyncio.Future[T], error: BaseException) -> None:
    if isinstance(error, asyncio.CancelledError):
        answer.cancel()
    else:
        answer.set_exception(error)
