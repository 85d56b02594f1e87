"""A process of an application that is killed: ``child.py commit|run <database url>``."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import Any

from mainstay.core.jobs import Job, JobRun

_spec = importlib.util.spec_from_file_location("house", Path(__file__).with_name("conftest.py"))
assert _spec is not None
assert _spec.loader is not None
_house = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_house)


async def hang(payload: dict[str, Any], run: JobRun) -> None:
    """Say that the job runs, and never end."""
    sys.stdout.write("running\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def main(what: str, url: str) -> None:
    house = _house.House(url, jobs=(Job(name="test.work", handler=hang),))
    if what == "commit":
        async with house.units.transaction() as session:
            await house.queue.enqueue(session, "test.work", {"number": 1})
        os.kill(os.getpid(), signal.SIGKILL)
    await house.runner.start()
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
