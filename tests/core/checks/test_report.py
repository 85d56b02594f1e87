"""The report, as text, as JSON and as an exit status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mainstay.core.checks import Check
from mainstay.core.checks.report import Report, Result, State, refusal_text


async def nothing(ports: Any) -> None:
    """Stand for a check's function."""


def result(name: str, level: Any, state: State = "failed", **more: Any) -> Result:
    check = Check(id=name, level=level, title=f"About {name}", run=nothing)
    return Result(check=check, state=state, **more)


REPORT = Report(
    results=(
        result("O010", "info", message="Mainstay 0.4.2 is available.", fix="upgrade."),
        result("S006", "warning", message="2 of 3 administrators.", fix="ask them to enable one."),
        result("S001", "error", message="SECRET_KEY is weak.", fix="set SECRET_KEY."),
        result("S002", "error", "passed"),
        result("H003", "error", "silenced", message="HSTS is off.", reason="at the balancer"),
        result("D001", "error", "skipped"),
    ),
    seconds=0.94,
    about=("production", "PostgreSQL 17"),
)


def test_the_text_is_that_of_the_handbook() -> None:
    assert REPORT.as_text() == (
        "Checked 5 things in 0.9 s · production · PostgreSQL 17\n"
        "\n"
        " error  S001  SECRET_KEY is weak.\n"
        "              Fix: set SECRET_KEY.\n"
        " warn   S006  2 of 3 administrators.\n"
        "              Fix: ask them to enable one.\n"
        " info   O010  Mainstay 0.4.2 is available.\n"
        "              Fix: upgrade.\n"
        "\n"
        "1 error, 1 warning, 1 note, 1 passed, 1 silenced, 1 skipped.  "
        "details: docs/checks#S001   (exit 3)"
    )


def test_a_clean_report_is_two_lines() -> None:
    report = Report(results=(result("S002", "error", "passed"),), seconds=0.1)
    assert report.as_text() == "Checked 1 thing in 0.1 s\n\n1 passed."


def test_the_json_has_every_result() -> None:
    document = json.loads(json.dumps(REPORT.as_json()))
    assert document["counts"] == {
        "error": 1, "warning": 1, "info": 1, "passed": 1, "silenced": 1, "skipped": 1,
    }  # fmt: skip
    assert document["results"][2] == {
        "id": "S001",
        "level": "error",
        "title": "About S001",
        "state": "failed",
        "deploy": False,
        "boot": False,
        "message": "SECRET_KEY is weak.",
        "fix": "set SECRET_KEY.",
    }
    assert document["results"][4]["reason"] == "at the balancer"
    assert document["about"] == ["production", "PostgreSQL 17"]


@pytest.mark.parametrize(
    ("level", "state", "fail_level", "expected"),
    [
        ("error", "failed", "error", 3),
        ("error", "unknown", "error", 3),
        ("error", "silenced", "info", 0),
        ("error", "skipped", "info", 0),
        ("error", "passed", "info", 0),
        ("warning", "failed", "error", 0),
        ("warning", "failed", "warning", 3),
        ("error", "failed", "warning", 3),
        ("info", "failed", "warning", 0),
        ("info", "failed", "info", 3),
    ],
)
def test_the_exit_status(level: Any, state: Any, fail_level: Any, expected: int) -> None:
    report = Report(results=(result("S001", level, state),), seconds=0)
    assert report.exit_status(fail_level) == expected


def test_a_refused_start_says_everything_at_once() -> None:
    text = refusal_text(
        [
            result("S003", "error", message="Debug is on.", fix="set DEBUG=false."),
            result("D001", "error", message="1 migration is not applied: 0004.", fix="run `x`."),
        ]
    )
    assert text == (
        "Mainstay will not start in production:\n"
        "  Debug is on.                         Set DEBUG=false.\n"
        "  1 migration is not applied: 0004.    Run `x`."
    )
