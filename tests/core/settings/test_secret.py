from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.settings import (
    ApplicationSettings,
    SettingsError,
    ensure_secret_key,
    load,
    new_secret,
    weakness,
)

FIX = "Run `mainstay secret` and put the result in SECRET_KEY."
GOOD = "kX2vQ8-9TfLw3ZrB7nYc_5HdJ1mPaUe4GsRo6tVi"


def read(tmp_path, **environ):
    environ = {"DATA_DIR": str(tmp_path / "var")} | environ
    return load([ApplicationSettings], environ=environ, env_file=None)


def secret_of(settings):
    return settings.SECRET_KEY.get_secret_value()


def test_a_fresh_secret_is_strong_and_never_the_same():
    fresh = {new_secret() for _ in range(100)}
    assert len(fresh) == 100
    assert all(weakness(secret) is None and len(secret) == 64 for secret in fresh)


@pytest.mark.parametrize(
    ("secret", "got"),
    [
        ("", "a secret of 0 bytes"),
        ("x", "a secret of 1 byte"),
        (GOOD[:31], "a secret of 31 bytes"),
        ("changethis", "one of the sample values"),
        ("secret", "one of the sample values"),
        ("your-secret-key", "one of the sample values"),
        ("Change_Me-in-production-please-0815", "one of the sample values"),
        (
            "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
            "one of the sample values",
        ),
        ("a-string-secret-at-least-256-bits-long", "one of the sample values"),
        ("$(openssl rand -hex 32) and some more", "one of the sample values"),
        ("django-insecure-" + GOOD, "one of the sample values"),
        ("a" * 64, "a secret that repeats itself"),
        ("k7Gq" * 16, "a secret that repeats itself"),
        ("ababababababababababababababababcabc", "a secret that repeats itself"),
    ],
)
def test_weak_secrets_are_known(secret, got):
    assert weakness(secret) == got


@given(st.text(max_size=7) | st.text(max_size=40).map(lambda text: text * 2))
def test_short_and_repeated_text_is_weak(text):
    assert weakness(text) is not None


def test_32_bytes_are_enough():
    assert weakness(GOOD[:32]) is None
    assert weakness("ä" * 8 + GOOD[:16]) is None


def test_development_makes_one_and_keeps_it(tmp_path):
    first = ensure_secret_key(read(tmp_path))
    path = tmp_path / "var" / "secret_key"
    assert secret_of(first) == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret_of(ensure_secret_key(read(tmp_path))) == secret_of(first)
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]
    entry = next(entry for entry in first.entries() if entry.name == "SECRET_KEY")
    assert (entry.source, entry.value) == ("generated", "********")
    assert first.notices == ()


def test_another_project_gets_another(tmp_path):
    secrets = {secret_of(ensure_secret_key(read(tmp_path / name))) for name in "abc"}
    assert len(secrets) == 3


def test_a_kept_secret_is_closed_to_others(tmp_path):
    secret = secret_of(ensure_secret_key(read(tmp_path)))
    path = tmp_path / "var" / "secret_key"
    path.chmod(0o644)
    assert secret_of(ensure_secret_key(read(tmp_path))) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_starts_at_the_same_time_agree(tmp_path):
    barrier = Barrier(16)

    def start(_number):
        settings = read(tmp_path)
        barrier.wait()
        return secret_of(ensure_secret_key(settings))

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(start, range(16)))) == 1


def test_a_start_that_comes_second_takes_the_first_ones_secret(tmp_path, monkeypatch):
    path = tmp_path / "var" / "secret_key"
    link = os.link

    def overtaken(source, target):
        path.write_text(GOOD)
        link(source, target)

    monkeypatch.setattr(os, "link", overtaken)
    assert secret_of(ensure_secret_key(read(tmp_path))) == GOOD
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_a_file_system_without_links_will_do(tmp_path, monkeypatch):
    def refuse(_source, _target):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    secret = secret_of(ensure_secret_key(read(tmp_path)))
    assert secret_of(ensure_secret_key(read(tmp_path))) == secret
    assert [file.name for file in (tmp_path / "var").iterdir()] == ["secret_key"]


@pytest.mark.parametrize("moment", ["fdopen", "fsync", "link"])
def test_a_kill_at_any_moment_leaves_no_secret_that_is_half_there(tmp_path, moment):
    program = textwrap.dedent(f"""
        import os, signal, sys
        from mainstay.core.settings import ApplicationSettings, ensure_secret_key, load
        def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
        os.{moment} = die
        settings = load([ApplicationSettings], environ={{"DATA_DIR": sys.argv[1]}}, env_file=None)
        ensure_secret_key(settings)
    """)
    folder = tmp_path / "var"
    done = subprocess.run([sys.executable, "-c", program, str(folder)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert len(list(folder.iterdir())) == 1
    assert not (folder / "secret_key").exists()
    assert weakness(secret_of(ensure_secret_key(read(tmp_path)))) is None


@pytest.mark.parametrize("content", ["", "\n", "short", "a" * 64, "\xff" * 40])
def test_a_kept_file_without_a_usable_secret_is_refused(tmp_path, content):
    path = tmp_path / "var" / "secret_key"
    path.parent.mkdir()
    path.write_text(content, encoding="latin-1")
    with pytest.raises(SettingsError, match="Delete it; the next start makes a new one"):
        ensure_secret_key(read(tmp_path))


def test_a_data_folder_that_cannot_be_is_a_fault(tmp_path):
    (tmp_path / "var").write_text("a file")
    with pytest.raises(SettingsError, match="DATA_DIR got") as caught:
        ensure_secret_key(read(tmp_path))
    assert caught.value.faults[0].name == "DATA_DIR"
    assert caught.value.__context__ is None


def test_a_weak_one_is_a_notice_in_development(tmp_path):
    settings = ensure_secret_key(read(tmp_path, SECRET_KEY="changethis", SECRET_KEY_FALLBACKS="x"))
    assert secret_of(settings) == "changethis"
    says = "Staging and production refuse it."
    out = "Take it out: whoever guesses it signs tokens."
    assert settings.notices == (
        f"SECRET_KEY is one of the sample values. {says} {FIX}",
        f"SECRET_KEY_FALLBACKS is a secret of 1 byte. {says} {out}",
    )
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("key", [None, "changethis", GOOD[:31]])
def test_a_weak_or_missing_one_stops_the_start_elsewhere(tmp_path, environment, key):
    environ = {"ENVIRONMENT": environment} | ({"SECRET_KEY": key} if key else {})
    with pytest.raises(SettingsError) as caught:
        ensure_secret_key(read(tmp_path, **environ))
    (fault,) = caught.value.faults
    assert (fault.name, fault.fix) == ("SECRET_KEY", FIX)
    assert key is None or key not in str(caught.value)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_a_strong_one_stays(tmp_path, environment):
    settings = read(tmp_path, ENVIRONMENT=environment, SECRET_KEY=GOOD)
    assert list(ensure_secret_key(settings).entries()) == list(settings.entries())
