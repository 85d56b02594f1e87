"""Where links in mails lead if there is no frontend: plain forms, so that GET changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Response

from mainstay.core.auth import public
from mainstay.core.errors import ProblemError
from mainstay.core.http.deps import Session, port
from mainstay.core.settings import ApplicationSettings, Settings
from mainstay.features.auth.pages import page
from mainstay.features.auth.recovery import Recovery
from mainstay.features.auth.registration import RegistrationService
from mainstay.features.auth.settings import AuthSettings

link_router = APIRouter(include_in_schema=False, dependencies=[Depends(public)])

Configured = Annotated[Settings, port(Settings)]
Recoveries = Annotated[Recovery, port(Recovery)]
Registrations = Annotated[RegistrationService, port(RegistrationService)]
SentToken = Annotated[str, Form(max_length=200)]
SentPassword = Annotated[str, Form(max_length=4096)]

_TITLES: Final = {
    "verify-email": ("Verify your e-mail address", "Verify", "Your e-mail address is verified."),
    "change-email": ("Change your e-mail address", "Change", "Your e-mail address was changed."),
    "reset-password": ("Choose a new password", "Save", "Your password was reset."),
    "accept-invitation": ("Choose a password", "Save", "Your account is ready."),
}
_WITH_PASSWORD: Final = frozenset({"reset-password", "accept-invitation"})


def _form(settings: Settings, name: str, token: str, fault: ProblemError | None = None) -> Response:
    title, button, _ = _TITLES[name]
    details = [error.detail for error in fault.errors] if fault else []
    return page(
        "link.html",
        status=fault.status if fault else 200,
        product=settings[ApplicationSettings].PROJECT_NAME,
        title=title,
        button=button,
        action=f"/{name}",
        token=token,
        with_password=name in _WITH_PASSWORD,
        minimum=settings[AuthSettings].PASSWORD_MIN_LENGTH,
        fault=" ".join(details) or (fault.detail or fault.title if fault else ""),
        done="",
    )


async def _carry_out(
    settings: Settings,
    name: str,
    token: str,
    *,
    work: Callable[[], Awaitable[None]],
) -> Response:
    try:
        await work()
    except ProblemError as fault:
        return _form(settings, name, token, fault)
    product = settings[ApplicationSettings].PROJECT_NAME
    title, _, done = _TITLES[name]
    return page("link.html", product=product, title=title, done=done)


@link_router.get("/verify-email")
async def show_verify_email(settings: Configured, token: str = "") -> Response:
    """Ask to press the button that verifies an address."""
    return _form(settings, "verify-email", token)


@link_router.post("/verify-email")
async def verify_email_page(
    token: SentToken, settings: Configured, session: Session, registrations: Registrations
) -> Response:
    """Verify an address."""

    async def work() -> None:
        await registrations.verify_email(session, token)

    return await _carry_out(settings, "verify-email", token, work=work)


@link_router.get("/change-email")
async def show_change_email(settings: Configured, token: str = "") -> Response:
    """Ask to press the button that changes an address."""
    return _form(settings, "change-email", token)


@link_router.post("/change-email")
async def change_email_page(
    token: SentToken, settings: Configured, session: Session, recovery: Recoveries
) -> Response:
    """Change an address."""

    async def work() -> None:
        await recovery.confirm_email_change(session, token)

    return await _carry_out(settings, "change-email", token, work=work)


@link_router.get("/reset-password")
async def show_reset_password(settings: Configured, token: str = "") -> Response:
    """Ask for a new password."""
    return _form(settings, "reset-password", token)


@link_router.post("/reset-password")
async def reset_password_page(
    token: SentToken,
    password: SentPassword,
    settings: Configured,
    session: Session,
    recovery: Recoveries,
) -> Response:
    """Reset a password."""

    async def work() -> None:
        await recovery.reset(session, token, password)

    return await _carry_out(settings, "reset-password", token, work=work)


@link_router.get("/accept-invitation")
async def show_accept_invitation(settings: Configured, token: str = "") -> Response:
    """Ask for the first password."""
    return _form(settings, "accept-invitation", token)


@link_router.post("/accept-invitation")
async def accept_invitation_page(
    token: SentToken,
    password: SentPassword,
    settings: Configured,
    session: Session,
    recovery: Recoveries,
) -> Response:
    """Set the first password."""

    async def work() -> None:
        await recovery.accept_invitation(session, token, password)

    return await _carry_out(settings, "accept-invitation", token, work=work)
