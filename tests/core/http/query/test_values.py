"""Kinds parse what they document, refuse the rest, and survive a cursor."""

from __future__ import annotations

import enum
import json
import re
import unicodedata
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.http.query.faults import ValueFaultError
from mainstay.core.http.query.times import DateKind, DateTimeKind
from mainstay.core.http.query.values import (
    BoolKind,
    ChoiceKind,
    DecimalKind,
    FloatKind,
    IdKind,
    IntKind,
    TextKind,
)


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


KINDS = {
    "text": TextKind(),
    "id": IdKind(),
    "native_id": IdKind(native=True),
    "int": IntKind(-(2**31), 2**31 - 1),
    "bool": BoolKind(),
    "decimal": DecimalKind(digits=14, places=6),
    "float": FloatKind(),
    "datetime": DateTimeKind(),
    "naive": DateTimeKind(naive=True),
    "date": DateKind(),
    "choice": ChoiceKind({size.value: size for size in Size}, stored=lambda size: size.value),
}
STORED = {
    "text": st.text(),
    "id": st.uuids().map(str),
    "native_id": st.uuids(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "bool": st.booleans(),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False),
    "float": st.floats(allow_nan=False),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "naive": st.datetimes(),
    "date": st.dates(),
    "choice": st.sampled_from(["small", "large"]),
}


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_stored_values_come_back_from_json_as_they_were(name, data):
    kind, value = KINDS[name], data.draw(STORED[name])
    carried = json.loads(json.dumps(kind.dump(value)))
    found = kind.load(carried)
    assert (found, type(found), str(found)) == (value, type(value), str(value))


@pytest.mark.parametrize("name", KINDS)
@given(text=st.text(max_size=40) | st.from_regex(r"[-0-9:.TZeE+ ]{1,30}", fullmatch=True))
def test_any_text_is_parsed_or_refused_without_repeating_it(name, text):
    try:
        KINDS[name].parse(text)
    except ValueFaultError as fault:
        assert len(text) < 12 or text not in fault.detail  # noqa: PT017
        assert re.fullmatch("[a-z_]+", fault.code)  # noqa: PT017


@pytest.mark.parametrize("name", KINDS)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists
    )
)
def test_any_json_value_is_parsed_or_refused(name, value):
    try:
        parsed = KINDS[name].parse_json(value)
    except ValueFaultError:
        return
    assert type(value) in KINDS[name].json_types
    assert parsed is not None or name in {"id", "native_id"}


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999),
    st.integers(-1439, 1439),
)
def test_a_time_with_any_offset_is_taken_to_utc(moment, minutes):
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    for text in (moment.isoformat(), moment.isoformat(" "), moment.isoformat().replace("+", " ")):
        parsed = DateTimeKind().parse(text)
        assert parsed == moment
        assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-01-31t12:00:00z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31 12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00.1234567-00:00", datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)),
        ("0001-01-01T00:00:00+14:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-14:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_rfc_3339_forms(text, wanted):
    assert DateTimeKind().parse(text) == wanted
    assert DateTimeKind(naive=True).bind(wanted) == wanted.replace(tzinfo=None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-02-30T12:00:00Z",
        "2026-01-31T24:00:01Z",
        "2026-01-31T12:00:00+99:99",
        "20260131T120000Z",
        "1700000000",
        "now",
        "\uff12026-01-31T12:00:00Z",
    ],
)
def test_other_times_are_refused(text):
    with pytest.raises(ValueFaultError):
        DateTimeKind().parse(text)


