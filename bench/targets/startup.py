"""Waiting for a process: the help of the command line, and a server's first answer."""

import subprocess
import time

from harness.client import BenchError
from harness.figures import Bar, Sample
from harness.servers import Server, clean_environment
from harness.session import Bench, Row, Target, Visit
from targets.project import COMMAND, START
from targets.yardstick import HELLO

POLL_SECONDS = 0.005


def visit_help(bench: Bench) -> Sample:
    """Measure ``mainstay --help`` from start to end, in ms."""
    command = ["taskset", "-c", str(bench.cores.server), str(COMMAND), "--help"]
    bench.settle()
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=bench.folder,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    passed = time.perf_counter() - start
    if done.returncode or "migrate" not in done.stdout:
        raise BenchError.of_output("`mainstay --help` failed", done.stdout + done.stderr)
    return Sample(passed * 1e3)


def visit_start(bench: Bench) -> Sample:
    """Measure a server from its start to its first 200, in ms."""
    settings = bench.environment(START)
    bench.settle()
    start = time.perf_counter()
    server = Server(
        START.factory, core=bench.cores.server, folder=bench.folder, environment=settings
    )
    try:
        server.wait_until_up(HELLO, interval=POLL_SECONDS)
        return Sample((time.perf_counter() - start) * 1e3)
    finally:
        server.stop()


TARGET = Target(
    "startup",
    visits=(
        Visit("help", visit_help, unit="ms"),
        Visit("start", visit_start, unit="ms"),
    ),
    rows=(
        Row(
            "help of the command line",
            ("help",),
            lambda ms: ms["help"],
            Bar(goal=200, floor=400, lower_is_better=True),
            unit="ms",
        ),
        Row(
            "start to the first 200",
            ("start",),
            lambda ms: ms["start"],
            Bar(goal=2000, floor=4000, lower_is_better=True),
            unit="ms",
        ),
    ),
)
