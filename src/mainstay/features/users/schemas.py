"""What users look like outside, and what may be written of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from mainstay.core.http.schema import Input, Line, Output, UtcTime
from mainstay.core.roles import DEFAULT_ROLE
from mainstay.features.users.names import (
    Biography,
    Email,
    Language,
    Name,
    Phone,
    Timezone,
    Username,
    WebAddress,
)

RoleName = Annotated[Line, StringConstraints(min_length=1, max_length=50)]
"""A role's name as it is sent; whether there is one is for the role directory to say."""


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


class UserPatch(ProfilePatch):
    """A merge patch of a user: the profile, and for administrators whether it is in use."""

    is_active: bool = True


class UserCreate(Profile):
    """A person to be invited. They set their password themselves."""

    email: Email
    username: Username
    role: RoleName = DEFAULT_ROLE

    def profile(self) -> dict[str, Any]:
        """Give the profile's fields."""
        return self.model_dump(exclude={"email", "username", "role"})


MAX_USER_DATA = 16_384
