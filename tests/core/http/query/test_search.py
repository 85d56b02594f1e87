"""Search bodies become the same list queries, or problems with JSON pointers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.errors import (
    OffsetTooLargeError,
    PaginationConflictError,
    ProblemError,
    SortFieldUnknownError,
    UnknownFieldError,
    ValidationFailedError,
)
from mainstay.core.http.query import (
    AllOf,
    AnyOf,
    Condition,
    ListQuery,
    Not,
    parse_query,
    parse_search,
)


def where(spec, tree):
    return parse_search(spec, {"where": tree}).where


def faults(spec, body, kind=ValidationFailedError):
    with pytest.raises(kind) as caught:
        parse_search(spec, body)
    assert type(caught.value) is kind
    assert all(error.parameter is None for error in caught.value.errors)
    return {error.pointer: error.code for error in caught.value.errors}


def test_a_tree(spec):
    tree = {
        "or": [{"quantity": {"gte": 1, "lt": 9}}, {"name": {"icontains": "pen"}}],
        "not": {"code": "x"},
        "and": [{"active": True}, {"price": "1.50"}],
    }
    parsed = where(spec, tree)
    assert parsed == AllOf(
        (
            AnyOf(
                (
                    AllOf((Condition("quantity", "gte", 1), Condition("quantity", "lt", 9))),
                    Condition("name", "icontains", "pen"),
                )
            ),
            Not(Condition("code", "eq", "x")),
            AllOf(
                (
                    Condition("active", "eq", True),
                    Condition("price", "eq", spec.bound["price"].kind.parse("1.50")),
                )
            ),
        )
    )


def test_null_stands_for_is_null(spec):
    assert where(spec, {"name": None}) == Condition("name", "isnull", True)
    assert where(spec, {"name": {"ne": None}}) == Condition("name", "isnull", False)
    assert faults(spec, {"where": {"code": None}}, UnknownFieldError) == {
        "#/where/code": "unknown_field"
    }
    assert faults(spec, {"where": {"quantity": {"gt": None}}}) == {
        "#/where/quantity/gt": "int_type"
    }


def test_one_part_needs_no_junction(spec):
    one = Condition("code", "eq", "x")
    assert where(spec, {"and": [{"or": [{"code": "x"}]}]}) == one
    assert where(spec, {"code": {"in": ["x", "a,b"]}}) == Condition("code", "in", ("x", "a,b"))


def test_without_conditions_all_rows_are_meant(spec):
    first = parse_query(spec, b"")
    for body in ({}, {"where": {}}, {"where": None, "q": None, "cursor": None, "offset": None}):
        assert parse_search(spec, body) == first


def test_the_members_are_those_of_a_query_string(spec):
    body = {"q": "blue pen", "sort": "-day,name", "limit": 3, "offset": 7, "total": False}
    assert parse_search(spec, body) == parse_query(
        spec, b"q=blue+pen&sort=-day,name&limit=3&offset=7&total=false"
    )
    assert parse_search(spec, {"cursor": "x"}).cursor == "x"


@pytest.mark.parametrize("body", [None, [], "x", 1, True])
def test_the_body_is_an_object(spec, body):
    assert faults(spec, body) == {"#": "dict_type"}


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ([], {"#/where": "dict_type"}),
        ({"or": []}, {"#/where/or": "too_short"}),
        ({"and": {}}, {"#/where/and": "list_type"}),
        ({"or": [{}, {"code": "x"}]}, {"#/where/or/0": "too_short"}),
        ({"not": {}}, {"#/where/not": "too_short"}),
        ({"not": []}, {"#/where/not": "dict_type"}),
        ({"code": {}}, {"#/where/code": "too_short"}),
        ({"code": 1}, {"#/where/code": "string_type"}),
        ({"code": ["x"]}, {"#/where/code": "string_type"}),
        ({"code": {"in": "x"}}, {"#/where/code/in": "list_type"}),
        ({"code": {"in": []}}, {"#/where/code/in": "too_short"}),
        ({"code": {"in": ["x"] * 101}}, {"#/where/code/in": "too_long"}),
        ({"code": {"in": [None]}}, {"#/where/code/in": "string_type"}),
        ({"not": {"or": [{"code": "x"}, {"day": "y"}]}}, {"#/where/not/or/1/day": "date_parsing"}),
        ({"name": {"isnull": 1}}, {"#/where/name/isnull": "bool_type"}),
        ({"code": "a\0"}, {"#/where/code": "string_control_character"}),
        ({"code": "\ud800"}, {"#/where/code": "string_control_character"}),
    ],
)
def test_a_fault_has_its_pointer(spec, tree, wanted):
    assert faults(spec, {"where": tree}) == wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"where": {"nme": 1}}, {"#/where/nme": "unknown_field"}),
        ({"where": {"a/b~c": 1}}, {"#/where/a~1b~0c": "unknown_field"}),
        ({"where": {"code": {"between": 1}}}, {"#/where/code/between": "unknown_field"}),
        ({"where": {"id": {"contains": "x"}}}, {"#/where/id/contains": "unknown_field"}),
        ({"filter": {}}, {"#/filter": "unknown_field"}),
        ({"name": "x", "limit": "x"}, {"#/name": "unknown_field", "#/limit": "int_type"}),
    ],
)
def test_unknown_fields_are_refused(spec, body, wanted):
    assert faults(spec, body, UnknownFieldError) == wanted


def test_unknown_fields_get_a_suggestion(spec):
    with pytest.raises(UnknownFieldError) as caught:
        parse_search(spec, {"were": {}, "where": {"nmae": 1, "code": {"between": 2}}})
    details = {error.pointer: error.detail for error in caught.value.errors}
    assert details["#/were"] == "Unknown field. Did you mean where?"
    assert details["#/where/nmae"] == "Unknown field. Did you mean name?"
    assert "startswith" in details["#/where/code/between"]


def test_other_members_have_their_rules(spec):
    assert faults(spec, {"limit": 101}) == {"#/limit": "less_than_equal"}
    assert faults(spec, {"total": "true"}) == {"#/total": "bool_type"}
    assert faults(spec, {"sort": "nme"}, SortFieldUnknownError) == {"#/sort": "sort_field_unknown"}
    assert faults(spec, {"offset": 10001}, OffsetTooLargeError) == {"#/offset": "offset_too_large"}
    with pytest.raises(PaginationConflictError) as caught:
        parse_search(spec, {"offset": 1, "cursor": "x"})
    assert [error.pointer for error in caught.value.errors] == ["#/offset", "#/cursor"]


def nested(depth):
    tree = {"code": "x"}
    for _ in range(depth):
        tree = {"not": tree}
    return {"where": tree}


def test_trees_are_bounded_in_depth(spec):
    assert parse_search(spec, nested(8)).where is not None
    assert set(faults(spec, nested(9)).values()) == {"too_deep"}
    assert set(faults(spec, nested(900)).values()) == {"too_deep"}


def test_trees_are_bounded_in_size(spec):
    def wide(count):
        return {"where": {"or": [{"code": str(number)} for number in range(count)]}}

    assert len(parse_search(spec, wide(100)).where.parts) == 100
    assert faults(spec, wide(101)) == {"#/where": "too_long"}
    assert faults(spec, wide(5000)) == {"#/where": "too_long"}
    several = {"where": {"code": {"in": ["x"], "gt": "a"}, "or": [{"name": "x"}] * 99}}
    assert faults(spec, several) == {"#/where": "too_long"}


def test_no_more_than_twenty_faults_are_told(spec):
    assert len(faults(spec, {"where": {"or": [{}] * 5000}})) == 20
    unknown = {"where": {f"f{n}": 1 for n in range(5000)}}
    assert len(faults(spec, unknown, UnknownFieldError)) == 20


names = st.sampled_from(
    [
        "and",
        "or",
        "not",
        "name",
        "quantity",
        "seen_at",
        "id",
        "category.slug",
        "eq",
        "in",
        "gt",
        "isnull",
        "x",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=15,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "where": json_values,
        "sort": json_values | st.sampled_from(["name", "-day,code"]),
        "q": json_values,
        "limit": json_values | st.integers(1, 100),
        "cursor": json_values,
    },
)


@given(bodies | json_values)
def test_any_json_is_parsed_or_a_problem(spec, body):
    try:
        query = parse_search(spec, body)
    except ProblemError as problem:
        assert problem.status == 422  # noqa: PT017
    else:
        assert isinstance(query, ListQuery)
        assert len(query.fingerprint) == 32
