"""The index and FastAPI's own router agree on every route."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse
from starlette.routing import Match, Mount, Route

from mainstay.core.errors import MethodNotAllowedError, NotFoundError
from mainstay.core.http._fastapi import leaves
from mainstay.core.http.dispatch import RouteIndex
from mainstay.core.http.dispatch.index import Index, key_of, other_form

UUID = "7f0c1d1e-0000-4000-8000-000000000001"
METHODS = ("GET", "POST", "PUT", "DELETE")
USUAL = ("a", "b", "{#}", "{#}")
UNUSUAL = ("{#:int}", "{#:float}", "{#:uuid}", "v{#}", "{#}.json", "a{#}-{#}x")
SIMPLE = USUAL * 4 + UNUSUAL
many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def install(app: FastAPI) -> RouteIndex:
    app.router.middleware_stack = index = RouteIndex(app)
    return index


@dataclass(frozen=True)
class Plan:
    """One thing to declare: an API route, a Starlette route, a mount or a router of these."""

    kind: str
    path: str
    methods: tuple[str, ...] = ()
    below: tuple[Plan, ...] = ()


def paths(*, most: int, tails: bool, least: int = 1) -> st.SearchStrategy[str]:
    segments = st.lists(st.sampled_from(SIMPLE), min_size=least, max_size=most)
    tail = st.sampled_from(("", "", "", "/{#:path}", "/a{#:path}") if tails else ("",))
    return st.builds(lambda parts, end: "".join("/" + part for part in parts) + end, segments, tail)


def plans(*, tails: bool, slashes: bool) -> st.SearchStrategy[list[Plan]]:
    slash = st.sampled_from(("", "/") if slashes else ("",))
    path = st.builds(lambda a, b: a + b, paths(most=3, tails=tails), slash)
    methods = st.lists(st.sampled_from(METHODS), min_size=1, max_size=2, unique=True).map(tuple)
    route = st.builds(Plan, st.just("api"), path, methods)
    other = st.builds(
        Plan, st.sampled_from(("starlette", "mount")), paths(most=2, tails=False), methods
    )
    leaf = st.one_of(route, route, route, other) if tails else route
    router = st.recursive(
        leaf,
        lambda below: st.builds(
            Plan,
            st.just("router"),
            paths(most=2, tails=False),
            st.just(()),
            st.lists(below, min_size=1, max_size=4).map(tuple),
        ),
        max_leaves=8,
    )
    return st.lists(router, min_size=1, max_size=8)


VALUES = ("a", "b", "a", "b", "1", "2.5", "va", "x.json", "a1-2x", UUID, "é", "a\nb", "a/b", "")


def patterns(table: tuple[Plan, ...], prefix: str = "") -> list[str]:
    found = []
    for plan in table:
        path = prefix + plan.path
        found += patterns(plan.below, path) if plan.kind == "router" else [path]
    return found


@st.composite
def cases(draw: Any, *, tails: bool, slashes: bool) -> tuple[tuple[Plan, ...], list[str]]:
    """Draw a table of routes, and paths that mostly look like its patterns."""
    table = tuple(draw(plans(tails=tails, slashes=slashes)))
    values = st.sampled_from(VALUES)
    asked = []
    for _ in range(5):
        pattern = draw(st.sampled_from([*patterns(table), "/a/b", "/a/1/x", "/"]))
        path = re.sub(r"\{#[^}]*\}", lambda _: draw(values), pattern)
        path += draw(st.sampled_from(("", "", "/b", "//", "/x.json")))
        path = path.rstrip("/") or "/"
        if slashes and path != "/":
            path += draw(st.sampled_from(("", "/")))
        asked.append(path)
    return table, asked


def numbered(path: str, start: int) -> str:
    parts = path.split("#")
    return "".join(f"{part}p{start}_{i}" for i, part in enumerate(parts[:-1])) + parts[-1]


def endpoint_for(label: str) -> Any:
    async def endpoint(request: Request) -> dict[str, Any]:
        return {"label": label, "params": {k: str(v) for k, v in request.path_params.items()}}

    return endpoint


def mounted_app(label: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        params = {k: str(v) for k, v in scope["path_params"].items()}
        answer = JSONResponse({"label": label, "path": scope["path"], "params": params})
        await answer(scope, receive, send)

    return app


def declare(router: APIRouter, plan: Plan, name: str, depth: int = 0) -> None:
    path = numbered(plan.path, depth * 10)
    if plan.kind == "api":
        router.add_api_route(path, endpoint_for(name), methods=list(plan.methods))
    elif plan.kind == "starlette":
        ended = endpoint_for(name)

        async def endpoint(request: Request) -> JSONResponse:
            return JSONResponse(await ended(request))

        router.routes.append(Route(path, endpoint, methods=list(plan.methods)))
    elif plan.kind == "mount":
        router.routes.append(Mount(path, mounted_app(name)))
    else:
        nested = APIRouter()
        for number, below in enumerate(plan.below):
            declare(nested, below, f"{name}.{number}", depth + 1)
        router.include_router(nested, prefix=path)


def build(table: tuple[Plan, ...]) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    for number, plan in enumerate(table):
        declare(app.router, plan, str(number))
    return app


def result(call: Any, app: FastAPI, method: str, path: str) -> tuple[int, Any]:
    """Give the status, and the answer or the allowed methods."""
    try:
        answer = call(app, method, path)
    except NotFoundError:
        return 404, None
    except MethodNotAllowedError as error:
        return 405, frozenset(error.headers["Allow"].split(", "))
    if answer.status == 405:
        return 405, frozenset(answer.headers["allow"].split(", "))
    return answer.status, json.loads(answer.body) if answer.status == 200 else None


@many
@given(case=cases(tails=True, slashes=False), method=st.sampled_from(METHODS))
def test_the_index_agrees_with_the_router(call, case, method):
    table, asked = case
    from_router, from_index = build(table), build(table)
    assert install(from_index).indexed
    for path in asked:
        expected = result(call, from_router, method, path)
        if expected[0] != 200:
            loosely = result(call, from_router, method, path + "/")
            expected = max(expected, loosely, key=lambda each: (404, 405, 200).index(each[0]))
        got = result(call, from_index, method, path)
        event(f"status {expected[0]}")
        if expected[0] == 405:
            assert got[0] == 405
            assert got[1] >= expected[1]
        else:
            assert got == expected


@many
@given(case=cases(tails=False, slashes=True), method=st.sampled_from(METHODS))
def test_the_first_declared_route_takes_both_forms_of_a_path(call, case, method):
    table, asked = case
    app = build(table)
    contexts = list(iter_route_contexts(app.router.routes))
    install(app)
    for path in asked:
        scopes = [
            {"type": "http", "method": method, "path": form, "headers": []}
            for form in (path, other_form(path))
        ]
        takers = (
            context.endpoint
            for context in contexts
            if any(context.matches(scope)[0] is Match.FULL for scope in scopes)
        )
        first = next(takers, None)
        for scope in scopes:
            try:
                answer = call(app, method, scope["path"])
            except (NotFoundError, MethodNotAllowedError):
                assert first is None
            else:
                assert answer.scope["endpoint"] is first


@many
@given(case=cases(tails=False, slashes=True))
def test_head_and_options_are_known_wherever_get_is(call, case):
    table, asked = case
    app = build(table)
    install(app)
    for path in asked:
        status, answer = result(call, app, "GET", path)
        if status == 404:
            assert result(call, app, "HEAD", path)[0] == 404
            assert result(call, app, "OPTIONS", path)[0] == 404
            continue
        options = call(app, "OPTIONS", path)
        allowed = frozenset(options.headers["allow"].split(", "))
        assert options.status == 204
        assert allowed >= {"OPTIONS"}
        assert ("GET" in allowed) == ("HEAD" in allowed) == (status == 200)
        if status == 200:
            head = call(app, "HEAD", path)
            assert (head.status, head.body) == (200, b"")
        else:
            assert result(call, app, "HEAD", path) == (405, answer) == (405, allowed)


@given(st.text(alphabet="/ab", max_size=6))
def test_a_path_and_its_other_form_have_one_key(path):
    if not path.endswith("//"):
        assert key_of(path) == key_of(path.removesuffix("/"))
        assert other_form(other_form(path)) == path
    assert re.fullmatch(re.escape(key_of(path)) + "/?", path)


def test_a_fixed_path_is_answered_from_the_dictionary_only_where_it_is_certain():
    app = FastAPI(openapi_url=None)
    app.get("/sure")(endpoint_for("sure"))
    app.get("/{x}/{rest:path}")(endpoint_for("tail"))
    app.get("/late")(endpoint_for("late"))
    app.router.routes.append(Mount("/m", mounted_app("mount")))
    app.get("/m/x")(endpoint_for("below the mount"))
    app.get("/n/x")(endpoint_for("beside the mount"))
    index = Index(leaves(app.router), last_resort=False)
    sure = index.fixed("/sure/", "GET")
    assert sure is not None
    assert sure is index.fixed("/sure", "HEAD")
    assert index.fixed("/sure", "POST") is None
    assert index.fixed("/late", "GET") is None
    assert index.fixed("/m/x", "GET") is None
    assert index.fixed("/n/x", "GET") is None
