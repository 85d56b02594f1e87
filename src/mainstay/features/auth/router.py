"""The HTTP surface of signing up and in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, status

from mainstay.core.auth import Principal, get_current_user, public
from mainstay.core.http.context import context_of
from mainstay.core.http.deps import Session, port
from mainstay.features.auth.login_body import LOGIN_BODY, login_form
from mainstay.features.auth.registration import RegistrationService
from mainstay.features.auth.schemas import (
    LoginForm,
    Message,
    Registration,
    TokenBody,
    Tokens,
)
from mainstay.features.auth.sign_in import SignIn
from mainstay.features.users import UserRead, answer_account

router = APIRouter(prefix="/auth", tags=["auth"])

Caller = Annotated[Principal, Depends(get_current_user)]
Door = Annotated[SignIn, port(SignIn)]
Registrations = Annotated[RegistrationService, port(RegistrationService)]

REGISTERED = Message(message="Follow the link in the mail that was sent to you.")


@router.post("/register", status_code=status.HTTP_201_CREATED, dependencies=[Depends(public)])
async def register(
    body: Registration,
    session: Session,
    registrations: Registrations,
    door: Door,
    response: Response,
) -> Tokens | Message:
    """Make an account; gives tokens, or, where verification comes first, a message."""
    response.headers["Cache-Control"] = "no-store"
    user = await registrations.register(session, body)
    if user is None or registrations.verification_comes_first:
        return REGISTERED
    return await door.let_in(session, user, method="register")


@router.post("/login", dependencies=[Depends(public)], openapi_extra=LOGIN_BODY)
async def login(
    body: Annotated[LoginForm, Depends(login_form)],
    request: Request,
    session: Session,
    door: Door,
    response: Response,
) -> Tokens:
    """Sign in with a username or an e-mail address and a password, as JSON or as a form."""
    response.headers["Cache-Control"] = "no-store"
    ip = context_of(request.scope).client_ip
    return await door.with_password(session, body.identifier, body.password, ip=ip)


@router.get("/me", response_model=UserRead)
async def me(request: Request, principal: Caller) -> Any:
    """Show the caller."""
    return await answer_account(request, principal)


@router.post("/verify-email", dependencies=[Depends(public)])
async def verify_email(body: TokenBody, session: Session, registrations: Registrations) -> Message:
    """Prove an address with the token from the mail."""
    await registrations.verify_email(session, body.token)
    return Message(message="Your e-mail address is verified.")
