"""A route with a list: what OpenAPI says, what it answers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Annotated

import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.testclient import TestClient

from mainstay.core.errors import ProblemError
from mainstay.core.http.query import (
    EXACT,
    NULL,
    RANGE,
    TEXT,
    ListField,
    ListQuery,
    ListSpec,
    Page,
    PageInfo,
    fetch_page,
    link_header,
    page_model,
)
from mainstay.core.http.query.routes import list_openapi, list_parameters, search_body

books = sa.Table(
    "books",
    sa.MetaData(),
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("title", sa.String(100), nullable=False),
    sa.Column("pages", sa.Integer),
)
BOOKS = ListSpec(
    name="Book",
    fields={
        "id": ListField(column=books.c.id, operators=EXACT, python_type=uuid.UUID),
        "title": ListField(
            column=books.c.title,
            operators=EXACT + TEXT,
            sort=True,
            search=True,
            description="The title on the cover.",
        ),
        "pages": ListField(column=books.c.pages, operators=EXACT + RANGE + NULL, sort=True),
    },
    default_sort="title",
)

BARE = ListSpec(name="Bare", fields={"id": ListField(column=books.c.id, operators=("in",))})


class BookRead(BaseModel):
    id: str
    title: str
    pages: int | None


BookPage = page_model("BookPage", BookRead)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("routes") / "books.db"
    blocking = sa.create_engine(f"sqlite:///{path}")
    with blocking.begin() as connection:
        books.metadata.create_all(connection)
        rows = [{"id": str(uuid.UUID(int=n)), "title": f"Title {n}", "pages": n} for n in range(9)]
        connection.execute(sa.insert(books), rows)
    blocking.dispose()
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=sa.NullPool)
    app = FastAPI()

    async def read(query: ListQuery) -> Page[dict]:
        async with engine.connect() as connection:
            return await fetch_page(
                connection, sa.select(books), query=query, spec=BOOKS, key=b"k" * 32
            )

    @app.get("/books", response_model=BookPage, openapi_extra=list_openapi(BOOKS))
    async def list_books(
        request: Request, response: Response, query: Annotated[ListQuery, list_parameters(BOOKS)]
    ):
        page = await read(query)
        response.headers["Link"] = link_header(str(request.url), query=query, page=page.page)
        return page

    @app.post("/books/search", response_model=BookPage)
    async def search_books(query: Annotated[ListQuery, search_body(BOOKS)]):
        return await read(query)

    @app.exception_handler(ProblemError)
    async def answer(request: Request, problem: ProblemError) -> JSONResponse:
        return JSONResponse([error.as_member() for error in problem.errors], problem.status)

    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def openapi(client: TestClient):
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def parameters(openapi):
    listed = openapi["paths"]["/books"]["get"]["parameters"]
    return {parameter["name"]: parameter for parameter in listed}


def test_the_envelope_and_the_links(client: TestClient):
    answer = client.get("/books?limit=2&pages__gte=1&sort=-pages")
    cursor = answer.json()["page"]["next_cursor"]
    assert answer.json() == {
        "items": [
            {"id": str(uuid.UUID(int=8)), "title": "Title 8", "pages": 8},
            {"id": str(uuid.UUID(int=7)), "title": "Title 7", "pages": 7},
        ],
        "page": {
            "limit": 2,
            "offset": 0,
            "total": 8,
            "has_more": True,
            "next_cursor": cursor,
            "prev_cursor": None,
        },
    }
    following = client.get(answer.links["next"]["url"])
    assert [item["pages"] for item in following.json()["items"]] == [6, 5]
    page = following.json()["page"]
    assert (page["offset"], page["total"], page["has_more"]) == (None, None, True)
    assert client.get(following.links["prev"]["url"]).json()["items"] == answer.json()["items"]
    assert client.get(following.links["first"]["url"]).json() == answer.json()


def test_a_search_answers_a_page(client: TestClient):
    where = {"or": [{"pages": {"lt": 1}}, {"title": {"icontains": "TITLE 8"}}]}
    answer = client.post("/books/search", json={"where": where, "sort": "-title"})
    assert [item["pages"] for item in answer.json()["items"]] == [8, 0]
    assert client.post("/books/search", json={}).json()["page"]["total"] == 9


def test_faults_come_out_of_both_routes(client: TestClient):
    answer = client.get("/books?pages=x&limt=3")
    assert answer.status_code == 422
    assert [(e["parameter"], e["code"]) for e in answer.json()] == [
        ("pages", "int_parsing"),
        ("limt", "unknown_parameter"),
    ]
    answer = client.post("/books/search", json={"where": {"pages": "x"}})
    assert (answer.status_code, answer.json()[0]["pointer"]) == (422, "#/where/pages")
    assert client.get("/books?cursor=x").status_code == 400


def test_every_parameter_is_documented_with_its_type(parameters):
    filters = ["id", "title", "pages"]
    assert list(parameters) == [
        *("limit", "offset", "cursor", "total", "sort", "q"),
        *(n if o == "eq" else f"{n}__{o}" for n in filters for o in BOOKS.fields[n].operators),
    ]
    assert all(p["in"] == "query" and not p["required"] for p in parameters.values())
    assert all(p["description"] for p in parameters.values())
    assert parameters["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 25,
    }
    assert parameters["total"]["schema"] == {"type": "boolean"}
    assert parameters["pages__gte"]["schema"]["type"] == "integer"
    assert parameters["pages__isnull"]["schema"] == {"type": "boolean"}
    assert parameters["title"]["description"] == "Equals this. The title on the cover."


def test_lists_are_documented_as_comma_lists(parameters):
    for name in ("sort", "pages__in", "title__notin"):
        parameter = parameters[name]
        assert (parameter["style"], parameter["explode"]) == ("form", False)
        assert parameter["schema"]["type"] == "array"
    assert parameters["sort"]["schema"]["items"]["enum"] == ["title", "-title", "pages", "-pages"]
    assert parameters["pages__in"]["schema"]["items"]["type"] == "integer"


def test_what_a_list_has_not_is_not_documented():
    spec = ListSpec(name="Least", fields={"id": ListField(column=books.c.id)})
    names = [parameter["name"] for parameter in list_openapi(spec)["parameters"]]
    assert names == ["limit", "offset", "cursor", "total"]


def test_the_search_body_is_documented(openapi):
    schemas = openapi["components"]["schemas"]
    body = openapi["paths"]["/books/search"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/BookSearch"
    }
    assert set(schemas["BookSearch"]["properties"]) == {
        *("where", "q", "sort", "limit", "offset", "cursor", "total")
    }
    assert schemas["BookSearch"]["additionalProperties"] is False
    where = schemas["BookWhere"]["properties"]
    assert list(where) == ["id", "title", "pages", "and", "or", "not"]
    assert where["or"]["items"] == where["not"] == {"$ref": "#/components/schemas/BookWhere"}
    value, comparisons, null = where["pages"]["anyOf"]
    assert (value["type"], null) == ("integer", {"type": "null"})
    assert comparisons["properties"]["in"]["items"] == value
    assert "ListQuery" not in schemas


def test_a_list_without_searched_fields_has_no_words():
    app = FastAPI()

    @app.post("/search")
    async def search(query: Annotated[ListQuery, search_body(BARE)]) -> None: ...

    schemas = app.openapi()["components"]["schemas"]
    assert "q" not in schemas["BareSearch"]["properties"]
    assert schemas["BareWhere"]["properties"]["id"]["type"] == "object"


def test_pages_are_named_and_share_their_info(openapi):
    schemas = openapi["components"]["schemas"]
    assert schemas["BookPage"]["title"] == "BookPage"
    assert schemas["BookPage"]["properties"]["page"] == {"$ref": "#/components/schemas/PageInfo"}
    assert schemas["BookPage"]["required"] == ["items", "page"]
    assert set(schemas["PageInfo"]["required"]) == set(PageInfo.model_fields)


def test_a_page_of_other_items_keeps_its_info():
    info = PageInfo(limit=2, offset=0, total=2, has_more=False, next_cursor=None, prev_cursor=None)
    page = Page([1, 2], info).map(str)
    assert page == Page(["1", "2"], info)
    dumped = TypeAdapter(page_model("TextPage", str)).validate_python(page, from_attributes=True)
    assert dumped.model_dump() == {"items": ["1", "2"], "page": info.model_dump()}
