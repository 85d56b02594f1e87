"""What becomes of an exception at the edge: a problem, a log line, or an application's handler."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.exc import DataError
from sqlalchemy.orm.exc import StaleDataError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from mainstay.core.db.base import Base
from mainstay.core.db.failures import (
    UniqueViolation,
    is_bad_value,
    is_foreign_key_violation,
    is_malformed_id,
    is_unavailable,
    unique_violation,
)
from mainstay.core.errors import (
    AlreadyExistsError,
    ConflictError,
    DependencyUnavailableError,
    FieldError,
    InternalError,
    NotFoundError,
    PreconditionFailedError,
    ProblemError,
    ValidationFailedError,
)
from mainstay.core.http.problems import translate
from mainstay.core.http.proxy import is_loopback
from mainstay.core.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope

    from mainstay.core.http.context import RequestContext
    from mainstay.core.http.exchange import Exchange

Custom = tuple[Callable[..., Any], Exception]
"""An exception handler of the application, and the exception that it is called with."""

_log = get_logger("mainstay.edge")
_FORWARDING = (
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"x-real-ip",
    b"forwarded",
    b"via",
)


def on_this_machine(context: RequestContext) -> bool:
    """Say whether the peer is on loopback, speaks for itself, and asks for a local name.

    The name matters because a page elsewhere can have its own name lead here (DNS rebinding).
    """
    forwarded = any(header in context.headers for header in _FORWARDING)
    return is_loopback(context.peer) and not forwarded and _is_local(context.headers.get(b"host"))


def _is_local(host: bytes | None) -> bool:
    name = (host or b"").decode("latin-1").lower()
    bare = name.partition("]")[0].strip("[") if name.startswith("[") else name.partition(":")[0]
    return bare == "localhost" or bare.endswith(".localhost") or is_loopback(bare)


class Failures:
    """Decides on exceptions. ``handlers`` gives the application's own, by class or status."""

    def __init__(
        self, handlers: Callable[[], Mapping[Any, Callable[..., Any]]], *, development: bool
    ) -> None:
        self._handlers = handlers
        self._development = development

    def custom_handler(self, error: Exception, context: RequestContext) -> Custom | None:
        """Give the application's own handler, and the exception that it takes.

        One for the exception's class comes first. What is known here goes to one for its status,
        if there is any, as the ``HTTPException`` that Starlette would raise; all else is caught by
        the one for ``Exception`` or 500.
        """
        handlers = self._handlers()
        if not handlers:
            return None
        for kind in type(error).__mro__:
            if kind in handlers and kind is not Exception:
                return handlers[kind], error
        known = translate(error) or from_database(error, context)
        if known is None:
            handler = handlers.get(Exception) or handlers.get(InternalError.status)
            return (handler, error) if handler is not None else None
        handler = handlers.get(known.status)
        if handler is None:
            return None
        return handler, HTTPException(known.status, known.detail or known.title, known.headers)

    async def answer_custom(
        self, custom: Custom, exchange: Exchange, *, scope: Scope, receive: Receive
    ) -> None:
        """Let the application's own handler answer."""
        handler, error = custom
        request = Request(scope, receive)
        if inspect.iscoroutinefunction(handler):
            response = await handler(request, error)
        else:
            response = await run_in_threadpool(handler, request, error)
        await response(scope, receive, exchange.send)

    def problem(self, error: Exception, context: RequestContext) -> ProblemError:
        """Turn any exception into a problem; what is our fault is logged with its trace."""
        known = translate(error) or from_database(error, context)
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

    def log(self, error: Exception, context: RequestContext) -> None:
        """Write the exception with its trace into the log."""
        _log.error("request.failed", request_id=context.request_id, exc_info=error)


def from_database(error: Exception, context: RequestContext) -> ProblemError | None:
    """Turn what a database refuses into a problem; None for what is our own fault."""
    if isinstance(error, StaleDataError):
        msg = "Somebody changed it at the same moment. Read it again, then repeat your change."
        conditional = b"if-match" in context.headers
        return PreconditionFailedError(msg) if conditional else ConflictError(msg)
    taken = unique_violation(error)
    if taken is not None:
        return _already_exists(taken)
    found = ((kind, detail) for applies, kind, detail in _MEANINGS if applies(error))
    kind, detail = next(found, (None, ""))
    return None if kind is None else kind(detail)


def _does_not_fit(error: BaseException) -> bool:
    return is_bad_value(error) or isinstance(error, DataError)


_MEANINGS: Final[tuple[tuple[Callable[[BaseException], bool], type[ProblemError], str], ...]] = (
    (is_unavailable, DependencyUnavailableError, "The database did not answer in time. Try again."),
    (
        is_foreign_key_violation,
        ConflictError,
        "Something that this refers to is not there, or is still in use.",
    ),
    (is_malformed_id, NotFoundError, "There is nothing with this id."),
    (_does_not_fit, ValidationFailedError, "A value is outside of what the database can hold."),
)


def _already_exists(taken: UniqueViolation) -> AlreadyExistsError:
    """Name the members that are taken; of a case-blind ``email_key`` that is ``email``."""
    table = Base.metadata.tables.get(taken.table or "")
    known = set() if table is None else set(table.columns.keys())
    plain = {column: column.removesuffix("_key") for column in taken.columns}
    names = [plain[column] if plain[column] in known else column for column in taken.columns]
    return AlreadyExistsError(
        "A value that must be unique is taken.",
        errors=[
            FieldError(pointer=f"#/{name}", code="already_exists", detail="This is taken.")
            for name in names
        ],
    )


def _debug(error: Exception) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None
    return {"exception": type(error).__name__, "where": where}
