"""Base64url, strict when reading."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.kit import base64url


@given(st.binary())
def test_what_is_written_is_read_again_and_agrees_with_the_standard_library(data: bytes) -> None:
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert base64url.decode(text) == data
    assert base64url.decode(text.encode()) == data


@given(st.text(alphabet=st.sampled_from("AQgw_-+/=\n é")))
def test_only_the_canonical_spelling_is_read(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


@pytest.mark.parametrize(
    "text", ["A", "AA=", "AA==", "AB", "AAB", "+w", "/w", "A A", "AA\n", "é", "A" * 5, "=", "AA.AA"]
)
def test_other_spellings_are_refused_without_telling_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not canonical base64url$"):
        base64url.decode(text)
