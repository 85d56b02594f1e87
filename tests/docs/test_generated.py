"""What the documentation says of settings, errors, checks and commands is what the code has.

``UPDATE_DOCS=1 pytest tests/docs/test_generated.py`` writes the files anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.docs.generating import (
    GENERATED,
    ROOT,
    environment_file,
    error_kinds,
    findings_of,
    sections,
    stock,
    with_generated,
)

from mainstay.core.assembly import assembly_of
from mainstay.core.checks.runner import all_checks
from mainstay.core.settings import load

UPDATE = bool(os.environ.get("UPDATE_DOCS"))
HINT = "run UPDATE_DOCS=1 pytest tests/docs/test_generated.py"


@pytest.mark.parametrize("name", GENERATED)
def test_that_the_generated_part_of_a_page_is_current(name: str) -> None:
    page = ROOT / name
    text = page.read_text("utf-8")
    wanted = with_generated(text, GENERATED[name]())
    if UPDATE:
        page.write_text(wanted, "utf-8")
    else:
        assert text == wanted, HINT


def test_that_the_example_of_the_environment_is_current() -> None:
    file = ROOT / ".env.example"
    if UPDATE:
        file.write_text(environment_file(), "utf-8")
    assert file.read_text("utf-8") == environment_file(), HINT


def test_that_the_example_of_the_environment_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#(?=[A-Z])", "", environment_file(), flags=re.MULTILINE), "utf-8")
    loaded = load(sections(), environ={}, env_file=file)
    plain = load(sections(), environ={}, env_file=None)
    assert {entry.source for entry in loaded.entries()} == {".env", "default"}
    assert list(map(repr, loaded.sections)) == list(map(repr, plain.sections))


def test_that_every_check_says_something() -> None:
    checks = all_checks(assembly_of(stock()).ports)
    silent = [check.id for check in checks if not findings_of(check)]
    assert silent == []


def test_that_every_error_code_is_on_its_page() -> None:
    page = (ROOT / "docs/errors.md").read_text("utf-8")
    assert [code for code in error_kinds() if f"`{code}`" not in page] == []


def test_that_a_page_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="the page needs one"):
        with_generated("# Settings\n", "text\n")
