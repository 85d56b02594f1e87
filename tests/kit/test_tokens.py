"""Opaque tokens."""

from __future__ import annotations

import base64
import hashlib

import pytest

from mainstay.kit.tokens import digest, new_token, same


def test_C1_a_token_has_256_random_bits_by_default() -> None:
    token = new_token()
    assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert len({new_token() for _ in range(1000)}) == 1000


def test_C1_fewer_than_128_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        new_token(size=15)
    assert len(new_token(size=16)) == 22


def test_a_prefix_stands_before_the_random_part() -> None:
    token = new_token("msr_", size=24)
    assert token.startswith("msr_")
    assert len(token) == 4 + 32


def test_C1_the_digest_is_the_hex_sha256() -> None:
    assert digest("abc") == hashlib.sha256(b"abc").hexdigest()


def test_C2_a_digest_belongs_to_its_purpose() -> None:
    token = new_token()
    digests = {digest(token), digest(token, purpose="reset"), digest(token, purpose="verify")}
    assert len(digests) == 3
    assert digest("b\0c", purpose="a") == digest("b\0c", purpose="a")


def test_any_text_has_a_digest() -> None:
    assert len(digest("half a pair: \ud800")) == 64


def test_same_compares_all_of_it() -> None:
    assert same("schlüssel", "schlüssel")
    assert not same("schlüssel", "schlüssem")
    assert not same("schlüssel", "schlüsse")
    assert not same("", "a")
    assert not same("\ud800", "a")
