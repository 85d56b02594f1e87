"""The OpenAPI 3.1 document, in the form that client generators make good code of.

An operation's id is ``<tag>.<verb>``: the first tag, and the name of the endpoint's function
without underscores at its ends (``list_`` in the tag ``products`` is ``products.list``). An
``operation_id`` given on the route wins. Every operation answers errors with the one ``Problem``
schema, and names ``X-Request-ID`` among the headers of each answer.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import get_name

from mainstay.core.http._fastapi import UnknownFastAPIError, Watch
from mainstay.core.http.access import routes_with_access

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.routing import RouteContext

BEARER: Final = "bearer"
PROBLEM_SCHEMA: Final[Mapping[str, Any]] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Further members depend on the code.",
    "type": "object",
    "additionalProperties": True,
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "title": "Type"},
        "title": {"type": "string", "title": "Title", "description": "Fixed for each code."},
        "status": {"type": "integer", "title": "Status", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "title": "Code", "examples": ["validation_failed"]},
        "detail": {"type": "string", "title": "Detail", "description": "For people to read."},
        "instance": {"type": "string", "format": "uri-reference", "title": "Instance"},
        "request_id": {"type": "string", "title": "Request id"},
        "errors": {
            "type": "array",
            "title": "Errors",
            "items": {"$ref": "#/components/schemas/ProblemFieldError"},
        },
    },
}
FIELD_ERROR_SCHEMA: Final[Mapping[str, Any]] = {
    "title": "ProblemFieldError",
    "description": "One fault in the input, with one of pointer, parameter and header.",
    "type": "object",
    "required": ["code", "detail"],
    "properties": {
        "pointer": {"type": "string", "title": "Pointer", "examples": ["#/price_cents"]},
        "parameter": {"type": "string", "title": "Parameter"},
        "header": {"type": "string", "title": "Header"},
        "code": {"type": "string", "title": "Code"},
        "detail": {"type": "string", "title": "Detail"},
        "params": {"type": "object", "title": "Params", "additionalProperties": True},
    },
}
_REQUEST_ID: Final = {
    "description": "The id of this request, as in logs and problems.",
    "schema": {"type": "string"},
}
_SCHEMAS: Final = "#/components/schemas/"
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAPIOptions:
    """What the document says beyond the routes. ``tags`` are in order, with descriptions."""

    api_prefix: str = "/api/v1"
    public_url: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class DuplicateOperationError(ValueError):
    """Two routes have one operation id."""


def operation_id(route: APIRoute) -> str:
    """Give ``<tag>.<verb>`` for a route; FastAPI's ``generate_unique_id_function``."""
    verb = get_name(route.endpoint).strip("_")
    if not route.tags:
        return verb
    tag = getattr(route.tags[0], "value", route.tags[0])
    return f"{_NO_WORD.sub('_', str(tag)).strip('_').lower()}.{verb}"


def check_operation_ids(app: FastAPI) -> None:
    """Check that no two operations of the document have one id.

    Raises:
        DuplicateOperationError: two have; the message names both.
    """
    taken: dict[str, str] = {}
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, APIRoute) or not context.include_in_schema:
            continue
        name = context.operation_id or context.unique_id
        for method in sorted((context.methods or set()) - {"HEAD"}):
            here = f"{method} {context.path_format} ({_where(context)})"
            other = taken.setdefault(name, here)
            if other is not here:
                msg = (
                    f"The operation id {name!r} is taken twice: by {other} and by {here}. "
                    "Rename one function, or give one route an operation_id of its own."
                )
                raise DuplicateOperationError(msg)


def _where(context: RouteContext) -> str:
    endpoint = context.endpoint
    return f"{getattr(endpoint, '__module__', '?')}.{getattr(endpoint, '__qualname__', '?')}"


def install_openapi(app: FastAPI, options: OpenAPIOptions) -> None:
    """Let ``app.openapi()`` give the document, built at first use and again for new routes."""
    watches: list[Watch] = []

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None or any(watch.changed() for watch in watches):
            app.openapi_schema = build_openapi(app, options)
            with suppress(UnknownFastAPIError):
                watches[:] = [Watch(app.router)]
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def build_openapi(app: FastAPI, options: OpenAPIOptions) -> dict[str, Any]:
    """Build the document anew.

    Raises:
        DuplicateOperationError: two operations have one id.
    """
    check_operation_ids(app)
    document = _from_fastapi(app, options.public_url)
    document["paths"] = _without_slashes(document["paths"])
    _ask_for_sign_in(document["paths"], app)
    for operation in _operations(document["paths"]):
        _finish(operation)
    _add_components(document, options)
    _rename_bodies(document)
    document["tags"] = _tags(document, options.tags)
    return document


