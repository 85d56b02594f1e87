"""The pages about the API: Swagger UI, ReDoc, the document itself, and a page for each error code.

All that they load is in the package. Their Content-Security-Policy lets nothing in from elsewhere.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Final, Literal

import orjson
from fastapi import Depends, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from mainstay.core.auth import public
from mainstay.core.errors import NotFoundError, ProblemError
from mainstay.core.http.assets import FOREVER, REVALIDATE, Asset

if TYPE_CHECKING:
    from collections.abc import Iterable

DocsMode = Literal["swagger", "redoc", "off"]
ASSETS_PATH: Final = "/docs/assets"
PROBLEMS_PATH: Final = "/docs/problems"
_CSP: Final = (
    "default-src 'none'; {}; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PROBLEMS_CSP: Final = _CSP.format("style-src 'self'")
_SOFT_BREAK: Final = re.compile(r"\n(?!\n)")
_CODE: Final = re.compile(r"``(.+?)``")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Viewer:
    """A program in the browser that shows the document; the scripts run in this order."""

    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    csp: str


_SWAGGER: Final = _Viewer(
    styles=("swagger-ui.css", "docs.css"),
    scripts=("swagger-ui-bundle.js", "swagger-init.js"),
    csp=_CSP.format("script-src 'self'; style-src 'self'; connect-src 'self'"),
)
_REDOC: Final = _Viewer(
    styles=("docs.css",),
    scripts=("redoc.standalone.js", "redoc-init.js"),
    # Two style elements: an empty one, whose rules come by script, and that of its scroll bars.
    # The search runs in a worker made of a blob.
    csp=_CSP.format(
        "script-src 'self'; worker-src blob:; connect-src 'self'; style-src 'self' "
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
        "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
    ),
)
_VIEWERS: Final[dict[str, dict[str, _Viewer]]] = {
    "swagger": {"docs": _SWAGGER, "redoc": _REDOC},
    "redoc": {"docs": _REDOC, "redoc": _REDOC},
    "off": {},
}


class _Shelf:
    """The assets of some pages; each is read when it is first wanted."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(set(names))

    @cached_property
    def _assets(self) -> dict[str, Asset]:
        return {name: Asset.packaged(name) for name in self._names}

    @cached_property
    def _by_versioned_name(self) -> dict[str, Asset]:
        return {asset.versioned_name: asset for asset in self._assets.values()}

    def path(self, name: str, base: str) -> str:
        return f"{base}{ASSETS_PATH}/{self._assets[name].versioned_name}"

    async def serve(self, request: Request, name: str) -> Response:
        asset = self._by_versioned_name.get(name)
        if asset is None:
            raise NotFoundError
        return asset.respond(request.headers, cache_control=FOREVER)


