"""Sealing under a token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.kit import base64url
from mainstay.kit.sealing import SealBrokenError, seal, unseal
from mainstay.kit.tokens import digest, new_token

_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(key=st.text(min_size=1), plaintext=_text)
def test_the_holder_of_the_token_reads_it(key: str, plaintext: str) -> None:
    assert unseal(key, seal(key, plaintext)) == plaintext


def test_E11_the_stored_digest_does_not_open_the_successor() -> None:
    spent, successor = new_token(), new_token()
    sealed = seal(spent, successor)
    assert successor not in sealed
    for other in (digest(spent), new_token(), spent + " ", ""):
        with pytest.raises(SealBrokenError):
            unseal(other, sealed)
    assert unseal(spent, sealed) == successor


def test_E11_a_seal_never_looks_the_same_twice() -> None:
    assert seal("token", "successor") != seal("token", "successor")


@given(position=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_bit_breaks_the_seal(position: int, bit: int) -> None:
    raw = bytearray(base64url.decode(seal("token", "successor")))
    raw[position % len(raw)] ^= 1 << bit
    with pytest.raises(SealBrokenError):
        unseal("token", base64url.encode(bytes(raw)))


@given(st.text(max_size=80))
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(SealBrokenError) as caught:
        unseal("token", text)
    assert caught.value.__suppress_context__