def _from_fastapi(app: FastAPI, public_url: str | None) -> dict[str, Any]:
    with warnings.catch_warnings():
        # One function for GET and HEAD is one operation here; HEAD is not shown.
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        return get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            summary=app.summary,
            description=app.description,
            terms_of_service=app.terms_of_service,
            contact=app.contact,
            license_info=app.license_info,
            routes=app.routes,
            webhooks=app.webhooks.routes,
            servers=[{"url": public_url.rstrip("/")}] if public_url else None,
            separate_input_output_schemas=app.separate_input_output_schemas,
            external_docs=app.openapi_external_docs,
        )


def _ask_for_sign_in(paths: dict[str, Any], app: FastAPI) -> None:
    """Say of the operations that need it that a bearer token is needed."""
    for path, methods, access in routes_with_access(app):
        for method in methods:
            operation = paths.get(path, {}).get(method.lower())
            if operation is not None and access.signed_in:
                operation.setdefault("security", [{"bearer": []}])


def _without_slashes(paths: dict[str, Any]) -> dict[str, Any]:
    """Show each path without its trailing slash, and without the HEAD that GET implies."""
    shown: dict[str, dict[str, Any]] = {}
    for path, item in paths.items():
        if "get" in item:
            item.pop("head", None)
        known = shown.setdefault(path.rstrip("/") or "/", {})
        known.update({key: value for key, value in item.items() if key not in known})
    return shown


def _operations(paths: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in paths.values():
        yield from (value for value in item.values() if isinstance(value, dict))


def _finish(operation: dict[str, Any]) -> None:
    operation["summary"] = operation.get("summary", "").strip()
    responses: dict[str, Any] = operation.setdefault("responses", {})
    if _schema_of(responses.get("422")) == {"$ref": _SCHEMAS + "HTTPValidationError"}:
        del responses["422"]
    responses.setdefault("default", {"description": "A problem"})
    for status, response in responses.items():
        if "$ref" in response:
            continue
        if status[0] in "45d":
            response.setdefault("content", _problem_content())
        schema = _schema_of(response)
        if str(schema.get("title", "")).startswith("Response "):
            del schema["title"]  # made from the operation's id; generators would name types by it
        headers = response.setdefault("headers", {})
        headers.setdefault("X-Request-ID", {"$ref": "#/components/headers/X-Request-ID"})


def _schema_of(response: Mapping[str, Any] | None) -> dict[str, Any]:
    content = (response or {}).get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema


def _problem_content() -> dict[str, Any]:
    return {"application/problem+json": {"schema": {"$ref": _SCHEMAS + "Problem"}}}


def _add_components(document: dict[str, Any], options: OpenAPIOptions) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = deepcopy(dict(PROBLEM_SCHEMA))
    schemas["ProblemFieldError"] = deepcopy(dict(FIELD_ERROR_SCHEMA))
    for name in ("HTTPValidationError", "ValidationError"):
        if name in schemas and _SCHEMAS + name not in _references(document):
            del schemas[name]
    components.setdefault("headers", {})["X-Request-ID"] = deepcopy(_REQUEST_ID)
    components.setdefault("securitySchemes", {})[BEARER] = {
        "type": "oauth2",
        "description": "An access token, as Authorization: Bearer.",
        "flows": {"password": {"tokenUrl": f"{options.api_prefix}/auth/login", "scopes": {}}},
    }


def _references(node: Any) -> set[str]:
    return {holder["$ref"] for holder in _holders(node)}


def _holders(node: Any) -> Iterator[dict[str, Any]]:
    """Find the objects that are references."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node
        for value in node.values():
            yield from _holders(value)
    elif isinstance(node, list):
        for value in node:
            yield from _holders(value)


def _rename_bodies(document: dict[str, Any]) -> None:
    """Name the bodies that FastAPI makes of parameters: Body_auth.login is AuthLoginBody."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    renamed: dict[str, str] = {}
    for name, schema in list(schemas.items()):
        title = str(schema.get("title", ""))
        words = _NO_WORD.split(title.removeprefix("Body_"))
        new = "".join(word[:1].upper() + word[1:] for word in words) + "Body"
        if title.startswith("Body_") and new not in schemas:
            schemas[new] = schemas.pop(name) | {"title": new}
            renamed[_SCHEMAS + name] = _SCHEMAS + new
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    for holder in _holders(document):
        holder["$ref"] = renamed.get(holder["$ref"], holder["$ref"])


def _tags(document: dict[str, Any], described: Mapping[str, str]) -> list[dict[str, str]]:
    operations = _operations(document["paths"])
    used = {tag: None for operation in operations for tag in operation.get("tags", ())}
    order = [*(tag for tag in described if tag in used), *(t for t in used if t not in described)]
    return [
        {"name": tag, "description": described[tag]} if described.get(tag) else {"name": tag}
        for tag in order
    ]
