from __future__ import annotations

import importlib
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr

import mainstay
from mainstay.core.settings import ApplicationSettings, Section, SettingsError, load


def read(environ=None, **more):
    return load([ApplicationSettings], environ=environ or {}, env_file=None, **more)


DEFAULTS = {
    "PROJECT_NAME": "Mainstay",
    "ENVIRONMENT": "development",
    "DEBUG": False,
    "HOST": "127.0.0.1",
    "PORT": 8000,
    "WEB_CONCURRENCY": 1,
    "API_DOCS": "swagger",
    "MAX_BODY_SIZE": 10 * 1024 * 1024,
    "SUPERUSER_EMAIL": None,
    "SUPERUSER_PASSWORD": None,
    "ADMIN_ALLOW": (),
    "RUN_MIGRATIONS": True,
    "API_V1_PREFIX": "/api/v1",
    "FRONTEND_URL": None,
    "PUBLIC_URL": None,
    "TRUSTED_PROXIES": (),
    "ALLOWED_HOSTS": (),
    "JSON_CASE": "snake",
    "DATA_DIR": Path("./var"),
    "SECRET_KEY": None,
    "SECRET_KEY_FALLBACKS": (),
    "CORS_ORIGINS": (),
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "console",
    "REDIS_URL": None,
}


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_missing_setting_means_the_safe_value(name, value):
    assert getattr(read(), name) == value


def test_every_default_is_stated_here():
    assert set(ApplicationSettings.model_fields) == {*DEFAULTS, "VERSION"}


