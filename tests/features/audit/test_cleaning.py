"""What may stand in the trail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstay.core.logging import MASK
from mainstay.features.audit.cleaning import LONGEST_TEXT, MOST_ITEMS, clean_data, clean_text

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
    max_leaves=20,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(st.characters(codec=None)), values))
def test_whatever_goes_in_can_be_stored(data: dict[str, Any]) -> None:
    text = json.dumps(clean_data(data), ensure_ascii=False)
    text.encode("utf-8")
    assert "\\u0000" not in text


@pytest.mark.parametrize(
    "key", ["password", "newPassword", "access_token", "client_secret", "api_key", "recovery_codes"]
)
def test_keys_that_name_secrets_are_masked_at_any_depth(key: str) -> None:
    cleaned = clean_data({"a": [{"b": {key: "s3cret"}}], key: "s3cret"})
    assert cleaned == {"a": [{"b": {key: MASK}}], key: MASK}


def test_texts_and_lists_are_bounded() -> None:
    cleaned = clean_data({"text": "x" * 5000, "list": list(range(5000))})
    assert len(cleaned["text"]) == LONGEST_TEXT
    assert len(cleaned["list"]) == MOST_ITEMS


def test_nothing_stays_nothing() -> None:
    assert clean_text(None) is None


def test_the_event_s_own_data_is_left_as_it_is() -> None:
    data = {"password": "p", "inner": {"token": "t"}}
    clean_data(data)
    assert data == {"password": "p", "inner": {"token": "t"}}
