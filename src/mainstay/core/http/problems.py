"""Turning exceptions into problem answers (RFC 9457). Nothing the caller sent is echoed."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mainstay.core.db.failures import is_transient
from mainstay.core.errors import (
    BadRequestError,
    BodyTooLargeError,
    ConflictError,
    FieldError,
    GoneError,
    MalformedJsonError,
    MethodNotAllowedError,
    NotAuthenticatedError,
    NotFoundError,
    PermissionDeniedError,
    ProblemError,
    RateLimitedError,
    UnknownFieldError,
    UnknownParameterError,
    UnsupportedMediaTypeError,
    ValidationFailedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from mainstay.core.http.context import RequestContext

MEDIA_TYPE = "application/problem+json"
DOCS_PATH = "/docs/problems/"
_BY_STATUS: dict[int, type[ProblemError]] = {
    error.status: error
    for error in (
        BadRequestError,
        NotAuthenticatedError,
        PermissionDeniedError,
        NotFoundError,
        MethodNotAllowedError,
        ConflictError,
        GoneError,
        BodyTooLargeError,
        UnsupportedMediaTypeError,
        ValidationFailedError,
        RateLimitedError,
    )
}
_PATH_SAFE = "/:@!$&'()*+,;=~-._"
_WORDS = re.compile(r"[^a-z0-9]+")


def render(error: ProblemError, *, instance: str, request_id: str) -> bytes:
    """Give the problem document's bytes."""
    document: dict[str, Any] = {
        "type": error.type_uri or DOCS_PATH + error.code,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail or error.title + ".",
        "instance": quote(instance, safe=_PATH_SAFE),
        "request_id": request_id,
        **error.members,
    }
    if error.errors:
        document["errors"] = [fault.as_member() for fault in error.errors]
    return orjson.dumps(document, default=str)


def headers_of(error: ProblemError, body: bytes) -> list[tuple[bytes, bytes]]:
    """Give the answer's own headers, lower-case names as ASGI wants them."""
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    headers += [
        (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in error.headers.items()
    ]
    if error.status in {428, 429, 431}:
        headers.append((b"cache-control", b"no-store"))
    return headers


def as_response(error: ProblemError, context: RequestContext, *, instance: str) -> Response:
    """Give the problem as a Starlette response."""
    body = render(error, instance=instance, request_id=context.request_id)
    response = Response(body, status_code=error.status)
    response.raw_headers = headers_of(error, body)
    return response


def translate(error: Exception) -> ProblemError | None:
    """Turn a framework's own exception into a problem; None for one that is not known here."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RequestValidationError):
        return from_validation(error.errors())
    if isinstance(error, HTTPException):
        return _from_http(error)
    return None


def _from_http(error: HTTPException) -> ProblemError:
    known = _BY_STATUS.get(error.status_code)
    detail = error.detail if isinstance(error.detail, str) else None
    if known is None:
        return UnlistedProblemError(error.status_code, detail, headers=error.headers)
    members: dict[str, Any] = {} if detail or error.detail is None else {"info": error.detail}
    return known(detail, headers=error.headers, **members)


class UnlistedProblemError(ProblemError):
    """A status that an application chose for itself; it has no page in the catalogue."""

    type_uri = "about:blank"
    code = "http_error"

    def __init__(
        self, status: int, detail: str | None = None, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail, headers=headers)
        self.status = status
        try:
            self.title = HTTPStatus(status).phrase
        except ValueError:
            self.title = "The request failed"
        self.code = _WORDS.sub("_", self.title.lower().replace("'", "")).strip("_")


def from_validation(faults: Sequence[Mapping[str, Any]]) -> ProblemError:
    """Turn pydantic's faults into a problem. The input is never repeated."""
    if any(fault["type"] == "json_invalid" for fault in faults):
        return MalformedJsonError("Send a JSON document (RFC 8259).")
    errors = [_field_error(fault) for fault in faults]
    count = len(errors)
    detail = f"{count} problem{'s' if count != 1 else ''} in the request."
    kinds = {(fault["type"], fault["loc"][0] if fault["loc"] else "") for fault in faults}
    if kinds == {("extra_forbidden", "body")}:
        return UnknownFieldError(detail, errors=errors)
    if kinds == {("extra_forbidden", "query")}:
        return UnknownParameterError(detail, errors=errors)
    return ValidationFailedError(detail, errors=errors)


_CODES = {"extra_forbidden": "unknown_field", "string_type": "invalid_type"}
_SAFE_CONTEXT = frozenset(
    {"ge", "gt", "le", "lt", "min_length", "max_length", "multiple_of", "expected", "pattern"}
)


def _field_error(fault: Mapping[str, Any]) -> FieldError:
    source, *path = fault["loc"] or ("body",)
    kind = str(fault["type"])
    context = fault.get("ctx") or {}
    params = {k: v for k, v in context.items() if k in _SAFE_CONTEXT}
    code = _CODES.get(kind, kind)
    detail = _sentence(kind, str(fault["msg"]), context=context)
    if source == "query":
        code = "unknown_parameter" if kind == "extra_forbidden" else code
        return FieldError(
            parameter=".".join(map(str, path)), code=code, detail=detail, params=params
        )
    if source == "path":
        return FieldError(
            parameter=".".join(map(str, path)), code=code, detail=detail, params=params
        )
    if source in {"header", "cookie"}:
        return FieldError(header=".".join(map(str, path)), code=code, detail=detail, params=params)
    pointer = "#" + "".join("/" + _escape(part) for part in path)
    return FieldError(pointer=pointer, code=code, detail=detail, params=params)


def _escape(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1").encode("ascii", "replace").decode()


def _sentence(kind: str, message: str, *, context: Mapping[str, Any]) -> str:
    if kind == "missing":
        return "This is required."
    if kind == "extra_forbidden":
        return "This is not known here; leave it out."
    if kind == "union_tag_invalid":
        return f"Its {context.get('discriminator')} must be one of {context.get('expected_tags')}."
    if kind == "value_error":
        return str(context.get("error", message)).removeprefix("Value error, ")
    return message.removeprefix("Input ").removeprefix("String ").capitalize().rstrip(".") + "."


async def answer(request: Request, error: Exception) -> Response:
    """Answer an exception as FastAPI's handlers do; registered for the framework's own.

    What a transient failure undid is the edge's business, which may run the request again.
    """
    context: RequestContext = request.scope["mainstay"]
    if isinstance(error, HTTPException) and error.status_code < BadRequestError.status:
        return Response(status_code=error.status_code, headers=dict(error.headers or {}))
    problem = translate(error)
    if problem is None or is_transient(error):
        raise error
    return as_response(problem, context, instance=request.url.path)
