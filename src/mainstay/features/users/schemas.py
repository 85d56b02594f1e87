"""What users look like outside, and what may be written of them."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from mainstay.core.http.schema import Input, Output, UtcTime
from mainstay.features.users.names import (
    Biography,
    Language,
    Name,
    Phone,
    Timezone,
    WebAddress,
)


class UserRead(Output):
    """A user, as they themselves and administrators see it."""

    id: str
    username: str
    email: str
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    phone_verified: bool = False
    avatar_url: str | None = None
    bio: str | None = None
    timezone: str = "UTC"
    language: str = "en"
    user_data: dict[str, Any] = Field(default_factory=dict)
    role: str
    roles: list[str]
    is_active: bool
    email_verified: bool
    two_fa_enabled: bool
    last_login_at: UtcTime | None = None
    created_at: UtcTime
    updated_at: UtcTime


class Profile(Input):
    """The profile fields, all optional."""

    first_name: Name | None = None
    last_name: Name | None = None
    phone_number: Phone | None = None
    bio: Biography | None = None
    timezone: Timezone = "UTC"
    language: Language = "en"
    avatar_url: WebAddress | None = None


class ProfilePatch(Profile):
    """A merge patch of one's own profile (RFC 7396): what is absent stays, null clears."""

    user_data: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _bounded(self) -> ProfilePatch:
        if len(str(self.user_data)) > MAX_USER_DATA:
            msg = f"user_data may have at most {MAX_USER_DATA} characters."
            raise ValueError(msg)
        return self

    def changes(self) -> dict[str, Any]:
        """Give the fields that were sent."""
        return self.model_dump(exclude_unset=True)


MAX_USER_DATA = 16_384
