"""The plain pages of accounts: templates, one style sheet, one script; no outside request."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from mainstay.core.http.assets import Asset
from mainstay.core.http.docs_pages import ASSETS_PATH

_FOLDER: Final = files(__name__)
_TYPES: Final = {"css": "text/css", "js": "text/javascript"}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_templates: Final = Environment(
    loader=FunctionLoader(lambda name: _FOLDER.joinpath(name).read_text("utf-8")),
    autoescape=True,
    undefined=StrictUndefined,
)


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a page; it may load nothing from elsewhere, and is stored nowhere."""
    html = _templates.get_template(template).render(icon=_icon(), **values)
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(html, status_code=status, headers=headers)


@cache
def _icon() -> str:
    return f"{ASSETS_PATH}/{Asset.packaged('favicon.svg').versioned_name}"


def asset(name: str) -> Response:
    """Give a page's style sheet or script."""
    text = _FOLDER.joinpath(name).read_text("utf-8")
    media_type = _TYPES[name.rpartition(".")[2]]
    return Response(text, media_type=media_type, headers={"Cache-Control": "max-age=300"})
