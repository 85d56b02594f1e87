"""Logs: structlog to standard output, console or JSON, and one line a request.

A processor redacts what looks like a secret by its key; queries and headers are never logged.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from functools import lru_cache
from json import dumps as json_dumps
from traceback import format_exception
from typing import TYPE_CHECKING, Any, Final, TextIO

import orjson
import structlog

from mainstay.core.origin import current_origin

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import ExcInfo

    from mainstay.core.http.context import RequestContext

_SECRET_WORDS: Final = ("password", "token", "secret", "authorization", "cookie", "api_key", "code")
_PLAIN_CODES: Final = frozenset({"code", "status_code", "error_code"})
_QUIET: Final = frozenset({"/livez", "/readyz", "/health", "/health/liveness", "/health/readiness"})
MASK: Final = "[redacted]"
WRITE_AFTER_SECONDS: Final = 0.02


def redact(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the values of keys that name secrets."""
    for key in line:
        lowered = key.lower()
        if lowered not in _PLAIN_CODES and any(word in lowered for word in _SECRET_WORDS):
            line[key] = MASK
    return line


def _add_origin(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    origin = current_origin()
    line.setdefault("request_id", origin.request_id)
    if origin.actor_id is not None:
        line.setdefault("user_id", origin.actor_id)
    return line


def trace(exc_info: ExcInfo) -> str:
    """Write a trace; what a database tells of the row that failed is left out."""
    text = "".join(format_exception(*exc_info)).rstrip("\n")
    chain = [exc_info[1]]
    for error in chain:
        behind = (error.__cause__, error.__context__)
        chain += [each for each in behind if each is not None and each not in chain]
        detail = getattr(error, "detail", None)
        if getattr(error, "sqlstate", None) is not None and detail:
            text = text.replace(str(detail), MASK)
    return text


def _trace_for_people(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write(trace(exc_info))


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def configure(*, level: str, json: bool) -> None:
    """Set up logging for the process, unless somebody has done so; never called at import."""
    if structlog.is_configured():
        return
    processors: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_origin,
        redact,
    ]
    if json:
        final: list[Any] = [
            structlog.processors.ExceptionRenderer(trace),
            structlog.processors.JSONRenderer(serializer=_dumps),
        ]
    else:
        # A pretty trace shows local variables, and with them secrets.
        colours = sys.stdout.isatty()
        final = [
            structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_trace_for_people)
        ]
    structlog.configure(
        processors=[*processors, *final],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stdout, format="%(levelname)s %(message)s"
    )


def get_logger(name: str) -> Any:
    """Give a logger that writes as ``configure`` said."""
    return structlog.get_logger(source=name)


class AccessLog:
    """One line a request: JSON, or a short one for people. The path without its query.

    Lines are collected and written a moment later, so that many requests share one write.
    """

    def __init__(self, *, json: bool, stream: TextIO | None = None) -> None:
        self._line = _json_line if json else _console_line
        self._given = stream
        self._lines: list[str] = []
        self._colour = not json and (stream or sys.stdout).isatty()

    @property
    def _stream(self) -> TextIO:
        return self._given or sys.stdout

    def write(self, context: RequestContext, path: str, status: int) -> None:
        """Note the line of a finished request; probes are left out."""
        if path in _QUIET:
            return
        milliseconds = (time.perf_counter() - context.started) * 1000
        if not self._lines:
            asyncio.get_running_loop().call_later(WRITE_AFTER_SECONDS, self.flush)
        self._lines.append(self._line(context, path, status, milliseconds, colour=self._colour))

    def flush(self) -> None:
        """Write what was noted."""
        lines, self._lines = self._lines, []
        if lines:
            self._stream.write("".join(lines))
            self._stream.flush()


def _json_line(
    context: RequestContext, path: str, status: int, milliseconds: float, *, colour: bool
) -> str:
    """Spell the line by hand: it is written for every request, and only the path needs care."""
    del colour
    origin = context.origin
    seconds, fraction = divmod(time.time_ns() // 1000, 1_000_000)
    user = f'"{origin.actor_id}"' if origin.actor_id else "null"
    ip = _quoted(origin.ip) if origin.ip else "null"
    return (
        f'{{"timestamp":"{_second(seconds)}.{fraction:06}Z","level":"info","event":"request",'
        f'"request_id":"{origin.request_id}","user_id":{user},"ip":{ip},'
        f'"method":{_quoted(context.method)},"path":{_quoted(path)},"status":{status},'
        f'"duration_ms":{milliseconds:.2f}}}\n'
    )


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return orjson.dumps(text).decode() if text.isascii() else json_dumps(text)


def _console_line(
    context: RequestContext, path: str, status: int, milliseconds: float, *, colour: bool
) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in path)
    text = f"{context.method:<6} {shown}  {status}  {milliseconds:.0f} ms  {context.request_id}"
    if colour:
        number = 32 if status < 400 else 33 if status < 500 else 31  # noqa: PLR2004
        text = f"\x1b[{number}m{text}\x1b[0m"
    return text + "\n"
