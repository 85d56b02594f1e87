"""Threads for slow work that must neither hold up the event loop nor pile up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from mainstay.core.errors import OverloadedError

__all__ = ["HashPool", "usable_cores"]

_T = TypeVar("_T")

_WAITING_PER_THREAD = 64
_NICENESS = 10


class HashPool:
    """A fixed number of threads with a short queue before them.

    The work must release the interpreter lock. On Linux the threads stand back (nice 10) behind
    the event loop's whenever both want the same core, and use all cores otherwise. May be used
    from one event loop after another.
    """

    def __init__(
        self, *, threads: int | None = None, waiting: int | None = None, max_wait: float = 3.0
    ) -> None:
        """Take the number of threads (all cores), the queue's length (64 a thread), and seconds."""
        self._threads = threads or usable_cores()
        self._places = self._threads + (
            self._threads * _WAITING_PER_THREAD if waiting is None else waiting
        )
        self._max_wait = max_wait
        self._taken = 0
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(
            self._threads, thread_name_prefix="mainstay-hash", initializer=_stand_back
        )

    @property
    def busy(self) -> int:
        """How many calls run or wait."""
        return self._taken

    async def run(self, work: Callable[[], _T]) -> _T:
        """Run ``work`` in a thread and give its result.

        A caller that goes away while still waiting gives its place back.

        Raises:
            OverloadedError: the queue is full (at once), no thread was free in time, or the pool
                is closed.
        """
        future = self._submit(work)
        waiter = asyncio.wrap_future(future)
        try:
            await asyncio.wait((waiter,), timeout=self._max_wait)
            if not waiter.done() and not future.cancel():
                await asyncio.wait((waiter,))
        except asyncio.CancelledError:
            future.cancel()
            raise
        if future.cancelled():
            raise OverloadedError
        return waiter.result()

    def close(self) -> None:
        """Refuse what waits and whatever comes; return when the running calls are done."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, work: Callable[[], _T]) -> Future[_T]:
        """Take a place and queue the work, or refuse."""
        with self._lock:
            if self._taken >= self._places:
                raise OverloadedError
            self._taken += 1
        try:
            future = self._executor.submit(work)
        except RuntimeError:
            self._leave()
            raise OverloadedError from None
        future.add_done_callback(self._leave)
        return future

    def _leave(self, _: Future[Any] | None = None) -> None:
        """Give a place back."""
        with self._lock:
            self._taken -= 1


def usable_cores() -> int:
    """Count the cores that this process may use; at least one."""
    if sys.platform == "linux":
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _stand_back() -> None:
    """Lower the priority of the calling thread, where a thread has one of its own."""
    if sys.platform == "linux":
        # Elsewhere the call would mean the whole process, and some sandboxes refuse it.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
