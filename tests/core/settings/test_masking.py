from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from mainstay.core.settings.masking import MASK, mask_url, named_as_secret, quote, show


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://ada:hunter2@db/shop", f"postgresql://ada:{MASK}@db/shop"),
        ("redis://:hunter2@db", f"redis://:{MASK}@db"),
        ("redis://ada:hun/te@r2@db", f"redis://ada:{MASK}@db"),
        ("postgresql//ada:hunter2@db", f"{MASK}@db"),
        ("ada:hunter2@db", f"{MASK}@db"),
        ("1http://ada:hunter2@db", f"{MASK}@db"),
        ("s3://b?access_key=hunter2&x=1", f"s3://b?access_key={MASK}&x=1"),
        ("postgresql://db/x?a=1&password=hunter2", f"postgresql://db/x?a=1&password={MASK}"),
        ("https://ada@example.com", "https://ada@example.com"),
        ("Shop <shop@example.com>", "Shop <shop@example.com>"),
        ("http://localhost:8000/x?page=1", "http://localhost:8000/x?page=1"),
    ],
)
def test_passwords_in_urls_are_masked(text, masked):
    assert mask_url(text) == masked


@given(
    st.sampled_from(["postgresql://ada:", "redis://:", "ada:", "mysql//x:", "a b://c:"]),
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map(
        "§".__add__
    ),
)
def test_no_password_before_an_at_sign_is_shown(head, password):
    assert "§" not in mask_url(f"{head}{password}@host/name")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "KEY", "API_KEYS", "X_TOKEN", "MAIL_PASSWORD", "SENTRY_DSN"]
)
def test_some_names_say_secret(name):
    assert named_as_secret(name)


@pytest.mark.parametrize(
    "name", ["MONKEY", "KEYBOARD", "PASSWORD_MIN_LENGTH", "TOKENS_A_DAY", "PORT"]
)
def test_other_names_do_not(name):
    assert not named_as_secret(name)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ((), ""),
        (True, "true"),
        (3, "3"),
        (("a", "b"), "a,b"),
        ([1, False], "1,false"),
        (("a,b",), '["a,b"]'),
        (("",), '[""]'),
        ({"a": 1}, '{"a": 1}'),
        ({"client_secret": "hunter2", "apiKey": "hunter2", "x": [{"token": "hunter2"}]}, None),
        ([SecretStr("hunter2")], None),
        (["redis://:hunter2@h"], f"redis://:{MASK}@h"),
    ],
)
def test_values_are_shown_as_they_would_be_set(value, text):
    shown = show(value)
    assert "hunter2" not in shown
    assert shown == text or (text is None and MASK in shown)


def test_only_the_length_of_a_secret_is_told():
    assert quote("hunter2", secret=True) == "a secret of 7 characters"
    assert quote("x", secret=True) == "a secret of 1 character"


def test_long_text_is_shortened_and_control_characters_are_escaped():
    assert quote("a\nb", secret=False) == r"'a\nb'"
    assert len(quote("a" * 10_000, secret=False)) < 100
