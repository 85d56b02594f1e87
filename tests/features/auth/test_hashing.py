"""Hashing passwords."""

from __future__ import annotations

import asyncio
import unicodedata

import bcrypt
import pytest

from mainstay.core.errors import OverloadedError, ValidationFailedError
from mainstay.features.auth.hash_pool import HashPool
from mainstay.features.auth.hashing import (
    Argon2id,
    BcryptSha256,
    PasswordHasher,
    Verification,
)

pytestmark = pytest.mark.anyio

RIGHT = Verification(ok=True)
OLD = Verification(ok=True, needs_rehash=True)
WRONG = Verification(ok=False)


class CountingArgon2id(Argon2id):
    """Cheap, and counts the comparisons."""

    def __init__(self) -> None:
        super().__init__(memory=64, passes=1)
        self.compared: list[str] = []

    def verify(self, password: str, stored: str) -> bool:
        self.compared.append(stored)
        return super().verify(password, stored)


@pytest.fixture
def scheme() -> CountingArgon2id:
    return CountingArgon2id()


@pytest.fixture
def hasher(scheme):
    made = PasswordHasher(scheme, pool=HashPool(threads=1))
    yield made
    made.close()


async def test_a_password_is_verified_against_its_hash(hasher) -> None:
    stored = await hasher.hash("a good password")
    assert await hasher.verify("a good password", stored) == RIGHT
    assert await hasher.verify("a bad password", stored) == WRONG


async def test_A4_last_character_counts(hasher) -> None:
    password = "x" * 99 + "Y"
    stored = await hasher.hash(password)
    for other in ("x" * 99 + "y", password + " ", " " + password, password[:-1], password.lower()):
        assert await hasher.verify(other, stored) == WRONG


async def test_A7_composed_and_decomposed_forms_log_in(hasher) -> None:
    password = "Zürich, ﬁne １２３"  # noqa: RUF001
    stored = await hasher.hash(password)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert await hasher.verify(unicodedata.normalize(form, password), stored) == RIGHT


async def test_A8_the_default_is_argon2id_and_a_salt_is_never_used_twice() -> None:
    hasher = PasswordHasher()
    first, second = await hasher.hash("password"), await hasher.hash("password")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await hasher.verify("password", first) == RIGHT
    hasher.close()


async def test_A8_a_hash_of_lower_costs_is_to_be_made_anew(hasher) -> None:
    stored = await hasher.hash("password")
    risen = PasswordHasher(Argon2id(memory=128, passes=1), pool=HashPool(threads=1))
    assert await risen.verify("password", stored) == OLD
    assert await risen.verify("another", stored) == WRONG
    assert await hasher.verify("password", await risen.hash("password")) == RIGHT
    risen.close()


async def test_plain_bcrypt_is_verified_and_left_behind(hasher) -> None:
    password = "ä" * 40
    stored = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    assert await hasher.verify(password, stored) == OLD
    assert await hasher.verify("ä" * 35, stored) == WRONG


async def test_plain_bcrypt_over_a_password_as_sent_is_verified(hasher) -> None:
    decomposed = "Zu\u0308rich"
    stored = bcrypt.hashpw(decomposed.encode(), bcrypt.gensalt(4)).decode()
    assert await hasher.verify(decomposed, stored) == OLD


async def test_one_scheme_reads_the_hashes_of_the_other(hasher) -> None:
    marked = PasswordHasher(BcryptSha256(rounds=4), pool=HashPool(threads=1))
    stored = await marked.hash("password")
    assert await marked.verify("password", stored) == RIGHT
    assert await hasher.verify("password", stored) == OLD
    assert await marked.verify("password", await hasher.hash("password")) == OLD
    plain = bcrypt.hashpw(b"password", bcrypt.gensalt(4)).decode()
    assert await marked.verify("password", plain) == OLD
    marked.close()


@pytest.mark.parametrize(
    "stored", [None, "", "!", "plain text", "$argon2id$v=19$m=64", "$2b$31$" + "." * 53, "\0"]
)
async def test_B5_without_a_readable_hash_the_dummy_is_compared(hasher, scheme, stored) -> None:
    assert await hasher.verify("password", stored) == WRONG
    assert scheme.compared == [hasher._dummy]


async def test_B5_burning_compares_the_same_dummy_each_time(hasher, scheme) -> None:
    await hasher.burn("password")
    await hasher.burn("another")
    assert scheme.compared == [hasher._dummy] * 2


@pytest.mark.parametrize("password", ["nul\0", "\ud800", "x" * 5000])
async def test_what_is_not_text_is_never_right(hasher, scheme, password) -> None:
    stored = await hasher.hash("password")
    assert await hasher.verify(password, stored) == WRONG
    await hasher.burn(password)
    assert scheme.compared == [], "as quick for an account as for none"
    with pytest.raises(ValidationFailedError):
        await hasher.hash(password)


async def test_a_flood_is_refused_and_the_rest_is_served(scheme) -> None:
    hasher = PasswordHasher(scheme, pool=HashPool(threads=1, waiting=4))
    stored = await hasher.hash("password")
    answers = await asyncio.gather(
        *(hasher.verify("password", stored) for _ in range(50)), return_exceptions=True
    )
    assert RIGHT in answers
    assert {type(answer) for answer in answers} == {Verification, OverloadedError}
    assert len(scheme.compared) == answers.count(RIGHT)
    hasher.close()


async def test_two_hashers_live_side_by_side(hasher) -> None:
    other = PasswordHasher(Argon2id(memory=64, passes=1))
    stored = await other.hash("password")
    other.close()
    with pytest.raises(OverloadedError):
        await other.verify("password", stored)
    assert await hasher.verify("password", stored) == RIGHT
