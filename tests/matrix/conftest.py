"""Who may call what does not depend on the database: SQLite will do."""

from mainstay.testing.plugin import migrated_database

__all__ = ["migrated_database"]
