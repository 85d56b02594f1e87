"""Looking at one part."""

from __future__ import annotations

import asyncio

import pytest

from mainstay.features.health.probe import KEEP, Probe, State


class Part:
    """Something to look at; counts how often."""

    def __init__(self) -> None:
        self.looks = 0
        self.fault: Exception | None = None
        self.answer = asyncio.Event()
        self.answer.set()

    async def look(self) -> None:
        self.looks += 1
        await self.answer.wait()
        if self.fault is not None:
            raise self.fault


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.anyio
async def test_a_part_that_answers_is_up() -> None:
    clock, part = Clock(), Part()

    async def slowly() -> None:
        await part.look()
        clock.now += 0.0125

    state = await Probe("part", slowly, clock=clock).state()
    assert state == State(up=True, latency_ms=12.5)


@pytest.mark.anyio
async def test_a_part_that_raises_is_down() -> None:
    part = Part()
    part.fault = ConnectionRefusedError()
    assert not (await Probe("part", part.look).state()).up


@pytest.mark.anyio
async def test_a_part_that_does_not_answer_in_time_is_down() -> None:
    part = Part()
    part.answer.clear()
    assert not (await Probe("part", part.look, limit=0.01).state()).up


@pytest.mark.anyio
async def test_an_answer_stands_for_a_moment_and_then_is_asked_for_again() -> None:
    clock, part = Clock(), Part()
    probe = Probe("part", part.look, clock=clock)
    assert (await probe.state()).up
    part.fault = OSError()
    clock.now += KEEP / 2
    assert (await probe.state()).up
    clock.now += KEEP / 2
    assert not (await probe.state()).up
    assert part.looks == 2


@pytest.mark.anyio
async def test_all_who_ask_together_share_one_look() -> None:
    part = Part()
    part.answer.clear()
    probe = Probe("part", part.look)
    asking = [asyncio.create_task(probe.state()) for _ in range(50)]
    await asyncio.sleep(0)
    part.answer.set()
    states = await asyncio.gather(*asking)
    assert part.looks == 1
    assert all(state.up for state in states)


@pytest.mark.anyio
async def test_a_caller_who_goes_away_takes_the_answer_from_nobody() -> None:
    part = Part()
    part.answer.clear()
    probe = Probe("part", part.look)
    first, second = (asyncio.create_task(probe.state()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    part.answer.set()
    assert (await second).up
    assert first.cancelled()
    assert part.looks == 1


def test_another_event_loop_asks_anew() -> None:
    part = Part()
    part.answer.clear()
    probe = Probe("part", part.look)
    first = asyncio.new_event_loop()
    waiting = first.create_task(probe.state())
    first.run_until_complete(asyncio.sleep(0.01))
    part.answer.set()
    assert asyncio.run(probe.state()).up
    assert part.looks == 2
    waiting.cancel()
    first.run_until_complete(asyncio.gather(*asyncio.all_tasks(first), return_exceptions=True))
    first.close()
