"""Create role permissions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mainstay.core.db import Id

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "role_permissions",
        sa.Column("role_id", Id(), nullable=False),
        sa.Column("permission", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["role_id"],
            ["roles.id"],
            name=op.f("fk_role_permissions_role_id_roles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("role_id", "permission", name=op.f("pk_role_permissions")),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("role_permissions", if_exists=True)
