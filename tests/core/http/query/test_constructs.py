"""What each dialect is told, and what needs no telling."""

from __future__ import annotations

import sqlite3
import sys
import unicodedata

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql, postgresql, sqlite

from mainstay.core.http.query.constructs import (
    Contains,
    ContainsCaseBlind,
    Exact,
    Needle,
    NullsFirst,
    NullsLast,
    Ordinal,
    fold,
    glob,
)

POSTGRESQL, SQLITE, MYSQL = postgresql.dialect(), sqlite.dialect(), mysql.dialect()
MARIADB = mysql.dialect()
MARIADB.is_mariadb = True

plain = sa.Table(
    "plain",
    sa.MetaData(),
    sa.Column("a", sa.String(20)),
    sa.Column("n", sa.Integer),
    mysql_collate="utf8mb4_general_ci",
)
undeclared = sa.table("undeclared", sa.column("a", sa.String(20)))
collated = sa.Table(
    "collated",
    sa.MetaData(),
    sa.Column("a", sa.String(20).with_variant(postgresql.VARCHAR(20, collation="C"), "postgresql")),
    mysql_collate="utf8mb4_bin",
)


def sql(element, dialect):
    return str(element.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize(
    ("dialect", "exact", "ordinal"),
    [
        (SQLITE, "plain.a", "plain.a"),
        (POSTGRESQL, "plain.a", 'plain.a COLLATE "C"'),
        (MARIADB, "plain.a COLLATE utf8mb4_nopad_bin", "plain.a COLLATE utf8mb4_nopad_bin"),
        (MYSQL, "plain.a COLLATE utf8mb4_0900_bin", "plain.a COLLATE utf8mb4_0900_bin"),
    ],
)
def test_a_collation_is_written_where_the_column_has_another(dialect, exact, ordinal):
    assert sql(Exact(plain.c.a), dialect) == exact
    assert sql(Ordinal(plain.c.a), dialect) == ordinal


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL, MARIADB])
@pytest.mark.parametrize("table", [collated, collated.alias("collated")])
def test_a_collation_that_the_column_has_is_left_out(dialect, table):
    assert sql(Exact(table.c.a), dialect) == "collated.a"
    assert sql(Ordinal(table.c.a), dialect) == "collated.a"


def test_tables_of_mariadb_are_binary_unless_they_say_otherwise():
    assert sql(Ordinal(undeclared.c.a), MARIADB) == "undeclared.a"
    column = sa.Column("a", sa.String(collation="utf8mb4_unicode_ci"))
    assert sql(Ordinal(column), MARIADB) == "a COLLATE utf8mb4_nopad_bin"


@pytest.mark.parametrize(
    ("dialect", "last", "first"),
    [
        (SQLITE, "plain.n ASC NULLS LAST", "plain.n DESC NULLS FIRST"),
        (POSTGRESQL, "plain.n ASC NULLS LAST", "plain.n DESC NULLS FIRST"),
        (MARIADB, "plain.n IS NULL ASC, plain.n ASC", "plain.n IS NULL DESC, plain.n DESC"),
    ],
)
def test_nulls_are_the_greatest(dialect, last, first):
    assert sql(NullsLast(plain.c.n), dialect) == last
    assert sql(NullsFirst(plain.c.n), dialect) == first


def test_expressions_are_kept_together():
    joined = plain.c.a + "x"
    assert sql(Ordinal(joined), POSTGRESQL) == "(plain.a || 'x') COLLATE \"C\""
    assert sql(NullsLast(plain.c.n + 1), MARIADB).startswith("(plain.n + 1) IS NULL ASC")
    assert sql(ContainsCaseBlind(joined, sa.literal("Y", Needle())), SQLITE) == (
        "((plain.a || 'x') GLOB '*[yY]*')"
    )


def test_case_blindness_is_told_each_in_its_way():
    element = ContainsCaseBlind(plain.c.a, sa.literal("Éa", Needle()))
    assert sql(element, SQLITE) == "(plain.a GLOB '*[éÉ][aA]*')"
    assert sql(element, POSTGRESQL) == "(strpos(lower(plain.a COLLATE \"default\"), 'éa') > 0)"
    assert sql(element, MARIADB) == (
        "(instr(lower(plain.a COLLATE utf8mb4_uca1400_ai_ci) COLLATE utf8mb4_nopad_bin, 'éa') > 0)"
    )
    assert Needle().process_bind_param(None, SQLITE) is None


def test_containing_keeps_the_case():
    element = Contains(plain.c.a, sa.literal("É", sa.String()))
    assert sql(element, SQLITE) == "(instr(plain.a, 'É') > 0)"
    assert sql(element, POSTGRESQL) == "(strpos(plain.a, 'É') > 0)"
    assert sql(element, MARIADB) == "(instr(plain.a COLLATE utf8mb4_nopad_bin, 'É') > 0)"


@pytest.mark.parametrize("construct", [Exact, Ordinal, NullsLast, NullsFirst])
def test_statements_are_cached_by_their_columns(construct):
    key = construct(plain.c.a)._generate_cache_key()
    assert key == construct(plain.c.a)._generate_cache_key()
    assert key != construct(plain.c.n)._generate_cache_key()


@pytest.fixture(scope="module")
def in_memory():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


def test_every_letter_is_found_by_all_its_forms(in_memory):
    letters = [
        letter
        for letter in map(chr, range(sys.maxunicode + 1))
        if fold(letter) != letter and unicodedata.category(letter) != "Cs"
    ]
    assert len(letters) > 1300
    for letter in letters:
        (found,) = in_memory.execute("SELECT ? GLOB ?", (letter, glob(letter))).fetchone()
        assert found, letter


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("*?[]^-aAéÉßẞ"))


@given(texts, texts, texts)
def test_glob_finds_what_fold_finds(in_memory, before, sought, after):
    for text in (before + sought + after, before + sought.upper() + after, before + after):
        (found,) = in_memory.execute("SELECT ? GLOB ?", (text, glob(sought))).fetchone()
        assert bool(found) == (fold(sought) in fold(text))
