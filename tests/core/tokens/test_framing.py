"""Taking tokens apart."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.tokens import KeyRing
from mainstay.core.tokens.framing import MAX_TOKEN_BYTES, open_token, within_bounds

RING = KeyRing.from_secret(b"a secret of no less than thirty-two bytes")
_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ {}"\n\0é'


def test_a_token_is_opened(forge, claims) -> None:
    opened = open_token(forge(claims), RING.find)
    assert opened is not None
    assert opened.claims == claims
    assert opened.header == {"alg": "HS256", "typ": "at+jwt"}


@pytest.mark.parametrize(
    "alg", ["none", "None", "nOnE", "NONE", "", "hs256", "HS384", "RS256", None]
)
@pytest.mark.parametrize("kid", [{}, {"kid": RING.current.kid}])
def test_F1_only_the_algorithm_of_the_key_is_accepted(forge, claims, alg, kid) -> None:
    token = forge(claims, alg=alg, **kid)
    unsigned = token[: token.rindex(".") + 1]
    assert open_token(token, RING.find) is None
    assert open_token(unsigned, RING.find) is None


def test_F1_none_is_refused(forge, claims) -> None:
    unsigned = forge(claims, header={"alg": "none", "typ": "at+jwt"}).rpartition(".")[0] + "."
    assert open_token(unsigned, RING.find) is None
    assert open_token(forge(claims, header={"typ": "at+jwt"}), RING.find) is None


def test_F1_a_public_key_does_not_serve_as_hmac_secret(forge, claims, pems, public_pem) -> None:
    ring = KeyRing.from_pem(pems["RS256"], algorithm="RS256", secret=b"irrelevant")
    public = public_pem(pems["RS256"])
    for members in ({}, {"kid": ring.current.kid}, {"alg": "RS256"}):
        assert open_token(forge(claims, key=public, **members), ring.find) is None


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c"])
def test_F2_a_header_never_brings_a_key(forge, claims, name) -> None:
    for value in ("https://evil.example/jwks.json", {"kty": "oct", "k": "AA"}, ["AA"], None):
        assert open_token(forge(claims, **{name: value}), RING.find) is None


@pytest.mark.parametrize("crit", [["exp"], ["b64"], ["unknown"], [], "exp", None])
def test_F2_crit_is_refused(forge, claims, crit) -> None:
    assert open_token(forge(claims, crit=crit), RING.find) is None


@pytest.mark.parametrize(
    "kid", ["", "unknown", "../../../dev/null", "x' UNION SELECT 'key", 1, 0, None, True, [], {}]
)
def test_F2_an_unknown_kid_is_refused(forge, claims, kid) -> None:
    assert open_token(forge(claims, kid=kid), RING.find) is None


def test_a_known_kid_and_unknown_members_are_accepted(forge, claims) -> None:
    token = forge(claims, kid=RING.current.kid, x5t="thumbprint", custom=1)
    assert open_token(token, RING.find) is not None


@pytest.mark.parametrize("members", [{"zip": "DEF"}, {"enc": "A256GCM"}, {"b64": False}])
def test_F7_compression_and_encryption_are_refused(forge, claims, members) -> None:
    assert open_token(forge(claims, **members), RING.find) is None


def test_F7_five_segments_are_refused(forge, claims) -> None:
    token = forge(claims)
    for other in (token + ".", token + "..", "." + token, token.replace(".", "", 1), "", "..", "."):
        assert open_token(other, RING.find) is None


def test_F7_over_8_KiB_is_refused_before_decoding(forge, claims) -> None:
    size = len(forge(claims | {"pad": ""}))
    exact = MAX_TOKEN_BYTES - (MAX_TOKEN_BYTES - size) % 4
    fits = forge(claims | {"pad": "x" * ((exact - size) * 3 // 4)})
    assert MAX_TOKEN_BYTES - 4 < len(fits) <= MAX_TOKEN_BYTES
    assert open_token(fits, RING.find) is not None

    def never(_: str | None) -> None:
        raise AssertionError("looked for a key")

    over = forge(claims | {"pad": "x" * 6000})
    assert len(over) > MAX_TOKEN_BYTES
    assert open_token(over, never) is None
    assert not within_bounds("a" * 8193)
    assert not within_bounds("é")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":"a","sub":"b"}',
        b'{"a":{"b":1,"b":1}}',
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b'{"exp":-Infinity}',
        b'{"exp":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        b"",
        b"{",
        b"{}{}",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        "{}".encode("utf-16"),
    ],
)
def test_only_one_plain_json_object_is_read(forge, claims, payload) -> None:
    assert open_token(forge(payload), RING.find) is None
    header = payload.replace(b"{", b'{"alg":"HS256",', 1)
    assert open_token(forge(claims, header=header), RING.find) is None


def test_a_duplicate_header_member_is_refused(forge, claims) -> None:
    for header in ('{"alg":"none","alg":"HS256"}', '{"alg":"HS256","alg":"none"}'):
        assert open_token(forge(claims, header=header), RING.find) is None
    assert open_token(forge(claims, header='{"alg":"HS256"}'), RING.find) is not None


def test_another_secret_does_not_sign(forge, claims) -> None:
    assert open_token(forge(claims, key=b"another secret, thirty-two bytes too"), RING.find) is None


def test_the_last_character_of_the_signature_counts(forge, claims) -> None:
    token = forge(claims)
    for character in _ALPHABET:
        changed = token[:-1] + character
        assert (open_token(changed, RING.find) is not None) == (changed == token)


@given(data=st.data())
def test_a_changed_token_never_opens(data: st.DataObject) -> None:
    claims = {"sub": "ada", "exp": 1_800_000_000}
    header = json.dumps({"alg": "HS256", "kid": RING.current.kid, "typ": "at+jwt"})
    token = _signed(header, json.dumps(claims))
    at = data.draw(st.integers(0, len(token)))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text(_ALPHABET, max_size=3))
    changed = token[:at] + put + token[at + cut :]
    assert (open_token(changed, RING.find) is not None) == (changed == token)


@given(st.text(max_size=200) | st.lists(st.text(_ALPHABET, max_size=60), max_size=5).map(".".join))
def test_any_text_is_answered(text: str) -> None:
    assert open_token(text, RING.find) is None


def _signed(header: str, payload: str) -> str:
    """Sign by hand."""
    import base64
    import hashlib
    import hmac

    def b64(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    content = f"{b64(header.encode())}.{b64(payload.encode())}"
    key = b"a secret of no less than thirty-two bytes"
    return f"{content}.{b64(hmac.new(key, content.encode(), hashlib.sha256).digest())}"
