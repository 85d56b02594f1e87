"""The page on which the first administrator is made, and what it posts to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status

from mainstay.core.auth import public
from mainstay.core.errors import NotFoundError
from mainstay.core.http.context import context_of
from mainstay.core.http.deps import Session, port
from mainstay.core.http.failures import on_this_machine
from mainstay.core.http.proxy import parse_address
from mainstay.core.http.schema import Input
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.auth.administrators import Administrators
from mainstay.features.auth.pages import asset, page
from mainstay.features.auth.schemas import OneTimeToken, Password, Tokens
from mainstay.features.auth.settings import AuthSettings
from mainstay.features.auth.sign_in import SignIn
from mainstay.features.users import Email, Username

Configured = Annotated[Settings, port(Settings)]


class FirstAdministrator(Input):
    """The account of the first administrator."""

    token: OneTimeToken
    email: Email
    username: Username | None = None
    password: Password


async def near_enough(request: Request, settings: Configured) -> None:
    """Let in who ADMIN_ALLOW names, and in development only this machine.

    Raises:
        NotFoundError: the caller is elsewhere.
    """
    context, application = context_of(request.scope), settings[ApplicationSettings]
    if application.is_development and not on_this_machine(context):
        raise NotFoundError
    address = parse_address(context.client_ip or "")
    allowed = application.ADMIN_ALLOW
    if allowed and not (address and any(address in network for network in allowed)):
        raise NotFoundError


setup_router = APIRouter(
    prefix="/admin",
    tags=["setup"],
    dependencies=[Depends(public), Depends(near_enough)],
)


@setup_router.get("/setup", include_in_schema=False)
async def show_setup(settings: Configured) -> Response:
    """Show the page; the token stands in the fragment, which no log ever sees."""
    return page(
        "setup.html",
        product=settings[ApplicationSettings].PROJECT_NAME,
        minimum=settings[AuthSettings].PASSWORD_MIN_LENGTH,
        docs=settings[ApplicationSettings].API_DOCS != "off",
        mailbox=settings[ApplicationSettings].is_development,
    )


@setup_router.post("/setup", status_code=status.HTTP_201_CREATED)
async def create_administrator(
    body: FirstAdministrator,
    session: Session,
    administrators: Annotated[Administrators, port(Administrators)],
    door: Annotated[SignIn, port(SignIn)],
    response: Response,
) -> Tokens:
    """Make the first administrator with the one-time token, and sign them in."""
    response.headers["Cache-Control"] = "no-store"
    user = await administrators.set_up(
        session,
        token=body.token,
        email=body.email,
        password=body.password,
        username=body.username,
    )
    return await door.let_in(session, user, method="setup")


@setup_router.get("/assets/page.css", include_in_schema=False)
async def style() -> Response:
    """Give the pages' style sheet."""
    return asset("page.css")


@setup_router.get("/assets/setup.js", include_in_schema=False)
async def script() -> Response:
    """Give the set-up page's script."""
    return asset("setup.js")
