"""The settings of signing in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from mainstay.core.settings import Section

Minutes = Annotated[int, Field(ge=1, le=525_600)]


class AuthSettings(Section):
    """How people sign up and in."""

    ACCESS_TOKEN_EXPIRE_MINUTES: Minutes = 30
    """How long an access token lives; it ends with its session in any case."""

    REFRESH_TOKEN_EXPIRE_MINUTES: Minutes = 10_080
    """How long a session lives at the most, however often it is refreshed."""

    REFRESH_IDLE_MINUTES: Minutes = 4_320
    """How long a session lives without being refreshed."""

    REFRESH_GRACE_SECONDS: Annotated[int, Field(ge=0, le=300)] = 10
    """How long a spent refresh token still gives its same successor; 0 switches that off."""

    PASSWORD_RESET_TOKEN_EXPIRE_MINUTES: Annotated[int, Field(ge=1, le=60)] = 30
    """How long a password reset link works."""

    EMAIL_VERIFICATION_EXPIRE_MINUTES: Minutes = 1_440
    """How long a verification link works."""

    PASSWORD_MIN_LENGTH: Annotated[int, Field(ge=8, le=128)] = 12
    """The shortest password; 15 is advised where no second factor is enforced."""

    PASSWORD_HASHER: Literal["argon2id", "bcrypt"] = "argon2id"  # noqa: S105 - an algorithm
    """How passwords are hashed; former hashes are upgraded at sign-in."""

    ACCOUNT_LOCKOUT_THRESHOLD: Annotated[int, Field(ge=1, le=100)] = 5
    """How many wrong passwords in a row lock an account."""

    ACCOUNT_LOCKOUT_DURATION_MINUTES: Annotated[int, Field(ge=1, le=60)] = 30
    """How long an account stays locked."""

    REGISTRATION_ENABLED: bool = True
    """Let people make accounts themselves."""

    REQUIRE_EMAIL_VERIFICATION: bool = False
    """Let people in only after they have proved their address."""

    @property
    def lockout(self) -> timedelta:
        """ACCOUNT_LOCKOUT_DURATION_MINUTES as a duration."""
        return timedelta(minutes=self.ACCOUNT_LOCKOUT_DURATION_MINUTES)
