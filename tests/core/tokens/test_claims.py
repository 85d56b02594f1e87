"""Judging claims."""

from __future__ import annotations

import math

import pytest

from mainstay.core.tokens.claims import REQUIRED, addressed_to, faults, start_of


@pytest.mark.parametrize("name", REQUIRED)
def test_F3_each_claim_is_required(claims, name) -> None:
    assert faults(claims) == []
    del claims[name]
    assert faults(claims) == [name]


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value",
    ["1800000000", True, False, None, math.nan, math.inf, -math.inf, -1, 10**12, 10**400, [1], {}],
)
def test_F3_a_date_is_a_number_of_this_age(claims, name, value) -> None:
    assert faults(claims | {name: value}) == [name]


def test_F3_a_date_may_have_a_fraction(claims) -> None:
    assert faults(claims | {"exp": 1_800_000_000.5, "nbf": 0}) == []


@pytest.mark.parametrize("name", ["iss", "sub", "jti"])
@pytest.mark.parametrize("value", ["", None, 1, True, ["a"], {}])
def test_F3_a_text_is_a_string_with_something_in_it(claims, name, value) -> None:
    assert faults(claims | {name: value}) == [name]


@pytest.mark.parametrize("value", ["", None, 1, [], [""], ["shop", 1], {"shop": 1}, [["shop"]]])
def test_F3_an_audience_is_a_string_or_a_list_of_them(claims, value) -> None:
    assert faults(claims | {"aud": value}) == ["aud"]


@pytest.mark.parametrize(
    ("aud", "held"),
    [
        ("shop", True),
        (["shop"], True),
        (["other", "shop"], True),
        ("shopping", False),
        ("sho", False),
        ("my shop", False),
        ("Shop", False),
        (["shopping", "my shop"], False),
    ],
)
def test_F4_the_audience_is_compared_whole(claims, aud, held) -> None:
    asked = {"issuer": claims["iss"], "audience": "shop"}
    assert addressed_to(claims | {"aud": aud}, **asked) is held


@pytest.mark.parametrize(
    "iss",
    ["https://api.example.com/", "https://api.example.co", "https://API.example.com", "https://"],
)
def test_F4_the_issuer_is_compared_whole(claims, iss) -> None:
    asked = {"issuer": claims["iss"], "audience": "shop"}
    assert addressed_to(claims, **asked)
    assert not addressed_to(claims | {"iss": iss}, **asked)


def test_a_token_counts_from_the_later_of_its_two_starts(claims) -> None:
    assert start_of({"iat": 5}) == 5
    assert start_of({"iat": 5, "nbf": 9}) == 9
    assert start_of({"iat": 5, "nbf": 1}) == 5
