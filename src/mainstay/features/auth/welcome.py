"""The page at ``/`` while one develops: where to go next. A project's own page takes its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends, Response
from fastapi.routing import iter_route_contexts

from mainstay.core.auth import public
from mainstay.core.http.application import Application
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.auth.pages import page

if TYPE_CHECKING:
    from mainstay.core.ports import Ports


def add_welcome(ports: Ports) -> None:
    """Serve the page, in development, where nothing else stands at ``/``."""
    app, settings = ports[Application], ports[Settings][ApplicationSettings]
    taken = any(context.path in {"/", ""} for context in iter_route_contexts(app.router.routes))
    if taken or not settings.is_development:
        return

    async def welcome() -> Response:
        """Show where to go next."""
        docs = settings.API_DOCS != "off"
        return page("welcome.html", product=settings.PROJECT_NAME, docs=docs)

    app.add_api_route("/", welcome, include_in_schema=False, dependencies=[Depends(public)])
