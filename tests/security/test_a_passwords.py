"""Requirements A1 to A10: passwords."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import httpx2
import pytest

from mainstay import create_app
from mainstay.core.settings import SettingsError
from mainstay.features.auth.hashing import Argon2id
from mainstay.testing.backend import PASSWORD, Account, environment

pytestmark = pytest.mark.anyio

LONG = (
    "A sentence of one hundred characters, all of which are to count, "
    "up to the last one, and that is: z."
)
COMMON = ("password", "iloveyou", "sunshine", "football", "trustno1", "password123", "QwertyUiop")


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"ACCOUNT_LOCKOUT_THRESHOLD": 50}


def reasons(answer: httpx2.Response) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {fault["code"] for fault in answer.json()["errors"]}


async def register(lab: Any, password: str, **more: str) -> httpx2.Response:
    body = {"email": "ada@example.com", "username": "lovelace", "password": password, **more}
    return await lab.post("/auth/register", body)


async def change(lab: Any, account: Account, old: str, new: str) -> httpx2.Response:
    body = {"old_password": old, "new_password": new}
    return await lab.post("/auth/change-password", body, by=account)


@pytest.mark.parametrize("settings", [{"PASSWORD_MIN_LENGTH": 15}])
async def test_A1_fifteen_code_points_are_enough_and_fourteen_are_not(lab: Any) -> None:
    glyphs = "𝄞øßжあ漢字한글ñçλ😀éz"
    assert len(glyphs) == 15
    assert reasons(await register(lab, glyphs[:14])) == {"too_short"}
    assert reasons(await register(lab, "b" + "é" * 13)) == {"too_short"}
    assert (await register(lab, glyphs)).status_code == 201


def test_A1_the_floor_is_configurable_but_never_below_eight() -> None:
    for value in (7, 0):
        with pytest.raises(SettingsError, match="PASSWORD_MIN_LENGTH"):
            create_app(environ=environment(PASSWORD_MIN_LENGTH=value), inspecting=True)
    create_app(environ=environment(PASSWORD_MIN_LENGTH=8), inspecting=True)


@pytest.mark.parametrize("length", [64, 128, 1024])
async def test_A2_a_long_password_is_accepted_and_works(lab: Any, length: int) -> None:
    password = ("Ω correct horse, battery staple; " * 40)[: length - 1] + "!"
    assert (await register(lab, password)).status_code == 201
    assert (await lab.login("lovelace", password)).status_code == 200
    assert (await lab.login("lovelace", password[:-1])).status_code == 401


async def test_A3_there_is_no_rule_of_composition(lab: Any) -> None:
    assert (await register(lab, "qmzvwrtplkjhgfd")).status_code == 201


@pytest.mark.parametrize("settings", [{}, {"PASSWORD_HASHER": "bcrypt"}], ids=["argon2", "bcrypt"])
async def test_A4_the_password_is_verified_exactly_as_sent(lab: Any) -> None:
    assert len(LONG) == 100
    assert (await register(lab, LONG)).status_code == 201
    for wrong in (LONG[:-1] + "!", LONG[:-2] + "Z.", LONG + " ", LONG[:72]):
        assert (await lab.login("lovelace", wrong)).status_code == 401, wrong
    assert (await lab.login("lovelace", LONG)).status_code == 200


@pytest.mark.parametrize("settings", [{"PASSWORD_MIN_LENGTH": 8}])
async def test_A5_a_common_password_is_refused_wherever_one_is_set(lab: Any) -> None:
    for password in COMMON:
        assert reasons(await register(lab, password)) == {"common_password"}
    account = await lab.backend.register()
    assert reasons(await change(lab, account, PASSWORD, COMMON[0])) == {"common_password"}
    token = await lab.forgot(account)
    refused = await lab.reset(token, COMMON[1])
    assert reasons(refused) == {"common_password"}
    assert "common" in refused.json()["errors"][0]["detail"]
    # The refusal did not use the link up.
    assert (await lab.reset(token, "another-fine-phrase")).status_code == 200


@pytest.mark.parametrize("settings", [{"PROJECT_NAME": "Acme Rockets"}])
async def test_A6_a_password_does_not_name_its_owner_or_the_product(lab: Any) -> None:
    person = {"email": "grace.hopper@example.com", "username": "amazing.grace"}
    for password in (
        "grace.hopper@#",
        "my GRACE.HOPPER 1906",
        "amazing.grace",
        "xx-Amazing.Grace-xx",
        "acmerockets!!",
        "I like Acme Rockets",
    ):
        wanted = {"contains_personal_information"}
        assert reasons(await register(lab, password, **person)) == wanted, password
    # Three characters are too few to be looked for inside.
    short = await register(lab, "a-rebobinated-phrase", email="bob@example.com", username="bob")
    assert short.status_code == 201
    account = await lab.backend.register(username="nightingale")
    new = "florence nightingale"
    assert reasons(await change(lab, account, PASSWORD, new)) == {"contains_personal_information"}
    token = await lab.forgot(account)
    assert reasons(await lab.reset(token, new)) == {"contains_personal_information"}


async def test_A7_two_spellings_of_one_password_are_one(lab: Any) -> None:
    composed = "un café très ﬁn à Zürich"
    spellings = [unicodedata.normalize(form, composed) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    assert len(set(spellings)) == 4
    assert (await register(lab, spellings[1])).status_code == 201
    for spelling in spellings:
        assert (await lab.login("lovelace", spelling)).status_code == 200
    assert (await lab.login("lovelace", "un cafe tres fin a Zurich")).status_code == 401


async def test_A8_hashes_are_argon2id_with_salts_and_are_made_anew_when_costs_rise(
    lab: Any,
) -> None:
    one, two = await lab.backend.register(), await lab.backend.register()
    hashes = [(await lab.user(account.id)).password_hash for account in (one, two)]
    assert hashes[0] != hashes[1]
    for stored in hashes:
        form = re.fullmatch(
            r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$[^$]{22}\$[^$]{43}", stored
        )
        assert form is not None, stored
        memory, passes, lanes = (int(part) for part in form.groups())
        assert (memory >= 19456 and passes >= 2 and lanes >= 1) or memory >= 47104
    weak = Argon2id(memory=8192, passes=1).hash(PASSWORD)
    await lab.backend.change_user(one, password_hash=weak)
    assert not await lab.can_enter(one, "something else entirely")
    assert (await lab.user(one.id)).password_hash == weak
    assert await lab.can_enter(one)
    stronger = (await lab.user(one.id)).password_hash
    assert "$m=19456,t=2,p=1$" in stronger
    assert await lab.can_enter(one)
    assert (await lab.user(one.id)).password_hash == stronger


@pytest.mark.parametrize("settings", [{"ACCOUNT_LOCKOUT_THRESHOLD": 3}])
async def test_A9_changing_needs_the_present_password_and_wrong_ones_count(lab: Any) -> None:
    account = await lab.backend.register()
    before = (await lab.user(account.id)).password_hash
    missing = await lab.post("/auth/change-password", {"new_password": "a-new-phrase"}, by=account)
    assert missing.status_code == 422
    for _ in range(3):
        wrong = await change(lab, account, "not the password", "a-new-fine-phrase")
        assert (wrong.status_code, wrong.json()["code"]) == (400, "password_incorrect")
    assert (await change(lab, account, PASSWORD, "a-new-fine-phrase")).status_code == 400
    assert not await lab.can_enter(account)
    assert (await lab.user(account.id)).password_hash == before


async def test_A9_the_right_one_changes_it(lab: Any) -> None:
    account = await lab.backend.register()
    assert (await change(lab, account, PASSWORD, "a-new-fine-phrase")).status_code == 200
    assert not await lab.can_enter(account)
    assert await lab.can_enter(account, "a-new-fine-phrase")


async def test_A10_no_password_ages(lab: Any, clock: Any) -> None:
    account = await lab.backend.register()
    usual = (await lab.login(account.email, PASSWORD)).json()
    clock.forward(days=3650)
    later = await lab.login(account.email, PASSWORD)
    assert later.status_code == 200
    assert later.json().keys() == usual.keys()
    assert await lab.is_signed_in(later.json())
