"""Problem errors: what may go wrong, as classes with a status and a stable code (RFC 9457).

    ProblemError
    ├── BadRequestError 400 ── MalformedJsonError, CursorMismatchError, TokenInvalidError,
    │                          PaginationConflictError, IdempotencyKeyRequiredError,
    │                          PasswordIncorrectError
    ├── NotAuthenticatedError 401 ── TokenExpiredError, TokenRevokedError
    ├── PermissionDeniedError 403 ── ReauthRequiredError
    ├── NotFoundError 404
    ├── MethodNotAllowedError 405
    ├── RequestTimeoutError 408
    ├── ConflictError 409 ── AlreadyExistsError, IdempotencyInProgressError
    ├── GoneError 410
    ├── PreconditionFailedError 412
    ├── BodyTooLargeError 413
    ├── UriTooLongError 414
    ├── UnsupportedMediaTypeError 415
    ├── ValidationFailedError 422 ── UnknownFieldError, UnknownParameterError,
    │                                SortFieldUnknownError, OffsetTooLargeError,
    │                                IdempotencyKeyReusedError
    ├── PreconditionRequiredError 428
    ├── RateLimitedError 429
    ├── HeadersTooLargeError 431
    ├── InternalError 500
    └── DependencyUnavailableError 503 ── OverloadedError

A feature adds its own below these. Any of them may be raised anywhere; the edge answers it as
``application/problem+json``. Nothing here knows HTTP frameworks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One fault in the input, with exactly one of ``pointer``, ``parameter`` and ``header``.

    ``pointer`` is a JSON pointer fragment (``#/price_cents``). ``params`` holds the rule's own
    numbers (``{"ge": 0}``), never what the caller sent.
    """

    detail: str
    code: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def as_member(self) -> dict[str, Any]:
        """Give the entry of the problem's ``errors`` array."""
        where = {"pointer": self.pointer, "parameter": self.parameter, "header": self.header}
        member: dict[str, Any] = {key: value for key, value in where.items() if value is not None}
        member |= {"code": self.code, "detail": self.detail}
        if self.params:
            member["params"] = dict(self.params)
        return member


class ProblemError(Exception):
    """The root of all answered errors.

    ``status``, ``code`` and ``title`` are fixed for a class; ``type_uri`` only where it is not the
    code's page. ``detail`` is for people, and says what to do. ``members`` become further members
    of the problem, ``headers`` of the answer.
    """

    type_uri: str | None = None
    status: int = 500
    code: str = "internal_error"
    title: str = "Something went wrong on our side"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    @classmethod
    def catalogue(cls) -> Iterator[type[ProblemError]]:
        """Yield this class and all below it, each once, parents first."""
        yield cls
        for child in cls.__subclasses__():
            yield from child.catalogue()


class BadRequestError(ProblemError):
    """The request cannot be understood."""

    status = 400
    code = "bad_request"
    title = "The request cannot be understood"


class MalformedJsonError(BadRequestError):
    """The body is not JSON (RFC 8259), or goes beyond what is accepted of it."""

    code = "malformed_json"
    title = "The body is not acceptable JSON"


class CursorMismatchError(BadRequestError):
    """The cursor was made for other parameters, or not by this server."""

    code = "cursor_mismatch"
    title = "The cursor does not belong to this request"


class PaginationConflictError(BadRequestError):
    """``offset`` and ``cursor`` came together."""

    code = "pagination_conflict"
    title = "Use either offset or cursor"


class IdempotencyKeyRequiredError(BadRequestError):
    """The route asks for an ``Idempotency-Key`` and there was none."""

    code = "idempotency_key_required"
    title = "An Idempotency-Key header is required"


class TokenInvalidError(BadRequestError):
    """A single-use token is wrong, spent or expired; which of them is not told."""

    code = "token_invalid"
    title = "This link or token is not valid any more"


class PasswordIncorrectError(BadRequestError):
    """The signed-in caller's current password is wrong."""

    code = "password_incorrect"
    title = "The current password is not correct"


class NotAuthenticatedError(ProblemError):
    """Nobody is signed in, or the credentials do not hold."""

    status = 401
    code = "not_authenticated"
    title = "You are not signed in"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        challenge = {"WWW-Authenticate": "Bearer"}
        super().__init__(detail, errors=errors, headers=challenge | dict(headers or {}), **members)


