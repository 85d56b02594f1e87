"""What the dispatch answers, seen from outside."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute

from mainstay.core.errors import MethodNotAllowedError, NotFoundError
from mainstay.core.http import _fastapi
from mainstay.core.http.dispatch import RouteIndex, route_template


def install(app: FastAPI) -> RouteIndex:
    app.router.middleware_stack = index = RouteIndex(app)
    return index


async def echo(request: Request) -> dict[str, Any]:
    return {
        "path": request.url.path,
        "params": request.path_params,
        "template": route_template(request.scope),
    }


def echoing(name: str) -> Any:
    async def endpoint() -> str:
        return name

    endpoint.__name__ = name
    return endpoint


async def plain(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"starlette {request.url.path}")


def shop() -> FastAPI:
    app = FastAPI(openapi_url=None)
    orders = APIRouter(prefix="/orders", tags=["orders"])
    orders.get("/")(echo)
    orders.get("/{order_id}")(echo)
    orders.delete("/{order_id}", status_code=202)(echoing("delete"))
    api = APIRouter(prefix="/api/v1")
    api.include_router(orders)
    app.include_router(api)
    app.get("/hello")(echoing("hello"))
    app.post("/hello")(echoing("post_hello"))
    return app


def test_the_index_serves_fixed_and_nested_routes(call):
    app = shop()
    assert install(app).indexed
    assert call(app, "GET", "/hello").body == b'"hello"'
    assert call(app, "POST", "/hello").body == b'"post_hello"'
    order = json.loads(call(app, "GET", "/api/v1/orders/7").body)
    assert order == {
        "path": "/api/v1/orders/7",
        "params": {"order_id": "7"},
        "template": "/api/v1/orders/{order_id}",
    }


@pytest.mark.parametrize("path", ["/hello", "/api/v1/orders", "/api/v1/orders/7"])
def test_a_trailing_slash_makes_no_difference(call, path):
    app = shop()
    install(app)
    with_slash, without = call(app, "GET", path + "/"), call(app, "GET", path)
    assert with_slash.status == without.status == 200
    assert with_slash.scope["endpoint"] is without.scope["endpoint"]
    assert with_slash.scope["path_params"] == without.scope["path_params"]


def test_unknown_paths_are_not_found(call):
    app = shop()
    install(app)
    for path in ("/", "", "*", "/hell", "/hello/x", "//hello", "/hello//", "/hello\n", "/api/v1"):
        with pytest.raises(NotFoundError):
            call(app, "GET", path)


def test_a_wrong_method_names_all_that_are_allowed(call):
    app = shop()
    install(app)
    with pytest.raises(MethodNotAllowedError) as caught:
        call(app, "PUT", "/hello")
    assert caught.value.headers == {"Allow": "GET, HEAD, OPTIONS, POST"}
    with pytest.raises(MethodNotAllowedError) as caught:
        call(app, "PUT", "/api/v1/orders/7/")
    assert caught.value.headers == {"Allow": "DELETE, GET, HEAD, OPTIONS"}


def test_a_refused_method_still_says_which_route_it_met():
    app = shop()
    install(app)
    scope = {"type": "http", "method": "PUT", "path": "/api/v1/orders/7", "headers": []}
    with pytest.raises(MethodNotAllowedError):
        asyncio.run(app.router(scope, None, None))
    assert route_template(scope) == "/api/v1/orders/{order_id}"


def test_head_is_served_wherever_get_is(call):
    app = shop()
    install(app)
    head, get = call(app, "HEAD", "/hello"), call(app, "GET", "/hello")
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")
    assert head.headers["content-length"] == str(len(get.body))


def test_an_own_head_route_is_preferred_for_its_path(call):
    app = FastAPI()
    app.get("/x")(echoing("get"))
    app.head("/x", status_code=202)(echoing("head"))
    install(app)
    assert call(app, "HEAD", "/x").status == 202
    assert call(app, "GET", "/x").status == 200


def test_options_tells_the_methods_of_a_known_path(call):
    app = shop()
    app.options("/own")(echoing("own"))
    install(app)
    answer = call(app, "OPTIONS", "/hello/")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers == {"allow": "GET, HEAD, OPTIONS, POST"}
    assert call(app, "OPTIONS", "/own").body == b'"own"'
    with pytest.raises(NotFoundError):
        call(app, "OPTIONS", "/nowhere")


def test_trace_is_refused_even_where_it_is_declared(call):
    app = shop()
    app.trace("/traced")(echoing("traced"))
    app.mount("/mounted", plain)
    install(app)
    for path in ("/hello", "/traced", "/mounted/x", "/nowhere"):
        with pytest.raises(MethodNotAllowedError) as caught:
            call(app, "TRACE", path)
        assert "TRACE" not in caught.value.headers["Allow"]


def test_a_number_too_long_for_a_converter_is_not_found(call):
    app = FastAPI()
    app.get("/n/{n:int}")(echo)
    install(app)
    assert json.loads(call(app, "GET", "/n/12").body)["params"] == {"n": 12}
    with pytest.raises(NotFoundError):
        call(app, "GET", "/n/" + "9" * 5000)


def test_the_first_declared_route_wins_fixed_or_not(call):
    app = FastAPI()
    app.get("/{name}")(echoing("pattern"))
    app.get("/me")(echoing("late"))
    app.post("/me")(echoing("post"))
    install(app)
    assert call(app, "GET", "/me").body == b'"pattern"'
    assert call(app, "POST", "/me").body == b'"post"'


def test_routes_added_later_are_found(call):
    app = FastAPI()
    nested = APIRouter(prefix="/nested")
    nested.get("/a")(echoing("a"))
    app.include_router(nested)
    install(app)
    assert call(app, "GET", "/nested/a").status == 200
    with pytest.raises(NotFoundError):
        call(app, "GET", "/nested/b")
    nested.get("/b")(echoing("b"))
    assert call(app, "GET", "/nested/b").body == b'"b"'
    app.get("/top")(echoing("top"))
    assert call(app, "GET", "/top").body == b'"top"'
    app.mount("/mounted", Router([Route("/x", plain)]))
    assert call(app, "GET", "/mounted/x").body == b"starlette /mounted/x"


def test_while_serving_only_the_routers_own_routes_are_looked_after(call):
    async def story() -> None:
        app = FastAPI()
        nested = APIRouter(prefix="/nested")
        nested.get("/a")(echoing("a"))
        app.include_router(nested)
        dispatch = install(app)
        messages = iter(["lifespan.startup", "lifespan.shutdown"])
        sent = []

        async def receive() -> dict[str, str]:
            if sent:
                nested.get("/b")(echoing("b"))
                assert not _finds(dispatch, "/nested/b")
                dispatch.rebuild()
                assert _finds(dispatch, "/nested/b")
                app.get("/top")(echoing("top"))
                assert _finds(dispatch, "/top")
            return {"type": next(messages)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan", "state": {}}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    asyncio.run(story())


def _finds(dispatch: RouteIndex, path: str) -> bool:
    assert dispatch.indexed
    return dispatch._index is not None and dispatch._index.fixed(path, "GET") is not None


def test_root_path_is_respected(call):
    app = shop()
    app.get("/", name="root")(echo)
    install(app)
    assert call(app, "GET", "/prefix/hello", root_path="/prefix").body == b'"hello"'
    for path in ("/prefix", "/prefix/"):
        assert call(app, "GET", path, root_path="/prefix").status == 200
    with pytest.raises(NotFoundError):
        call(app, "GET", "/other/hello", root_path="/prefix")


def test_outer_path_params_are_kept(call):
    app = shop()
    install(app)
    answer = call(app, "GET", "/api/v1/orders/7", path_params={"tenant": "t"})
    assert json.loads(answer.body)["params"] == {"tenant": "t", "order_id": "7"}


def test_urls_can_be_made_by_name(call):
    app = FastAPI()
    nested = APIRouter(prefix="/nested")

    @nested.get("/{item_id}")
    async def item(item_id: str, request: Request) -> str:
        return str(request.url_for("item", item_id=item_id + "x"))

    app.include_router(nested)
    install(app)
    assert call(app, "GET", "/nested/a").body == b'"http://testserver/nested/ax"'


def test_what_the_routers_add_on_inclusion_holds(call):
    def deny() -> None:
        raise HTTPException(418)

    async def form(a: Annotated[list[str], Form()]) -> int:
        return len(a)

    app = FastAPI()
    inner = APIRouter(prefix="/inner", form_limits={"max_fields": 2})
    inner.post("/form")(form)
    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    app.include_router(outer)
    guarded = APIRouter()
    guarded.get("/guarded")(echo)
    app.include_router(guarded, dependencies=[Depends(deny)])
    assert install(app).indexed
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    assert call(app, "POST", "/outer/inner/form", body=b"a=1&a=2", headers=headers).body == b"2"
    assert (
        call(app, "POST", "/outer/inner/form", body=b"a=1&a=2&a=3", headers=headers).status == 400
    )
    assert call(app, "GET", "/guarded").status == 418


def who() -> str:
    return "real"


def test_overridden_dependencies_are_used(call):
    async def endpoint(name: Annotated[str, Depends(who)]) -> str:
        return name

    app = FastAPI()
    nested = APIRouter(prefix="/nested")
    nested.get("/who")(endpoint)
    app.include_router(nested)
    install(app)
    app.dependency_overrides[who] = lambda: "fake"
    assert call(app, "GET", "/nested/who").body == b'"fake"'


def test_telemetry_learns_the_template(call, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "fastapi.routing._route_selected", lambda *, scope, path: seen.append((scope["path"], path))
    )
    app = shop()
    install(app)
    call(app, "GET", "/api/v1/orders/7", **{"fastapi.telemetry": object()})
    assert seen == [("/api/v1/orders/7", "/api/v1/orders/{order_id}")]


def test_mounts_hosts_and_plain_routes_go_to_the_router(call):
    app = FastAPI()
    app.router.routes.append(Host("other.example", Router([Route("/hello", plain)])))
    app.get("/hello")(echoing("hello"))
    app.router.routes.append(Route("/plain/{x}", plain))
    app.mount("/mounted", Router([Route("/x", plain), Route("/", plain)]))
    nested = APIRouter()
    nested.mount("/sub", Router([Route("/x", plain)]))
    nested.add_route("/old", plain)
    app.include_router(nested, prefix="/nested")
    app.router.routes.append(WebSocketRoute("/hello", plain))
    install(app)
    assert call(app, "GET", "/hello").body == b'"hello"'
    other = [(b"host", b"other.example")]
    assert call(app, "GET", "/hello", headers=other).body == b"starlette /hello"
    for path in ("/plain/a", "/mounted/x", "/nested/sub/x", "/nested/old"):
        assert call(app, "GET", path).body == f"starlette {path}".encode()
    assert call(app, "GET", "/plain/a/").body == b"starlette /plain/a"
    assert call(app, "GET", "/mounted").body == b"starlette /mounted/"
    assert call(app, "HEAD", "/nested/old").status == 200
    with pytest.raises(MethodNotAllowedError) as caught:
        call(app, "POST", "/nested/old/")
    assert caught.value.headers == {"Allow": "GET, HEAD, OPTIONS"}
    assert call(app, "GET", "/mounted/nowhere").status == 404


def test_routes_and_routers_that_match_in_their_own_way_go_to_the_router(call):
    class ByHeader(BaseRoute):
        def matches(self, scope):
            return (Match.FULL if (b"x-odd", b"1") in scope["headers"] else Match.NONE), {}

        async def handle(self, scope, receive, send):
            await PlainTextResponse("odd")(scope, receive, send)

    class Picky(APIRouter):
        def matches(self, scope):
            return super().matches(scope) if b"picky" in scope["query_string"] else (Match.NONE, {})

    class CaseBlind(APIRoute):
        def matches(self, scope):
            return super().matches({**scope, "path": scope["path"].lower()})

    app = FastAPI()
    app.router.routes.append(ByHeader())
    picky = Picky(prefix="/p")
    picky.get("/x")(echoing("picky"))
    app.include_router(picky)
    blind = APIRouter(prefix="/blind", route_class=CaseBlind)
    blind.get("/x")(echoing("blind"))
    app.include_router(blind)
    app.get("/p/x")(echoing("usual"))
    assert install(app).indexed
    assert call(app, "GET", "/p/x").body == b'"usual"'
    assert call(app, "GET", "/p/x", query_string=b"picky").body == b'"picky"'
    assert call(app, "GET", "/BLIND/X").body == b'"blind"'
    assert call(app, "POST", "/BLIND/X").status == 405
    assert call(app, "GET", "/p/x", headers=[(b"x-odd", b"1")]).body == b"odd"


def test_a_frontend_comes_after_all_routes(call, tmp_path):
    (tmp_path / "index.html").write_text("front")
    (tmp_path / "hello").mkdir()
    app = FastAPI()
    app.frontend("/", directory=tmp_path)
    app.get("/hello")(echoing("hello"))
    install(app)
    assert call(app, "GET", "/hello/").body == b'"hello"'
    html = [(b"host", b"testserver"), (b"accept", b"text/html")]
    assert call(app, "GET", "/some/page", headers=html).body == b"front"
    assert call(app, "GET", "/nothing.js").status == 404
    with pytest.raises(MethodNotAllowedError):
        call(app, "POST", "/hello")


def test_websockets_are_served_by_the_router():
    app = FastAPI()

    @app.websocket("/ws/{room}")
    async def ws(websocket: Any, room: str) -> None:
        raise AssertionError

    app.router.routes[-1] = WebSocketRoute("/ws/{room}", _accept)
    install(app)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/ws/a", "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert scope["path_params"] == {"room": "a"}


async def _accept(websocket: Any) -> None:
    await websocket.accept()
    await websocket.close()


def test_two_applications_in_one_another(call):
    inner, outer = shop(), FastAPI()
    install(inner)
    outer.mount("/inner", inner)
    install(outer)
    answer = json.loads(call(outer, "GET", "/inner/api/v1/orders/7/").body)
    assert answer["params"] == {"order_id": "7"}
    assert answer["template"] == "/api/v1/orders/{order_id}"


def test_an_unknown_fastapi_is_served_by_its_router(call, monkeypatch, caplog):
    monkeypatch.setattr(_fastapi, "_NAMES", (*_fastapi._NAMES, "_name_that_is_gone"))
    app = shop()
    with caplog.at_level(logging.WARNING):
        dispatch = install(app)
        assert call(app, "GET", "/hello").body == b'"hello"'
    assert "_name_that_is_gone" in caplog.text
    assert not dispatch.indexed
    assert json.loads(call(app, "GET", "/api/v1/orders/7").body)["params"] == {"order_id": "7"}
    assert call(app, "GET", "/nowhere").status == 404
    assert call(app, "GET", "/hello/").status == 404
    app.get("/later")(echoing("later"))
    assert call(app, "GET", "/later").body == b'"later"'


@pytest.mark.parametrize("name", ["_VERSION", "iter_route_contexts", "compile_path"])
def test_a_fastapi_with_other_attributes_is_served_by_its_router(call, monkeypatch, name):
    def gone(*_: Any) -> None:
        raise AttributeError(name)

    app = shop()
    dispatch = install(app)
    monkeypatch.setattr(_fastapi, name, gone)
    assert not dispatch.indexed
    assert call(app, "GET", "/hello").body == b'"hello"'


def test_a_router_that_hides_its_last_resort_is_served_as_it_is(call, monkeypatch):
    def gone(_: Any) -> None:
        raise AttributeError

    app = shop()
    monkeypatch.setattr(_fastapi.APIRouter, "_iter_low_priority_routes", gone)
    assert not install(app).indexed


def test_a_router_with_middleware_of_its_own_is_served_as_it_is(call):
    app = FastAPI(max_body_size=10)
    app.post("/x")(echoing("x"))
    dispatch = install(app)
    assert not dispatch.indexed
    assert call(app, "POST", "/x").body == b'"x"'


def test_an_overridden_root_router_is_served_as_it_is(call):
    class Own(APIRouter):
        async def app(self, scope, receive, send):
            await PlainTextResponse("own")(scope, receive, send)

    app = FastAPI()
    app.router = Own()
    dispatch = RouteIndex(app)
    assert not dispatch.indexed
    assert call(dispatch, "GET", "/x").body == b"own"


def test_head_stops_a_stream_that_has_no_end(call):
    ended = []

    async def endless():
        try:
            while True:
                yield b"chunk"
        finally:
            ended.append(True)

    app = FastAPI()

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(endless(), media_type="text/plain")

    install(app)
    for version in ("2.3", "2.4"):
        answer = call(app, "HEAD", "/stream", asgi={"spec_version": version})
        assert (answer.status, answer.body) == (200, b"")
    assert len(ended) == 2


def test_head_keeps_the_errors_of_its_route(call):
    app = FastAPI()

    @app.get("/broken")
    async def broken() -> str:
        raise LookupError

    install(app)
    with pytest.raises(LookupError):
        call(app, "HEAD", "/broken")


def test_a_mount_below_the_root_takes_what_is_left(call):
    app = FastAPI()
    app.get("/hello")(echoing("hello"))
    app.router.routes.append(Mount("/", Router([Route("/{rest:path}", plain)])))
    install(app)
    assert call(app, "GET", "/hello/").body == b'"hello"'
    assert call(app, "GET", "/a/b").body == b"starlette /a/b"
    assert call(app, "POST", "/hello").status == 405
