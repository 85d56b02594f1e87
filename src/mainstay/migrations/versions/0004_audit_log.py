"""Create audit_log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Id, JsonDocument, Timestamp

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", Id(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("target_id", sa.String(length=255), nullable=True),
        sa.Column("data", JsonDocument(), nullable=False),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        if_not_exists=True,
    )
    for columns in (
        ["created_at", "id"],
        ["action", "created_at"],
        ["actor_id", "created_at"],
        ["target_id", "created_at"],
        ["ip", "created_at"],
    ):
        name = op.f(f"ix_audit_log_{'_'.join(columns)}")
        op.create_index(name, "audit_log", columns, unique=False, if_not_exists=True)


def downgrade() -> None:
    op.drop_table("audit_log", if_exists=True)
