"""What a password may be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.errors import ValidationFailedError
from mainstay.features.auth.passwords import check_policy, common_passwords, normalise

_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)


def _codes(password: str, **rules) -> list[str]:
    try:
        check_policy(password, **{"minimum": 15} | rules)
    except ValidationFailedError as refused:
        return [fault.code for fault in refused.errors]
    return []


def test_A1_fourteen_code_points_are_refused_and_fifteen_accepted() -> None:
    assert _codes("vkqhzpxwmtjrgd") == ["too_short"]
    assert _codes("vkqhzpxwmtjrgdb") == []
    assert _codes("\U0001f40d" * 14) == ["too_short"]
    assert _codes("\U0001f40d" * 15) == []


def test_A1_lengths_are_counted_after_normalising() -> None:
    assert _codes("e\u0301" * 14) == ["too_short"]
    assert _codes("e\u0301" * 15) == []


@pytest.mark.parametrize("minimum", [-1, 0, 1, 8])
def test_A1_the_floor_is_never_below_eight(minimum) -> None:
    assert _codes("vkqhzpx", minimum=minimum) == ["too_short"]
    assert _codes("vkqhzpxw", minimum=minimum) == []


@pytest.mark.parametrize("length", [64, 128, 1024])
def test_A2_long_passwords_are_accepted(length) -> None:
    assert _codes("x" * length) == []
    assert _codes("e\u0301" * length) == []


@pytest.mark.parametrize("password", ["x" * 1025, "x" * 100_000, "\ufdfa" * 100])
def test_A2_the_maximum_is_1024(password) -> None:
    assert _codes(password) == ["too_long"]


@pytest.mark.parametrize(
    "password",
    [
        "vkqhzpxwmtjrgdb",
        "VKQHZPXWMTJRGDB",
        "829374650192837",
        "               ",
        "!!!!!!!!!!!!!!!",
        "correct horse battery staple",
    ],
)
def test_A3_there_is_no_rule_of_composition(password) -> None:
    assert _codes(password) == []


@pytest.mark.parametrize(
    "password", ["password", "12345678", "qwertyuiop", "Password1", "PASSWORD1234", "QwErTy123456"]
)
def test_A5_a_common_password_is_refused_with_the_reason(password) -> None:
    assert _codes(password, minimum=8) == ["common_password"]


def test_A5_every_common_password_of_the_length_is_refused() -> None:
    found = common_passwords()
    long_enough = [word for word in found if len(word) >= 8]
    assert len(long_enough) > 20_000
    for word in long_enough:
        assert "common_password" in _codes(word, minimum=8)
        assert "common_password" in _codes(word.upper(), minimum=8)


def test_A5_the_list_has_the_most_common_ones_of_any_length() -> None:
    assert {"123456", "qwerty", "dragon", "letmein", "iloveyou", "abc123"} <= common_passwords()
    assert common_passwords() is common_passwords()
    assert all(word == word.lower() for word in common_passwords())


def test_A5_what_is_not_listed_is_not_common() -> None:
    for password in ("password8317264", "letmein-29-days", "qwerty under the snow"):
        assert _codes(password) == []


@pytest.mark.parametrize(
    "password",
    [
        "lovelace-in-the-sky",
        "my LOVELACE password",
        "countess1815 was here",
        "0nly for MAINSTAY SHOP",
        "0nly for MainstayShop",
        "ｌｏｖｅｌａｃｅ wide as it is",  # noqa: RUF001
    ],
)
def test_A6_a_password_that_names_its_owner_is_refused(password) -> None:
    owner = {
        "email": "Lovelace@example.com",
        "username": "countess1815",
        "product": "Mainstay Shop",
    }
    assert _codes(password, **owner) == ["contains_personal_information"]
    assert _codes(password) == []


def test_A6_a_name_of_three_characters_may_be_part_of_a_password() -> None:
    assert _codes("ada, countess of it all", username="ada", email="ada@example.com") == []
    assert _codes("adam, son of somebody", username="adam") == ["contains_personal_information"]


def test_A6_a_password_equal_to_the_name_is_refused_at_any_length() -> None:
    for name in ("ada", "ad", "a"):
        assert "contains_personal_information" in _codes(name, username=name.upper(), minimum=8)


def test_A6_an_absent_name_is_in_no_password() -> None:
    for absent in (None, "", "@"):
        names = {"email": absent, "username": absent, "product": absent}
        assert _codes("vkqhzpxw@mtjrgdb", **names) == []


def test_all_faults_are_told_with_their_place_and_never_the_password() -> None:
    with pytest.raises(ValidationFailedError) as caught:
        check_policy("Dragon12", minimum=12, username="dragon", pointer="#/new_password")
    members = [fault.as_member() for fault in caught.value.errors]
    assert [member["code"] for member in members] == [
        "too_short",
        "common_password",
        "contains_personal_information",
    ]
    assert {member["pointer"] for member in members} == {"#/new_password"}
    assert members[0]["params"] == {"min": 12}
    assert "dragon" not in str(members).lower()


def test_a_long_password_tells_the_maximum() -> None:
    with pytest.raises(ValidationFailedError) as caught:
        check_policy("x" * 1025, minimum=12)
    assert caught.value.errors[0].params == {"max": 1024}


@given(_text)
def test_A7_all_spellings_of_a_password_become_one(password: str) -> None:
    once = normalise(password)
    assert normalise(once) == once
    for form in ("NFC", "NFD"):
        assert normalise(unicodedata.normalize(form, password)) == once


def test_A7_composed_and_decomposed_are_the_same() -> None:
    assert normalise("Zürich") == normalise("Zu\u0308rich") == "Zürich"
    assert normalise("ﬁne １２３") == "fine 123"  # noqa: RUF001


@pytest.mark.parametrize("password", [" leading", "trailing ", "in  side", "tab\t", "MiXeD"])
def test_A4_nothing_is_trimmed_or_folded(password) -> None:
    assert normalise(password) == password


@pytest.mark.parametrize("password", ["nul\0inside", "half \ud800 pair", "\udfff"])
def test_what_is_not_text_is_refused(password) -> None:
    with pytest.raises(ValidationFailedError) as caught:
        normalise(password, pointer="#/secret")
    assert [(f.code, f.pointer) for f in caught.value.errors] == [
        ("invalid_characters", "#/secret")
    ]
    assert _codes(password) == ["invalid_characters"]


def test_normalising_is_bounded() -> None:
    assert normalise("x" * 2048) == "x" * 2048
    with pytest.raises(ValidationFailedError):
        normalise("x" * 2049)
