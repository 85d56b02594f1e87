"""SQL that means the same on SQLite, PostgreSQL and MariaDB (MySQL).

The three disagree on case, on trailing spaces, on the order of text and on where NULLs go. Text is
compared and ordered by code points here, case-blindness is Unicode's simple lower case, and a NULL
counts as the greatest value.

A written collation keeps a database from its indexes, so it is written only where it is needed: on
PostgreSQL for the order of columns that are not declared with "C"; on MariaDB for columns that are
declared with another than a binary collation, as tables are made with ``utf8mb4_bin`` here (see
``core.db.base``). Under that one, spaces at the end of a text do not count in comparisons.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from mainstay.core.db.types import MYSQL_FAMILY

_BY_CODE_POINT: Final = frozenset({"utf8mb4_bin", "utf8mb4_nopad_bin", "utf8mb4_0900_bin"})
_UPPER_BESIDES: Final = {
    "i": "\u0130",
    "k": "\u212a",
    "\u00df": "\u1e9e",
    "\u00e5": "\u212b",
    "\u03b8": "\u03f4",
    "\u03c9": "\u2126",
}
_GLOB_SPECIAL: Final = frozenset("*?[")


def fold(text: str) -> str:
    """Take each character to its lower case by Unicode's simple mapping, as the databases do."""
    if text.isascii():
        return text.lower()
    return "".join(character.lower()[0] for character in text)


def glob(text: str) -> str:
    """Make the SQLite GLOB pattern that finds ``text`` anywhere, in any case.

    SQLite's ``lower`` knows ASCII only, so each letter becomes the class of its forms.
    """
    return f"*{''.join(map(_glob_class, fold(text)))}*"


def _glob_class(character: str) -> str:
    forms = dict.fromkeys((character, character.upper(), character.title()))
    forms |= dict.fromkeys(_UPPER_BESIDES.get(character, ""))
    same = [form for form in forms if len(form) == 1 and fold(form) == character]
    if len(same) == 1 and character not in _GLOB_SPECIAL:
        return character
    return f"[{''.join(same)}]"


class Needle(TypeDecorator[str]):
    """The type of a parameter that is looked for without regard to case."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Give the pattern to SQLite and the folded text to the others."""
        if value is None:
            return None
        return glob(value) if dialect.name == "sqlite" else fold(value)


class _Construct(FunctionElement[Any]):
    """An element with its arguments in ``clauses``."""


class _OfOneColumn(_Construct):
    """A value of the type of its argument."""

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


class Exact(_OfOneColumn):
    """A text column to be compared for equality: case and trailing spaces count."""

    inherit_cache = True
    name = "exact"


class Ordinal(_OfOneColumn):
    """A text column to be ordered and compared by code points."""

    inherit_cache = True
    name = "ordinal"


class NullsLast(_OfOneColumn):
    """A key of ORDER BY: ascending, NULLs last."""

    inherit_cache = True
    name = "nulls_last"


class NullsFirst(_OfOneColumn):
    """A key of ORDER BY: descending, NULLs first."""

    inherit_cache = True
    name = "nulls_first"


class Contains(_Construct):
    """Whether a text holds another, case and all."""

    inherit_cache = True
    name = "contains"
    type = sa.Boolean()


class ContainsCaseBlind(_Construct):
    """Whether a text holds another (a ``Needle``), whatever the case."""

    inherit_cache = True
    name = "contains_case_blind"
    type = sa.Boolean()


def _arguments(element: _Construct) -> list[sa.ColumnElement[Any]]:
    # Against the operator that binds most closely, so that every other one is parenthesised.
    return [argument.self_group(against=operators.getitem) for argument in element.clauses]


def _texts(element: _Construct, compiler: SQLCompiler, **options: Any) -> list[str]:
    return [compiler.process(argument, **options) for argument in _arguments(element)]


def _declared_collation(column: sa.ColumnElement[Any], dialect: Dialect) -> str | None:
    collation: str | None = getattr(column.type.dialect_impl(dialect), "collation", None)
    if collation is None and dialect.name in MYSQL_FAMILY:
        table = getattr(column, "table", None)
        table = getattr(table, "element", table)
        if isinstance(table, sa.Table):
            collation = table.dialect_options[dialect.name].get("collate")
    return collation


