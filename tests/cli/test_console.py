"""What reaches terminals of all kinds."""

import io

import pytest

from mainstay.cli import console


def stream(encoding, *, tty=False):
    made = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    made.isatty = lambda: tty
    return made


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "✓ a · b…"), ("ascii", "+ a - b..."), ("latin-1", "+ a - b...")],
)
def test_signs_fall_back_to_ascii(encoding, shown):
    assert console.fitted("✓ a · b…", stream(encoding)) == shown


def test_what_has_no_ascii_form_is_escaped():
    assert console.fitted("日本", stream("ascii")) == "\\u65e5\\u672c"


@pytest.mark.parametrize(
    ("tty", "environment", "coloured"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_is_only_for_terminals_that_want_it(monkeypatch, tty, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert console.has_colour(stream("utf-8", tty=tty)) is coloured


def test_columns_are_below_each_other():
    assert console.columns([("a", "bb", "c"), ("aaa", "", "d")]) == ["a    bb  c", "aaa  -   d"]


def test_one_long_value_does_not_push_the_others():
    lines = console.columns([("A", "x" * 80, "one"), ("B", "y", "two")])
    assert lines[1] == "B  y  two"


def test_nothing_has_no_columns():
    assert console.columns([]) == []
