from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from mainstay.core.db.settings import DatabaseSettings
from mainstay.core.settings import SettingsError, load


def test_the_default_is_a_file_in_the_data_folder(tmp_path):
    assert DatabaseSettings().url(tmp_path).file == tmp_path / "mainstay.db"


def test_a_given_url_does_not_depend_on_the_folder():
    settings = DatabaseSettings(DATABASE_URL="sqlite:///here.db")
    assert settings.url(Path("/elsewhere")).file == Path("here.db")


def test_the_defaults_of_the_specification():
    settings = DatabaseSettings()
    assert settings.DB_POOL_SIZE == 20
    assert settings.DB_MAX_OVERFLOW == 10
    assert settings.DB_POOL_TIMEOUT == 30
    assert settings.DB_POOL_RECYCLE == 3600
    assert settings.DB_QUERY_TIMEOUT == 30
    assert settings.DB_PGBOUNCER is False


@pytest.mark.parametrize(
    "values",
    [
        {"DATABASE_URL": "nonsense"},
        {"DATABASE_REPLICA_URL": "http://example.com"},
        {"DB_POOL_SIZE": 0},
        {"DB_POOL_TIMEOUT": 0},
        {"DB_QUERY_TIMEOUT": -1},
    ],
)
def test_wrong_values_are_refused(values):
    with pytest.raises(ValidationError):
        DatabaseSettings(**values)


def test_production_wants_a_named_database():
    (fault,) = DatabaseSettings().production_faults(None)
    assert (fault.name, fault.got) == ("DATABASE_URL", None)
    assert not list(DatabaseSettings(DATABASE_URL="sqlite:////srv/a.db").production_faults(None))


def _load(**environ):
    return load([DatabaseSettings], environ=environ, env_file=None)[DatabaseSettings]


def test_names_in_the_environment():
    assert _load(DATABASE_URL_ASYNC="postgres://h/s").DATABASE_URL == "postgres://h/s"
    assert _load(DATABASE_URL="postgres://h/a", DATABASE_URL_ASYNC="x").DATABASE_URL.endswith("/a")


def test_a_wrong_url_is_told_without_its_password():
    with pytest.raises(SettingsError) as caught:
        _load(DATABASE_URL="postgresql://ada:hunter2@h:port/shop")
    assert "DATABASE_URL got " in str(caught.value)
    assert "hunter2" not in str(caught.value)
