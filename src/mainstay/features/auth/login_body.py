"""The sign-in's body: JSON, or the form of OAuth 2's password grant (RFC 6749, section 4.3.2)."""

from __future__ import annotations

from typing import Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import Request

from mainstay.core.errors import MalformedJsonError, UnsupportedMediaTypeError
from mainstay.core.http.body import is_json
from mainstay.features.auth.schemas import LoginForm

_FORM: Final = b"application/x-www-form-urlencoded"
_IGNORED: Final = frozenset({"grant_type", "scope", "client_id", "client_secret"})
_FORM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["username", "password"],
    "properties": {
        "username": {"type": "string", "description": "A username or an e-mail address."},
        "password": {"type": "string", "format": "password"},
        "grant_type": {"type": "string"},
        "scope": {"type": "string"},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
    },
    "additionalProperties": False,
}
_JSON_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["password"],
    "properties": {
        "username_or_email": {"type": "string", "maxLength": 254},
        "username": {"type": "string", "maxLength": 254},
        "email": {"type": "string", "maxLength": 254},
        "password": {"type": "string", "format": "password", "maxLength": 4096},
    },
    "additionalProperties": False,
}
LOGIN_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _JSON_SCHEMA},
            _FORM.decode(): {"schema": _FORM_SCHEMA},
        },
    }
}
"""What the OpenAPI document says of the body."""


async def login_form(request: Request) -> LoginForm:
    """Read the sign-in from either kind of body.

    Raises:
        UnsupportedMediaTypeError: it is neither.
        RequestValidationError: a member is missing, unknown or wrong.
    """
    content_type = request.headers.get("content-type", "").encode("latin-1")
    if content_type.partition(b";")[0].strip().lower() == _FORM:
        form = await request.form()
        sent: Any = {k: v for k, v in form.items() if k not in _IGNORED}
    elif is_json(content_type):
        sent = _json(await request.body())
    else:
        msg = "Send application/json or application/x-www-form-urlencoded."
        raise UnsupportedMediaTypeError(msg)
    try:
        return LoginForm.model_validate(sent)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from None


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        msg = "Send a JSON object with username_or_email and password."
        raise MalformedJsonError(msg) from None
