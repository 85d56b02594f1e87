"""Requirements F1 to F7 and F11: access tokens made by hand, sent as an attacker would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mainstay import create_app
from mainstay.core.assembly import assembly_of
from mainstay.core.settings import SettingsError
from mainstay.kit import base64url
from mainstay.testing.backend import environment

pytestmark = pytest.mark.anyio

SECRET = environment()["SECRET_KEY"].encode()
ATTACKER = b"the attacker's own key, which is just as long"
DROP = object()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and claims of a token."""
    header, claims, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))


def write(header: dict[str, Any], claims: dict[str, Any]) -> str:
    kept = [{k: v for k, v in part.items() if v is not DROP} for part in (header, claims)]
    return ".".join(b64(json.dumps(part).encode()) for part in kept)


def mac(content: str, key: bytes = SECRET, how: str = "sha256") -> str:
    return f"{content}.{b64(hmac.new(key, content.encode(), getattr(hashlib, how)).digest())}"


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def signing_pem() -> bytes:
    return pem_of(rsa.generate_private_key(65537, 2048))


@pytest.fixture
def asymmetric(signing_pem: bytes, tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "signing.pem"
    file.write_bytes(signing_pem)
    return {"ALGORITHM": "RS256", "SIGNING_KEY_FILE": file}


@pytest.fixture
async def forge(lab: Any) -> Callable[..., str]:
    """Give what makes a good token, but for the changes; ``key`` and ``how`` sign it."""
    account = await lab.backend.register()
    header, claims = parts_of(account.tokens["access_token"])

    def make(
        changes: dict[str, Any] | None = None,
        /,
        *,
        key: bytes = SECRET,
        how: str = "sha256",
        **members: Any,
    ) -> str:
        return mac(write(header | members, claims | (changes or {})), key, how)

    assert await accepts(lab, make())
    return make


async def accepts(lab: Any, token: str) -> bool:
    answer = await lab.get("/users/me", by={"access_token": token})
    if answer.status_code == 200:
        return True
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] in {"not_authenticated", "token_expired", "token_revoked"}
    # What was wrong with it is nobody's business.
    assert answer.json()["detail"] in {
        "The token is not valid.",
        "The token has expired.",
        "The session has ended. Sign in again.",
    }
    return False


async def refuses_all(lab: Any, *tokens: str) -> None:
    for token in tokens:
        assert not await accepts(lab, token), parts_of(token)[0]


