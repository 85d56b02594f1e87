"""Conditions mean the same on every database as they do in Python."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainstay.core.http.query import (
    AllOf,
    AnyOf,
    Condition,
    ListQuery,
    Not,
    conditions,
    ordering,
    parse_query,
)
from mainstay.core.http.query.constructs import fold

CONTRACT = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def holds(node, row):
    match node:
        case AllOf(parts):
            return all(holds(part, row) for part in parts)
        case AnyOf(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)
        case Condition(field, operator, value):
            return compare(row[field], operator, value)


ANY_ROW = {
    "isnull": lambda held, value: (held is None) == value,
    "ne": lambda held, value: held != value,
    "notin": lambda held, value: held not in value,
}
NOT_NULL = {
    "eq": lambda held, value: held == value,
    "in": lambda held, value: held in value,
    "gt": lambda held, value: held > value,
    "gte": lambda held, value: held >= value,
    "lt": lambda held, value: held < value,
    "lte": lambda held, value: held <= value,
    "contains": lambda held, value: value in held,
    "icontains": lambda held, value: fold(value) in fold(held),
    "startswith": lambda held, value: held.startswith(value),
}


def compare(held, operator, value):
    value = tuple(map(plain, value)) if isinstance(value, tuple) else plain(value)
    if operator in ANY_ROW:
        return ANY_ROW[operator](plain(held), value)
    return held is not None and NOT_NULL[operator](plain(held), value)


def plain(value):
    value = getattr(value, "value", value)
    return str(value) if hasattr(value, "hex") and hasattr(value, "urn") else value


@pytest.fixture(scope="session")
def trees(spec, shop):
    """Trees of conditions, with values of the rows and values near them."""
    texts = st.sampled_from([text for text in shop.texts if text is not None]) | st.text(
        st.characters(exclude_categories=["Cc", "Cs"]), max_size=3
    ).map(lambda text: unicodedata.normalize("NFC", text))
    near = {
        "quantity": st.integers(-2, 4) | st.just(2**31 - 1),
        "views": st.sampled_from([-5, 0, 7, 8, 2**63 - 1]),
        "price": st.sampled_from([Decimal("0.1"), Decimal("-2.50"), Decimal("0.100001")]),
        "active": st.booleans(),
        "seen_at": st.integers(-2, 4).map(
            lambda n: datetime(2024, 2, 29, 23, 59, 59, 999_998, UTC) + timedelta(microseconds=n)
        ),
        "day": st.integers(1, 8).map(lambda day: date(2024, 1, day)),
        "ratio": st.sampled_from([0.1, 0.3, 0.30000000000000004, -1e-9, 1e300, 0.0]),
        "state": st.sampled_from(shop.state),
        "id": st.sampled_from([row["id"] for row in shop.rows]),
        "owner_id": st.integers(0, 2).map(lambda n: f"00000000-0000-0000-0000-{n:012}"),
    }

    def values(field, operator):
        if operator == "isnull":
            return st.booleans()
        one = near.get(field, texts)
        return st.lists(one, max_size=4).map(tuple) if operator in {"in", "notin"} else one

    kinds = [(name, op) for name, f in spec.fields.items() for op in f.operators]
    leaves = st.sampled_from(kinds).flatmap(
        lambda kind: st.builds(Condition, st.just(kind[0]), st.just(kind[1]), values(*kind))
    )

    def join(parts):
        several = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.builds(AllOf, several) | st.builds(AnyOf, several) | st.builds(Not, parts)

    return st.recursive(leaves, join, max_leaves=5)


def test_conditions_find_the_rows_that_python_finds(database, spec, shop, trees):
    async def scenario(connection):
        @CONTRACT
        @given(trees)
        def collect(tree):
            wanted.append(tree)

        wanted = []
        collect()
        return [(tree, await found(connection, tree)) for tree in wanted]

    async def found(connection, tree):
        query = ListQuery(sort=spec.default_order, limit=100, where=tree)
        statement = shop.select.with_only_columns(shop.goods.c.id, maintain_column_froms=True)
        result = await connection.execute(statement.where(*conditions(spec, query)))
        return sorted(result.scalars())

    for tree, ids in database.run(scenario):
        assert ids == sorted(row["id"] for row in shop.rows if holds(tree, row)), tree


def sorted_rows(rows, sort):
    ordered = list(rows)
    for key in reversed(sort):
        held = [plain(row[key.field]) for row in rows if row[key.field] is not None]
        filler = held[0] if held else 0
        ordered.sort(
            key=lambda row: (
                row[key.field] is None,
                filler if row[key.field] is None else plain(row[key.field]),
            ),
            reverse=key.descending,
        )
    return ordered


@pytest.mark.parametrize("backward", [False, True])
def test_every_sortable_field_orders_alike_with_null_the_greatest(database, spec, shop, backward):
    async def scenario(connection):
        found = {}
        for name in spec.sortable:
            for sign in ("", "-"):
                sort = parse_query(spec, f"sort={sign}{name}".encode()).sort
                keys = ordering(spec, sort, backward=backward)
                statement = shop.select.with_only_columns(
                    shop.goods.c.id, maintain_column_froms=True
                )
                result = await connection.execute(statement.order_by(*keys))
                found[sort] = list(result.scalars())
        return found

    for sort, ids in database.run(scenario).items():
        wanted = [row["id"] for row in sorted_rows(shop.rows, sort)]
        assert ids == (wanted[::-1] if backward else wanted), sort


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("äpfel", {"Äpfel und Birnen", "äPFEL"}),
        ("BIRN und", {"Äpfel und Birnen"}),
        ("ΊΣΥΦΟ", {"Σίσυφος"}),
        ("ЖУК", {"Жук", "жук"}),
        ("a%", {"a%b"}),
        ("*", {"a*b"}),
        ("[A]", {"[a]"}),
        ("ix", {"İx"}),
        ("ẞ", {"ß", "ẞ"}),
        ("pfel nichts", set()),
    ],
)
def test_every_word_is_found_in_some_searched_field(database, spec, shop, words, names):
    async def scenario(connection):
        query = ListQuery(sort=spec.default_order, limit=100, words=tuple(words.split()))
        statement = sa.select(shop.goods.c.id).where(*conditions(spec, query))
        return set((await connection.execute(statement)).scalars())

    wanted = {row["id"] for row in shop.rows if names & {row["name"], row["code"]}}
    assert bool(wanted) == bool(names)
    assert database.run(scenario) == wanted


def test_words_may_be_found_in_different_fields(database, spec, shop):
    row = next(row for row in shop.rows if row["name"] == "zebra")

    async def scenario(connection):
        query = ListQuery(sort=spec.default_order, limit=100, words=("ZEBRA", row["code"]))
        statement = sa.select(shop.goods.c.id).where(*conditions(spec, query))
        return list((await connection.execute(statement)).scalars())

    assert row["id"] in database.run(scenario)


def test_values_never_become_part_of_the_statement(spec, shop):
    raw = b"name=secret1&code__in=secret2,x&name__icontains=secret3&q=secret4&sort=name"
    query = parse_query(spec, raw)
    statement = shop.select.where(*conditions(spec, query)).order_by(*ordering(spec, query.sort))
    assert "secret" not in str(statement)


def test_every_text_starts_with_its_first_characters(database, spec, shop):
    prefixes = {text[:n] for text in shop.texts if text for n in range(len(text) + 1)}

    async def scenario(connection):
        return {prefix: await found(connection, prefix) for prefix in prefixes}

    async def found(connection, prefix):
        where = Condition("name", "startswith", prefix)
        query = ListQuery(sort=spec.default_order, limit=100, where=where)
        statement = sa.select(shop.goods.c.name).where(*conditions(spec, query))
        return sorted((await connection.execute(statement)).scalars())

    held = [row["name"] for row in shop.rows if row["name"] is not None]
    assert "\ud7ff" in prefixes
    for prefix, names in database.run(scenario).items():
        assert names == sorted(name for name in held if name.startswith(prefix)), prefix
