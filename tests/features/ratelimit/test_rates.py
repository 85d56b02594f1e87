"""Rates as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.ratelimit import Policy
from mainstay.features.ratelimit.rates import parse_rate, policy_of


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("100/min", Policy("p", 100, 60)),
        ("100/minute", Policy("p", 100, 60)),
        ("5/sec", Policy("p", 5, 1)),
        ("5 / s", Policy("p", 5, 1)),
        ("1000/HOUR", Policy("p", 1000, 3600)),
        ("7/days", Policy("p", 7, 86400)),
        (" 60 ", Policy("p", 60, 60)),
        (60, Policy("p", 60, 60)),
    ],
)
def test_a_rate_becomes_a_policy(text: object, policy: Policy) -> None:
    assert policy_of("p", parse_rate(text)) == policy


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0/min",
        "-1/min",
        "1.5/min",
        "5/",
        "5/fortnight",
        "/min",
        "5min",
        "٣/min",
        True,
        None,
    ],
)
def test_what_is_no_rate_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        parse_rate(text)


@given(st.integers(1, 999_999_999), st.sampled_from(["s", "second", "mins", "hour", "d", ""]))
def test_the_one_form_is_read_back_as_itself(quota: int, unit: str) -> None:
    once = parse_rate(f"{quota}/{unit}" if unit else str(quota))
    assert parse_rate(once) == once
    assert policy_of("p", once).quota == quota


@given(st.text(max_size=20))
def test_any_text_is_a_rate_or_a_value_error(text: str) -> None:
    try:
        rate = parse_rate(text)
    except ValueError:
        return
    policy = policy_of("p", rate)
    assert policy.quota >= 1
    assert policy.window >= 1