async def test_F1_only_the_algorithm_of_the_key_is_accepted(lab: Any, forge: Any) -> None:
    for name in ("none", "None", "NONE", "nOnE", "", "hs256", "HS512", "RS256", None, ["HS256"]):
        signed = forge(alg=name)
        await refuses_all(lab, signed, signed.rpartition(".")[0] + ".")
    await refuses_all(
        lab,
        forge(alg=DROP),
        forge(alg="HS512", how="sha512"),
        forge(how="sha512"),
        forge(key=ATTACKER),
        forge(key=b""),
        forge().rpartition(".")[0] + ".",
        forge({"sub": "another"}).rpartition(".")[0] + "." + forge().rpartition(".")[2],
    )


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Sign with RSA where a test asks for the key."""
    if "asymmetric" in request.fixturenames:
        return dict(request.getfixturevalue("asymmetric"))
    return {}


async def test_F1_a_public_key_is_no_secret(
    lab: Any, signing_pem: bytes, asymmetric: dict[str, Any]
) -> None:
    account = await lab.backend.register()
    token = account.tokens["access_token"]
    header, claims = parts_of(token)
    assert header["alg"] == "RS256"
    assert await accepts(lab, token)
    key = load_pem_private_key(signing_pem, password=None)
    public = key.public_key()
    [jwk] = (await lab.backend.client.get("/.well-known/jwks.json")).json()["keys"]
    assert jwk["kid"] == header["kid"]
    assert jwk.keys().isdisjoint({"d", "p", "q", "dp", "dq", "qi"})
    spki = PublicFormat.SubjectPublicKeyInfo
    pem, der = (public.public_bytes(form, spki) for form in (Encoding.PEM, Encoding.DER))
    content = write(header | {"alg": "HS256"}, claims)
    secrets = (pem, pem.strip(), der, jwk["n"].encode(), json.dumps(jwk).encode(), SECRET)
    await refuses_all(lab, *(mac(content, secret) for secret in secrets))
    await refuses_all(lab, *(mac(write(header, claims), secret) for secret in secrets))
    # The very same claims, signed as they should be, are fine: it is the signature that decides.
    content = write(header, claims)
    signature = key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert await accepts(lab, f"{content}.{b64(signature)}")


async def test_F2_no_header_chooses_a_key(lab: Any, forge: Any) -> None:
    own = {"kty": "oct", "k": b64(ATTACKER), "alg": "HS256"}
    for member, value in {
        "jwk": own,
        "jku": "https://evil.example.net/jwks.json",
        "x5u": "https://evil.example.net/cert.pem",
        "x5c": [base64.b64encode(ATTACKER).decode()],
    }.items():
        await refuses_all(
            lab,
            forge(key=ATTACKER, **{member: value}),
            forge(key=ATTACKER, kid=DROP, **{member: value}),
            forge(**{member: value}),
        )


async def test_F2_what_must_be_understood_is_refused(lab: Any, forge: Any) -> None:
    for crit in (["exp"], ["x-unknown"], [], "exp", None):
        await refuses_all(lab, forge(crit=crit))
    await refuses_all(lab, forge(crit=["b64"], b64=False), forge(b64=True))


async def test_F2_a_key_id_is_looked_up_and_nothing_else(lab: Any, forge: Any) -> None:
    for kid in ("unknown", "../../../../dev/null", "' OR 1=1 --", "", 1, None, ["x"], {"a": 1}):
        await refuses_all(
            lab, forge(kid=kid), forge(kid=kid, key=b""), forge(kid=kid, key=ATTACKER)
        )


async def test_F3_claims_are_required(lab: Any, forge: Any) -> None:
    for name in ("exp", "iat", "sub", "jti", "iss", "aud", "sid"):
        await refuses_all(lab, forge({name: DROP}), forge({name: None}))
    await refuses_all(lab, forge(typ=DROP))


async def test_F3_claims_are_type_checked(lab: Any, forge: Any) -> None:
    later = int(time.time()) + 600
    for name in ("exp", "iat", "nbf"):
        for value in (str(later), True, [later], {}, -1, 1e300, float("nan"), float("inf")):
            await refuses_all(lab, forge({name: value}))
    for name in ("sub", "jti", "iss", "sid"):
        for value in (1, True, ["x"], {}, ""):
            await refuses_all(lab, forge({name: value}))
    for value in (1, {}, [], [1], "", [["mainstay"]]):
        await refuses_all(lab, forge({"aud": value}))


async def test_F3_times_are_honoured_within_a_minute(lab: Any, forge: Any) -> None:
    moment = int(time.time())
    await refuses_all(
        lab,
        forge({"exp": moment - 61}),
        forge({"nbf": moment + 90}),
        forge({"iat": moment + 90}),
        forge({"exp": 0}),
    )
    expired = await lab.get("/users/me", by={"access_token": forge({"exp": moment - 61})})
    assert expired.json()["code"] == "token_expired"
    assert await accepts(lab, forge({"exp": moment + 61, "nbf": moment - 61}))


async def test_F4_issuer_and_audience_are_compared_exactly(lab: Any, forge: Any) -> None:
    for iss in ("mainstay2", "main", "Mainstay", "mainstay ", "https://mainstay", ["mainstay"]):
        await refuses_all(lab, forge({"iss": iss}))
    for aud in ("mainstay2", "main", "not mainstay", "mainstay other", ["other"], ["mainstay2"]):
        await refuses_all(lab, forge({"aud": aud}))
    assert await accepts(lab, forge({"aud": ["other", "mainstay"]}))


async def test_F5_a_token_of_another_kind_is_refused(lab: Any, forge: Any) -> None:
    for typ in ("JWT", "jwt", "rt+jwt", "mfa+jwt", "file+jwt", "at+jwt2", "xat+jwt", "", 1, None):
        await refuses_all(lab, forge(typ=typ))


async def test_F5_access_and_refresh_tokens_do_not_stand_in_for_each_other(lab: Any) -> None:
    account = await lab.backend.register()
    access, refresh = account.tokens["access_token"], account.tokens["refresh_token"]
    assert not await accepts(lab, refresh)
    for token in (access, access[:200], access.rpartition(".")[2]):
        assert (await lab.refresh(token)).status_code in {401, 422}
    assert (await lab.refresh(refresh)).status_code == 200


async def test_F5_a_token_is_bound_to_its_own_session(lab: Any, forge: Any) -> None:
    other = await lab.backend.register()
    _, claims = parts_of(other.tokens["access_token"])
    await refuses_all(lab, forge({"sub": claims["sub"]}), forge({"sid": claims["sid"]}))
    assert await accepts(lab, forge({"sub": claims["sub"], "sid": claims["sid"]}))


WEAK = (
    "short",
    "tY3nV9-pW5qLz8XeRj2KmB7dHc4UgF6",
    "x" * 40,
    "ab" * 30,
    "change-this-to-something-long-and-random",
    "secret" * 8,
)


@pytest.mark.parametrize("kind", ["production", "staging"])
@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
@pytest.mark.parametrize("secret", WEAK)
def test_F6_a_weak_secret_stops_the_start(kind: str, name: str, secret: str) -> None:
    environ = environment(
        ENVIRONMENT=kind,
        PUBLIC_URL="https://app.example.com",
        DATABASE_URL="sqlite:///:memory:",
        SECRET_KEY="tY3nV9-pW5qLz8XeRj2KmB7dHc4UgF6sAo1I",
    )
    with pytest.raises(SettingsError, match=name) as stopped:
        create_app(environ=environ | {name: secret})
    assert secret not in str(stopped.value)


def test_F6_development_warns_once_of_a_weak_secret() -> None:
    app = create_app(environ=environment(SECRET_KEY="x" * 31))
    notices = assembly_of(app).settings.notices
    assert len([notice for notice in notices if "SECRET_KEY" in notice]) == 1
    assert "x" * 31 not in str(notices)


async def test_F7_a_token_over_8_kib_is_refused_before_it_is_decoded(
    lab: Any, forge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await accepts(lab, forge({"filler": "x" * 5000}))
    decoded: list[int] = []
    decode = base64url.decode
    monkeypatch.setattr(
        base64url, "decode", lambda text: (decoded.append(len(text)), decode(text))[1]
    )
    long = forge({"filler": "x" * 6000})
    assert len(long) > 8192
    await refuses_all(lab, long)
    assert decoded == []
    assert not await accepts(lab, "x" * 9000)
    assert not await accepts(lab, "." * 9000)
    assert decoded == []
    assert await accepts(lab, forge({"filler": "y" * 5000}))
    assert decoded != []


async def test_F7_encrypted_and_compressed_tokens_are_refused(lab: Any, forge: Any) -> None:
    await refuses_all(lab, forge(zip="DEF"), forge(enc="A256GCM"), forge(enc=None, zip=None))
    head = b64(json.dumps({"alg": "dir", "enc": "A256GCM", "typ": "at+jwt"}).encode())
    for token in (f"{head}..x.y.z", f"{head}.a.b.c.d", forge() + ".x.y", forge() + "."):
        assert not await accepts(lab, token)


async def test_F11_former_keys_hold_until_they_are_taken_away(
    lab: Any, environ: dict[str, str]
) -> None:
    account = await lab.backend.register()
    token, secret = account.tokens["access_token"], environ["SECRET_KEY"]
    environ["SECRET_KEY"] = "another key, which is the current one from now on"
    environ["SECRET_KEY_FALLBACKS"] = json.dumps([secret])
    async with lab.other_process() as rotated:
        assert await accepts(rotated, token)
        fresh = (await rotated.backend.login(account))["access_token"]
        assert parts_of(fresh)[0]["kid"] != parts_of(token)[0]["kid"]
        assert await accepts(rotated, fresh)
    del environ["SECRET_KEY_FALLBACKS"]
    async with lab.other_process() as without:
        assert not await accepts(without, token)
        assert await accepts(without, fresh)
