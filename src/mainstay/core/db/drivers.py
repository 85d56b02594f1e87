"""What each driver is told when it connects."""

from __future__ import annotations

import shlex
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from mainstay.core.db.url import DatabaseUrl, DatabaseUrlError

CONNECT_TIMEOUT: Final = 5
"""Seconds until a server that does not answer counts as away; ``connect_timeout`` changes it."""

_CLIENT_MARGIN: Final = 5
_ASYNCPG_DSN_WORDS: Final = frozenset(
    {"krbsrvname", "passfile", "service", "sslcert", "sslcrl", "sslkey", "sslmode"}
    | {"sslnegotiation", "sslpassword", "sslrootcert", "ssl_max_protocol_version"}
    | {"ssl_min_protocol_version", "target_session_attrs"}
)
_ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
_STRICT_MODE: Final = (
    "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "NO_ENGINE_SUBSTITUTION"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a statement may run, in seconds (0: for ever), and whether PgBouncer is between."""

    statement_timeout: float = 0
    pgbouncer: bool = False


def connect_arguments(url: DatabaseUrl, terms: Terms) -> dict[str, Any]:
    """Give the arguments of the driver's ``connect``.

    Raises:
        DatabaseUrlError: a word of the URL's query cannot be obeyed.
    """
    if url.backend == "postgresql":
        return _asyncpg(url, terms)
    if url.backend == "mysql":
        return _asyncmy(url, terms)
    return {}


def _asyncpg(url: DatabaseUrl, terms: Terms) -> dict[str, Any]:
    """Hand libpq's own words on in a DSN, as asyncpg knows best what they mean."""
    words = {name: value for name, value in url.words.items() if name in _ASYNCPG_DSN_WORDS}
    arguments: dict[str, Any] = {
        "timeout": int(url.words.get("connect_timeout", CONNECT_TIMEOUT)) or None,
        "server_settings": _server_settings(url, terms),
        **_address(url),
    }
    if words.get("sslrootcert") == "system":
        del words["sslrootcert"]
        arguments["ssl"] = _system_trust(words.pop("sslmode", "verify-full"))
    if words:
        arguments["dsn"] = f"postgresql:///?{urlencode(words)}"
    if terms.pgbouncer:
        # Unnamed statements leave nothing behind on a server connection that others use next.
        arguments |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": _unnamed,
            "command_timeout": terms.statement_timeout or None,
        }
        return arguments
    if terms.statement_timeout:
        # The server ends a slow statement; this one is for a server that has vanished.
        arguments["command_timeout"] = terms.statement_timeout + _CLIENT_MARGIN
    if "prepared_statement_cache_size" in url.words:
        size = int(url.words["prepared_statement_cache_size"])
        arguments["prepared_statement_cache_size"] = size
    return arguments


def _unnamed() -> str:
    return ""


def _system_trust(mode: str) -> ssl.SSLContext:
    """Give libpq's ``sslrootcert=system``, which asyncpg does not know."""
    context = ssl.create_default_context()
    context.check_hostname = mode != "verify-ca"
    return context


def _address(url: DatabaseUrl) -> dict[str, Any]:
    found: dict[str, Any] = {"user": url.user, "password": url.password}
    found["database"] = url.database or None
    if url.hosts:
        found["host"] = [host or "localhost" for host, _ in url.hosts]
        ports = [port for _, port in url.hosts]
        if any(port is not None for port in ports):
            found["port"] = [port or 5432 for port in ports]
    return {name: value for name, value in found.items() if value is not None}


def _server_settings(url: DatabaseUrl, terms: Terms) -> dict[str, str]:
    found = {"application_name": url.words.get("application_name", "mainstay"), "timezone": "UTC"}
    if not terms.pgbouncer:
        milliseconds = int(terms.statement_timeout * 1000)
        # Statements are short and many: compiling them costs more than it saves.
        found |= {"jit": "off", "statement_timeout": str(milliseconds)}
    return found | _options(url.words.get("options", ""))


def _options(text: str) -> dict[str, str]:
    """Read libpq's ``options``: ``-c search_path=shop --work_mem=8MB``."""
    found = {}
    parts = iter(shlex.split(text))
    for part in parts:
        setting = next(parts, "") if part == "-c" else part.removeprefix("-c").removeprefix("--")
        name, mark, value = setting.partition("=")
        if not mark or setting.startswith("-"):
            msg = "has options that are not of the form -c name=value."
            raise DatabaseUrlError(msg)
        found[name] = value
    return found


def _asyncmy(url: DatabaseUrl, terms: Terms) -> dict[str, Any]:
    host, port = url.hosts[0] if url.hosts else ("127.0.0.1", None)
    found: dict[str, Any] = {
        "host": host or "127.0.0.1",
        "port": port or 3306,
        "user": url.user or "root",
        "password": url.password or "",
        "db": url.database or None,
        "charset": "utf8mb4",
        "connect_timeout": int(url.words.get("connect_timeout", CONNECT_TIMEOUT)) or None,
        "init_command": _first_statement(terms),
        "ssl": _tls(url.words),
    }
    socket = host if host.startswith("/") else url.words.get("unix_socket")
    if socket:
        found |= {"unix_socket": socket, "host": None}
    return found


def _first_statement(terms: Terms) -> str:
    """Give one SET for both: MariaDB reads ``/*M!`` comments, and MySQL ``/*!80000`` ones."""
    seconds = terms.statement_timeout
    return (
        f"SET sql_mode='{_STRICT_MODE}', time_zone='+00:00'"
        f" /*M! , max_statement_time={seconds:g} */"
        f" /*!80000 , max_execution_time={int(seconds * 1000)} */"
    )


def _tls(words: Mapping[str, str]) -> ssl.SSLContext | None:
    """Give a context where encryption is asked for; asyncmy then refuses to go on without.

    ``allow`` and ``prefer`` cannot be negotiated with this driver and mean no encryption.
    """
    authority = words.get("ssl_ca")
    mode = words.get("ssl_mode", "verify-full" if authority else "disable")
    if mode not in _ENCRYPTED:
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
        if "ssl_cert" in words:
            context.load_cert_chain(words["ssl_cert"], words.get("ssl_key"))
    except OSError as error:
        msg = f"names a certificate that cannot be read: {error.strerror or 'not in PEM form'}."
        raise DatabaseUrlError(msg) from error
    unchecked = words.get("ssl_check_hostname", "true").lower() in {"false", "0"}
    context.check_hostname = mode == "verify-full" and not unchecked
    if mode == "require" and not authority:
        context.verify_mode = ssl.CERT_NONE
    return context
