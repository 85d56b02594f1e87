"""Roles, who has them, and what they permit."""

from __future__ import annotations

from sqlalchemy import Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from mainstay.core.db import Base, BaseModel, Id


class Role(BaseModel):
    """A role; a higher ``rank`` stands above. Built-in ones cannot be deleted.

    ``version`` counts changes, of what it permits too, for ETags.
    """

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(50), unique=True)
    description: Mapped[str] = mapped_column(String(500), default="")
    rank: Mapped[int] = mapped_column(Integer())
    built_in: Mapped[bool] = mapped_column(Boolean(), default=False)
    version: Mapped[int] = mapped_column(Integer(), default=1)


class DeclaredPermission(Base):
    """A permission that some feature declares; synchronised when migrations run."""

    __tablename__ = "permissions"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    description: Mapped[str] = mapped_column(String(500))
    feature: Mapped[str] = mapped_column(String(50))


class RolePermission(Base):
    """A permission, or a wildcard, that a role grants."""

    __tablename__ = "role_permissions"

    role_id: Mapped[str] = mapped_column(
        Id(), ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True
    )
    permission: Mapped[str] = mapped_column(String(100), primary_key=True)


class UserRole(Base):
    """A role that a user has."""

    __tablename__ = "user_roles"

    user_id: Mapped[str] = mapped_column(
        Id(), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role_id: Mapped[str] = mapped_column(
        Id(), ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class RbacState(Base):
    """One row whose version rises with each change of a role; lets processes keep a copy."""

    __tablename__ = "rbac_state"

    id: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer())
