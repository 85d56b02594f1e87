"""Conditional requests (RFC 9110, section 13): entity tags from row versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mainstay.core.errors import PreconditionFailedError, PreconditionRequiredError
from mainstay.core.http.context import context_of

if TYPE_CHECKING:
    from starlette.requests import Request


def etag_of(version: int) -> str:
    """Give the strong entity tag of a row's version."""
    return f'"{version}"'


def _listed(header: str) -> set[str]:
    return {tag.strip() for tag in header.split(",")}


def tag_answer(request: Request, version: int) -> bool:
    """Put the ETag on the answer; true if the caller has this version, and 304 will do."""
    tag = etag_of(version)
    context_of(request.scope).extra_headers.append((b"etag", tag.encode("ascii")))
    sent = request.headers.get("if-none-match")
    if sent is None:
        return False
    weak = {candidate.removeprefix("W/") for candidate in _listed(sent)}
    return "*" in weak or tag in weak


def check_if_match(request: Request, version: int, *, required: bool = False) -> None:
    """Refuse a write that was prepared on another version.

    Raises:
        PreconditionFailedError: ``If-Match`` names another version; the present one is answered.
        PreconditionRequiredError: it is required and missing.
    """
    sent = request.headers.get("if-match")
    if sent is None:
        if required:
            msg = "Read the resource, and send its ETag back as If-Match."
            raise PreconditionRequiredError(msg)
        return
    listed = _listed(sent)
    if "*" not in listed and etag_of(version) not in listed:
        msg = "Somebody changed it since you read it. Read it again, then repeat your change."
        raise PreconditionFailedError(msg, headers={"ETag": etag_of(version)})