class _Document:
    """The bytes of ``app.openapi()``, made anew only when that gives another document."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._of: object = None
        self._asset: Asset | None = None

    async def serve(self, request: Request) -> Response:
        document = self._app.openapi()
        if self._asset is None or self._of is not document:
            self._of, self._asset = document, Asset.of("openapi.json", orjson.dumps(document))
        return self._asset.respond(request.headers, cache_control=REVALIDATE)


def mount_docs(
    app: FastAPI, *, title: str, mode: DocsMode, openapi_url: str = "/openapi.json"
) -> None:
    """Register the pages, outside the document. The error pages are there in every mode.

    ``swagger`` shows Swagger UI at /docs and ReDoc at /redoc, ``redoc`` ReDoc at both, both also
    below /api; ``off`` serves neither them nor the document.
    """
    viewers = _VIEWERS[mode]
    names = [name for viewer in viewers.values() for name in (*viewer.styles, *viewer.scripts)]
    shelf = _Shelf([*names, "docs.css", "favicon.svg"])
    _register(app, ASSETS_PATH + "/{name}", shelf.serve)
    _mount_problem_pages(app, shelf)
    if mode != "off":
        _register(app, openapi_url, _Document(app).serve)
    for path, viewer in viewers.items():
        page = _viewer_page(viewer, shelf, title=title, openapi_url=openapi_url)
        _register(app, f"/{path}", page)
        _register(app, f"/api/{path}", page)


def _register(app: FastAPI, path: str, endpoint: Callable[..., object]) -> None:
    everybody = [Depends(public)]
    app.add_api_route(
        path, endpoint, methods=["GET"], include_in_schema=False, dependencies=everybody
    )


def _base(request: Request) -> str:
    """Give the path below which the application is served, if a proxy says so."""
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


def _viewer_page(
    viewer: _Viewer, shelf: _Shelf, *, title: str, openapi_url: str
) -> Callable[..., object]:
    async def docs_page(request: Request) -> Response:
        base = _base(request)
        url = escape(base + openapi_url)
        scripts = "".join(f'<script src="{shelf.path(s, base)}"></script>' for s in viewer.scripts)
        body = (
            f'<div id="docs" data-openapi="{url}" data-base="{escape(base)}"></div>'
            f'<noscript><p class="page">This page needs JavaScript. The document is at '
            f'<a href="{url}">{url}</a>.</p></noscript>{scripts}'
        )
        styles = [shelf.path(style, base) for style in viewer.styles]
        return _html(title, body, styles, shelf.path("favicon.svg", base), csp=viewer.csp)

    return docs_page


def _html(title: str, body: str, styles: Iterable[str], icon: str, *, csp: str) -> Response:
    links = "".join(f'<link rel="stylesheet" href="{style}">' for style in styles)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" type="image/svg+xml" href="{icon}">'
        f"{links}</head><body>{body}</body></html>"
    )
    headers = {"Content-Security-Policy": csp, "Cache-Control": REVALIDATE}
    return HTMLResponse(page, headers=headers)


def problem_classes() -> dict[str, type[ProblemError]]:
    """Give the class that stands for each error code, by code in order."""
    found: dict[str, type[ProblemError]] = {}
    for kind in ProblemError.catalogue():
        if kind is not ProblemError and kind.type_uri != "about:blank":
            found.setdefault(kind.code, kind)
    return dict(sorted(found.items()))


def _mount_problem_pages(app: FastAPI, shelf: _Shelf) -> None:
    def page(request: Request, title: str, body: str) -> Response:
        base = _base(request)
        body = f'<main class="page"><h1>{escape(title)}</h1>{body}</main>'
        icon = shelf.path("favicon.svg", base)
        return _html(title, body, [shelf.path("docs.css", base)], icon, csp=_PROBLEMS_CSP)

    async def problems_page(request: Request) -> Response:
        rows = "".join(
            f'<tr><td class="status">{kind.status}</td><td><a href="{_base(request)}'
            f'{PROBLEMS_PATH}/{escape(code)}"><code>{escape(code)}</code></a></td>'
            f"<td>{escape(kind.title)}</td></tr>"
            for code, kind in sorted(problem_classes().items(), key=_by_status)
        )
        head = "<tr><th>Status</th><th>Code</th><th>Title</th></tr>"
        return page(request, "Errors", f"<table>{head}{rows}</table>")

    async def problem_page(request: Request, code: str) -> Response:
        kind = problem_classes().get(code)
        if kind is None:
            msg = "There is no error with this code."
            raise NotFoundError(msg)
        body = (
            f'<p class="status">{kind.status} <code>{escape(code)}</code></p>{_prose(kind)}'
            f'<p><a href="{_base(request)}{PROBLEMS_PATH}">All errors</a></p>'
        )
        return page(request, kind.title, body)

    _register(app, PROBLEMS_PATH, problems_page)
    _register(app, PROBLEMS_PATH + "/{code}", problem_page)


def _by_status(item: tuple[str, type[ProblemError]]) -> tuple[int, str]:
    return item[1].status, item[0]


def _prose(kind: type[ProblemError]) -> str:
    """Give the class's description as paragraphs."""
    text = _CODE.sub(r"<code>\1</code>", escape(inspect.getdoc(kind) or ""))
    return "".join(f"<p>{_SOFT_BREAK.sub(' ', part)}</p>" for part in text.split("\n\n"))
