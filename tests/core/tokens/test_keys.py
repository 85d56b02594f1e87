"""Keys and their algorithms."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.tokens.keys import KeyRingError, hmac_key, private_key, public_key


def _pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_F1_a_key_is_bound_to_the_algorithm_of_its_kind(pems, public_pem, algorithm) -> None:
    key = private_key(pems[algorithm])
    public = public_key(public_pem(pems[algorithm]))
    assert key.algorithm == public.algorithm == algorithm
    assert key.kid == public.kid
    assert public.verify(b"data", key.sign(b"data"))
    assert not public.verify(b"date", key.sign(b"data"))


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_a_signature_of_any_length_is_answered(pems, algorithm) -> None:
    key = private_key(pems[algorithm])

    @given(st.binary(max_size=300))
    def check(signature: bytes) -> None:
        assert not key.verify(b"data", signature)

    check()


def test_a_former_private_key_keeps_its_public_half_only(pems) -> None:
    key = public_key(pems["EdDSA"])
    jwk = key.public_jwk()
    assert jwk is not None
    assert "d" not in jwk
    with pytest.raises(Exception, match="Invalid key_op"):
        key.sign(b"data")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "only P-256"),
        (ed448.Ed448PrivateKey.generate(), "neither Ed25519, P-256 nor RSA"),
        (x25519.X25519PrivateKey.generate(), "neither Ed25519, P-256 nor RSA"),
        (rsa.generate_private_key(65537, 1024), "1024 bits is too short"),  # noqa: S505
    ],
)
def test_a_key_of_another_kind_is_refused(key, message) -> None:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyRingError, match=message):
        private_key(_pem(key))
    with pytest.raises(KeyRingError, match=message):
        public_key(public)


def test_an_encrypted_key_is_named_so(pems) -> None:
    key = load_pem_private_key(pems["EdDSA"], None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    with pytest.raises(KeyRingError, match="encrypted"):
        private_key(pem)


def test_what_is_no_key_is_named_so(pems, public_pem) -> None:
    for text in (b"", b"no key", public_pem(pems["EdDSA"])):
        with pytest.raises(KeyRingError, match="not in PEM"):
            private_key(text)
    with pytest.raises(KeyRingError, match="not in PEM"):
        public_key(b"no key")


def test_F1_a_public_key_is_no_hmac_secret(pems, public_pem) -> None:
    with pytest.raises(KeyRingError, match="public key"):
        hmac_key(public_pem(pems["RS256"]))


def test_F6_the_empty_secret_is_refused_and_a_short_one_is_left_to_the_guard() -> None:
    with pytest.raises(KeyRingError, match="empty"):
        hmac_key(b"")
    assert hmac_key(b"short").algorithm == "HS256"


def test_the_id_of_a_secret_does_not_show_it(secret) -> None:
    key = hmac_key(secret)
    assert len(key.kid) == 16
    assert key.kid == hmac_key(secret).kid != hmac_key(secret + b"!").kid
    assert secret.decode() not in repr(key)
    assert key.public_jwk() is None
