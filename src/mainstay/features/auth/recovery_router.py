"""The HTTP surface of getting back in, and of changing what one gets in with."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from mainstay.core.auth import Principal, get_current_user, public
from mainstay.core.http.context import context_of
from mainstay.core.http.deps import Session, port
from mainstay.features.auth.recovery import FORGOT_JOB, RESEND_JOB, Recovery
from mainstay.features.auth.schemas import (
    ChangePasswordBody,
    EmailBody,
    InvitationBody,
    Message,
    NewEmailBody,
    PasswordBody,
    ResetBody,
    TokenBody,
)

recovery_router = APIRouter(prefix="/auth", tags=["auth"])

Caller = Annotated[Principal, Depends(get_current_user)]
Recoveries = Annotated[Recovery, port(Recovery)]
OPEN: Final = [Depends(public)]

RESET_SENT: Final = Message(message="If the email exists, a password reset link has been sent.")
VERIFICATION_SENT: Final = Message(
    message="If the email exists and is not verified yet, a verification link has been sent."
)
CHANGE_SENT: Final = Message(message="Follow the link in the mail to the new address.")


@recovery_router.post("/forgot-password", dependencies=OPEN)
async def forgot_password(body: EmailBody, session: Session, recovery: Recoveries) -> Message:
    """Ask for a link to reset a password; the answer is always the same."""
    await recovery.ask(session, FORGOT_JOB, body.email)
    return RESET_SENT


@recovery_router.post("/reset-password", dependencies=OPEN)
async def reset_password(body: ResetBody, session: Session, recovery: Recoveries) -> Message:
    """Set a new password with the token of a mail; all sessions end."""
    await recovery.reset(session, body.token, body.new_password)
    return Message(message="Your password was reset. Sign in with the new one.")


@recovery_router.post("/accept-invitation", dependencies=OPEN)
async def accept_invitation(
    body: InvitationBody, session: Session, recovery: Recoveries
) -> Message:
    """Set the first password of an invited account."""
    await recovery.accept_invitation(session, body.token, body.password)
    return Message(message="Your account is ready. Sign in with your password.")


@recovery_router.post("/resend-verification", dependencies=OPEN)
async def resend_verification(body: EmailBody, session: Session, recovery: Recoveries) -> Message:
    """Ask for another link that proves an address; the answer is always the same."""
    await recovery.ask(session, RESEND_JOB, body.email)
    return VERIFICATION_SENT


@recovery_router.post("/change-password")
async def change_password(
    body: ChangePasswordBody,
    request: Request,
    principal: Caller,
    session: Session,
    recovery: Recoveries,
) -> Message:
    """Set another password; all other sessions end."""
    ip = context_of(request.scope).client_ip
    await recovery.change_password(
        session, principal, old=body.old_password, new=body.new_password, ip=ip
    )
    return Message(message="Your password was changed.")


@recovery_router.post("/reauthenticate")
async def reauthenticate(
    body: PasswordBody, request: Request, principal: Caller, session: Session, recovery: Recoveries
) -> Message:
    """Prove again who one is; that counts as recent for ten minutes."""
    ip = context_of(request.scope).client_ip
    await recovery.reauthenticate(session, principal, body.password, ip)
    return Message(message="Thank you.")


@recovery_router.post("/change-email")
async def change_email(
    body: NewEmailBody, request: Request, principal: Caller, session: Session, recovery: Recoveries
) -> Message:
    """Ask for another address; it must prove itself, and the old one is told."""
    ip = context_of(request.scope).client_ip
    await recovery.ask_email_change(
        session, principal, email=body.new_email, password=body.password, ip=ip
    )
    return CHANGE_SENT


@recovery_router.post("/change-email/confirm", dependencies=OPEN)
async def confirm_email_change(body: TokenBody, session: Session, recovery: Recoveries) -> Message:
    """Make the new address the account's, with the token from its mail."""
    await recovery.confirm_email_change(session, body.token)
    return Message(message="Your e-mail address was changed.")
