"""DATABASE_URL, in any of the spellings that people have, as one frozen value.

What libpq and the usual drivers take in the query is understood; a word that nobody knows is
refused, as a mistyped ``sslmode`` would otherwise be an unencrypted connection. Messages never
hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote

Backend = Literal["sqlite", "postgresql", "mysql"]
"""A family of databases; ``mysql`` stands for MariaDB as well."""

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

EXAMPLES: Final = (
    "sqlite:///var/shop.db, postgresql://user:password@host/shop or mysql://user:password@host/shop"
)

_SHAPE: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+_.-]*)://"
    r"(?:(?P<user>[^:/@?]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<hosts>[^/?]*)(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
_BACKENDS: Final[Mapping[str, tuple[Backend, str]]] = {
    "sqlite": ("sqlite", "sqlite+aiosqlite"),
    "sqlite3": ("sqlite", "sqlite+aiosqlite"),
    "postgres": ("postgresql", "postgresql+asyncpg"),
    "postgresql": ("postgresql", "postgresql+asyncpg"),
    "mysql": ("mysql", "mysql+asyncmy"),
    "mariadb": ("mysql", "mariadb+asyncmy"),
}
_DRIVERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "sqlite": ("SQLite", "aiosqlite", ""),
    "postgresql": ("PostgreSQL", "asyncpg", "postgres"),
    "mysql": ("MySQL", "asyncmy", "mysql"),
}
_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "sqlite": frozenset(),
    "postgresql": frozenset(
        {"application_name", "connect_timeout", "dbname", "host", "krbsrvname", "options"}
        | {"passfile", "password", "port", "prepared_statement_cache_size", "service", "sslcert"}
        | {"sslcrl", "sslkey", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "user"}
        | {"ssl_max_protocol_version", "ssl_min_protocol_version", "target_session_attrs"}
    ),
    "mysql": frozenset(
        {"charset", "connect_timeout", "host", "password", "port", "ssl_ca", "ssl_cert"}
        | {"ssl_check_hostname", "ssl_key", "ssl_mode", "unix_socket", "user"}
    ),
}
_WITHOUT_EFFECT: Final = frozenset(
    {"async_fallback", "autocommit", "channel_binding", "check_same_thread", "client_encoding"}
    | {"connection_limit", "gssencmode", "keepalives", "keepalives_count", "keepalives_idle"}
    | {"keepalives_interval", "pgbouncer", "pool_timeout", "sslcompression", "sslsni"}
    | {"statement_cache_size", "tcp_user_timeout", "timeout", "use_unicode"}
)
_SAME_WORD: Final[Mapping[tuple[str, str], str]] = {
    ("postgresql", "ssl"): "sslmode",
    ("postgresql", "database"): "dbname",
    ("mysql", "ssl"): "ssl_mode",
    ("mysql", "sslmode"): "ssl_mode",
    ("mysql", "ssl-mode"): "ssl_mode",
    ("mysql", "sslrootcert"): "ssl_ca",
    ("mysql", "sslcert"): "ssl_cert",
    ("mysql", "sslkey"): "ssl_key",
}
_TRUE_MODE: Final[Mapping[str, str]] = {
    "true": "require", "1": "require", "on": "require", "yes": "require",
    "false": "disable", "0": "disable", "off": "disable", "no": "disable",
}  # fmt: skip
_MYSQL_MODES: Final[Mapping[str, str]] = {
    "disabled": "disable",
    "preferred": "prefer",
    "required": "require",
    "verify_ca": "verify-ca",
    "verify_identity": "verify-full",
}


class DatabaseUrlError(ValueError):
    """The URL of a database is not one, or asks for what is not known."""


class DriverMissingError(RuntimeError):
    """The database's driver is not installed; the text says which extra brings it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    """Where a database is and how to speak to it. ``words`` are those of the query, checked.

    ``drivername`` is SQLAlchemy's (``mariadb+asyncmy``). ``database`` is the file of SQLite (empty:
    in memory), and elsewhere the name. An empty ``hosts`` leaves the choice to the driver.
    """

    backend: Backend
    drivername: str
    hosts: tuple[tuple[str, int | None], ...] = ()
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str = ""
    words: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """Read a URL.

        Raises:
            DatabaseUrlError: it cannot be understood. The message does not name the setting.
        """
        match = _SHAPE.fullmatch(text.strip())
        if match is None:
            msg = f"is no URL of a database. Examples: {EXAMPLES}."
            raise DatabaseUrlError(msg)
        backend, drivername = _backend(match["scheme"])
        words = _words(backend, match["query"] or "")
        if backend == "sqlite":
            return cls(backend=backend, drivername=drivername, database=_file(match))
        user = words.pop("user", None) or _decoded(match["user"])
        password = words.pop("password", None) or _decoded(match["password"])
        hosts = _hosts(match["hosts"], host=words.pop("host", ""), port=words.pop("port", ""))
        database = words.pop("dbname", "") or unquote(match["database"] or "")
        return cls(
            backend=backend,
            drivername=drivername,
            hosts=hosts,
            user=user,
            password=password,
            database=database,
            words=words,
        )

    @property
    def product(self) -> str:
        """The database's name for people: ``PostgreSQL``."""
        return "MariaDB" if self.drivername.startswith("mariadb") else _DRIVERS[self.backend][0]

    @property
    def in_memory(self) -> bool:
        """Whether it is a SQLite database that is gone with the process."""
        return self.backend == "sqlite" and not self.database

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database; None for all others."""
        return Path(self.database) if self.backend == "sqlite" and self.database else None

    def with_database(self, name: str) -> DatabaseUrl:
        """Give the same place with another database (or file)."""
        return replace(self, database=name)

    def require_driver(self) -> None:
        """Do nothing if the driver is installed.

        Raises:
            DriverMissingError: it is not; the text names the extra.
        """
        product, module, extra = _DRIVERS[self.backend]
        if find_spec(module) is None:
            install = f"mainstay[{extra}]" if extra else module
            msg = (
                f"DATABASE_URL asks for {product}, and its driver {module} is not installed. "
                f"Run: pip install '{install}'"
            )
            raise DriverMissingError(msg)

    def __str__(self) -> str:
        """Give the URL without its password and words; safe to show."""
        if self.backend == "sqlite":
            return f"sqlite:///{self.database or ':memory:'}"
        at = f"{self.user}@" if self.user else ""
        where = ",".join(host if port is None else f"{host}:{port}" for host, port in self.hosts)
        return f"{self.drivername.partition('+')[0]}://{at}{where}/{self.database}"


def _backend(scheme: str) -> tuple[Backend, str]:
    found = _BACKENDS.get(scheme.lower().partition("+")[0])
    if found is None:
        msg = f"starts with {scheme}://, which is no database known here. Examples: {EXAMPLES}."
        raise DatabaseUrlError(msg)
    return found


def _file(match: re.Match[str]) -> str:
    if match["hosts"] or match["user"] is not None:
        msg = (
            "names a host, and SQLite is a file: three slashes for a relative path "
            "(sqlite:///var/shop.db), four for an absolute one (sqlite:////srv/shop.db)."
        )
        raise DatabaseUrlError(msg)
    path = match["database"] or ""
    if path.startswith("file:"):
        msg = "holds a SQLite file: URI; a plain path is taken, as in sqlite:///var/shop.db."
        raise DatabaseUrlError(msg)
    return "" if path == ":memory:" else path


def _hosts(netloc: str, *, host: str, port: str) -> tuple[tuple[str, int | None], ...]:
    if "@" in netloc:
        msg = "has an @ in its password: write it as %40."
        raise DatabaseUrlError(msg)
    hosts = [_host(part) for part in (host or netloc).split(",") if part]
    if not port:
        return tuple(hosts)
    ports = [_port(part) for part in port.split(",")]
    if len(ports) == 1:
        ports *= max(len(hosts), 1)
    if len(ports) != max(len(hosts), 1):
        msg = "has not as many ports as hosts."
        raise DatabaseUrlError(msg)
    names = [name for name, _ in hosts] or ["localhost"]
    return tuple(zip(names, ports, strict=True))


def _host(text: str) -> tuple[str, int | None]:
    decoded = unquote(text)
    if decoded.startswith("/"):
        return decoded, None
    match = _HOST.fullmatch(decoded)
    if match is None:
        msg = "has a host or a port that is none."
        raise DatabaseUrlError(msg)
    port = None if match["port"] is None else _port(match["port"])
    return match["host"].strip("[]"), port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**16):
        msg = "has a port that is none."
        raise DatabaseUrlError(msg)
    return int(text)


def _decoded(text: str | None) -> str | None:
    return unquote(text) if text else None


def _words(backend: Backend, query: str) -> dict[str, str]:
    words: dict[str, str] = {}
    for spelled, value in parse_qsl(query, keep_blank_values=True):
        name = _SAME_WORD.get((backend, spelled), spelled)
        if name in _WITHOUT_EFFECT:
            continue
        if name not in _WORDS[backend]:
            msg = f"has {spelled!r} in its query, which is not known for {_DRIVERS[backend][0]}."
            raise DatabaseUrlError(msg)
        # SQLAlchemy writes several hosts as several words, libpq as one list.
        joins = name == "host" and name in words
        words[name] = f"{words[name]},{value}" if joins else _word(name, value)
    return words


def _word(name: str, value: str) -> str:
    if name in {"sslmode", "ssl_mode"}:
        mode = value.lower()
        mode = _MYSQL_MODES.get(mode, _TRUE_MODE.get(mode, mode))
        if mode not in SSL_MODES:
            msg = f"has a {name} that is none of {', '.join(SSL_MODES)}."
            raise DatabaseUrlError(msg)
        return mode
    if name in {"connect_timeout", "prepared_statement_cache_size"} and not value.isdecimal():
        msg = f"has a {name} that is not a whole number."
        raise DatabaseUrlError(msg)
    return value
