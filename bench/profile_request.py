"""CPU time of one request in process: ``python bench/profile_request.py hello|me [--app NAME]``.

Drives the ASGI application directly, without a server, one call after another on one core, then
once more under cProfile. ``--app`` is one of the bench's own applications, which get a
database and settings of their own, or ``module:factory`` with the caller's settings. ``--path``
takes another public GET route.
"""

import argparse
import asyncio
import cProfile
import importlib
import json
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import uvloop

from harness.accounts import login_request, new_account, register_request
from harness.client import BenchError, Request
from harness.inprocess import Asgi, Driver
from harness.machine import choose_cores
from harness.session import App, Bench
from targets import dispatch, me, project, yardstick

APPS: dict[str, App] = {
    "mainstay": project.APP,
    "strict": project.STRICT,
    "nested": dispatch.MAINSTAY,
    "naive": me.NAIVE,
    "yardstick": yardstick.APP,
}
BATCHES = 10


@dataclass(frozen=True)
class Profile:
    """Microseconds a call (median of the batches, and the best), and the functions."""

    wall_us: float
    cpu_us: float
    best_cpu_us: float
    functions: pstats.Stats


async def prepare(driver: Driver, options: argparse.Namespace) -> Request:
    """Return the request to measure; for ``me``, register and sign in a user first."""
    if options.path or options.what == "hello":
        return Request(path=options.path or "/hello")
    account = new_account()
    await driver.call(register_request(account))
    answer = json.loads(await driver.call(login_request([account])))
    return replace(account, token=answer["access_token"]).me()


async def profile(make: Callable[[], Asgi], options: argparse.Namespace) -> Profile:
    """Start the application, measure the calls plainly, then under the profiler."""
    driver = Driver(make())
    await driver.start()
    try:
        request = await prepare(driver, options)
        size = max(1, options.calls // BATCHES)
        await calls(driver, request, size)
        walls, cpus = [], []
        for _ in range(BATCHES):
            wall, cpu = time.perf_counter(), time.process_time()
            await calls(driver, request, size)
            walls.append((time.perf_counter() - wall) / size * 1e6)
            cpus.append((time.process_time() - cpu) / size * 1e6)
        profiler = cProfile.Profile()
        profiler.enable()
        await calls(driver, request, options.calls)
        profiler.disable()
        return Profile(median(walls), median(cpus), min(cpus), pstats.Stats(profiler))
    finally:
        await driver.stop()


async def calls(driver: Driver, request: Request, count: int) -> None:
    """Send the request ``count`` times."""
    for _ in range(count):
        await driver.call(request)


def lines(result: Profile, *, count: int, top: int, order: str) -> Iterator[str]:
    """Yield the report; times under the profiler are larger than the plain ones above them."""
    best = f"best {result.best_cpu_us:.1f}"
    yield f"wall {result.wall_us:.1f} µs a call, CPU {result.cpu_us:.1f} µs ({best})"
    yield ""
    yield f"{'calls':>8} {'own µs':>8} {'with callees':>12}  function (per request, under cProfile)"
    table = result.functions.stats  # type: ignore[attr-defined]
    column = 2 if order == "own" else 3
    ranked = sorted(table.items(), key=lambda item: item[1][column], reverse=True)
    for (file, line, name), (_, called, own, total, _) in ranked[:top]:
        where = f"{short(file)}:{line} {name}" if line else name
        yield f"{called / count:8.1f} {own / count * 1e6:8.1f} {total / count * 1e6:12.1f}  {where}"


def short(file: str) -> str:
    """Return a path without what stands before the package."""
    for mark in ("site-packages/", "/src/", "/lib/python"):
        _, found, rest = file.partition(mark)
        if found:
            return rest
    return Path(file).name


@contextmanager
def output_to(log: Path) -> Iterator[None]:
    """Send what the application prints to a file meanwhile, as a server's output goes to one."""
    kept = os.dup(1)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Profile one request in process.")
    parser.add_argument("what", choices=("hello", "me"))
    parser.add_argument("--app", default="mainstay", help=f"{', '.join(APPS)} or module:factory")
    parser.add_argument("--path", help="another GET route that needs no user and answers 200")
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--top", type=int, default=30, help="functions to print")
    parser.add_argument("--order", choices=("own", "total"), default="own")
    options = parser.parse_args(arguments)
    if options.calls < BATCHES:
        parser.error(f"at least {BATCHES} calls")
    return options


def load(bench: Bench, name: str) -> Callable[[], Asgi]:
    """Return the application's factory, its settings in this process's environment."""
    factory = name
    if name in APPS:
        os.environ.update(bench.environment(APPS[name]))
        factory = APPS[name].factory
    module, _, attribute = factory.partition(":")
    make: Callable[[], Asgi] = getattr(importlib.import_module(module), attribute)
    return make


def main(arguments: Sequence[str]) -> int:
    """Profile and print."""
    options = parse(arguments)
    cores = choose_cores()
    try:
        with Bench(cores, seconds=1) as bench, output_to(bench.folder / "output.log"):
            make = load(bench, options.app)
            os.sched_setaffinity(0, {cores.server})
            os.chdir(bench.folder)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                result = runner.run(profile(make, options))
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    text = lines(result, count=options.calls, top=options.top, order=options.order)
    print("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
