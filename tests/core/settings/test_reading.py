from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import SecretStr

from mainstay.core.settings import Names, Section, SettingsError, load


class Shop(Section):
    NAME: Annotated[str, Names("TITLE", "LABEL", "FASTAPI_LABEL")] = "default"
    COUNT: int = 1
    MODE: Literal["fast", "slow"] = "fast"
    NOTE: str | None = None
    TAGS: tuple[str, ...] = ("a",)
    MAIL_PORT: int = 587
    STRIPE_KEY: SecretStr | None = None
    CALLBACK_URL: str = ""
    SIGNING_KEY: str | None = None
    SIGNING_KEY_FILE: str | None = None


def read(environ=None, *, dotenv=None, tmp_path=None, overrides=None):
    env_file = None
    if dotenv is not None:
        env_file = tmp_path / ".env"
        env_file.write_text(dotenv, encoding="utf-8")
    return load([Shop], environ=environ or {}, env_file=env_file, overrides=overrides)


def entry(settings, name):
    return next(entry for entry in settings.entries() if entry.name == name)


def test_the_first_source_wins(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    environ = {"STRIPE_KEY_FILE": str(secret)}
    dotenv = "MAINSTAY_STRIPE_KEY=prefixed in the file\nSTRIPE_KEY=in the file\n"
    layers = [
        ({}, "", {}, None, "default"),
        ({}, "STRIPE_KEY=in the file", {}, "in the file", ".env"),
        ({}, dotenv, {}, "prefixed in the file", ".env (MAINSTAY_STRIPE_KEY)"),
        (environ, dotenv, {}, "from a file", "file"),
        (environ | {"STRIPE_KEY": "plain"}, dotenv, {}, "plain", "environment"),
        (
            environ | {"STRIPE_KEY": "plain", "MAINSTAY_STRIPE_KEY": "prefixed"},
            dotenv,
            {},
            "prefixed",
            "environment (MAINSTAY_STRIPE_KEY)",
        ),
        ({"MAINSTAY_STRIPE_KEY": "prefixed"}, dotenv, {"STRIPE_KEY": "given"}, "given", "override"),
    ]
    for env, text, overrides, value, source in layers:
        settings = read(env, dotenv=text, tmp_path=tmp_path, overrides=overrides)
        key = settings.STRIPE_KEY
        assert (key and key.get_secret_value()) == value
        assert entry(settings, "STRIPE_KEY").source == source
        assert settings.notices == ()


def test_the_own_name_wins_over_further_names_in_any_layer_with_one_notice(tmp_path):
    settings = read(
        {"TITLE": "title", "MAINSTAY_LABEL": "label"}, dotenv="NAME=name\n", tmp_path=tmp_path
    )
    assert settings.NAME == "name"
    assert settings.notices == ("NAME and TITLE and LABEL are both set; NAME is used.",)


def test_among_further_names_the_first_wins(tmp_path):
    settings = read({"LABEL": "label"}, dotenv="TITLE=title\n", tmp_path=tmp_path)
    assert settings.NAME == "title"
    assert entry(settings, "NAME").source == ".env (TITLE)"
    assert len(settings.notices) == 1


def test_a_name_that_fastapi_itself_sets_is_no_rival():
    settings = read({"NAME": "name", "FASTAPI_LABEL": "other"})
    assert (settings.NAME, settings.notices) == ("name", ())
    assert read({"FASTAPI_LABEL": "other"}).NAME == "other"


def test_an_override_under_a_further_name_wins_over_all():
    settings = read({"NAME": "name"}, overrides={"TITLE": "title"})
    assert settings.NAME == "title"
    assert entry(settings, "NAME").source == "override (TITLE)"


def test_an_unknown_override_is_a_fault():
    with pytest.raises(SettingsError, match=r"CONT got a value, takes none.*Did you mean COUNT"):
        read(overrides={"CONT": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("COUNT", 1), ("MODE", "fast"), ("NOTE", None), ("TAGS", ("a",)), ("STRIPE_KEY", None)],
)
@pytest.mark.parametrize("empty", ["", "  "])
def test_empty_means_unset_where_text_is_not_asked_for(name, value, empty):
    settings = read({name: empty})
    assert getattr(settings, name) == value
    assert entry(settings, name).source == "default"


def test_an_empty_text_is_a_text():
    assert read({"NAME": ""}).NAME == ""


def test_an_empty_variable_lets_the_next_layer_speak(tmp_path):
    assert read({"COUNT": ""}, dotenv="COUNT=5", tmp_path=tmp_path).COUNT == 5


def test_names_are_found_in_any_case_and_upper_case_wins(tmp_path):
    assert read({"count": "3"}).COUNT == 3
    assert read({"count": "3", "COUNT": "4"}).COUNT == 4
    assert read(dotenv="Count=5", tmp_path=tmp_path).COUNT == 5


def test_secrets_and_addresses_are_read_from_files(tmp_path):
    file = tmp_path / "value"
    file.write_bytes(b" https://x \r\n")
    assert read({"CALLBACK_URL_FILE": str(file)}).CALLBACK_URL == " https://x "
    assert (
        read({"MAINSTAY_STRIPE_KEY_FILE": str(file)}).STRIPE_KEY.get_secret_value() == " https://x "
    )
    assert read({"NAME_FILE": str(file)}).NAME == "default"


def test_a_field_of_its_own_is_no_file_of_another(tmp_path):
    settings = read({"SIGNING_KEY_FILE": str(tmp_path / "none")})
    assert (tmp_path / "none").name in settings.SIGNING_KEY_FILE
    assert settings.SIGNING_KEY is None


def test_an_empty_file_means_unset(tmp_path):
    file = tmp_path / "value"
    file.write_text("\n")
    assert read({"STRIPE_KEY_FILE": str(file)}).STRIPE_KEY is None
    assert read({"STRIPE_KEY_FILE": ""}).STRIPE_KEY is None


@pytest.mark.parametrize("kind", ["missing", "folder", "binary", "huge"])
def test_a_file_that_cannot_be_read_is_one_fault(tmp_path, kind):
    path = tmp_path / "value"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\xff" if kind == "binary" else b"a" * (1024 * 1024 + 1))
    with pytest.raises(SettingsError) as caught:
        read({"STRIPE_KEY_FILE": str(path)})
    (fault,) = caught.value.faults
    reasons = {"missing": "is not there", "folder": "folder", "binary": "UTF-8", "huge": "bytes"}
    assert fault.name == "STRIPE_KEY_FILE"
    assert reasons[kind] in fault.got


def test_a_file_behind_a_name_that_loses_is_not_opened():
    assert read({"STRIPE_KEY": "x", "STRIPE_KEY_FILE": "/nowhere/at/all"}).STRIPE_KEY


def test_the_env_file_is_read_as_python_dotenv_does(tmp_path):
    dotenv = (
        "\ufeff# a comment\nexport COUNT=7 # why\nNAME='a # b'\nNOTE=\"line\\nline\"\n"
        "HOME_NAME=shop\nTAGS=${HOME_NAME},${USER},${NONE:-c}\nSTRIPE_KEY\n"
    )
    settings = read({"USER": "ada", "HOME_NAME": "other"}, dotenv=dotenv, tmp_path=tmp_path)
    assert (settings.COUNT, settings.NAME, settings.NOTE) == (7, "a # b", "line\nline")
    assert settings.TAGS == ("shop", "ada", "c")
    assert settings.STRIPE_KEY is None


def test_a_line_that_cannot_be_read_is_a_notice_without_its_text(tmp_path):
    settings = read(dotenv="NAME=x\nSTRIPE_KEY='hunter2\nCOUNT=3\n", tmp_path=tmp_path)
    assert settings.COUNT == 3
    assert settings.notices == (".env line 2 cannot be read and is left out.",)


def test_a_missing_env_file_and_a_folder_of_that_name_are_nothing(tmp_path):
    (tmp_path / ".env").mkdir()
    for name in (".env", "other"):
        assert load([Shop], environ={}, env_file=tmp_path / name).COUNT == 1


def test_an_env_file_in_another_encoding_is_a_fault(tmp_path):
    path = tmp_path / ".env"
    path.write_text("COUNT=1", encoding="utf-16")
    with pytest.raises(SettingsError, match="UTF-8"):
        load([Shop], environ={}, env_file=path)


def test_unknown_prefixed_names_get_a_notice_with_a_suggestion(tmp_path):
    settings = read(
        {"MAINSTAY_CONT": "3", "MAINSTAY_XYZZY": "1", "CONT": "3"},
        dotenv="MAINSTAY_STRIPE_KEYS=x\nMAINSTAY_CONT=4",
        tmp_path=tmp_path,
    )
    says = "is not a setting and changes nothing."
    assert settings.notices == (
        f"MAINSTAY_CONT {says} Did you mean MAINSTAY_COUNT?",
        f"MAINSTAY_XYZZY {says}",
        f"MAINSTAY_STRIPE_KEYS {says} Did you mean MAINSTAY_STRIPE_KEY?",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAINSTAY_PORT", "tcp://10.0.0.7:80"),
        ("MAINSTAY_PORT_80_TCP_ADDR", "10.0.0.7"),
        ("MAINSTAY_SERVICE_HOST", "10.0.0.7"),
        ("MAINSTAY_SERVICE_PORT_HTTP", "80"),
        ("MAINSTAY_REDIS_PORT", "tcp://10.0.0.8:6379"),
        ("MAINSTAY_REDIS_PORT_6379_TCP", "tcp://10.0.0.8:6379"),
        ("MAINSTAY_REDIS_SERVICE_HOST", "10.0.0.8"),
        ("MAINSTAY_TEST_POSTGRES_URL", "postgresql://localhost"),
        ("MAINSTAY_SKIP_CHECKS", "D004"),
        ("MAINSTAY_SUPERUSER_PASSWORD", "x"),
        ("MAINSTAY_COUNT", "3"),
        ("MAINSTAY_TITLE", "x"),
        ("MAINSTAY_STRIPE_KEY_FILE", ""),
    ],
)
def test_names_of_others_get_no_notice(name, value):
    assert read({name: value}).notices == ()


def test_what_kubernetes_says_of_a_service_is_no_port_of_ours():
    assert read({"MAIL_PORT": "tcp://10.0.0.7:25"}).MAIL_PORT == 587
    assert read({"MAIL_PORT": "25"}).MAIL_PORT == 25


def test_the_process_environment_is_read_when_none_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("MAINSTAY_COUNT", "9")
    monkeypatch.chdir(tmp_path)
    assert load([Shop]).COUNT == 9
    (tmp_path / ".env").write_text("NAME=beside")
    assert load([Shop]).NAME == "beside"
