"""How migrations are run: environment, lock, histories."""

from mainstay.core.alembic.histories import History, package_history, project_history
from mainstay.core.alembic.runner import MigrationRunner, Revision, run_migrations_sync
from mainstay.core.alembic.running import MigrationError

__all__ = [
    "History",
    "MigrationError",
    "MigrationRunner",
    "Revision",
    "package_history",
    "project_history",
    "run_migrations_sync",
]
