"""The ring of keys."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from mainstay.core.errors import NotAuthenticatedError
from mainstay.core.tokens import KeyRing, KeyRingError, TokenSigner, TokenVerifier

FORMER = b"the former secret, also of thirty-two bytes"


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_the_published_set_verifies_our_tokens(pems, secret, claims, question, algorithm) -> None:
    ring = KeyRing.from_pem(pems[algorithm], algorithm=algorithm, secret=secret)
    token = TokenSigner(ring).sign(claims, typ="at+jwt")
    assert TokenVerifier(ring).verify(token, **question) == claims
    published = ring.jwks()
    assert [jwk["kid"] for jwk in published["keys"]] == [ring.current.kid]
    assert {"alg": algorithm, "use": "sig"}.items() <= published["keys"][0].items()
    assert not {"d", "p", "q", "k"} & published["keys"][0].keys()
    if algorithm != "EdDSA":  # the library wants RFC 9864's name for it, and warns
        assert jwt.decode(token, KeySet.import_key_set(published)).claims == claims


def test_an_hmac_ring_publishes_nothing(secret) -> None:
    assert KeyRing.from_secret(secret, fallbacks=[FORMER]).jwks() == {"keys": []}


def test_F11_tokens_of_the_former_secret_work_until_it_is_taken_off(
    secret, claims, question
) -> None:
    token = TokenSigner(KeyRing.from_secret(FORMER)).sign(claims, typ="at+jwt")
    overlapping = KeyRing.from_secret(secret, fallbacks=[FORMER])
    assert TokenVerifier(overlapping).verify(token, **question) == claims
    renewed = TokenSigner(overlapping).sign(claims, typ="at+jwt")
    alone = TokenVerifier(KeyRing.from_secret(secret))
    assert alone.verify(renewed, **question) == claims
    with pytest.raises(NotAuthenticatedError):
        alone.verify(token, **question)


def test_F11_a_ring_turns_from_one_kind_of_key_to_another(
    pems, public_pem, secret, claims, question
) -> None:
    before = KeyRing.from_pem(pems["RS256"], algorithm="RS256", secret=secret)
    token = TokenSigner(before).sign(claims, typ="at+jwt")
    for former in (pems["RS256"], public_pem(pems["RS256"])):
        after = KeyRing.from_pem(
            pems["EdDSA"], algorithm="EdDSA", fallbacks=[former], secret=secret
        )
        assert TokenVerifier(after).verify(token, **question) == claims
        assert [jwk["alg"] for jwk in after.jwks()["keys"]] == ["EdDSA", "RS256"]
    without = KeyRing.from_pem(pems["EdDSA"], algorithm="EdDSA", secret=secret)
    with pytest.raises(NotAuthenticatedError):
        TokenVerifier(without).verify(token, **question)


def test_the_current_key_may_stand_among_the_former(secret) -> None:
    ring = KeyRing.from_secret(secret, fallbacks=[FORMER, secret])
    assert ring.find(ring.current.kid) is ring.current


def test_F2_a_key_is_found_by_its_id_only(secret) -> None:
    ring = KeyRing.from_secret(secret)
    assert ring.find(None) is ring.find(ring.current.kid) is ring.current
    for kid in ("", "../../dev/null", "' OR 1=1 --", ring.current.kid.upper() + "0"):
        assert ring.find(kid) is None


def test_the_algorithm_must_be_that_of_the_key(pems, secret) -> None:
    with pytest.raises(KeyRingError, match="for EdDSA, but the algorithm is RS256"):
        KeyRing.from_pem(pems["EdDSA"], algorithm="RS256", secret=secret)


def test_keys_are_read_from_files(tmp_path, pems, secret) -> None:
    current, former = tmp_path / "current.pem", tmp_path / "former.pem"
    current.write_bytes(pems["ES256"])
    former.write_bytes(pems["EdDSA"])
    ring = KeyRing.from_pem_files(current, algorithm="ES256", secret=secret, fallbacks=[former])
    assert [jwk["alg"] for jwk in ring.jwks()["keys"]] == ["ES256", "EdDSA"]
    with pytest.raises(KeyRingError, match=r"none\.pem cannot be read: No such file"):
        KeyRing.from_pem_files(tmp_path / "none.pem", algorithm="ES256", secret=secret)


def test_F5_each_purpose_has_a_key_of_its_own(secret) -> None:
    ring = KeyRing.from_secret(secret)
    keys = {ring.derive("cursor"), ring.derive("file link"), ring.derive("seal"), secret}
    assert len(keys) == 4
    assert len(ring.derive("cursor")) == 32
    assert len(ring.derive("cursor", 16)) == 16
    assert ring.current.kid not in {ring.derive(p, 8).hex() for p in ("kid", "", "token key id")}


def test_F11_sub_keys_of_former_secrets_are_there_to_read_with(pems, secret) -> None:
    ring = KeyRing.from_secret(secret, fallbacks=[FORMER])
    former = KeyRing.from_secret(FORMER)
    assert ring.derive_all("cursor") == (ring.derive("cursor"), former.derive("cursor"))
    asymmetric = KeyRing.from_pem(
        pems["EdDSA"], algorithm="EdDSA", secret=secret, secret_fallbacks=[FORMER]
    )
    assert asymmetric.derive_all("cursor") == ring.derive_all("cursor")


def test_no_secret_of_the_ring_may_be_empty(pems) -> None:
    with pytest.raises(KeyRingError, match="empty"):
        KeyRing.from_secret(FORMER, fallbacks=[b""])
    with pytest.raises(KeyRingError, match="empty"):
        KeyRing.from_pem(pems["EdDSA"], algorithm="EdDSA", secret=b"")
