"""Signing and verifying tokens."""

from __future__ import annotations

import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from mainstay.core.errors import NotAuthenticatedError, TokenExpiredError
from mainstay.core.tokens import KeyRing, Leeway, TokenSigner, TokenVerifier, VerifiedTokens


@pytest.fixture
def ring(secret) -> KeyRing:
    return KeyRing.from_secret(secret)


@pytest.fixture
def signer(ring) -> TokenSigner:
    return TokenSigner(ring)


@pytest.fixture(params=["plain", "cached"])
def verifier(ring, request) -> TokenVerifier:
    return TokenVerifier(ring, cache=VerifiedTokens() if request.param == "cached" else None)


def _refused(verifier: TokenVerifier, token: str, question) -> NotAuthenticatedError:
    with pytest.raises(NotAuthenticatedError) as caught:
        verifier.verify(token, **question)
    return caught.value


def test_what_is_signed_is_verified(signer, verifier, claims, question) -> None:
    token = signer.sign(claims | {"role": "admin"}, typ="at+jwt")
    for _ in range(2):
        assert verifier.verify(token, **question) == claims | {"role": "admin"}


def test_other_services_with_the_secret_read_and_write_our_tokens(
    signer, verifier, secret, claims, question
) -> None:
    key = OctKey.import_key(secret)
    assert jwt.decode(signer.sign(claims, typ="at+jwt"), key).claims == claims
    token = jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, key)
    assert verifier.verify(token, **question) == claims


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "jti", "iat", "exp"])
def test_F3_a_token_without_a_required_claim_is_refused(
    verifier, forge, claims, question, name
) -> None:
    del claims[name]
    _refused(verifier, forge(claims), question)


def test_F3_a_token_without_the_required_claims_is_not_made(signer) -> None:
    with pytest.raises(ValueError, match=r"iss, sub, jti, iat, exp, aud$"):
        signer.sign({}, typ="at+jwt")


def test_F3_exp_as_a_string_is_refused(verifier, forge, claims, question) -> None:
    _refused(verifier, forge(claims | {"exp": str(claims["exp"])}), question)


def test_F3_a_token_is_over_at_the_second_of_exp(signer, verifier, claims, question) -> None:
    token = signer.sign(claims, typ="at+jwt")
    assert verifier.verify(token, **question | {"now": claims["exp"] - 0.001}) == claims
    with pytest.raises(TokenExpiredError):
        verifier.verify(token, **question | {"now": claims["exp"]})


def test_F3_nbf_and_iat_are_honoured_with_thirty_seconds(
    signer, verifier, claims, question
) -> None:
    late = signer.sign(claims | {"nbf": question["now"] + 100}, typ="at+jwt")
    _refused(verifier, late, question | {"now": question["now"] + 69})
    assert verifier.verify(late, **question | {"now": question["now"] + 70})
    future = signer.sign(claims | {"iat": question["now"] + 31}, typ="at+jwt")
    _refused(verifier, future, question)


def test_F3_the_leeway_is_a_minute_at_most(ring, signer, claims, question) -> None:
    for wrong in ({"end": 61}, {"start": 61}, {"end": -1}, {"start": float("nan")}):
        with pytest.raises(ValueError, match="0 to 60"):
            Leeway(**wrong)
    verifier = TokenVerifier(ring, leeway=Leeway(end=60), cache=VerifiedTokens())
    token = signer.sign(claims, typ="at+jwt")
    assert verifier.verify(token, **question | {"now": claims["exp"] + 59})
    with pytest.raises(TokenExpiredError):
        verifier.verify(token, **question | {"now": claims["exp"] + 60})


def test_an_expired_token_that_is_wrong_besides_is_just_wrong(
    signer, verifier, claims, question
) -> None:
    token = signer.sign(claims, typ="at+jwt")
    late = question | {"now": claims["exp"] + 1}
    for other in ({"audience": "other"}, {"issuer": "other"}, {"typ": "file+jwt"}):
        assert type(_refused(verifier, token, late | other)) is NotAuthenticatedError
    changed = token[:-2] + ("AA" if not token.endswith("AA") else "BA")
    assert type(_refused(verifier, changed, late)) is NotAuthenticatedError


@pytest.mark.parametrize("other", [{"audience": "sho"}, {"issuer": "https://api.example.co"}])
def test_F4_issuer_and_audience_are_compared_whole(
    signer, verifier, claims, question, other
) -> None:
    token = signer.sign(claims, typ="at+jwt")
    assert verifier.verify(token, **question)
    _refused(verifier, token, question | other)


def test_F5_a_token_of_one_kind_is_refused_for_every_other(
    signer, verifier, claims, question
) -> None:
    kinds = ["at+jwt", "rt+jwt", "reset+jwt", "verify+jwt", "mfa+jwt", "state+jwt", "file+jwt"]
    tokens = {kind: signer.sign(claims, typ=kind) for kind in kinds}
    for made, token in tokens.items():
        for asked in kinds:
            if made == asked:
                assert verifier.verify(token, **question | {"typ": asked}) == claims
            else:
                _refused(verifier, token, question | {"typ": asked})


@pytest.mark.parametrize("typ", ["AT+JWT", "application/at+jwt", "Application/AT+JWT"])
def test_F5_a_media_type_knows_no_letter_case(verifier, forge, claims, question, typ) -> None:
    assert verifier.verify(forge(claims, typ=typ), **question) == claims


@pytest.mark.parametrize("typ", ["JWT", "", "at", "at+jwt ", "x/at+jwt", None, 1, ["at+jwt"]])
def test_F3_typ_is_required(verifier, forge, claims, question, typ) -> None:
    _refused(verifier, forge(claims, typ=typ), question)
    _refused(verifier, forge(claims, header={"alg": "HS256"}), question)


def test_F7_a_token_over_8_KiB_is_neither_made_nor_taken(
    signer, verifier, forge, claims, question
) -> None:
    large = claims | {"pad": "x" * 8192}
    with pytest.raises(ValueError, match="over 8192 bytes"):
        signer.sign(large, typ="at+jwt")
    _refused(verifier, forge(large), question)


def test_a_refusal_tells_nothing_of_the_token(verifier, forge, claims, question) -> None:
    for token in (
        forge(claims, key=b"another secret, thirty-two bytes too"),
        forge(b'{"secret-in-payload": '),
        forge(claims, header="{secret-in-header"),
        "secret-in-garbage.é.",
        forge(claims | {"exp": 1, "secret-in-payload": 1}),
    ):
        error = _refused(verifier, token, question)
        assert error.__cause__ is error.__context__ is None
        told = json.dumps([str(error), error.detail, error.headers, error.members])
        assert "secret" not in told
        assert token not in told


def test_what_is_verified_cannot_be_changed(signer, verifier, claims, question) -> None:
    found = verifier.verify(signer.sign(claims, typ="at+jwt"), **question)
    with pytest.raises(TypeError):
        found["sub"] = "another"
