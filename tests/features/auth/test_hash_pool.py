"""Threads for slow work."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from mainstay.core.errors import OverloadedError
from mainstay.features.auth.hash_pool import HashPool, usable_cores

pytestmark = pytest.mark.anyio


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def pool():
    made = HashPool(threads=1, waiting=2)
    yield made
    made.close()


async def _until_busy(pool: HashPool, number: int) -> None:
    while pool.busy != number:  # noqa: ASYNC110 (the count is no event)
        await asyncio.sleep(0.001)


async def test_work_runs_in_a_thread_of_its_own(pool) -> None:
    assert await pool.run(threading.get_ident) != threading.get_ident()
    assert await pool.run(lambda: threading.current_thread().name) == "mainstay-hash_0"


async def test_the_loop_goes_on_meanwhile(pool, gate) -> None:
    task = asyncio.create_task(pool.run(lambda: gate.wait(5)))
    await _until_busy(pool, 1)
    for _ in range(100):
        await asyncio.sleep(0)
    assert not task.done()
    gate.set()
    assert await task is True


async def test_a_full_queue_refuses_at_once(pool, gate) -> None:
    tasks = [asyncio.create_task(pool.run(lambda: gate.wait(5))) for _ in range(3)]
    await _until_busy(pool, 3)
    with pytest.raises(OverloadedError) as caught:
        await pool.run(int)
    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"] == "1"
    gate.set()
    assert await asyncio.gather(*tasks) == [True] * 3
    await _until_busy(pool, 0)
    assert await pool.run(int) == 0


async def test_who_waits_too_long_is_refused_and_never_run(gate) -> None:
    pool = HashPool(threads=1, max_wait=0.02)
    ran = []
    first = asyncio.create_task(pool.run(lambda: gate.wait(5)))
    await _until_busy(pool, 1)
    with pytest.raises(OverloadedError):
        await pool.run(lambda: ran.append(1))
    assert not first.done(), "what runs is not given up"
    gate.set()
    assert await first is True
    pool.close()
    assert ran == []


async def test_a_caller_that_goes_away_gives_its_place_back(pool, gate) -> None:
    ran = []
    tasks = [asyncio.create_task(pool.run(lambda: gate.wait(5)))]
    await _until_busy(pool, 1)
    waiting = asyncio.create_task(pool.run(lambda: ran.append(1)))
    await _until_busy(pool, 2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert pool.busy == 1
    gate.set()
    await asyncio.gather(*tasks)
    await pool.run(int)
    assert ran == []


async def test_an_error_of_the_work_is_the_callers(pool) -> None:
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)
    assert await pool.run(int) == 0


async def test_closing_refuses_what_waits_and_what_comes(pool, gate) -> None:
    running = asyncio.create_task(pool.run(lambda: gate.wait(5)))
    await _until_busy(pool, 1)
    waiting = asyncio.create_task(pool.run(int))
    await _until_busy(pool, 2)
    closing = asyncio.create_task(asyncio.to_thread(pool.close))
    with pytest.raises(OverloadedError):
        await waiting
    with pytest.raises(OverloadedError):
        await pool.run(int)
    gate.set()
    assert await running is True
    await closing
    assert pool.busy == 0


async def test_two_pools_do_not_know_of_each_other(pool, gate) -> None:
    other = HashPool(threads=1, waiting=0)
    tasks = [asyncio.create_task(pool.run(lambda: gate.wait(5))) for _ in range(3)]
    await _until_busy(pool, 3)
    assert await other.run(int) == 0
    other.close()
    gate.set()
    await asyncio.gather(*tasks)


def test_a_pool_serves_one_loop_after_another() -> None:
    pool = HashPool(threads=1)
    assert [asyncio.run(pool.run(int)) for _ in range(2)] == [0, 0]
    pool.close()


def test_the_defaults_follow_the_cores() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    pool = HashPool()
    assert pool._executor._max_workers == usable_cores()
    assert pool._places == usable_cores() * 65
    pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux")
async def test_the_threads_stand_back_behind_the_loop(pool) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    theirs = await pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert theirs == max(own, 10)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own
