"""What an error may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from mainstay.features.jobs.describing import describe


def test_it_gives_class_and_message() -> None:
    assert describe(ValueError("no such shelf")) == "ValueError: no such shelf"
    assert describe(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    "message",
    [
        "GET https://shop.test/reset?token=hunter2hunter2 failed",
        "header Authorization: Bearer hunter2hunter2",
        "password='hunter2hunter2'",
        '{"api_key": "hunter2hunter2"}',
        "smtp://ada:hunter2hunter2@mail.test refused",
        "bad value hunter2hunter2hunter2hunter2",
    ],
)
def test_N2_secrets_are_masked(message: str) -> None:
    told = describe(RuntimeError(message))
    assert "hunter2" not in told
    assert "[redacted]" in told


def test_N2_codes_are_masked_and_reply_codes_are_not() -> None:
    assert describe(RuntimeError("550 5.1.1 no, 482913 is wrong")) == (
        "RuntimeError: 550 5.1.1 no, [redacted] is wrong"
    )


def test_N2_a_statement_and_its_values_are_not_told() -> None:
    cause = KeyError("hunter2")
    error = IntegrityError("INSERT INTO t VALUES (:a)", {"a": "hunter2"}, cause)
    assert describe(error) == "IntegrityError (KeyError)"


@given(st.text())
def test_it_is_one_line_of_bounded_length(message: str) -> None:
    told = describe(RuntimeError(message * 50))
    assert len(told) <= 1000
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in told)
