"""Which failures are expected, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass

from mainstay.cli.console import CommandError


@dataclass(frozen=True, slots=True)
class Explained:
    """What to say, and the status to end with."""

    text: str
    status: int = 1


def explained(error: BaseException) -> Explained | None:
    """Explain a failure that people can do something about; None for any other."""
    if isinstance(error, CommandError):
        return Explained(str(error), error.exit_code)
    from mainstay.core.alembic import MigrationError
    from mainstay.core.checks.silence import SilenceError
    from mainstay.core.db.failures import classify, is_unavailable
    from mainstay.core.db.url import DatabaseUrlError, DriverMissingError
    from mainstay.core.errors import ProblemError
    from mainstay.core.registry import AssemblyError
    from mainstay.core.settings import SettingsError

    worded = (
        AssemblyError,
        DatabaseUrlError,
        DriverMissingError,
        MigrationError,
        ProblemError,
        SettingsError,
        SilenceError,
    )
    if isinstance(error, worded):
        return Explained(str(error))
    if isinstance(error, Exception) and is_unavailable(error):
        kind = classify(error)
        return Explained(f"The database cannot be used: {kind.value if kind else 'it is away'}.")
    return None
