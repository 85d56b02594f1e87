"""Create one time tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Id, Timestamp

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "one_time_tokens",
        sa.Column("id", Id(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("subject", sa.String(length=254), nullable=True),
        sa.Column("expires_at", Timestamp(), nullable=False),
        sa.Column("spent_at", Timestamp(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_one_time_tokens_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_tokens_digest")),
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_one_time_tokens_expires_at"),
        "one_time_tokens",
        ["expires_at"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_one_time_tokens_user_id_purpose",
        "one_time_tokens",
        ["user_id", "purpose"],
        unique=False,
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("one_time_tokens", if_exists=True)
