"""The secret key in .env."""

import os
import stat

import pytest

from mainstay.cli.console import CommandError
from mainstay.cli.env_file import write_secret


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".env"


def test_a_file_is_made_for_its_owner_only(path):
    old = os.umask(0)
    try:
        assert write_secret(path, "fresh", force=False) is False
    finally:
        os.umask(old)
    assert path.read_text() == "SECRET_KEY=fresh\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("PORT=1", "PORT=1\nSECRET_KEY=fresh\n"),
        ("#SECRET_KEY=\nPORT=1\n", "#SECRET_KEY=\nPORT=1\nSECRET_KEY=fresh\n"),
        ("A=1\nSECRET_KEY=\nB=2\n", "A=1\nSECRET_KEY=fresh\nB=2\n"),
        ('SECRET_KEY=""\nB=2\n', "SECRET_KEY=fresh\nB=2\n"),
        ("SECRET_KEY_FALLBACKS=x\n", "SECRET_KEY_FALLBACKS=x\nSECRET_KEY=fresh\n"),
    ],
)
def test_all_else_stays(path, before, after):
    path.write_text(before)
    assert write_secret(path, "fresh", force=False) is False
    assert path.read_text() == after


KEYS = ["SECRET_KEY=old", "export SECRET_KEY='old'", "MAINSTAY_SECRET_KEY=old", "JWT_SECRET=old"]


@pytest.mark.parametrize("line", KEYS)
def test_a_key_is_never_overwritten_unasked(path, line):
    path.write_text(f"A=1\n{line}\n")
    with pytest.raises(CommandError, match="--force"):
        write_secret(path, "fresh", force=False)
    assert path.read_text() == f"A=1\n{line}\n"


@pytest.mark.parametrize("line", KEYS)
def test_force_replaces_it_under_whatever_name(path, line):
    path.write_text(f"{line}\nA=1\n{line}\n")
    path.chmod(0o644)
    assert write_secret(path, "fresh", force=True) is True
    assert path.read_text() == "SECRET_KEY=fresh\nA=1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [".env"]


def test_a_file_that_cannot_be_read_is_named(path):
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match=r"\.env"):
        write_secret(path, "fresh", force=True)
