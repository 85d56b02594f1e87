"""Measure Mainstay: ``python bench/run.py [--rounds N] [--seconds N] [--only NAME ...]``.

Prints the report and, after a full run in which every row was measured, writes it to
docs/benchmarks.md. Ends with 1 when a floor is missed or a row could not be measured. Needs Linux,
wrk, taskset and a PostgreSQL server (``BENCH_DATABASE_URL``, by default on loopback) where
databases can be made.
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness.client import BenchError
from harness.machine import choose_cores, describe
from harness.measure import measure
from harness.report import failed, page
from harness.session import CONNECTIONS, Bench, Target
from targets import dispatch, flood, hello, login, me, me_cached, refusals, startup, yardstick

TARGETS: tuple[Target, ...] = tuple(
    module.TARGET
    for module in (yardstick, hello, me, me_cached, login, flood, dispatch, refusals, startup)
)
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
LIMIT_MINUTES = 20.0
MAX_SECONDS = 10


def choose(names: Sequence[str]) -> list[Target]:
    """Return the named targets and those that they use, in order; without names the default."""
    by_name = {target.name: target for target in TARGETS}
    wanted = set(names) or {target.name for target in TARGETS if target.default}
    waiting = list(wanted)
    while waiting:
        uses = set(by_name[waiting.pop()].uses) - wanted
        wanted |= uses
        waiting += uses
    return [target for target in TARGETS if target.name in wanted]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure Mainstay against a bare FastAPI hello.")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (7)")
    parser.add_argument("--seconds", type=int, default=2, help="whole seconds for each visit (2)")
    parser.add_argument("--only", nargs="+", default=[], choices=[t.name for t in TARGETS])
    parser.add_argument("--output", type=Path, help=f"page to write ({PAGE.name} after a full run)")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or not 1 <= options.seconds <= MAX_SECONDS:
        parser.error(f"at least 1 round, 1 to {MAX_SECONDS} seconds")
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark and return the exit status."""
    options = parse(arguments)
    missing = [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]
    if missing:
        say(f"not installed: {', '.join(missing)}")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    targets = choose(options.only)
    cores = choose_cores()
    deadline = time.monotonic() + LIMIT_MINUTES * 60
    try:
        with Bench(cores, seconds=options.seconds) as bench:
            machine = describe(cores, bench.cluster.version())
            run = measure(bench, targets, rounds=options.rounds, deadline=deadline, say=say)
    except BenchError as error:
        say(str(error))
        return 2
    text = page(run, targets, seconds=options.seconds, connections=CONNECTIONS, machine=machine)
    print(text)
    whole = not options.only and not run.failures
    output = options.output or (PAGE if whole else None)
    if output:
        output.write_text(text, encoding="utf-8")
    return int(failed(run, targets))


def say(text: str) -> None:
    """Tell the progress, apart from the report."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
