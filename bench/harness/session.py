"""A run: what is started and made is remembered here, and taken down at its end."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from harness.accounts import Account, register
from harness.client import BenchError, Request, check
from harness.database import Cluster
from harness.figures import Bar, Sample
from harness.machine import Cores
from harness.servers import Server, settle
from harness.wrk import Load, Wrk, validate

ACCOUNTS = 16
CONNECTIONS = 32
T = TypeVar("T")


@dataclass(frozen=True)
class App:
    """An application to serve: its factory, its environment, and when it is up."""

    name: str
    factory: str
    ready: Request
    environment: Callable[["Bench"], Mapping[str, str]] = lambda _bench: {}


class Bench(AbstractContextManager["Bench"]):
    """Cores, folder, databases and servers of one run; leaving the block removes them all."""

    def __init__(self, cores: Cores, *, seconds: int) -> None:
        self.cores = cores
        self.seconds = seconds
        self.cluster = Cluster()
        self._made: dict[str, Any] = {}
        self._servers: list[Server] = []
        self._scripts = 0
        self._exit = ExitStack()
        self.folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        self._exit.callback(self.cluster.drop_all)
        os.sched_setaffinity(0, {cores.load})

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit.close()

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what ``make`` returned the first time.

        Raises:
            BenchError: It failed; it is not tried again.
        """
        if name not in self._made:
            try:
                self._made[name] = make()
            except BenchError as error:
                self._made[name] = error
        made = self._made[name]
        if isinstance(made, BenchError):
            raise made
        result: T = made
        return result

    def server(self, app: App) -> Server:
        """Return the running server of the application, started at the first call."""
        return self.once(f"server {app.name}", lambda: self._start(app))

    def environment(self, app: App) -> Mapping[str, str]:
        """Return the settings of the application, made at the first call."""
        return self.once(f"environment {app.name}", lambda: app.environment(self))

    def accounts(self, app: App) -> list[Account]:
        """Return users of the application, registered at the first call."""
        server = self.server(app)
        return self.once(f"users {app.name}", lambda: register(server.port, count=ACCOUNTS))

    def full_load(self) -> Load:
        """Return the load that every target gets unless it says otherwise."""
        return Load(connections=CONNECTIONS, seconds=self.seconds)

    def knock(self, app: App, request: Request, load: Load) -> Wrk:
        """Start load on an idle, checked target and return it while it runs."""
        server = self.server(app)
        self.settle()
        check(server.port, request)
        self.cluster.pin_backends(self.cores.load)
        return self.wrk(server, request, load)

    def settle(self) -> None:
        """Wait until no server works off what an earlier visit left."""
        settle(self._servers)

    def wrk(self, server: Server, request: Request, load: Load) -> Wrk:
        """Start load at once."""
        self._scripts += 1
        script = self.folder / f"wrk-{self._scripts}.lua"
        return Wrk(server.port, request, load, core=self.cores.load, script=script)

    def rate(self, app: App, request: Request, load: Load | None = None) -> Sample:
        """Return answers a second under load, with CPU time a request and latency."""
        server = self.server(app)
        with self.knock(app, request, load or self.full_load()) as wrk:
            before = server.cpu_seconds()
            outcome = wrk.outcome()
            cpu = server.cpu_seconds() - before
        validate(request, outcome)
        return Sample(outcome.rate, cpu_us=cpu / outcome.requests * 1e6, p99_ms=outcome.p99_ms)

    def _start(self, app: App) -> Server:
        environment = self.environment(app)
        server = Server(
            app.factory, core=self.cores.server, folder=self.folder, environment=environment
        )
        self._exit.callback(server.stop)
        server.wait_until_up(app.ready)
        self._servers.append(server)
        return server


@dataclass(frozen=True)
class Visit:
    """One stop of a round; ``unit`` is that of its samples' value."""

    key: str
    measure: Callable[[Bench], Sample]
    unit: str = "1/s"


@dataclass(frozen=True)
class Row:
    """A figure of each round, from the samples of the visits that it names."""

    title: str
    visits: tuple[str, ...]
    figure: Callable[[Mapping[str, float]], float]
    bar: Bar | None = None
    unit: str = "ratio"


@dataclass(frozen=True)
class Target:
    """What one file measures. ``uses`` names targets whose visits its rows need too."""

    name: str
    visits: tuple[Visit, ...]
    rows: tuple[Row, ...] = ()
    uses: tuple[str, ...] = ()
    default: bool = True
