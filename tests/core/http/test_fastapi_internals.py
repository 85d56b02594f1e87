"""What is read from FastAPI's private names."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import Mount, Route, Router, WebSocketRoute

from mainstay.core.http import _fastapi
from mainstay.core.http._fastapi import (
    Internals,
    UnknownFastAPIError,
    Watch,
    has_last_resort,
    leaves,
    route_template,
)


async def endpoint() -> None:
    return None


def test_leaves_come_in_the_order_of_declaration_with_full_paths_and_limits():
    inner = APIRouter(prefix="/inner", form_limits={"max_files": 1})
    inner.get("/{x:int}")(endpoint)
    inner.routes.append(Route("/plain", endpoint))
    inner.routes.append(WebSocketRoute("/ws", endpoint))
    outer = APIRouter(prefix="/outer")
    outer.post("/first")(endpoint)
    outer.include_router(inner, form_limits={"max_fields": 3, "max_files": 9})
    app = FastAPI(openapi_url=None, form_limits={"max_part_size": 7})
    app.include_router(outer)
    app.router.routes.append(Mount("/m", Router()))
    found = leaves(app.router)
    assert [leaf.path for leaf in found] == [
        "/outer/first",
        "/outer/inner/{x:int}",
        "/outer/plain",
        "/m/{path:path}",
    ]
    assert [leaf.target is None for leaf in found] == [False, False, True, True]
    assert [leaf.methods for leaf in found] == [{"POST"}, {"GET"}, {"GET", "HEAD"}, None]
    targets = [leaf.target for leaf in found if leaf.target is not None]
    assert targets[1].path_format == "/outer/inner/{x}"
    assert targets[0].form_limits == {"max_part_size": 7}
    assert targets[1].form_limits == {"max_part_size": 7, "max_fields": 3, "max_files": 1}


def test_a_watch_notices_every_route_below():
    nested, app = APIRouter(), FastAPI(openapi_url=None)
    app.include_router(nested)
    watch = Watch(app.router)
    assert not watch.changed()
    nested.get("/a")(endpoint)
    assert (watch.grown(), watch.changed()) == (False, True)
    watch = Watch(app.router)
    app.mount("/m", Router())
    assert (watch.grown(), watch.changed()) == (True, True)
    inner = APIRouter()
    nested.include_router(inner)
    watch = Watch(app.router)
    inner.get("/b")(endpoint)
    assert watch.changed()


def test_a_last_resort_is_a_frontend_or_a_default(tmp_path):
    assert not has_last_resort(APIRouter())
    assert has_last_resort(APIRouter(default=endpoint))
    router = APIRouter()
    router.frontend("/", directory=tmp_path)
    assert has_last_resort(router)


def test_missing_names_are_told(monkeypatch):
    monkeypatch.setattr(_fastapi, "_NAMES", ("_route_selected", "_no_such_name"))
    with pytest.raises(UnknownFastAPIError, match="_no_such_name"):
        Internals.load()


def test_a_scope_without_a_route_has_no_template():
    assert route_template({}) is None
    assert route_template({"route": object()}) is None
    assert route_template({"route": Route("/x/{y}", endpoint)}) == "/x/{y}"
