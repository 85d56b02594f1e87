"""Create login attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Timestamp

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("locked_until", Timestamp(), nullable=True),
        sa.PrimaryKeyConstraint("account", "source", name=op.f("pk_login_attempts")),
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_login_attempts_updated_at"),
        "login_attempts",
        ["updated_at"],
        unique=False,
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("login_attempts", if_exists=True)
