"""The document that client generators read."""

from __future__ import annotations

import enum
import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form
from fastapi.openapi.models import OpenAPI
from fastapi.security import HTTPBasic
from pydantic import BaseModel

from mainstay.core.errors import FieldError
from mainstay.core.http._fastapi import UnknownFastAPIError
from mainstay.core.http.openapi import (
    FIELD_ERROR_SCHEMA,
    PROBLEM_SCHEMA,
    DuplicateOperationError,
    OpenAPIOptions,
    build_openapi,
    check_operation_ids,
    install_openapi,
    operation_id,
)


class ProductRead(BaseModel):
    id: str


class ValidationError(BaseModel):
    mine: str


class Tag(enum.StrEnum):
    API_KEYS = "API keys"


async def list_(q: str | None = None) -> list[ProductRead]:
    raise NotImplementedError(q)


async def create(body: ProductRead) -> ProductRead:
    raise NotImplementedError(body)


async def login(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> None:
    raise NotImplementedError(username, password)


def make_app() -> FastAPI:
    return FastAPI(title="Shop", openapi_url=None, generate_unique_id_function=operation_id)


def shop() -> FastAPI:
    app = make_app()
    products = APIRouter(prefix="/products", tags=["products"])
    products.get("/")(list_)
    products.post("/", status_code=201, responses={409: {"description": "Taken"}})(create)
    auth = APIRouter(prefix="/auth")
    auth.post("/login", openapi_extra={"security": []})(login)
    auth.post("/sign-in", operation_id="auth.sign_in", deprecated=True)(login)
    app.include_router(products, prefix="/api/v1")
    app.include_router(auth, prefix="/api/v1", tags=["auth"])
    return app


def document(app: FastAPI | None = None, **options: Any) -> dict[str, Any]:
    built = build_openapi(app or shop(), OpenAPIOptions(**options))
    OpenAPI(**built)
    return built


def test_operations_are_named_by_tag_and_verb():
    paths = document()["paths"]
    names = {op["operationId"] for item in paths.values() for op in item.values()}
    assert names == {"products.list", "products.create", "auth.login", "auth.sign_in"}
    assert paths["/api/v1/products"]["get"]["summary"] == "List"


@pytest.mark.parametrize(
    ("tags", "name"),
    [([], "list"), ([Tag.API_KEYS], "api_keys.list"), (["users", "admin"], "users.list")],
)
def test_the_first_tag_counts_in_snake_case(tags, name):
    app = make_app()
    app.get("/x", tags=tags)(list_)
    assert document(app)["paths"]["/x"]["get"]["operationId"] == name


def test_an_id_that_is_taken_twice_names_both_routes():
    app = shop()
    app.get("/other", tags=["products"])(list_)
    with pytest.raises(DuplicateOperationError) as caught:
        check_operation_ids(app)
    message = str(caught.value)
    assert "'products.list'" in message
    assert "GET /api/v1/products/ (" in message
    assert "GET /other (" in message
    with pytest.raises(DuplicateOperationError):
        document(app)


def test_one_function_for_two_methods_is_two_operations_but_for_head():
    app = make_app()
    app.api_route("/x", methods=["GET", "HEAD"])(list_)
    assert set(document(app)["paths"]["/x"]) == {"get"}
    app.api_route("/y", methods=["PUT", "PATCH"])(create)
    with pytest.raises(DuplicateOperationError):
        check_operation_ids(app)


def test_hidden_routes_take_no_name():
    app = shop()
    app.get("/other", tags=["products"], include_in_schema=False)(list_)
    check_operation_ids(app)
    assert "/other" not in document(app)["paths"]


def test_every_operation_answers_problems_and_names_the_request_id():
    built = document()
    header = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for item in built["paths"].values():
        for operation in item.values():
            assert operation["responses"]["default"]["content"] == problem
            assert "422" not in operation["responses"]
            assert all(each["headers"] == header for each in operation["responses"].values())
    taken = built["paths"]["/api/v1/products"]["post"]["responses"]["409"]
    assert (taken["description"], taken["content"]) == ("Taken", problem)
    assert built["components"]["headers"]["X-Request-ID"]["schema"] == {"type": "string"}


def test_fastapis_own_errors_are_not_shown_and_a_namesake_stays():
    schemas = document()["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    assert "ValidationError" not in schemas
    app = make_app()

    async def odd(q: int) -> ValidationError:
        raise NotImplementedError(q)

    app.get("/odd")(odd)
    assert "ValidationError" in document(app)["components"]["schemas"]


def test_an_own_422_stays():
    app = make_app()
    app.get("/x", responses={422: {"description": "Own", "model": ProductRead}})(list_)
    own = document(app)["paths"]["/x"]["get"]["responses"]["422"]
    assert own["content"]["application/json"]["schema"]["$ref"].endswith("/ProductRead")


def test_the_problem_schema_has_the_members_that_problems_have():
    member = FieldError(detail="d", code="c", pointer="#/a", params={"ge": 0}).as_member()
    assert set(member) <= set(FIELD_ERROR_SCHEMA["properties"])
    assert {"parameter", "header"} <= set(FIELD_ERROR_SCHEMA["properties"])
    assert set(PROBLEM_SCHEMA["required"]) | {"errors"} == set(PROBLEM_SCHEMA["properties"])


def test_bodies_and_answers_have_names_fit_for_types():
    built = document()
    body = built["paths"]["/api/v1/auth/login"]["post"]["requestBody"]["content"]
    schema = {"$ref": "#/components/schemas/AuthLoginBody"}
    assert body == {"application/x-www-form-urlencoded": {"schema": schema}}
    schemas = built["components"]["schemas"]
    assert schemas["AuthLoginBody"]["title"] == "AuthLoginBody"
    assert list(schemas) == sorted(schemas)
    listed = built["paths"]["/api/v1/products"]["get"]["responses"]["200"]
    assert "title" not in listed["content"]["application/json"]["schema"]
    assert "Body_" not in json.dumps(built)


def test_every_reference_leads_somewhere():
    built = document()

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                target = built
                for part in node["$ref"].removeprefix("#/").split("/"):
                    target = target[part]
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    check(built)


def test_paths_are_shown_without_a_trailing_slash():
    app = make_app()
    app.get("/x/", tags=["a"])(list_)
    app.get("/x", tags=["b"])(list_)
    app.post("/x", tags=["b"])(create)
    app.get("/", tags=["c"])(list_)
    paths = document(app)["paths"]
    assert list(paths) == ["/x", "/"]
    assert {m: op["operationId"] for m, op in paths["/x"].items()} == {
        "get": "a.list",
        "post": "b.create",
    }


def test_the_bearer_scheme_is_declared_once_and_others_stay():
    schemes = document(api_prefix="/v9")["components"]["securitySchemes"]
    assert list(schemes) == ["bearer"]
    assert schemes["bearer"]["flows"] == {"password": {"tokenUrl": "/v9/auth/login", "scopes": {}}}
    app = shop()
    app.get("/basic", tags=["basic"], dependencies=[Depends(HTTPBasic())])(list_)
    built = document(app)
    assert set(built["components"]["securitySchemes"]) == {"bearer", "HTTPBasic"}
    assert built["paths"]["/basic"]["get"]["security"] == [{"HTTPBasic": []}]
    assert built["paths"]["/api/v1/auth/login"]["post"]["security"] == []


def test_servers_and_tags_are_as_given():
    tags = {"auth": "Sign in", "never": "Not used", "products": ""}
    built = document(public_url="https://api.example.com/", tags=tags)
    assert built["servers"] == [{"url": "https://api.example.com"}]
    assert built["tags"] == [{"name": "auth", "description": "Sign in"}, {"name": "products"}]
    plain = document()
    assert "servers" not in plain
    assert [tag["name"] for tag in plain["tags"]] == ["products", "auth"]


def test_webhooks_are_left_as_they_are():
    app = shop()

    @app.webhooks.post("product.created", tags=["products"])
    async def created(body: ProductRead) -> None:
        raise NotImplementedError(body)

    built = document(app)
    assert "default" not in built["webhooks"]["product.created"]["post"]["responses"]


def test_the_document_is_built_once_and_again_for_new_routes():
    app = shop()
    install_openapi(app, OpenAPIOptions())
    first = app.openapi()
    assert app.openapi() is first
    app.get("/late", tags=["late"])(list_)
    second = app.openapi()
    assert "/late" in second["paths"]
    assert app.openapi() is second
    assert shop().openapi() != first


def test_an_unknown_fastapi_has_a_document_too(monkeypatch):
    def unknown(_: Any) -> None:
        raise UnknownFastAPIError

    app = shop()
    install_openapi(app, OpenAPIOptions())
    monkeypatch.setattr("mainstay.core.http.openapi.Watch", unknown)
    assert "/api/v1/products" in app.openapi()["paths"]


def test_documents_share_nothing_that_can_be_changed():
    first = document()
    first["components"]["schemas"]["Problem"]["properties"].clear()
    for item in first["paths"].values():
        for operation in item.values():
            operation["responses"]["default"].clear()
    assert document()["components"]["schemas"]["Problem"] == PROBLEM_SCHEMA
