from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.settings.splitting import parse_json, split_list

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLAIN_ITEMS = st.text(
    st.characters(exclude_characters=",[", exclude_categories=["Z", "C"]), min_size=1
)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a,b", ["a", "b"]),
        (" a , b ,, ", ["a", "b"]),
        ("", []),
        (",", []),
        ('["a", "b,c"]', ["a", "b,c"]),
        ("[1, 2]", [1, 2]),
        ("[]", []),
        ("[::1]:80,[2001:db8::1]", ["[::1]:80", "[2001:db8::1]"]),
    ],
)
def test_a_list_is_comma_separated_or_json(text, items):
    assert split_list(text) == items


@pytest.mark.parametrize("text", ["[", '["a"', "['a']", "[a, b]", "[" * 100_000])
def test_broken_json_is_not_taken_for_commas(text):
    with pytest.raises(ValueError, match="not JSON"):
        split_list(text)


@given(st.lists(JSON_VALUES))
def test_a_list_as_json_is_read_back(items):
    assert split_list(json.dumps(items)) == items


@given(st.lists(PLAIN_ITEMS))
def test_a_list_in_commas_is_read_back(items):
    assert split_list(" , ".join(items)) == items


@given(JSON_VALUES)
def test_json_is_read_back(value):
    assert parse_json(json.dumps(value)) == value
