"""What `serve` prints in development: the addresses, and the way to the first administrator."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mainstay.cli.console import bold, say
from mainstay.core.settings import ApplicationSettings
from mainstay.kit.version import VERSION

if TYPE_CHECKING:
    from mainstay.core.assembly import Assembly
    from mainstay.core.http.application import Application

_MAILBOX: Final = "/admin/mailbox"


def base_address(host: str, port: int) -> str:
    """Give the address under which this machine reaches the server."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"http://{shown}:{port}"


def title() -> str:
    """Give the first line: which Mainstay, on which Python."""
    return f"Mainstay {VERSION} · Python {platform.python_version()}"


async def welcome(app: Application, assembly: Assembly, *, reload: bool) -> None:
    """Print the table of addresses, the one-time link where nobody is administrator, and a summary.

    Nothing is asked of the database while migrations are pending.
    """
    settings = assembly.settings[ApplicationSettings]
    base = base_address(settings.HOST, settings.PORT)
    say(title())
    say()
    for name, path in _addresses(app, assembly):
        say(f"  {name:<9}  {bold(base + path)}")
    say()
    pending = await _pending(assembly)
    if pending:
        are = "migration is" if pending == 1 else "migrations are"
        say(f"  {pending} {are} not applied. Run: mainstay migrate")
        say()
    else:
        await _show_setup_link(assembly, base)
    say(f"  {summary(assembly, reload=reload)}")


def summary(assembly: Assembly, *, reload: bool) -> str:
    """Give the last line: where things are kept, and how to stop."""
    parts = [f"database {_database(assembly)}"]
    provider = _mail_provider(assembly)
    if provider is not None:
        parts.append(f"mail {'captured' if provider == 'capture' else f'by {provider}'}")
    parts += [f"reload {'on' if reload else 'off'}", "Ctrl+C stops"]
    return " · ".join(parts)


async def setup_link(assembly: Assembly, base: str) -> str | None:
    """Make a link that works once and for half an hour; None once there is an administrator."""
    from mainstay.features.auth import Administrators

    administrators = assembly.ports.get(Administrators)
    if administrators is None:
        return None
    async with assembly.units.transaction() as session:
        token = await administrators.setup_token(session)
    return None if token is None else f"{base}/admin/setup#{token}"


async def _show_setup_link(assembly: Assembly, base: str) -> None:
    link = await setup_link(assembly, base)
    if link is None:
        return
    say("  Create your admin account (link works once, for 30 minutes):")
    say(f"  {link}")
    if not sys.stdout.isatty():
        say("  or run: mainstay createsuperuser --email you@example.com")
    say()


async def _pending(assembly: Assembly) -> int:
    from mainstay.core.alembic import MigrationRunner

    return len(await assembly.ports[MigrationRunner].pending())


def _addresses(app: Application, assembly: Assembly) -> list[tuple[str, str]]:
    from mainstay.core.http.access import routes_with_access

    paths = {path for path, _, _ in routes_with_access(app)}
    addresses = [("App", "")]
    if _MAILBOX in paths and _mail_provider(assembly) == "capture":
        addresses.append(("Mailbox", _MAILBOX))
    docs = {"swagger": "/docs", "redoc": "/redoc"}.get(
        assembly.settings[ApplicationSettings].API_DOCS
    )
    if docs is not None:
        addresses.append(("API docs", docs))
    return addresses


def _database(assembly: Assembly) -> str:
    url = assembly.database.url
    if url.file is None:
        return f"{url.product} {url.database}".strip()
    file = Path(url.file).absolute()
    here = Path.cwd()
    return f"{url.product} {file.relative_to(here) if file.is_relative_to(here) else file}"


def _mail_provider(assembly: Assembly) -> str | None:
    from mainstay.features.mail.settings import MailSettings

    if MailSettings not in assembly.settings:
        return None
    return assembly.settings[MailSettings].provider