@pytest.mark.parametrize(
    ("alias", "text", "name", "value"),
    [
        ("API_V1_STR", "api/v2/", "API_V1_PREFIX", "/api/v2"),
        (
            "FRONTEND_BASE_URL",
            "https://app.example.com/",
            "FRONTEND_URL",
            "https://app.example.com",
        ),
        ("FASTAPI_PUBLIC_URL", "https://example.com", "PUBLIC_URL", "https://example.com"),
        ("FASTAPI_ENV", "production", "ENVIRONMENT", "production"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/8", "TRUSTED_PROXIES", (ip_network("10.0.0.0/8"),)),
        ("JWT_SECRET", "x", "SECRET_KEY", SecretStr("x")),
        ("BACKEND_CORS_ORIGINS", '["http://a"]', "CORS_ORIGINS", ("http://a",)),
        ("ALLOWED_ORIGINS", "http://a/,http://b", "CORS_ORIGINS", ("http://a", "http://b")),
    ],
)
def test_names_of_existing_backends_are_read(alias, text, name, value):
    settings = read({alias: text})
    assert getattr(settings, name) == value
    entry = next(entry for entry in settings.entries() if entry.name == name)
    assert entry.source == f"environment ({alias})"
    assert alias in entry.aliases


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ENVIRONMENT", "Local", "development"),
        ("ENVIRONMENT", "prod", "production"),
        ("ENVIRONMENT", "STAGING", "staging"),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("MAX_BODY_SIZE", "1.5mb", 1536 * 1024),
        ("ADMIN_ALLOW", "10.0.0.0/8", (ip_network("10.0.0.0/8"),)),
        ("TRUSTED_PROXIES", "2", 2),
        ("ALLOWED_HOSTS", "Example.com,*.example.com", ("example.com", "*.example.com")),
        ("SECRET_KEY_FALLBACKS", "a,b", (SecretStr("a"), SecretStr("b"))),
        ("API_DOCS", "off", "off"),
        ("API_V1_PREFIX", "/", ""),
    ],
)
def test_values_are_brought_to_one_form(name, text, value):
    assert getattr(read({name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "takes"),
    [
        ("PORT", "eighty", "a whole number from 1 to 65535"),
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("PORT", "tcp://0.0.0.0:80", "a whole number from 1 to 65535"),
        ("WEB_CONCURRENCY", "0", "a whole number from 1 to 1024"),
        ("HOST", "http://x", "an IP address or a host name"),
        ("PROJECT_NAME", "", "text of length 1 or more"),
        ("ENVIRONMENT", "test", "development, staging or production"),
        ("MAX_BODY_SIZE", "0", "a size such as 512kb, 10mb or 1gb"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "networks such as 10.0.0.0/8, or a number of hops"),
        ("ADMIN_ALLOW", "office", "a list of networks such as 10.0.0.0/8,fd00::/8"),
        ("CORS_ORIGINS", "https://x/app", "a list of origins such as https://app.example.com"),
        ("ALLOWED_HOSTS", "https://x", "a list of hosts such as example.com,*.example.com"),
        ("PUBLIC_URL", "example.com", "an address such as https://example.com"),
        ("REDIS_URL", "localhost", "a URL such as redis://localhost:6379/0"),
        ("SUPERUSER_EMAIL", "ada", "an e-mail address"),
        ("API_V1_PREFIX", "/{x}", "a path such as /api/v1"),
    ],
)
def test_a_wrong_value_names_the_setting_and_what_it_takes(name, text, takes):
    with pytest.raises(SettingsError) as caught:
        read({name: text})
    (fault,) = caught.value.faults
    assert (fault.name, fault.got) == (name, repr(text))
    assert fault.takes.startswith(takes)


@pytest.mark.parametrize(
    ("environment", "migrations", "format_"),
    [("development", True, "console"), ("staging", False, "json"), ("production", False, "json")],
)
def test_some_defaults_follow_the_environment(environment, migrations, format_):
    settings = read({"ENVIRONMENT": environment})
    assert settings.RUN_MIGRATIONS is migrations
    written = settings.LOG_FORMAT
    assert written == format_
    opposite = {"RUN_MIGRATIONS": str(not migrations), "LOG_FORMAT": "console"}
    settings = read({"ENVIRONMENT": environment} | opposite)
    assert settings.RUN_MIGRATIONS is not migrations
    assert settings.LOG_FORMAT == "console"


def test_the_served_hosts_default_to_that_of_the_public_url():
    assert read({"PUBLIC_URL": "https://Shop.example:8443/x"}).ALLOWED_HOSTS == ("shop.example",)
    environ = {"PUBLIC_URL": "https://shop.example", "ALLOWED_HOSTS": "a"}
    assert read(environ).ALLOWED_HOSTS == ("a",)


def test_the_environment_wins_over_what_fastapi_sets():
    settings = read({"ENVIRONMENT": "production", "FASTAPI_ENV": "development"})
    assert settings[ApplicationSettings].is_production
    assert settings.notices == ()


def test_a_kubernetes_service_named_like_us_changes_no_port():
    injected = {
        "MAINSTAY_PORT": "tcp://10.0.0.7:80",
        "MAINSTAY_PORT_80_TCP": "tcp://10.0.0.7:80",
        "MAINSTAY_SERVICE_PORT": "80",
    }
    settings = read(injected)
    assert (settings.PORT, settings.notices) == (8000, ())
    assert read(injected | {"PORT": "9000"}).PORT == 9000


def test_the_kind_of_environment_and_the_data_folder_are_at_hand(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    application = read()[ApplicationSettings]
    assert application.is_development
    assert not application.is_production
    assert application.data_dir == tmp_path / "var"
    assert read({"DATA_DIR": "~/x"})[ApplicationSettings].data_dir == tmp_path / "home" / "x"


def own_sections():
    root = Path(mainstay.__file__).parent
    for path in [*root.glob("**/settings.py"), *root.glob("core/settings/*.py")]:
        parts = path.relative_to(root.parent).with_suffix("").parts
        module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Section):
                yield value


def test_every_setting_of_ours_is_described_in_a_line():
    sections = set(own_sections())
    assert ApplicationSettings in sections
    poor = [
        f"{section.__name__}.{name}"
        for section in sections
        for name, field in section.model_fields.items()
        if not field.description or not field.description.endswith((".", ")"))
    ]
    assert poor == []
