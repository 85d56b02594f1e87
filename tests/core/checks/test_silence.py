"""Silenced and skipped checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mainstay.core.checks.silence import SilenceError, read_silence, skipped_ids

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, text: str) -> Path:
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_reasons_are_read(tmp_path: Path) -> None:
    file = write(tmp_path, '[tool.mainstay.checks]\nsilence = {H003 = "at the load balancer"}\n')
    assert read_silence(file) == {"H003": "at the load balancer"}


@pytest.mark.parametrize("text", ["", "[tool.mainstay]\n", "[tool]\nmainstay = 1\n"])
def test_without_the_table_nothing_is_silenced(tmp_path: Path, text: str) -> None:
    assert read_silence(write(tmp_path, text)) == {}


def test_without_the_file_nothing_is_silenced(tmp_path: Path) -> None:
    assert read_silence(tmp_path / "pyproject.toml") == {}


@pytest.mark.parametrize("value", ['""', '" "', "true", "1"])
def test_a_reason_is_required(tmp_path: Path, value: str) -> None:
    file = write(tmp_path, f"[tool.mainstay.checks]\nsilence = {{H003 = {value}}}\n")
    with pytest.raises(SilenceError, match="H003 is silenced without a reason"):
        read_silence(file)


@pytest.mark.parametrize("text", ['[tool.mainstay.checks]\nsilence = ["H003"]\n', "not toml"])
def test_a_broken_file_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(SilenceError):
        read_silence(write(tmp_path, text))


def test_the_environment_lists_what_is_skipped() -> None:
    assert skipped_ids({"MAINSTAY_SKIP_CHECKS": " D004, H003 ,,"}) == {"D004", "H003"}
    assert skipped_ids({}) == frozenset()
