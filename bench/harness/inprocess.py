"""Drive an ASGI application without a server: its lifespan, and one request after another."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from harness.client import BenchError, Request

Message = MutableMapping[str, Any]
Asgi = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
START_SECONDS = 30.0


class Driver:
    """One application, started by its lifespan."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._lifespan: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Run the lifespan's start.

        Raises:
            BenchError: It failed.
        """
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": self._state}
        running = self._app(scope, self._inbox.get, self._outbox.put)
        self._lifespan = asyncio.ensure_future(running)
        await self._tell("lifespan.startup")

    async def stop(self) -> None:
        """Run the lifespan's end."""
        await self._tell("lifespan.shutdown")
        if self._lifespan:
            await self._lifespan

    async def _tell(self, kind: str) -> None:
        await self._inbox.put({"type": kind})
        answer = await asyncio.wait_for(self._outbox.get(), START_SECONDS)
        if answer["type"] != f"{kind}.complete":
            raise BenchError(f"{answer['type']}: {answer.get('message', '')}")

    def scope(self, request: Request) -> Message:
        """Return a fresh scope, as a server would make it."""
        headers = [(b"host", b"127.0.0.1")]
        for name, value in request.headers.items():
            headers.append((name.lower().encode(), value.encode()))
        if request.bodies:
            headers.append((b"content-length", str(len(request.bodies[0])).encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "state": self._state.copy(),
        }

    async def call(self, request: Request) -> str:
        """Send the request once and return the body of its answer.

        Raises:
            BenchError: The status or the body is not the expected one.
        """
        body = request.bodies[0].encode() if request.bodies else b""
        inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        messages: list[Message] = []
        answered = asyncio.Event()

        async def receive() -> Message:
            if inbox:
                return inbox.pop()
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            messages.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                answered.set()

        await self._app(self.scope(request), receive, send)
        text = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        status = messages[0]["status"]
        if status != request.status or request.contains not in text:
            raise BenchError(f"{request.method} {request.path}: {status}, {text[:300]!r}")
        return text
