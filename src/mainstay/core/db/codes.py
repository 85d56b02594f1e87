"""The codes of failures of SQLite, PostgreSQL and MariaDB, and what they mean."""

from __future__ import annotations

import sqlite3
from enum import Enum
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mainstay.core.db.types import MalformedIdError
from mainstay.core.errors import DependencyUnavailableError


class DatabaseUnavailableError(DependencyUnavailableError):
    """No connection to the database can be made. The text names neither host nor password."""


class ConnectionLostError(DatabaseUnavailableError):
    """The connection broke below the driver."""


class StatementTimeoutError(DatabaseUnavailableError):
    """The server did not answer a statement in time, and was not waited for any longer."""


class Failure(Enum):
    """The kinds of failure."""

    UNIQUE = "a unique value is taken"
    FOREIGN_KEY = "a row that is referred to is not there, or is still referred to"
    NOT_NULL = "a value is missing"
    CHECK = "a value breaks a rule of the table"
    BAD_VALUE = "a value does not fit its column"
    MALFORMED_ID = "an id is not one"
    CONFLICT = "the transaction collided with another one"
    LOCKED = "a lock was not to be had in time"
    LOST = "the connection broke"
    UNREACHABLE = "no connection can be made"
    EXHAUSTED = "every connection is in use"
    TIMEOUT = "the statement ran for too long"
    FULL = "the disk is full, or fails"
    READ_ONLY = "this server takes no writes at the moment"


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Final = {
    "23505": Failure.UNIQUE,
    "23P01": Failure.UNIQUE,
    "23503": Failure.FOREIGN_KEY,
    "23001": Failure.FOREIGN_KEY,
    "23502": Failure.NOT_NULL,
    "23514": Failure.CHECK,
    "40001": Failure.CONFLICT,
    "40P01": Failure.CONFLICT,
    "55P03": Failure.LOCKED,
    "57014": Failure.TIMEOUT,
    "53100": Failure.FULL,
    "53300": Failure.UNREACHABLE,
    "57P03": Failure.UNREACHABLE,
    "08001": Failure.UNREACHABLE,
    "08004": Failure.UNREACHABLE,
    "08P01": Failure.UNREACHABLE,
    "57P01": Failure.LOST,
    "57P02": Failure.LOST,
    "57P05": Failure.LOST,
    "25P03": Failure.LOST,
    "25P04": Failure.LOST,
    "25006": Failure.READ_ONLY,
    "22": Failure.BAD_VALUE,
    "08": Failure.LOST,
    "28": Failure.UNREACHABLE,
    "3D": Failure.UNREACHABLE,
}
# https://mariadb.com/kb/en/mariadb-error-code-reference/
_MARIADB: Final = {
    **dict.fromkeys((1062, 1586), Failure.UNIQUE),
    **dict.fromkeys((1216, 1217, 1451, 1452), Failure.FOREIGN_KEY),
    **dict.fromkeys((1048, 1364), Failure.NOT_NULL),
    **dict.fromkeys((3819, 4025), Failure.CHECK),
    **dict.fromkeys((1264, 1292, 1366, 1406, 3140), Failure.BAD_VALUE),
    **dict.fromkeys((1020, 1213), Failure.CONFLICT),
    **dict.fromkeys((1205, 3572), Failure.LOCKED),
    **dict.fromkeys((1053, 1927, 2006, 2013, 2055, 3169, 4031), Failure.LOST),
    **dict.fromkeys((1040, 1044, 1045, 1049, 1203, 1226, 2002, 2003, 2005), Failure.UNREACHABLE),
    **dict.fromkeys((1969, 3024), Failure.TIMEOUT),
    **dict.fromkeys((1021, 1114), Failure.FULL),
    **dict.fromkeys((1290, 1836), Failure.READ_ONLY),
}
# https://www.sqlite.org/rescode.html
_SQLITE: Final = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: Failure.UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Failure.UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_ROWID: Failure.UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: Failure.FOREIGN_KEY,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: Failure.NOT_NULL,
    sqlite3.SQLITE_CONSTRAINT_CHECK: Failure.CHECK,
    sqlite3.SQLITE_BUSY: Failure.LOCKED,
    sqlite3.SQLITE_LOCKED: Failure.LOCKED,
    sqlite3.SQLITE_FULL: Failure.FULL,
    sqlite3.SQLITE_IOERR: Failure.FULL,
    sqlite3.SQLITE_CANTOPEN: Failure.UNREACHABLE,
    sqlite3.SQLITE_INTERRUPT: Failure.TIMEOUT,
    sqlite3.SQLITE_READONLY: Failure.READ_ONLY,
    sqlite3.SQLITE_MISMATCH: Failure.BAD_VALUE,
    sqlite3.SQLITE_TOOBIG: Failure.BAD_VALUE,
}
_OWN: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (ConnectionLostError, Failure.LOST),
    (StatementTimeoutError, Failure.TIMEOUT),
    (DatabaseUnavailableError, Failure.UNREACHABLE),
    (PoolTimeoutError, Failure.EXHAUSTED),
)
_PRIMARY_CODE: Final = 0xFF


def classify(error: BaseException) -> Failure | None:
    """Give the kind of a failure; None where it is no known failure of a database."""
    for kind, failure in _OWN:
        if isinstance(error, kind):
            return failure
    found = _by_code(driver_error(error))
    if found is not None or not isinstance(error, StatementError):
        return found
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Failure.LOST
    return _client_side(driver_error(error))


def driver_error(error: BaseException) -> BaseException:
    """Give the driver's own exception, with its codes and details, from inside SQLAlchemy's."""
    found: Any = error
    if isinstance(error, StatementError) and error.orig is not None:
        found = error.orig
    inner = getattr(found, "driver_exception", None) or found.__cause__
    return inner if isinstance(inner, BaseException) and _has_code(inner) else found


def is_of_mariadb(error: BaseException) -> bool:
    """Say whether an exception comes from the driver for MariaDB and MySQL."""
    return type(error).__module__.startswith("asyncmy.")


def _has_code(error: BaseException) -> bool:
    return getattr(error, "sqlstate", None) is not None or isinstance(error, sqlite3.Error)


def _by_code(error: BaseException) -> Failure | None:
    if isinstance(error, MalformedIdError):
        return Failure.MALFORMED_ID
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return None if code is None else _SQLITE.get(code) or _SQLITE.get(code & _PRIMARY_CODE)
    if is_of_mariadb(error):
        return _MARIADB.get(error.args[0]) if error.args else None
    state = getattr(error, "sqlstate", None)
    return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2]) if state else None


def _client_side(error: BaseException) -> Failure | None:
    """Judge what a driver found by itself: a value it cannot send, a socket that is gone."""
    text = str(error)
    if isinstance(error, OverflowError) or "invalid input for query argument" in text:
        return Failure.BAD_VALUE
    dead = ("connection is closed", "connection was closed", "no active connection")
    return Failure.LOST if any(sign in text.lower() for sign in dead) else None
