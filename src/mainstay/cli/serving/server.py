"""One serving process: uvicorn, made ready before it listens, and ended in good order."""

from __future__ import annotations

import asyncio
import signal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.lifespan.on import LifespanOn

from mainstay.cli.serving.heads import MAX_HEAD_BYTES

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from types import FrameType

    from starlette.types import ASGIApp

    from mainstay.core.assembly import Lifecycle
    from mainstay.core.settings.server import ServerSettings

BACKLOG: Final = 2048


def protocol_class() -> type[asyncio.Protocol]:
    """Give the guarded HTTP protocol, compiled where there is a parser for it."""
    if find_spec("httptools") is None:
        from mainstay.cli.serving.plain import PlainHttpProtocol

        return PlainHttpProtocol
    from mainstay.cli.serving.compiled import CompiledHttpProtocol

    return CompiledHttpProtocol


class Config(uvicorn.Config):
    """uvicorn's configuration, as all our servers have it."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ServerSettings,
        *,
        grace: float | None = None,
        http: type[asyncio.Protocol] | None = None,
    ) -> None:
        self.head_timeout = settings.HEADER_TIMEOUT_SECONDS
        given = settings.SHUTDOWN_GRACE_SECONDS if grace is None else grace
        super().__init__(
            app,
            http=http or protocol_class(),
            interface="asgi3",
            lifespan="on",
            workers=1,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # the edge's business
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=settings.KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=given,  # type: ignore[arg-type]  # any number will do
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        )

    def load(self) -> None:
        """Load the parts."""
        super().load()
        self.lifespan_class = Lifespan


class Lifespan(LifespanOn):
    """Keeps what stopped the application from starting, where uvicorn would only log it."""

    error: BaseException | None = None

    async def main(self) -> None:
        """Run the application's lifespan."""
        scope = {
            "type": "lifespan",
            "asgi": {"version": self.config.asgi_version, "spec_version": "2.0"},
            "state": self.state,
        }
        app: Any = self.config.loaded_app
        try:
            await app(scope, self.receive, self.send)
        except BaseException as error:  # noqa: BLE001 - raised again by the server
            self.error = error
            self.error_occurred = True
        finally:
            self.startup_event.set()
            self.shutdown_event.set()

    async def send(self, message: Any) -> None:
        """Take the application's word, without the traceback that Starlette adds to it."""
        if message["type"] == "lifespan.startup.failed":
            message = {**message, "message": ""}
        await super().send(message)


class Server(uvicorn.Server):
    """Serves until a signal, then ends with status 0.

    ``prepare`` runs before anything listens, and what it raises stops the start; ``announce`` runs
    once requests are answered. A signal turns readiness red at once; the sockets go on accepting
    for ``delay`` seconds, so that load balancers notice.
    """

    def __init__(
        self,
        config: Config,
        lifecycle: Lifecycle,
        *,
        delay: float,
        prepare: Callable[[], Awaitable[None]],
        announce: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._delay = delay
        self._prepare = prepare
        self._announce = announce
        self._end_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Make ready, start the application, listen."""
        self._loop = asyncio.get_running_loop()
        await self._prepare()
        try:
            await super().startup(sockets)
        except SystemExit:
            error = getattr(self.lifespan, "error", None)
            if error is None:
                raise
            raise error from None
        if not self._ending:
            await self._announce()

    async def on_tick(self, counter: int) -> bool:
        """Look, ten times a second, whether the end has come."""
        if self._ending and not self.should_exit:
            now = asyncio.get_running_loop().time()
            if self._end_at is None:
                self._end_at = now + self._delay
            self.should_exit = now >= self._end_at
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to end; a second Ctrl+C does not wait for anybody.

        The signal is not raised again at the end, as uvicorn would: the process ends with 0.
        """
        if self._ending and sig == signal.SIGINT:
            self._hurry()
        self._lifecycle.draining = True

    def _hurry(self) -> None:
        if not self.started or self._loop is None:
            raise KeyboardInterrupt
        self.force_exit = self.should_exit = True
        self._loop.call_soon_threadsafe(self._drop_connections)

    def _drop_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @property
    def _ending(self) -> bool:
        return self._lifecycle.draining