class TokenExpiredError(NotAuthenticatedError):
    """The access token is past its time; refresh it."""

    code = "token_expired"
    title = "The access token has expired"


class TokenRevokedError(NotAuthenticatedError):
    """The session behind the token has ended."""

    code = "token_revoked"
    title = "The session has ended"


class PermissionDeniedError(ProblemError):
    """Signed in, and refused. ``required`` names the permissions that would open it."""

    status = 403
    code = "permission_denied"
    title = "You may not do this"


class ReauthRequiredError(PermissionDeniedError):
    """This needs a sign-in of the last ten minutes."""

    code = "reauth_required"
    title = "Prove again who you are"


class NotFoundError(ProblemError):
    """There is nothing here, or nothing that the caller may see."""

    status = 404
    code = "not_found"
    title = "Not found"


class MethodNotAllowedError(ProblemError):
    """The path is there, the method is not."""

    status = 405
    code = "method_not_allowed"
    title = "This method is not allowed here"


class RequestTimeoutError(ProblemError):
    """The body did not arrive in time."""

    status = 408
    code = "request_timeout"
    title = "The request took too long to arrive"


class ConflictError(ProblemError):
    """The request does not fit the present state."""

    status = 409
    code = "conflict"
    title = "The request conflicts with the present state"


class AlreadyExistsError(ConflictError):
    """A unique value is taken."""

    code = "already_exists"
    title = "This already exists"


class IdempotencyInProgressError(ConflictError):
    """The first request with this key is still running."""

    code = "idempotency_in_progress"
    title = "The first request with this key is still running"


class GoneError(ProblemError):
    """It was here, and will not come back."""

    status = 410
    code = "gone"
    title = "This is gone"


class PreconditionFailedError(ProblemError):
    """``If-Match`` named another version (RFC 9110, section 13)."""

    status = 412
    code = "precondition_failed"
    title = "The resource has changed in the meantime"


class BodyTooLargeError(ProblemError):
    """The body is over the limit."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"


class UriTooLongError(ProblemError):
    """The request target is over the limit."""

    status = 414
    code = "uri_too_long"
    title = "The URL is too long"


class UnsupportedMediaTypeError(ProblemError):
    """The body has a type that this route does not take."""

    status = 415
    code = "unsupported_media_type"
    title = "This content type is not taken here"


class ValidationFailedError(ProblemError):
    """Some of the input is not valid; ``errors`` says which."""

    status = 422
    code = "validation_failed"
    title = "Some fields are not valid"


class UnknownFieldError(ValidationFailedError):
    """The body has a field that is not known here."""

    code = "unknown_field"
    title = "The body has an unknown field"


class UnknownParameterError(ValidationFailedError):
    """The query has a parameter that is not known here."""

    code = "unknown_parameter"
    title = "The query has an unknown parameter"


class SortFieldUnknownError(ValidationFailedError):
    """``sort`` names a field that cannot be sorted by."""

    code = "sort_field_unknown"
    title = "The list cannot be sorted by that field"


class OffsetTooLargeError(ValidationFailedError):
    """``offset`` is beyond the limit; a cursor is the way on."""

    code = "offset_too_large"
    title = "The offset is too large"


class IdempotencyKeyReusedError(ValidationFailedError):
    """The key came before with another request."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class PreconditionRequiredError(ProblemError):
    """The route asks for ``If-Match`` and there was none (RFC 6585, section 3)."""

    status = 428
    code = "precondition_required"
    title = "An If-Match header is required"


class RateLimitedError(ProblemError):
    """Too many requests (RFC 6585, section 4)."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"


class HeadersTooLargeError(ProblemError):
    """The header section is over the limit (RFC 6585, section 5)."""

    status = 431
    code = "headers_too_large"
    title = "The request headers are too large"


class InternalError(ProblemError):
    """Our fault. The answer carries the request id and nothing else."""


class DependencyUnavailableError(ProblemError):
    """Something that this server leans on is away; try again later."""

    status = 503
    code = "dependency_unavailable"
    title = "A part of the service is not available"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        retry = {"Retry-After": "1"}
        super().__init__(detail, errors=errors, headers=retry | dict(headers or {}), **members)


class OverloadedError(DependencyUnavailableError):
    """More work than can be done in time; try again shortly."""

    code = "overloaded"
    title = "The service is busy"
