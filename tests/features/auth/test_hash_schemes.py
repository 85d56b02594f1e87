"""Ways to hash."""

from __future__ import annotations

import base64
import hashlib
import re

import bcrypt
import pytest
from argon2 import PasswordHasher as Argon2
from argon2 import Type
from hypothesis import given
from hypothesis import strategies as st

from mainstay.features.auth.hash_schemes import (
    Argon2id,
    BcryptSha256,
    PlainBcrypt,
    scheme_of,
)

CHEAP = Argon2id(memory=64, passes=1)
SCHEMES = [CHEAP, BcryptSha256(rounds=4)]


def test_A8_the_default_is_argon2id_of_the_right_costs() -> None:
    first, second = (scheme_of("argon2id").hash("password") for _ in range(2))
    pattern = r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
    assert re.fullmatch(pattern, first)
    assert first.split("$")[4] != second.split("$")[4]


def test_bcrypt_means_marked_bcrypt_over_a_digest() -> None:
    scheme = scheme_of("bcrypt")
    stored = scheme.hash("password")
    assert stored.startswith("$bcrypt-sha256$2b$12$")
    digest = base64.b64encode(hashlib.sha256(b"password").digest())
    assert bcrypt.checkpw(digest, stored.removeprefix("$bcrypt-sha256").encode())


def test_there_is_no_third() -> None:
    with pytest.raises(ValueError, match="argon2id or bcrypt"):
        scheme_of("md5")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_knows_and_verifies_its_own(scheme) -> None:
    stored = scheme.hash("pässword")
    assert scheme.identify(stored)
    assert scheme.verify("pässword", stored)
    assert not scheme.verify("pässworD", stored)
    assert not scheme.is_outdated(stored)
    assert not PlainBcrypt().identify(stored)
    assert [each.identify(stored) for each in SCHEMES].count(True) == 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_A4_every_byte_counts(scheme) -> None:
    password = "x" * 99 + "Y"
    stored = scheme.hash(password)
    assert scheme.verify(password, stored)
    for other in ("x" * 99 + "y", "x" * 99, password + " ", "x" * 98 + "Y"):
        assert not scheme.verify(other, stored)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_B5_a_dummy_costs_as_much_as_a_hash_and_belongs_to_nobody(scheme) -> None:
    stored, dummy = scheme.hash("password"), scheme.dummy()
    assert scheme.identify(dummy)
    assert not scheme.is_outdated(dummy)
    assert len(dummy) == len(stored)
    costs = re.compile(r"m=\d+,t=\d+,p=\d+|\$2b\$\d\d")
    assert costs.findall(dummy) == costs.findall(stored)
    assert not scheme.verify("password", dummy)
    assert dummy != scheme.dummy()


@pytest.mark.parametrize(
    "risen",
    [
        Argon2id(memory=128, passes=1),
        Argon2id(memory=64, passes=2),
        Argon2id(memory=64, passes=1, lanes=2),
    ],
)
def test_A8_a_hash_of_lower_costs_is_outdated(risen) -> None:
    assert risen.is_outdated(CHEAP.hash("password"))
    assert not CHEAP.is_outdated(risen.hash("password"))


def test_A8_fewer_rounds_are_outdated() -> None:
    four, five = BcryptSha256(rounds=4), BcryptSha256(rounds=5)
    assert five.is_outdated(four.hash("password"))
    assert not four.is_outdated(five.hash("password"))


@pytest.mark.parametrize("kind", [{"salt_len": 8}, {"hash_len": 16}])
def test_A8_a_shorter_salt_or_digest_is_outdated(kind) -> None:
    stored = Argon2(memory_cost=64, time_cost=1, parallelism=1, **kind).hash("password")
    assert CHEAP.verify("password", stored)
    assert CHEAP.is_outdated(stored)


@pytest.mark.parametrize("variant", [Type.I, Type.D])
def test_A8_another_variant_is_verified_and_outdated(variant) -> None:
    stored = Argon2(memory_cost=64, time_cost=1, parallelism=1, type=variant).hash("password")
    assert CHEAP.identify(stored)
    assert CHEAP.verify("password", stored)
    assert CHEAP.is_outdated(stored)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_plain_bcrypt_reads_72_bytes(prefix) -> None:
    scheme, password = PlainBcrypt(), "ä" * 40
    stored = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    stored = prefix + stored[4:]
    assert scheme.identify(stored)
    assert scheme.verify(password, stored)
    assert scheme.verify("ä" * 36, stored)
    assert not scheme.verify("ä" * 35, stored)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "password",
        "!",
        "$argon2id$",
        "$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=900,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=900$AAAAAAAAAAA$AAAAAAAAAAAAAAAA",
        "$2b$31$" + "." * 53,
        "$2b$03$" + "." * 53,
        "$2x$04$" + "." * 53,
        "$2b$04$" + "." * 53 + "\n",
        "$bcrypt-sha256$2b$31$" + "." * 53,
        "$bcrypt-sha256",
        "$pbkdf2-sha256$29000$salt$digest",
        "ä" * 60,
    ],
)
def test_what_is_damaged_or_too_costly_is_nobodys(stored) -> None:
    for scheme in (*SCHEMES, PlainBcrypt()):
        assert not scheme.identify(stored)


@given(st.data())
def test_a_damaged_hash_never_raises(data: st.DataObject) -> None:
    good = data.draw(
        st.sampled_from(
            [
                "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$" + "A" * 43,
                "$2b$04$" + "." * 53,
                "$bcrypt-sha256$2b$04$" + "." * 53,
            ]
        )
    )
    at = data.draw(st.integers(0, len(good) - 1))
    put = data.draw(st.sampled_from("z/9A.$0b="))
    stored = good[:at] + put + good[at + 1 :]
    for scheme in (*SCHEMES, PlainBcrypt()):
        # More rounds would only make the test slow.
        if scheme.identify(stored) and not re.search(r"2b\$(?!04|05)", stored):
            assert not scheme.verify("password", stored)