@pytest.mark.parametrize("text", ["a\0", "\n", "a\tb", "\x7f", "\x9f", "\ud800", "x" * 1001])
def test_texts_that_no_field_holds_are_refused(text):
    with pytest.raises(ValueFaultError):
        TextKind().parse(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_texts_are_normalised(text):
    parsed = TextKind().parse(text)
    assert parsed == unicodedata.normalize("NFC", text)
    assert TextKind().parse(parsed) == parsed


@pytest.mark.parametrize(
    "text", ["", " 1", "1_0", "+1", "1.0", "\uff11", "2147483648", "-2147483649", "9" * 30]
)
def test_other_integers_are_refused(text):
    with pytest.raises(ValueFaultError):
        KINDS["int"].parse(text)


@pytest.mark.parametrize(
    ("value", "params"),
    [(2**31, {"le": 2**31 - 1}), (10**4000, {"le": 2**31 - 1}), (-(10**4000), {"ge": -(2**31)})],
)
def test_huge_integers_of_a_body_break_their_bound(value, params):
    with pytest.raises(ValueFaultError) as caught:
        KINDS["int"].parse_json(value)
    assert caught.value.params == params


def test_bounds_hold_their_ends():
    assert [KINDS["int"].parse_json(n) for n in (2**31 - 1, -(2**31))] == [2**31 - 1, -(2**31)]
    assert [KINDS["int"].parse(str(n)) for n in (2**31 - 1, -(2**31))] == [2**31 - 1, -(2**31)]


@pytest.mark.parametrize(
    "text", ["1e5", "NaN", "Infinity", "1.", ".5", "1.0000001", "9" * 15, "0x1"]
)
def test_other_decimals_are_refused(text):
    with pytest.raises(ValueFaultError):
        KINDS["decimal"].parse(text)


def test_decimals_keep_their_digits():
    assert str(KINDS["decimal"].parse("-012.340")) == "-12.340"
    assert KINDS["decimal"].parse_json(0.1) == Decimal("0.1")
    assert DecimalKind(digits=3, places=0).parse("-123") == Decimal(-123)
    with pytest.raises(ValueFaultError):
        DecimalKind(digits=3, places=0).parse("1.0")


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "-1e999", "1_0", ""])
def test_floats_are_finite(text):
    with pytest.raises(ValueFaultError):
        FloatKind().parse(text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 1),
        ("int", True),
        ("int", 1.0),
        ("int", "1"),
        ("bool", 1),
        ("bool", "true"),
        ("datetime", 0),
        ("choice", 1),
        ("id", 5),
        ("float", "1"),
        ("float", 10**400),
        ("decimal", True),
    ],
)
def test_a_body_has_the_right_json_types(kind, value):
    with pytest.raises(ValueFaultError):
        KINDS[kind].parse_json(value)


def test_booleans_are_two_words():
    assert [BoolKind().parse(word) for word in ("true", "True", "FALSE")] == [True, True, False]
    for word in ("1", "0", "yes", "", "on"):
        with pytest.raises(ValueFaultError):
            BoolKind().parse(word)


def test_ids_are_canonical_or_nothing():
    text = "018F0000-AAAA-7000-8000-ABCDEFABCDEF"
    assert IdKind().parse(text) == text.lower()
    assert IdKind(native=True).bind(text.lower()) == uuid.UUID(text)
    for other in ("", "1", f"{{{text}}}", text.replace("-", ""), f"urn:uuid:{text}", text + "\n"):
        assert IdKind().parse(other) is None


def test_choices_are_found_by_value_and_bound_as_stored():
    assert KINDS["choice"].parse("small") is Size.SMALL
    assert KINDS["choice"].bind(Size.SMALL) == "small"
    assert ChoiceKind({1: "one"}).parse_json(1) == "one"
    assert ChoiceKind({1: "one"}).schema == {"type": "integer", "enum": [1]}
    with pytest.raises(ValueFaultError, match="small, large") as caught:
        KINDS["choice"].parse("SMALL")
    assert caught.value.params == {"allowed": ["small", "large"]}
    with pytest.raises(TypeError):
        ChoiceKind({1.5: None})


def test_dates_have_one_form():
    assert DateKind().parse("2024-02-29") == date(2024, 2, 29)
    for text in ("2023-02-29", "20240229", "2024-2-9", "2024-02-29T00:00:00Z"):
        with pytest.raises(ValueFaultError):
            DateKind().parse(text)


@pytest.mark.parametrize("name", ["int", "decimal", "text"])
@given(data=st.data())
def test_schemas_tell_what_is_taken(name, data):
    schema = KINDS[name].schema
    if name == "int":
        text = str(data.draw(st.integers(schema["minimum"], schema["maximum"])))
    else:
        pattern = schema["pattern"].removeprefix("^").removesuffix("$")
        text = data.draw(
            st.from_regex(
                pattern, fullmatch=True, alphabet=st.characters(exclude_categories=["Cs"])
            )
        )[:1000]
    KINDS[name].parse(text)
