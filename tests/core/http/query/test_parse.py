"""Query strings become list queries, or problems that name their parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mainstay.core.errors import (
    BadRequestError,
    OffsetTooLargeError,
    PaginationConflictError,
    ProblemError,
    SortFieldUnknownError,
    UnknownParameterError,
    ValidationFailedError,
)
from mainstay.core.http.query import AllOf, Condition, ListQuery, SortKey, parse_query
from mainstay.core.http.query.parse import parser


def fault(spec, raw, kind=ValidationFailedError):
    """Give the one fault of a query string, as the problem shows it."""
    with pytest.raises(kind) as caught:
        parse_query(spec, raw.encode())
    assert type(caught.value) is kind
    (error,) = caught.value.errors
    return error.as_member()


def test_nothing_is_the_first_page_in_default_order(spec):
    query = parse_query(spec, b"")
    assert query == ListQuery(sort=(SortKey("seen_at", True), SortKey("id", True)), limit=25)


def test_filters_are_typed_and_anded(spec):
    raw = b"quantity__gte=3&state=on_sale&seen_at__lt=2026-01-31T12:00:00%2B02:00&category.slug=x"
    assert parse_query(spec, raw).where == AllOf(
        (
            Condition("quantity", "gte", 3),
            Condition("state", "eq", spec.bound["state"].kind.parse("on_sale")),
            Condition("seen_at", "lt", datetime(2026, 1, 31, 10, tzinfo=UTC)),
            Condition("category.slug", "eq", "x"),
        )
    )


def test_lists_are_separated_by_commas(spec):
    assert parse_query(spec, b"quantity__in=1,2,3").where == Condition("quantity", "in", (1, 2, 3))
    assert parse_query(spec, b"code__notin=a,,b").where == Condition(
        "code", "notin", ("a", "", "b")
    )


def test_sort_is_completed_by_the_key_in_the_last_direction(spec):
    assert parse_query(spec, b"sort=name,-day").sort == (
        SortKey("name"),
        SortKey("day", True),
        SortKey("id", True),
    )
    assert parse_query(spec, b"sort=name,-name,day").sort[:2] == (SortKey("name"), SortKey("day"))


def test_words_are_parted_and_told_once(spec):
    assert parse_query(spec, b"q=+blue%20pen++blue").words == ("blue", "pen")
    assert parse_query(spec, b"q=").words == ()


def test_the_other_members(spec):
    query = parse_query(spec, b"limit=100&offset=10000&total=false")
    assert (query.limit, query.offset, query.total, query.cursor) == (100, 10000, False, None)
    assert parse_query(spec, b"cursor=abc").cursor == "abc"


@pytest.mark.parametrize(
    ("raw", "code", "params"),
    [
        ("limit=0", "greater_than_equal", {"ge": 1}),
        ("limit=101", "less_than_equal", {"le": 100}),
        ("limit=", "int_parsing", None),
        ("offset=-1", "greater_than_equal", {"ge": 0}),
        ("total=maybe", "bool_parsing", None),
        ("quantity__gt=x", "int_parsing", None),
        ("quantity=2147483648", "less_than_equal", {"le": 2147483647}),
        ("quantity__in=1,x", "int_parsing", None),
        ("quantity__in=", "too_short", {"min_length": 1}),
        ("quantity__in=" + ",".join("1" * 101), "too_long", {"max_length": 100}),
        ("name__contains=%00", "string_control_character", None),
        ("name__isnull=1", "bool_parsing", None),
        ("q=" + "x" * 201, "string_too_long", {"max_length": 200}),
        ("q=" + "+".join("abcdefghijk"), "too_long", {"max_length": 10}),
        ("sort=" + ",".join(["name"] * 9), "too_long", {"max_length": 8}),
        ("limit=1&limit=2", "duplicate", None),
    ],
)
def test_a_fault_names_its_parameter(spec, raw, code, params):
    member = fault(spec, raw)
    assert member["parameter"] == raw.partition("=")[0]
    assert (member["code"], member.get("params")) == (code, params)


def test_limits_are_the_resources_own(spec):
    assert fault(spec, "limit=101")["detail"] == "Must be 100 or less."


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("limt", "limit"),
        ("quantity_gte", "quantity__gte"),
        ("categoryslug", "category.slug"),
        ("nam", "name"),
        ("Q", None),
        ("xyzzy", None),
        ("id__gt", "id__notin"),
        ("quantity__contains", "quantity__notin"),
        ("x" * 5000, None),
    ],
)
def test_an_unknown_parameter_gets_a_suggestion(spec, name, suggestion):
    member = fault(spec, f"{name}=1", UnknownParameterError)
    assert member["parameter"] == name[:100]
    assert member["code"] == "unknown_parameter"
    wanted = f" Did you mean {suggestion}?" if suggestion else ""
    assert member["detail"] == "Unknown parameter." + wanted


def test_sort_lists_what_is_allowed(spec):
    for raw in ("sort=nme", "sort=owner_id", "sort=", "sort=name,", "sort=+name", "sort=id"):
        member = fault(spec, raw, SortFieldUnknownError)
        assert member["parameter"] == "sort"
        assert member["params"] == {"allowed": list(spec.sortable)}
        assert "category.slug" in member["detail"]


def test_a_far_offset_is_pointed_to_the_cursor(spec):
    member = fault(spec, "offset=10001", OffsetTooLargeError)
    assert member["params"] == {"le": 10000}
    assert "cursor" in member["detail"]


def test_offset_and_cursor_do_not_go_together(spec):
    with pytest.raises(PaginationConflictError) as caught:
        parse_query(spec, b"offset=0&cursor=x&limit=none")
    assert [error.parameter for error in caught.value.errors] == ["offset", "cursor"]


def test_all_faults_are_told_and_the_most_basic_gives_the_code(spec):
    with pytest.raises(UnknownParameterError) as caught:
        parse_query(spec, b"limit=x&sort=x&offset=10001&foo=1&quantity=x")
    assert {error.parameter: error.code for error in caught.value.errors} == {
        "limit": "int_parsing",
        "sort": "sort_field_unknown",
        "offset": "offset_too_large",
        "foo": "unknown_parameter",
        "quantity": "int_parsing",
    }
    assert caught.value.detail == "5 problems in the request."


def test_no_more_than_twenty_faults_are_told(spec):
    with pytest.raises(UnknownParameterError) as caught:
        parse_query(spec, "&".join(f"p{n}=1" for n in range(100)).encode())
    assert len(caught.value.errors) == 20


@pytest.mark.parametrize("raw", [b"q=%ff", b"q=\xff", b"&".join(b"q=1" for _ in range(101))])
def test_what_is_no_query_string_is_a_bad_request(spec, raw):
    with pytest.raises(BadRequestError):
        parse_query(spec, raw)


def test_raw_utf_8_is_understood(spec):
    assert parse_query(spec, "name=é".encode()).where == Condition("name", "eq", "é")


def test_composed_and_decomposed_text_are_the_same(spec):
    assert parse_query(spec, "name=e\u0301".encode()) == parse_query(spec, "name=é".encode())


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: quote(text, "=&").encode()))
@example(b"quantity__in=%00,1")
@example(b"total=true&cursor=&q=%20")
def test_any_query_string_is_parsed_or_a_problem(spec, raw):
    try:
        query = parse_query(spec, raw)
    except ProblemError as problem:
        assert problem.status in {400, 422}  # noqa: PT017
    else:
        assert 1 <= query.limit <= 100
        assert query.sort[-1].field == "id"
        assert len(query.fingerprint) == 32


@given(
    st.dictionaries(
        st.sampled_from(["name", "code__ne", "name__contains", "code__gte", "category.slug"]),
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20),
    ),
    st.randoms(),
)
def test_conditions_come_out_as_they_went_in_and_in_any_order(spec, given_texts, random):
    pairs = list(given_texts.items())
    query = parse_query(spec, urlencode(pairs).encode())
    random.shuffle(pairs)
    shuffled = parse_query(spec, urlencode(pairs).encode())
    assert query.fingerprint == shuffled.fingerprint
    where = query.where
    parts = where.parts if isinstance(where, AllOf) else [where] if where else []
    assert len(parts) == len(given_texts)


@pytest.mark.parametrize(
    "raw",
    [
        b"name=a",
        b"name=b",
        b"code=a",
        b"name__ne=a",
        b"name=a&code=a",
        b"q=a",
        b"sort=name",
        b"sort=-name",
        b"quantity=1",
        b"price=1",
        b"day=2024-01-01",
        b"state=draft",
        b"quantity__in=1,2",
        b"quantity__notin=1,2",
        b"name__isnull=true",
    ],
)
def test_the_fingerprint_tells_lists_apart(spec, raw):
    others = {b"", b"name=x", b"name=a&code=b", b"sort=code", b"q=b", b"quantity__in=1"}
    mine = parse_query(spec, raw).fingerprint
    assert all(mine != parse_query(spec, other).fingerprint for other in others)
    assert mine == parse_query(spec, raw + b"&limit=3&total=true&offset=5").fingerprint


def test_the_fingerprint_ignores_the_order_of_lists_and_words(spec):
    one = parse_query(spec, b"quantity__in=1,2&q=a+b")
    assert one.fingerprint == parse_query(spec, b"q=b+a&quantity__in=2,1,1").fingerprint


def test_short_query_strings_are_remembered(spec):
    parse = parser(spec)
    assert parse(b"limit=3") is parse(b"limit=3")
    long = b"name=" + b"x" * 600
    assert parse(long) == parse(long) == parse_query(spec, long)
    with pytest.raises(UnknownParameterError):
        parse(b"limt=3")