def _mysql_text(element: _Construct, compiler: SQLCompiler, **options: Any) -> str:
    """Write the first argument so that it is compared by code points."""
    column = _arguments(element)[0]
    text = compiler.process(column, **options)
    declared = _declared_collation(column, compiler.dialect)
    if declared is None or declared in _BY_CODE_POINT:
        return text
    collation = _mysql_collation(compiler.dialect, mariadb="nopad_bin", mysql="0900_bin")
    return f"{text} COLLATE {collation}"


def _mysql_collation(dialect: Dialect, *, mariadb: str, mysql: str) -> str:
    return f"utf8mb4_{mariadb if getattr(dialect, 'is_mariadb', False) else mysql}"


@compiles(Exact)
@compiles(Ordinal)
def _plain(element: _Construct, compiler: SQLCompiler, **options: Any) -> str:
    return _texts(element, compiler, **options)[0]


@compiles(Ordinal, "postgresql")
def _ordinal_postgresql(element: Ordinal, compiler: SQLCompiler, **options: Any) -> str:
    column = _arguments(element)[0]
    text = compiler.process(column, **options)
    if _declared_collation(column, compiler.dialect) == "C":
        return text
    return f'{text} COLLATE "C"'


@compiles(Exact, *MYSQL_FAMILY)
@compiles(Ordinal, *MYSQL_FAMILY)
def _collated_mysql(element: _Construct, compiler: SQLCompiler, **options: Any) -> str:
    return _mysql_text(element, compiler, **options)


@compiles(NullsLast)
def _nulls_last(element: NullsLast, compiler: SQLCompiler, **options: Any) -> str:
    return f"{_texts(element, compiler, **options)[0]} ASC NULLS LAST"


@compiles(NullsFirst)
def _nulls_first(element: NullsFirst, compiler: SQLCompiler, **options: Any) -> str:
    return f"{_texts(element, compiler, **options)[0]} DESC NULLS FIRST"


@compiles(NullsLast, *MYSQL_FAMILY)
def _nulls_last_mysql(element: NullsLast, compiler: SQLCompiler, **options: Any) -> str:
    text = _texts(element, compiler, **options)[0]
    return f"{text} IS NULL ASC, {text} ASC"


@compiles(NullsFirst, *MYSQL_FAMILY)
def _nulls_first_mysql(element: NullsFirst, compiler: SQLCompiler, **options: Any) -> str:
    text = _texts(element, compiler, **options)[0]
    return f"{text} IS NULL DESC, {text} DESC"


@compiles(Contains)
def _contains(element: Contains, compiler: SQLCompiler, **options: Any) -> str:
    text, sought = _texts(element, compiler, **options)
    return f"(instr({text}, {sought}) > 0)"


@compiles(Contains, "postgresql")
def _contains_postgresql(element: Contains, compiler: SQLCompiler, **options: Any) -> str:
    text, sought = _texts(element, compiler, **options)
    return f"(strpos({text}, {sought}) > 0)"


@compiles(Contains, *MYSQL_FAMILY)
def _contains_mysql(element: Contains, compiler: SQLCompiler, **options: Any) -> str:
    _, sought = _texts(element, compiler, **options)
    return f"(instr({_mysql_text(element, compiler, **options)}, {sought}) > 0)"


@compiles(ContainsCaseBlind)
def _case_blind(element: ContainsCaseBlind, compiler: SQLCompiler, **options: Any) -> str:
    text, sought = _texts(element, compiler, **options)
    return f"({text} GLOB {sought})"


@compiles(ContainsCaseBlind, "postgresql")
def _case_blind_postgresql(
    element: ContainsCaseBlind, compiler: SQLCompiler, **options: Any
) -> str:
    text, sought = _texts(element, compiler, **options)
    # A column that sorts by "C" would lower ASCII only.
    return f'(strpos(lower({text} COLLATE "default"), {sought}) > 0)'


@compiles(ContainsCaseBlind, *MYSQL_FAMILY)
def _case_blind_mysql(element: ContainsCaseBlind, compiler: SQLCompiler, **options: Any) -> str:
    text, sought = _texts(element, compiler, **options)
    cased = _mysql_collation(compiler.dialect, mariadb="uca1400_ai_ci", mysql="0900_ai_ci")
    binary = _mysql_collation(compiler.dialect, mariadb="nopad_bin", mysql="0900_bin")
    return f"(instr(lower({text} COLLATE {cased}) COLLATE {binary}, {sought}) > 0)"
