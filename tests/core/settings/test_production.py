from __future__ import annotations

import pytest

from mainstay.core.settings import (
    ApplicationSettings,
    Fault,
    Section,
    SettingsError,
    load,
    new_secret,
    production_faults,
    require_startable,
)

UNSAFE = {"DEBUG": "true", "CORS_ORIGINS": "*", "SECRET_KEY": "changethis"}


class DatabaseSettings(Section):
    DATABASE_URL: str | None = None

    def production_faults(self, settings):
        assert settings[DatabaseSettings] is self
        if self.DATABASE_URL is None:
            fix = "Example: postgresql+asyncpg://user:pass@host/shop"
            yield Fault("DATABASE_URL", None, "a database URL", fix)


class QuietSettings(Section):
    COLOUR: str = "red"


def read(environment, **environ):
    return load(
        [ApplicationSettings, QuietSettings, DatabaseSettings],
        environ={"ENVIRONMENT": environment} | environ,
        env_file=None,
    )


def names(settings):
    return [fault.name for fault in production_faults(settings)]


def test_production_refuses_all_at_once_and_asks_every_section():
    assert names(read("production", **UNSAFE)) == [
        "SECRET_KEY",
        "DEBUG",
        "CORS_ORIGINS",
        "DATABASE_URL",
    ]


def test_staging_refuses_a_weak_secret_only():
    assert names(read("staging", **UNSAFE)) == ["SECRET_KEY"]


def test_development_refuses_nothing():
    assert names(read("development", **UNSAFE)) == []


def test_a_weak_former_key_is_refused_like_a_weak_key():
    settings = read(
        "production", SECRET_KEY=new_secret(), DATABASE_URL="x", SECRET_KEY_FALLBACKS="changethis"
    )
    assert names(settings) == ["SECRET_KEY_FALLBACKS"]


def test_safe_settings_start():
    settings = read(
        "production",
        SECRET_KEY=new_secret(),
        DATABASE_URL="x",
        CORS_ORIGINS="https://app.example.com",
        SECRET_KEY_FALLBACKS=new_secret(),
    )
    assert names(settings) == []
    require_startable(settings)


def test_the_failure_reads_as_in_the_documentation():
    with pytest.raises(SettingsError) as caught:
        require_startable(read("production"))
    assert str(caught.value) == (
        "Mainstay will not start in production:\n"
        "  SECRET_KEY is not set.      Run `mainstay secret` and put the result in SECRET_KEY.\n"
        "  DATABASE_URL is not set.    Example: postgresql+asyncpg://user:pass@host/shop"
    )


def test_no_fault_holds_the_secret():
    settings = read("production", **UNSAFE)
    assert "changethis" not in repr(production_faults(settings))
