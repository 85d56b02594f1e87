"""The OpenAPI document: valid, complete, and in step with the routes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema_rs import ValidationError
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from mainstay import create_app
from mainstay.core.auth import access_of
from mainstay.core.http.application import Application

METHODS = ("get", "put", "post", "delete", "patch", "options", "head", "trace")
NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.fixture(scope="module")
def app() -> Iterator[Application]:
    with tempfile.TemporaryDirectory() as folder:
        environ = {"DATA_DIR": folder, "SECRET_KEY": "a test's own key, and long enough for that!"}
        yield create_app(environ=environ, env_file=Path(folder, ".env"))


@pytest.fixture(scope="module")
def document(app: Application) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation, by method and path."""
    return {
        (method, path): item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    absolute = deepcopy(document)
    # Relative, so that the documentation works under any host; 3.2 says that it may be.
    flow = absolute["components"]["securitySchemes"]["bearer"]["flows"]["password"]
    assert flow["tokenUrl"] == "/api/v1/auth/login"
    flow["tokenUrl"] = "https://example.com" + flow["tokenUrl"]
    OPENAPI_31_VALIDATOR.validate(absolute)
    flawed = deepcopy(absolute)
    flawed["paths"]["/api/v1/users"]["get"]["responses"]["2oo"] = {}
    with pytest.raises(ValidationError):
        OPENAPI_31_VALIDATOR.validate(flawed)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(document))
    assert len(found) > 10
    for reference in found:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in target, reference
            target = target[part]


def test_every_operation_has_a_name_of_its_own(
    operations: dict[tuple[str, str], dict[str, Any]],
) -> None:
    assert len(operations) > 30
    names = [operation["operationId"] for operation in operations.values()]
    assert sorted(names) == sorted(set(names))
    for where, operation in operations.items():
        assert NAME.fullmatch(operation["operationId"]), where
        assert operation["operationId"].partition(".")[0] == operation["tags"][0], where


def test_every_operation_is_described(
    document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    described = {tag["name"]: tag.get("description") for tag in document["tags"]}
    for where, operation in operations.items():
        assert operation["summary"], where
        assert operation["description"], where
        assert all(described[tag] for tag in operation["tags"]), where


def test_every_operation_answers_errors_with_the_one_problem(
    operations: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for where, operation in operations.items():
        responses = operation["responses"]
        assert responses["default"]["content"] == PROBLEM, where
        assert "422" not in responses, where
        assert [status for status in responses if status[0] in "23"], where
        for status, response in responses.items():
            assert "X-Request-ID" in response["headers"], (where, status)


def test_sign_in_is_declared_where_it_is_asked_for(
    app: Application, operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    seen = set()
    for context in iter_route_contexts(app.router.routes):
        if not isinstance(context.original_route, APIRoute) or not context.include_in_schema:
            continue
        access = access_of(context.dependant)
        for method in context.methods or ():
            where = method.lower(), (context.path_format or "").rstrip("/") or "/"
            if method == "HEAD":
                continue
            seen.add(where)
            security = operations[where].get("security", [])
            assert security == ([{"bearer": []}] if access.signed_in else []), where
    assert seen == set(operations)


def test_parameters_in_paths_are_declared(
    operations: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for (method, path), operation in operations.items():
        declared = [p for p in operation.get("parameters", ()) if p["in"] == "path"]
        assert {p["name"] for p in declared} == set(re.findall(r"{(\w+)}", path)), (method, path)
        assert all(p["required"] for p in declared)
        names = [(p["in"], p["name"]) for p in operation.get("parameters", ())]
        assert len(names) == len(set(names)), (method, path)
        assert not path.endswith("/")


def test_bodies_forbid_what_they_do_not_name(
    document: dict[str, Any], operations: dict[tuple[str, str], dict[str, Any]]
) -> None:
    def bodies(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "$ref" in schema:
            yield from bodies(document["components"]["schemas"][schema["$ref"].split("/")[-1]])
        elif "anyOf" in schema:
            for each in schema["anyOf"]:
                yield from bodies(each)
        else:
            yield schema

    for where, operation in operations.items():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for schema in bodies(content["schema"]):
                if schema.get("type") == "object":
                    assert schema["additionalProperties"] is False, where


def test_no_schema_names_a_secret(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert not {"password_hash", "app_data", "secret", "email_key"} & set(
            schema.get("properties", {})
        ), name


def test_the_document_is_the_same_each_time(app: Application, document: dict[str, Any]) -> None:
    app.openapi_schema = None
    assert app.openapi() == document
