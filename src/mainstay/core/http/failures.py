"""What becomes of an exception at the edge: a problem, a log line, or an application's handler."""

from __future__ import annotations

import inspect
import traceback
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DataError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from mainstay.core.db.failures import is_transient, is_unavailable, unique_violation
from mainstay.core.errors import (
    AlreadyExistsError,
    DependencyUnavailableError,
    FieldError,
    InternalError,
    ProblemError,
    ValidationFailedError,
)
from mainstay.core.http.problems import translate
from mainstay.core.http.proxy import is_loopback
from mainstay.core.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope

    from mainstay.core.http.context import RequestContext
    from mainstay.core.http.exchange import Exchange

_log = get_logger("mainstay.edge")
_FORWARDING = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded")


def on_this_machine(context: RequestContext) -> bool:
    """Say whether the peer is on loopback and speaks for itself, with no forwarding headers."""
    return is_loopback(context.peer) and not any(h in context.headers for h in _FORWARDING)


class Failures:
    """Decides on exceptions. ``handlers`` gives the application's own, by class or status."""

    def __init__(
        self, handlers: Callable[[], Mapping[Any, Callable[..., Any]]], *, development: bool
    ) -> None:
        self._handlers = handlers
        self._development = development

    def custom_handler(self, error: Exception) -> Callable[..., Any] | None:
        """Give the handler that the application registered for this kind of exception."""
        handlers = self._handlers()
        for kind in type(error).__mro__[:-2]:
            if kind in handlers:
                return handlers[kind]
        return handlers.get(500) if translate(error) is None else None

    async def answer_custom(
        self,
        handler: Callable[..., Any],
        error: Exception,
        scope: Scope,
        receive: Receive,
        exchange: Exchange,
    ) -> None:
        """Let the application's own handler answer."""
        request = Request(scope, receive)
        if inspect.iscoroutinefunction(handler):
            response = await handler(request, error)
        else:
            response = await run_in_threadpool(handler, request, error)
        await response(scope, receive, exchange.send)

    def problem(self, error: Exception, context: RequestContext) -> ProblemError:
        """Turn any exception into a problem; what is our fault is logged with its trace."""
        known = translate(error) or self._from_database(error)
        if known is not None:
            if known.status >= InternalError.status:
                _log.warning("request.unavailable", code=known.code, reason=type(error).__name__)
            return known
        self.log(error, context)
        members: dict[str, Any] = {}
        if self._development and on_this_machine(context):
            members["debug"] = _debug(error)
        return InternalError(
            "Tell us the request id, so that we can find what happened.", **members
        )

    def _from_database(self, error: Exception) -> ProblemError | None:
        taken = unique_violation(error)
        if taken is not None:
            return AlreadyExistsError(
                "A value that must be unique is taken.",
                errors=[
                    FieldError(
                        pointer=f"#/{column}", code="already_exists", detail="This is taken."
                    )
                    for column in taken.columns
                ],
            )
        if is_unavailable(error) or is_transient(error):
            return DependencyUnavailableError("The database did not answer in time. Try again.")
        if isinstance(error, DataError):
            return ValidationFailedError("A value is outside of what the database can hold.")
        return None

    def log(self, error: Exception, context: RequestContext) -> None:
        """Write the exception with its trace into the log."""
        _log.error("request.failed", request_id=context.request_id, exc_info=error)


def _debug(error: Exception) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    return {"exception": type(error).__name__, "where": where}
