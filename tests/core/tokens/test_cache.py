"""The memory of verified tokens."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.errors import NotAuthenticatedError
from mainstay.core.tokens import KeyRing, Leeway, TokenSigner, TokenVerifier, VerifiedTokens

RING = KeyRing.from_secret(b"a secret of no less than thirty-two bytes")
ASKED = {"typ": "at+jwt", "issuer": "us", "audience": "shop"}


def _token(**claims: Any) -> str:
    default = {"iss": "us", "aud": "shop", "sub": "ada", "jti": "1", "iat": 100, "exp": 160}
    return TokenSigner(RING).sign(default | claims, typ="at+jwt")


def _key(token: str) -> Any:
    return VerifiedTokens.key(token, **ASKED)


_TOKENS = [
    _token(),
    _token(jti="2", exp=110),
    _token(jti="3", nbf=140),
    _token(jti="4", iat=190, exp=300),
    _token(jti="5", aud=["shop", "other"]),
    _token(jti="6", iss="others"),
    _token()[:-4] + "AAAA",
    "garbage",
    "é" * 3,
    "a" * 9000,
]
_asked = st.fixed_dictionaries(
    {
        "token": st.sampled_from(_TOKENS),
        "typ": st.sampled_from(["at+jwt", "AT+JWT", "file+jwt"]),
        "issuer": st.sampled_from(["us", "others"]),
        "audience": st.sampled_from(["shop", "other"]),
        "now": st.floats(50, 350) | st.integers(90, 200),
    }
)


def _outcome(verifier: TokenVerifier, asked: dict[str, Any]) -> Any:
    try:
        return dict(verifier.verify(**asked))
    except NotAuthenticatedError as error:
        return type(error), error.detail


@given(
    questions=st.lists(_asked, max_size=40),
    entries=st.integers(1, 4),
    end=st.sampled_from([0, 20, 60]),
    start=st.sampled_from([0, 30]),
)
def test_F3_the_cached_way_answers_as_the_plain_one(questions, entries, end, start) -> None:
    leeway = Leeway(end=end, start=start)
    cached = TokenVerifier(RING, leeway=leeway, cache=VerifiedTokens(entries=entries))
    plain = TokenVerifier(RING, leeway=leeway)
    for asked in questions:
        assert _outcome(cached, asked) == _outcome(plain, asked)


def test_an_entry_is_remembered_for_thirty_seconds() -> None:
    memory = VerifiedTokens()
    key = _key("token")
    memory.put(key, {"sub": "ada"}, now=100, end=1000)
    assert memory.get(key, now=100) == {"sub": "ada"}
    assert memory.get(key, now=129.9) == {"sub": "ada"}
    assert memory.get(key, now=130) is None


def test_an_entry_is_never_remembered_past_its_end() -> None:
    memory = VerifiedTokens(seconds=30)
    key = _key("token")
    memory.put(key, {}, now=100, end=110)
    assert memory.get(key, now=109.9) == {}
    assert memory.get(key, now=110) is None


def test_a_clock_that_goes_back_gets_no_answer() -> None:
    memory = VerifiedTokens()
    key = _key("token")
    memory.put(key, {}, now=100, end=110)
    assert memory.get(key, now=99) is None


def test_the_entry_used_longest_ago_goes_first() -> None:
    memory = VerifiedTokens(entries=2)
    first, second, third = (_key(name) for name in ("first", "second", "third"))
    memory.put(first, {}, now=0, end=9)
    memory.put(second, {}, now=0, end=9)
    assert memory.get(first, now=1) == {}
    memory.put(third, {}, now=1, end=9)
    assert len(memory) == 2
    assert memory.get(second, now=1) is None
    assert memory.get(first, now=1) == memory.get(third, now=1) == {}


def test_only_tokens_that_hold_are_remembered() -> None:
    memory = VerifiedTokens()
    verifier = TokenVerifier(RING, cache=memory)
    for token in _TOKENS:
        _outcome(verifier, ASKED | {"token": token, "now": 150})
    assert len(memory) == 3


def test_a_remembered_token_is_not_verified_again(monkeypatch) -> None:
    verifier = TokenVerifier(RING, cache=VerifiedTokens())
    asked = ASKED | {"token": _TOKENS[0]}
    verifier.verify(**asked, now=120)
    monkeypatch.setattr("mainstay.core.tokens.jwt.open_token", lambda *_: None)
    assert verifier.verify(**asked, now=121)["sub"] == "ada"
    assert isinstance(_outcome(verifier, asked | {"now": 151}), tuple)


def test_the_memory_holds_no_token() -> None:
    memory = VerifiedTokens()
    TokenVerifier(RING, cache=memory).verify(**ASKED, token=_TOKENS[0], now=120)
    assert _TOKENS[0] not in repr(memory.__dict__)
    assert _TOKENS[0].rpartition(".")[2] not in repr(memory.__dict__)
