"""Create username claims."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Timestamp

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "username_claims",
        sa.Column("username_key", sa.String(length=100), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("username_key", name=op.f("pk_username_claims")),
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_username_claims_expires_at"),
        "username_claims",
        ["expires_at"],
        unique=False,
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("username_claims", if_exists=True)
