"""The pages about the API."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from mainstay.core.errors import NotFoundError, ProblemError
from mainstay.core.http.docs_pages import mount_docs, problem_classes

PAGES = ("/docs", "/redoc", "/api/docs", "/api/redoc")


def make_client(mode: Any = "swagger", title: str = "Shop", **options: Any) -> TestClient:
    app = FastAPI(openapi_url=None, title="Shop")
    mount_docs(app, title=title, mode=mode, **options)
    return TestClient(app, follow_redirects=False)


def sources(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]*)"', page)


def directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split(";")}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_and_all_it_loads_come_from_here(path):
    client = make_client()
    page = client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = sources(page.text)
    assert len(loaded) >= 5
    for source in loaded:
        assert source.startswith("/")
        answer = client.get(source)
        assert answer.status_code == 200
        if source != "/openapi.json":
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("path", [*PAGES, "/docs/problems", "/docs/problems/not_found"])
def test_the_policy_of_a_page_admits_neither_inline_code_nor_other_hosts(path):
    answer = make_client().get(path)
    policy = directives(answer.headers["content-security-policy"])
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy.get("connect-src", ["'self'"]) == ["'self'"]
    allowed = {value for values in policy.values() for value in values}
    assert not allowed & {"'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "*"}
    assert not any("." in value or "://" in value for value in allowed)
    assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", answer.text)


@pytest.mark.parametrize(
    ("mode", "scripts"),
    [
        ("swagger", {"/docs": "swagger-ui-bundle", "/redoc": "redoc.standalone"}),
        ("redoc", {"/docs": "redoc.standalone", "/redoc": "redoc.standalone"}),
    ],
)
def test_the_mode_chooses_the_viewer(mode, scripts):
    client = make_client(mode)
    for path, script in scripts.items():
        for page in (client.get(path).text, client.get("/api" + path).text):
            assert f"/docs/assets/{script}-" in page


def test_off_leaves_only_the_pages_of_errors():
    client = make_client("off")
    for path in (*PAGES, "/openapi.json"):
        assert client.get(path).status_code == 404
    page = client.get("/docs/problems/not_found")
    assert page.status_code == 200
    assert all(client.get(source).status_code == 200 for source in sources(page.text))


def test_pages_are_not_in_the_document():
    assert make_client().get("/openapi.json").json()["paths"] == {}


def test_the_document_is_kept_and_has_an_entity_tag():
    app = FastAPI(openapi_url=None)
    mount_docs(app, title="Shop", mode="swagger", openapi_url="/api/schema.json")
    client = TestClient(app)
    first = client.get("/api/schema.json")
    assert first.headers["content-type"] == "application/json"
    assert first.headers["cache-control"] == "no-cache"
    assert first.json() == app.openapi()
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get("/api/schema.json", headers=known).status_code == 304
    app.openapi_schema = None
    app.get("/new")(lambda: None)
    second = client.get("/api/schema.json", headers=known)
    assert "/new" in second.json()["paths"]
    assert 'data-openapi="/api/schema.json"' in client.get("/docs").text


def test_the_document_is_served_plain_to_who_wants_it_plain():
    answer = make_client().get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert json.loads(answer.content)["info"]["title"] == "Shop"


def test_paths_follow_the_root_path():
    app = FastAPI(openapi_url=None)
    mount_docs(app, title="Shop", mode="swagger")
    client = TestClient(app, root_path="/behind")
    page = client.get("/behind/docs").text
    assert all(source.startswith("/behind/") for source in sources(page))
    assert 'data-base="/behind"' in page
    assert client.get(sources(page)[0]).status_code == 200
    assert '"/behind/docs/problems/not_found"' in client.get("/behind/docs/problems").text


def test_titles_and_paths_are_escaped():
    client = make_client(title="<b>&\"'", openapi_url='/"><script>')
    page = client.get("/docs").text
    assert "<title>&lt;b&gt;&amp;&quot;&#x27;</title>" in page
    assert "<script>" not in page


def test_unknown_assets_and_codes_are_not_found():
    client = make_client()
    for path in ("/docs/assets/swagger-ui.css", "/docs/assets/x", "/docs/problems/no_such"):
        with pytest.raises(NotFoundError):
            client.get(path)


def test_every_error_code_has_its_page():
    client = make_client("off")
    index = client.get("/docs/problems").text
    for kind in ProblemError.catalogue():
        if kind.type_uri == "about:blank":
            continue
        assert f'href="/docs/problems/{kind.code}"' in index
        page = html.unescape(client.get(f"/docs/problems/{kind.code}").text)
        shown = problem_classes()[kind.code]
        assert shown.code == kind.code
        assert shown.title in page
        assert f'<p class="status">{shown.status} ' in page


def test_an_error_page_tells_what_the_class_says(monkeypatch):
    class Odd:  # no subclass: those would stay in everyone's catalogue
        __doc__ = "An odd <thing> in ``a & b``\nhappened.\n\nIt may go away."
        type_uri = None
        status = 499
        code = "odd_<code>"
        title = "Odd <title>"

    monkeypatch.setattr(ProblemError, "catalogue", classmethod(lambda cls: iter([cls, Odd])))
    client = make_client("off")
    page = client.get("/docs/problems/odd_<code>").text
    assert "<p>An odd &lt;thing&gt; in <code>a &amp; b</code> happened.</p>" in page
    assert "<p>It may go away.</p>" in page
    assert "<h1>Odd &lt;title&gt;</h1>" in page
    assert "odd_&lt;code&gt;" in client.get("/docs/problems").text


def test_the_root_of_errors_does_not_stand_for_its_code():
    assert problem_classes()["internal_error"] is not ProblemError
    assert list(problem_classes()) == sorted(problem_classes())
