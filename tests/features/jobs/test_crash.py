"""A crash loses nothing: processes are killed after the commit, and in the middle of a run."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mainstay.core.jobs import Job, JobRun
from mainstay.kit import clock
from mainstay.kit.clock import now

pytestmark = pytest.mark.anyio

CHILD = Path(__file__).with_name("child.py")


def start(what: str, url: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), what, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


class Ledger:
    def __init__(self) -> None:
        self.entries: list[tuple[dict[str, Any], int]] = []

    async def __call__(self, payload: dict[str, Any], run: JobRun) -> None:
        self.entries.append((payload, run.attempt))


async def test_a_kill_between_commit_and_delivery_loses_nothing(url: str, build: Any) -> None:
    ledger = Ledger()
    async with build(url, jobs=(Job(name="test.work", handler=ledger),)) as house:
        with start("commit", url) as child:
            child.wait(timeout=60)
        assert child.returncode == -signal.SIGKILL
        assert await house.runner.run_due() == 1
    assert ledger.entries == [({"number": 1}, 1)]


async def test_a_kill_in_the_middle_of_a_run_brings_the_run_again(url: str, build: Any) -> None:
    ledger = Ledger()
    async with build(url, jobs=(Job(name="test.work", handler=ledger),)) as house:
        await house.add("test.work", {"number": 2})
        with start("run", url) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "running\n"
            child.kill()
        assert [row.state for row in await house.rows("test.work")] == ["running"]
        assert await house.runner.run_due() == 0
        after = now() + timedelta(minutes=2)
        with clock.replaced(lambda: after):
            await house.runner.run_due()
        assert [row.state for row in await house.rows("test.work")] == ["done"]
    assert ledger.entries == [({"number": 2}, 2)]
