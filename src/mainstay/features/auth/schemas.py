"""The bodies of signing up and in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from mainstay.core.http.schema import Input, Line, Output
from mainstay.features.users import Email, Profile, Username, UserRead

Password = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
"""A password as it was sent: never trimmed, its rules are checked by the policy."""

OneTimeToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Tokens(Output):
    """What a sign-in gives (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - no password
    expires_in: int = Field(description="Seconds until the access token expires.")
    user: UserRead


class Message(Output):
    """An answer for people."""

    message: str


class Registration(Profile):
    """A new account."""

    email: Email
    username: Username
    password: Password
    role: Annotated[Line, StringConstraints(max_length=50)] = "user"


class LoginForm(Input):
    """A sign-in as JSON; the name under any of three members."""

    username_or_email: str | None = Field(default=None, max_length=254)
    username: str | None = Field(default=None, max_length=254)
    email: str | None = Field(default=None, max_length=254)
    password: Password

    @model_validator(mode="after")
    def _named(self) -> LoginForm:
        if not self.identifier:
            msg = "Send username_or_email."
            raise ValueError(msg)
        return self

    @property
    def identifier(self) -> str:
        """The username or address that was sent."""
        return self.username_or_email or self.username or self.email or ""


class TokenBody(Input):
    """A single-use token from a mail."""

    token: OneTimeToken


class EmailBody(Input):
    """An address."""

    email: Email


class ResetBody(Input):
    """A new password, by the token of a mail."""

    token: OneTimeToken
    new_password: Password


class InvitationBody(Input):
    """The first password, by the token of an invitation."""

    token: OneTimeToken
    password: Password


class ChangePasswordBody(Input):
    """A new password, by the present one."""

    old_password: Password
    new_password: Password


class PasswordBody(Input):
    """The present password."""

    password: Password


class NewEmailBody(Input):
    """The address to change to, by the present password."""

    new_email: Email
    password: Password
