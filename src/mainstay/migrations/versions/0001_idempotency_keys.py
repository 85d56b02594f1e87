"""Create idempotency keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Timestamp

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("lease_until", Timestamp(), nullable=False),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", sa.LargeBinary(length=8192), nullable=True),
        sa.Column("body", sa.LargeBinary(length=16777216), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_idempotency_keys")),
        if_not_exists=True,
    )
    op.create_index(
        "ix_idempotency_keys_expires_at",
        "idempotency_keys",
        ["expires_at"],
        unique=False,
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys", if_exists=True)
