"""Pages by offset and by cursor, on every database."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import registry

from mainstay.core.errors import CursorMismatchError
from mainstay.core.http.query import (
    EXACT,
    ListField,
    ListSpec,
    count_rows,
    fetch_page,
    parse_query,
    parse_search,
)

KEY = b"k" * 32
SORTABLE = (
    "name",
    "quantity",
    "price",
    "active",
    "seen_at",
    "day",
    "ratio",
    "state",
    "views",
    "category.slug",
)


async def page(connection, shop, spec, raw=b""):
    return await fetch_page(
        connection, shop.select, query=parse_query(spec, raw), spec=spec, key=KEY
    )


def ids(page):
    return [item["id"] for item in page.items]


def order(rows, keys):
    """Sort as Python does, with None the greatest."""
    ordered = sorted(rows, key=lambda row: row["id"], reverse=keys[-1].startswith("-"))
    for key in reversed(keys):
        name = key.removeprefix("-")
        filler = next((row[name] for row in rows if row[name] is not None), 0)
        ordered.sort(
            key=lambda row: (row[name] is None, filler if row[name] is None else row[name]),
            reverse=key.startswith("-"),
        )
    return [row["id"] for row in ordered]


@st.composite
def lists(draw):
    """Rows with many ties and NULLs, an order over several of their fields, and a limit."""
    start = datetime(2024, 2, 29, 23, 59, 59, 999_998, tzinfo=UTC)
    pools = {
        "name": ["a", "B", "b", "é", "\U0001d4b3", "z ", "z", ""],
        "quantity": [-1, 0, 1],
        "price": [Decimal("0.1"), Decimal("0.100001"), Decimal("-99999999.999999")],
        "active": [True, False],
        "seen_at": [start + timedelta(microseconds=number) for number in range(4)],
        "day": [start.date(), start.date() + timedelta(days=1)],
        "ratio": [0.1, 0.30000000000000004, 1e-300],
        "state": ["draft", "on_sale"],
        "category_id": [1, 2, 3],
    }
    numbers = draw(st.lists(st.integers(0, 2**60), max_size=16, unique=True))
    rows = [
        {name: draw(st.none() | st.sampled_from(pool)) for name, pool in pools.items()}
        | {"id": str(uuid.UUID(int=(7 << 76) | (2 << 62) | number))}
        | {"views": draw(st.sampled_from([0, 2**63 - 1])), "code": "x"}
        for number in numbers
    ]
    keys = draw(st.lists(st.sampled_from(SORTABLE), min_size=1, max_size=4, unique=True))
    return rows, [draw(st.sampled_from(("", "-"))) + key for key in keys], draw(st.integers(1, 5))


@settings(max_examples=60, deadline=None)
@given(drawn=lists())
def test_walking_by_cursor_is_the_sorted_list_in_both_directions(database, spec, shop, drawn):
    rows, keys, limit = drawn
    parameters = f"limit={limit}&sort={','.join(keys)}".encode()

    async def scenario(connection):
        await connection.execute(sa.delete(shop.goods))
        if rows:
            await connection.execute(sa.insert(shop.goods), rows)
        forward = [await page(connection, shop, spec, parameters)]
        while forward[-1].page.has_more and len(forward) <= len(rows):
            cursor = forward[-1].page.next_cursor.encode()
            forward.append(await page(connection, shop, spec, parameters + b"&cursor=" + cursor))
        backward = [forward[-1]]
        while backward[0].page.prev_cursor and len(backward) <= len(rows):
            cursor = backward[0].page.prev_cursor.encode()
            backward.insert(
                0, await page(connection, shop, spec, parameters + b"&cursor=" + cursor)
            )
        return forward, backward

    forward, backward = database.run(scenario)
    slugs = {1: "books", 2: "Toys", 3: "music", None: None}
    wanted = order([row | {"category.slug": slugs[row["category_id"]]} for row in rows], keys)
    assert [each for part in forward for each in ids(part)] == wanted
    assert [each for part in backward for each in ids(part)] == wanted
    assert all(len(part.items) == limit for part in forward[:-1])
    assert [part.page.has_more for part in backward] == [True] * (len(backward) - 1) + [False]
    assert [part.page.prev_cursor is None for part in forward] == [True] + [False] * (
        len(forward) - 1
    )
    assert all((p.page.next_cursor is None) != p.page.has_more for p in forward + backward)


def test_offsets_give_the_same_list_with_its_total(database, spec, shop):
    async def scenario(connection):
        whole = await page(connection, shop, spec, b"limit=100&sort=-price,name")
        parts = [
            await page(connection, shop, spec, f"limit=25&sort=-price,name&offset={n}".encode())
            for n in (0, 25, 50, 75)
        ]
        return whole, parts

    whole, parts = database.run(scenario)
    assert [each for part in parts for each in ids(part)] == ids(whole)
    assert [(p.page.offset, p.page.total, p.page.has_more) for p in parts] == [
        (0, 60, True),
        (25, 60, True),
        (50, 60, False),
        (75, 60, False),
    ]
    assert [p.page.prev_cursor is None for p in parts] == [True, False, False, True]
    assert (whole.page.limit, whole.page.total) == (100, 60)


def test_a_cursor_goes_on_from_an_offset_in_both_directions(database, spec, shop):
    async def scenario(connection):
        middle = await page(connection, shop, spec, b"limit=5&offset=10")
        cursors = (middle.page.prev_cursor, middle.page.next_cursor)
        before, after = [
            await page(connection, shop, spec, b"limit=5&cursor=" + cursor.encode())
            for cursor in cursors
        ]
        return (middle, before, after), await page(connection, shop, spec, b"limit=20")

    (middle, before, after), whole = database.run(scenario)
    assert ids(before) + ids(middle) + ids(after) == ids(whole)[5:20]
    assert (before.page.offset, before.page.total, before.page.has_more) == (None, None, True)


def test_a_cursor_is_stable_while_rows_come_and_go(database, spec, shop):
    async def scenario(connection):
        old = await page(connection, shop, spec, b"limit=100&sort=code")
        first = await page(connection, shop, spec, b"limit=10&sort=code")
        new = {"id": str(uuid.UUID(int=1)), "code": "", "views": 0}
        await connection.execute(sa.insert(shop.goods).values(new))
        last = shop.goods.c.id == ids(first)[-1]
        await connection.execute(sa.delete(shop.goods).where(last))
        cursor = first.page.next_cursor.encode()
        return old, await page(connection, shop, spec, b"limit=10&sort=code&cursor=" + cursor)

    old, second = database.run(scenario)
    assert ids(second) == ids(old)[10:20]


def test_the_limit_may_change_from_page_to_page(database, spec, shop):
    async def scenario(connection):
        first = await page(connection, shop, spec, b"limit=3")
        cursor = first.page.next_cursor.encode()
        second = await page(connection, shop, spec, b"limit=7&cursor=" + cursor)
        return ids(first) + ids(second), ids(await page(connection, shop, spec, b"limit=10"))

    walked, whole = database.run(scenario)
    assert walked == whole


def test_total_is_counted_as_asked(database, spec, shop):
    async def scenario(connection):
        first = await page(connection, shop, spec, b"limit=2&active=true")
        cursor = b"&cursor=" + first.page.next_cursor.encode()
        raws = (b"", b"&total=false", b"&total=true", cursor, cursor + b"&total=true")
        return [
            (await page(connection, shop, spec, b"limit=2&active=true" + r)).page.total
            for r in raws
        ]

    assert database.run(scenario) == [20, None, 20, None, 20]


def test_a_page_that_tells_the_total_costs_one_statement(database, spec, shop):
    statements = []

    def note(*arguments):
        statements.append(arguments[2])

    async def scenario(connection):
        sa.event.listen(connection.sync_connection, "before_cursor_execute", note)
        await page(connection, shop, spec, b"limit=100")
        whole = len(statements)
        await page(connection, shop, spec, b"limit=10")
        return whole, len(statements)

    assert database.run(scenario) == (1, 3)


def test_count_rows_counts_what_the_list_has(database, spec, shop):
    query = parse_query(spec, b"q=b&active__isnull=false&limit=1")

    async def scenario(connection):
        counted = await count_rows(connection, shop.select, query=query, spec=spec)
        return counted, await page(connection, shop, spec, b"q=b&active__isnull=false")

    counted, listed = database.run(scenario)
    assert counted == len(listed.items) > 1


def test_a_search_and_a_filter_share_their_cursors(database, spec, shop):
    where = {"quantity": {"gte": 0}, "active": True}

    async def scenario(connection):
        first = await page(connection, shop, spec, b"active=true&quantity__gte=0&limit=2")
        body = {"where": where, "limit": 2, "cursor": first.page.next_cursor}
        query = parse_search(spec, body)
        return first, await fetch_page(connection, shop.select, query=query, spec=spec, key=KEY)

    first, second = database.run(scenario)
    assert len(second.items) == 2
    assert not set(ids(first)) & set(ids(second))


@pytest.fixture
def noted(shop):
    """Texts of a length as rows of ``notes``, and the list of them."""
    spec = ListSpec(
        name="Note",
        fields={
            "id": ListField(column=shop.notes.c.id, operators=EXACT, python_type=uuid.UUID),
            "text": ListField(column=shop.notes.c.text, sort=True),
            "more": ListField(column=shop.notes.c.more, sort=True),
        },
        default_sort="text,more",
    )

    def rows(length):
        texts = [None if n % 4 == 0 else "\U0001f600" * length + str(n % 3) for n in range(10)]
        return [
            {"id": str(uuid.UUID(int=n)), "text": text, "more": text and f"{text}{n % 2}"}
            for n, text in enumerate(texts)
        ]

    async def read(connection, cursor):
        raw = b"limit=3" + (b"&cursor=" + cursor.encode() if cursor else b"")
        query = parse_query(spec, raw)
        select = sa.select(shop.notes)
        return await fetch_page(connection, select, query=query, spec=spec, key=KEY)

    return rows, read


@pytest.mark.parametrize("length", [10, 250, 5000])
def test_texts_too_long_for_a_cursor_are_looked_up(database, shop, noted, length):
    length = min(length, 250) if database.kind == "mariadb" else length
    rows, read = noted

    async def scenario(connection):
        await connection.execute(sa.insert(shop.notes), rows(length))
        pages, cursor = [], ""
        while cursor is not None and len(pages) < 10:
            pages.append(await read(connection, cursor))
            cursor = pages[-1].page.next_cursor
        return pages

    pages = database.run(scenario)
    assert [each for part in pages for each in ids(part)] == order(rows(length), ["text", "more"])
    assert all(len(part.page.next_cursor or "") <= 2048 for part in pages)


@pytest.mark.parametrize(("length", "gone"), [(10, False), (250, True)])
def test_only_a_row_that_is_looked_up_must_still_be_there(database, shop, noted, length, gone):
    rows, read = noted

    async def scenario(connection):
        await connection.execute(sa.insert(shop.notes), rows(length))
        first = await read(connection, "")
        await connection.execute(sa.delete(shop.notes))
        return await read(connection, first.page.next_cursor)

    if gone:
        with pytest.raises(CursorMismatchError, match="gone"):
            database.run(scenario)
    else:
        assert database.run(scenario).items == []


def test_a_cursor_past_the_last_row_gives_an_empty_page(database, spec, shop):
    async def scenario(connection):
        first = await page(connection, shop, spec, b"limit=10&sort=name")
        await connection.execute(sa.delete(shop.goods).where(shop.goods.c.id.not_in(ids(first))))
        cursor = first.page.next_cursor.encode()
        return await page(connection, shop, spec, b"limit=10&sort=name&cursor=" + cursor)

    empty = database.run(scenario)
    assert empty.items == []
    assert empty.page.model_dump() == {
        "limit": 10,
        "offset": None,
        "total": None,
        "has_more": False,
        "next_cursor": None,
        "prev_cursor": None,
    }


def test_items_are_entities_or_dicts_of_their_columns(database, spec, shop):
    class Good:
        pass

    registry(metadata=shop.goods.metadata).map_imperatively(Good, shop.goods)
    few = sa.select(shop.goods.c.id, shop.goods.c.code.label("label")).join_from(
        shop.goods, shop.goods.metadata.tables["categories"], isouter=True
    )
    query = parse_query(spec, b"limit=2&sort=code,category.slug")

    async def scenario(connection):
        entities = sa.select(Good).join(shop.goods.metadata.tables["categories"], isouter=True)
        async with AsyncSession(connection) as session:
            found = await fetch_page(session, entities, query=query, spec=spec, key=KEY)
        dicts = await fetch_page(connection, few, query=query, spec=spec, key=KEY)
        return found, dicts

    entities, dicts = database.run(scenario)
    assert [type(item) for item in entities.items] == [Good, Good]
    assert [{"id": item.id, "label": item.code} for item in entities.items] == dicts.items
    assert entities.page == dicts.page


@pytest.mark.parametrize(
    "raw", [b"id=nonsense", b"id__in=nonsense,1", b"id__in=" + b"0" * 36, b"owner_id=%7Bx%7D"]
)
def test_a_malformed_id_equals_no_row(database, spec, shop, raw):
    assert database.run(lambda connection: page(connection, shop, spec, raw)).items == []


def test_a_malformed_id_differs_from_every_row(database, spec, shop):
    found = database.run(lambda connection: page(connection, shop, spec, b"id__ne=nonsense"))
    assert found.page.total == 60


def test_ids_are_found_in_any_letter_case(database, spec, shop):
    wanted = shop.rows[3]["id"]
    raw = f"id__in={wanted.upper()},nonsense".encode()
    assert ids(database.run(lambda connection: page(connection, shop, spec, raw))) == [wanted]


def test_a_malformed_id_in_a_list_is_left_out(database, spec, shop):
    raw = f"id__notin=nonsense,{shop.rows[3]['id']}".encode()
    assert database.run(lambda connection: page(connection, shop, spec, raw)).page.total == 59
