"""The list language as FastAPI's routes take it.

Filters are read from the raw query string. As parameters of FastAPI's own they would be looked up
one by one in every request, and a list has dozens; so OpenAPI is told of them beside it::

    @router.get("", response_model=UserPage, openapi_extra=list_openapi(USERS))
    async def list_users(query: Annotated[ListQuery, list_parameters(USERS)]): ...

    @router.post("/search", response_model=UserPage)
    async def search_users(query: Annotated[ListQuery, search_body(USERS)]): ...
"""

from types import GenericAlias
from typing import Annotated, Any, Final, ForwardRef

from fastapi import Body, Depends
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    create_model,
)
from starlette.requests import HTTPConnection

from mainstay.core.http.query.fields import BoundField
from mainstay.core.http.query.members import MAX_SEARCH, MAX_SORT_KEYS
from mainstay.core.http.query.model import MAX_LIST, MAX_OFFSET, ListQuery, Operator
from mainstay.core.http.query.parse import parser
from mainstay.core.http.query.search import parse_search
from mainstay.core.http.query.spec import ListSpec

_MEANINGS: Final[dict[Operator, str]] = {
    "eq": "Equals this.",
    "ne": "Does not equal this; null does not.",
    "gt": "Is greater than this.",
    "gte": "Is this or greater.",
    "lt": "Is less than this.",
    "lte": "Is this or less.",
    "in": "Is one of these.",
    "notin": "Is none of these; null is none.",
    "contains": "Contains this text, case and all.",
    "icontains": "Contains this text, whatever the case.",
    "startswith": "Starts with this text, case and all.",
    "isnull": "Is null, or with false is not.",
}
_LIST: Final[dict[str, Any]] = {"type": "array", "minItems": 1, "maxItems": MAX_LIST}


def list_parameters(spec: ListSpec) -> Any:
    """Make the dependency that parses the query string; it raises what ``parse_query`` does."""
    parse = parser(spec)

    async def give(connection: HTTPConnection) -> ListQuery:
        return parse(connection.scope["query_string"])

    return Depends(give)


def list_openapi(spec: ListSpec) -> dict[str, Any]:
    """Describe a list's query parameters, for a route's ``openapi_extra``."""
    filters = [
        _filter(spec, known, operator=operator)
        for known in spec.bound.values()
        for operator in known.declared.operators
    ]
    return {"parameters": [*_common(spec), *filters]}


def search_body(spec: ListSpec) -> Any:
    """Make the dependency that parses a search's body; it raises what ``parse_search`` does.

    OpenAPI gets the schemas ``<Name>Search`` and ``<Name>Where``.
    """

    def parse(body: object) -> ListQuery:
        return parse_search(spec, body)

    validator = PlainValidator(parse, json_schema_input_type=_search_model(spec))

    async def give(body: Annotated[Any, validator, Body()]) -> Any:
        return body

    return Depends(give)


def _where_model(spec: ListSpec) -> type[BaseModel]:
    """Make what OpenAPI says of a condition tree; nothing is ever validated by it."""
    comparisons = {
        spec.public(known.name): _comparisons(known)
        for known in spec.bound.values()
        if known.declared.operators
    }

    def describe(schema: dict[str, Any]) -> None:
        schema["description"] = "Conditions beside each other are ANDed."
        schema["properties"] = comparisons | schema["properties"]

    name = f"{spec.name}Where"
    several = GenericAlias(list, (ForwardRef(name),))
    fields: dict[str, Any] = {
        "and": (several, Field(default_factory=list, min_length=1)),
        "or": (several, Field(default_factory=list, min_length=1)),
        "not": (ForwardRef(name), Field(default_factory=dict)),
    }
    config = ConfigDict(extra="forbid", json_schema_extra=describe)
    model = create_model(name, __config__=config, **fields)
    model.model_rebuild(_types_namespace={name: model})
    return model


def _search_model(spec: ListSpec) -> type[BaseModel]:
    where = _where_model(spec)
    fields: dict[str, Any] = {
        "where": (where | None, None),
        "q": (str | None, Field(None, max_length=MAX_SEARCH, description=_sought(spec))),
        "sort": (str | None, Field(None, description=_sorted_by(spec))),
        "limit": (int, Field(spec.default_limit, ge=1, le=spec.max_limit)),
        "offset": (int | None, Field(None, ge=0, le=MAX_OFFSET)),
        "cursor": (str | None, None),
        "total": (bool | None, None),
    }
    if not spec.searched:
        del fields["q"]
    return create_model(f"{spec.name}Search", __config__=ConfigDict(extra="forbid"), **fields)


def _comparisons(known: BoundField) -> dict[str, Any]:
    operators = {name: _schema(known, name) for name in known.declared.operators}
    comparisons = {
        "type": "object",
        "properties": operators,
        "additionalProperties": False,
        "minProperties": 1,
    }
    forms = [operators["eq"], comparisons] if "eq" in operators else [comparisons]
    if "isnull" in operators:
        forms.append({"type": "null"})
    return {"anyOf": forms} if len(forms) > 1 else comparisons


def _schema(known: BoundField, operator: Operator) -> dict[str, Any]:
    if operator == "isnull":
        return {"type": "boolean"}
    schema = dict(known.kind.schema)
    return _LIST | {"items": schema} if operator in {"in", "notin"} else schema


def _filter(spec: ListSpec, known: BoundField, *, operator: Operator) -> dict[str, Any]:
    name = spec.public(known.name)
    description = " ".join(filter(None, (_MEANINGS[operator], known.declared.description)))
    return _parameter(
        name if operator == "eq" else f"{name}__{operator}",
        _schema(known, operator),
        about=description,
    )


def _common(spec: ListSpec) -> list[dict[str, Any]]:
    limit = {**spec.limits.schema, "default": spec.default_limit}
    offset = {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}
    parameters = [
        _parameter("limit", limit, about="Most rows of a page."),
        _parameter("offset", offset, about="Rows to skip. Not together with `cursor`."),
        _parameter("cursor", {"type": "string"}, about="`next_cursor` or `prev_cursor` of a page."),
        _parameter(
            "total",
            {"type": "boolean"},
            about="Whether to count the whole list. Without it, only pages without `cursor` do.",
        ),
    ]
    if spec.sortable:
        keys = [sign + name for name in spec.sortable for sign in ("", "-")]
        items = {"type": "string", "enum": keys}
        schema = {"type": "array", "minItems": 1, "maxItems": MAX_SORT_KEYS, "items": items}
        parameters.append(_parameter("sort", schema, about=_sorted_by(spec)))
    if spec.searched:
        words = {"type": "string", "maxLength": MAX_SEARCH}
        parameters.append(_parameter("q", words, about=_sought(spec)))
    return parameters


def _parameter(name: str, schema: dict[str, Any], *, about: str) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": False, "description": about}
    if schema["type"] == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter | {"schema": schema}


def _sorted_by(spec: ListSpec) -> str:
    default = ",".join(
        ("-" if key.descending else "") + spec.public(key.field) for key in spec.default_order
    )
    return f"Comma list of {', '.join(spec.sortable)}; `-` for descending. Without it: `{default}`."


def _sought(spec: ListSpec) -> str:
    names = ", ".join(spec.public(known.name) for known in spec.searched)
    return f"Words that must all be found in {names}, whatever the case."
