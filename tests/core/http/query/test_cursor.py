"""Cursors come back as they were made, or not at all."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.errors import CursorMismatchError
from mainstay.core.http.query import SortKey, parse_query
from mainstay.core.http.query.cursor import MAX_CURSOR, Position, read_cursor, write_cursor

KEY = b"k" * 32
ROW_ID = "018f0000-0000-7000-8000-000000000001"
SORT = b"sort=name,-quantity,price,active,seen_at,day,ratio,state"
VALUES = (
    "Ä\U0001f600",
    2**31 - 1,
    Decimal("0.100000"),
    True,
    datetime(2024, 1, 1, 0, 0, 0, 999_999, UTC),
    date(1, 1, 1),
    0.1,
    "draft",
    ROW_ID,
)


def reread(spec, query, cursor, key=KEY):
    return read_cursor(spec, replace(query, cursor=cursor), key=key)


stored = st.tuples(
    st.none() | st.text(max_size=50),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6),
    st.none() | st.booleans(),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.dates(),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.sampled_from(["draft", "gone"]),
    st.uuids().map(str),
)


@given(stored, st.booleans(), st.binary(min_size=16, max_size=64))
def test_values_come_back_exactly(spec, values, backward, key):
    query = parse_query(spec, SORT)
    cursor = write_cursor(spec, query, values=values, backward=backward, key=key)
    assert len(cursor) <= MAX_CURSOR
    assert set(cursor) <= set(string.ascii_letters + string.digits + "-_")
    position = reread(spec, query, cursor, key)
    assert position == Position(backward, values[-1], values)
    assert list(map(str, position.values)) == list(map(str, values))


def test_naive_times_of_the_database_are_utc(spec):
    query = parse_query(spec, b"sort=seen_at")
    naive = datetime(2024, 1, 1, 12, 0, 0, 1)  # noqa: DTZ001
    cursor = write_cursor(spec, query, values=(naive, ROW_ID), backward=False, key=KEY)
    assert reread(spec, query, cursor).values[0] == naive.replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def made(spec):
    query = parse_query(spec, SORT + b"&active=true&q=pen")
    return query, write_cursor(spec, query, values=VALUES, backward=False, key=KEY)


def test_every_changed_character_is_refused(spec, made):
    query, cursor = made
    for index, old in enumerate(cursor):
        for new in "A_-z9=+ ":
            if new != old:
                with pytest.raises(CursorMismatchError):
                    reread(spec, query, cursor[:index] + new + cursor[index + 1 :])


@given(st.text(max_size=100) | st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True))
def test_no_other_text_is_a_cursor(spec, made, text):
    query, cursor = made
    for forged in (text, cursor + text or "x", text + cursor or "x", cursor[: len(text)]):
        if forged != cursor:
            with pytest.raises(CursorMismatchError):
                reread(spec, query, forged)


@pytest.mark.parametrize(
    "raw",
    [
        SORT + b"&active=true",
        SORT + b"&active=true&q=pencil",
        SORT + b"&active=false&q=pen",
        SORT + b"&q=pen",
        SORT + b"&active=true&q=pen&quantity__gt=1",
        SORT.replace(b"-quantity", b"quantity") + b"&active=true&q=pen",
        SORT.replace(b"name,", b"code,") + b"&active=true&q=pen",
        b"active=true&q=pen",
    ],
)
def test_a_cursor_belongs_to_its_parameters(spec, made, raw):
    _, cursor = made
    with pytest.raises(CursorMismatchError) as caught:
        read_cursor(spec, parse_query(spec, raw + b"&cursor=" + cursor.encode()), key=KEY)
    assert (caught.value.status, caught.value.code) == (400, "cursor_mismatch")


def test_limit_and_total_and_the_order_of_parameters_are_free(spec, made):
    _, cursor = made
    raw = b"q=pen&limit=7&active=true&total=true&" + SORT + b"&cursor=" + cursor.encode()
    assert read_cursor(spec, parse_query(spec, raw), key=KEY).values == VALUES


def test_a_cursor_belongs_to_its_key_and_its_resource(spec, made):
    query, cursor = made
    with pytest.raises(CursorMismatchError):
        reread(spec, query, cursor, b"K" * 32)
    with pytest.raises(CursorMismatchError):
        reread(replace_name(spec), query, cursor)


def replace_name(spec):
    return type(spec)(name="Other", fields=spec.fields, default_sort=spec.default_sort)


def test_long_values_leave_the_key_alone(spec):
    query = parse_query(spec, b"sort=name")
    cursor = write_cursor(spec, query, values=("x" * 3000, ROW_ID), backward=True, key=KEY)
    assert len(cursor) <= MAX_CURSOR
    assert reread(spec, query, cursor) == Position(True, ROW_ID, None)


def test_a_cursor_whose_fields_have_changed_is_refused(spec):
    query = parse_query(spec, b"sort=name")
    fewer = replace(query, sort=(SortKey("name"),))
    cursor = write_cursor(spec, fewer, values=("x",), backward=False, key=KEY)
    with pytest.raises(CursorMismatchError):
        reread(spec, query, cursor)
