"""Create jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Id, JsonDocument, Timestamp

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("payload", JsonDocument(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("unique_key", sa.String(length=255), nullable=True),
        sa.Column("active_key", sa.String(length=64), nullable=True),
        sa.Column("run_at", Timestamp(), nullable=False),
        sa.Column("lease_until", Timestamp(), nullable=True),
        sa.Column("lease_holder", sa.String(length=36), nullable=True),
        sa.Column("progress", sa.SmallInteger(), nullable=True),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("finished_at", Timestamp(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("active_key", name=op.f("uq_jobs_active_key")),
        info={"owner": "mainstay"},
        if_not_exists=True,
    )
    op.create_index(
        "ix_jobs_state_finished_at",
        "jobs",
        ["state", "finished_at"],
        unique=False,
        if_not_exists=True,
    )
    op.create_index(
        "ix_jobs_state_run_at", "jobs", ["state", "run_at", "id"], unique=False, if_not_exists=True
    )


def downgrade() -> None:
    op.drop_table("jobs", if_exists=True)
