"""The settings of the application as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from mainstay.core.settings.faults import Fault
from mainstay.core.settings.markers import Names
from mainstay.core.settings.section import Section, Settings
from mainstay.core.settings.values import (
    Email,
    Host,
    HostPatterns,
    Networks,
    Origins,
    PathPrefix,
    RedisUrl,
    Size,
    TrustedProxies,
    WebUrl,
    host_of,
)

_SHORT = {"local": "development", "dev": "development", "prod": "production"}


def _full_name(value: Any) -> Any:
    return _SHORT.get(value.strip().lower(), value) if isinstance(value, str) else value


def _in_development(data: dict[str, Any]) -> bool:
    return bool(data["ENVIRONMENT"] == "development")


def _log_format(data: dict[str, Any]) -> Literal["console", "json"]:
    return "console" if _in_development(data) else "json"


def _allowed_hosts(data: dict[str, Any]) -> tuple[str, ...]:
    return (host_of(data["PUBLIC_URL"]),) if data["PUBLIC_URL"] else ()


class ApplicationSettings(Section):
    """What the application is called, where it answers, and whom it trusts."""

    PROJECT_NAME: Annotated[str, Field(min_length=1)] = "Mainstay"
    """The product's name, in mails, pages and the API documentation."""

    VERSION: Annotated[str, Field(min_length=1)] = "0.1.0"
    """The product's version, in the API documentation."""

    ENVIRONMENT: Annotated[
        Literal["development", "staging", "production"],
        BeforeValidator(_full_name),
        Names("FASTAPI_ENV"),
    ] = "development"
    """Where this runs; production refuses to start with unsafe settings."""

    DEBUG: bool = False
    """Show code and settings on error pages; never in production."""

    HOST: Host = "127.0.0.1"
    """The address to listen on; 0.0.0.0 is every one, as in a container."""

    PORT: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port to listen on."""

    WEB_CONCURRENCY: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many processes answer; only one yet, as limits and messages live in the process."""

    API_DOCS: Literal["swagger", "redoc", "off"] = "swagger"
    """Which pages of API documentation are served."""

    MAX_BODY_SIZE: Annotated[Size, Field(ge=1)] = 10 * 1024 * 1024
    """The largest request body; uploads have a limit of their own."""

    SUPERUSER_EMAIL: Email | None = None
    """The address of the first administrator, made at the first start."""

    SUPERUSER_PASSWORD: SecretStr | None = None
    """The password of the first administrator."""

    ADMIN_ALLOW: Networks = ()
    """The networks that reach the console; every one where it is not set."""

    RUN_MIGRATIONS: bool = Field(default_factory=_in_development)
    """Apply migrations when the server starts; true in development, else false."""

    API_V1_PREFIX: Annotated[PathPrefix, Names("API_V1_STR")] = "/api/v1"
    """The path before all routes of the API."""

    FRONTEND_URL: Annotated[WebUrl | None, Names("FRONTEND_BASE_URL")] = None
    """Where the frontend is; links in mails lead there, else to built-in pages."""

    PUBLIC_URL: Annotated[WebUrl | None, Names("FASTAPI_PUBLIC_URL")] = None
    """Where people reach this server from outside."""

    TRUSTED_PROXIES: Annotated[TrustedProxies, Names("FORWARDED_ALLOW_IPS")] = ()
    """The proxies whose forwarding headers count: networks, or how many stand in front."""

    ALLOWED_HOSTS: HostPatterns = Field(default_factory=_allowed_hosts)
    """The hosts that are served; that of PUBLIC_URL where it is not set, without both every one."""

    JSON_CASE: Literal["snake"] = "snake"
    """How the members of JSON bodies are written; snake_case is the only way yet."""

    DATA_DIR: Path = Path("var")
    """The folder for the SQLite file, files, and the secret key of development."""

    SECRET_KEY: Annotated[SecretStr | None, Names("JWT_SECRET")] = None
    """Signs tokens and links, at least 32 bytes; made by `mainstay secret`."""

    SECRET_KEY_FALLBACKS: tuple[SecretStr, ...] = ()
    """Former secret keys that still verify what they signed."""

    CORS_ORIGINS: Annotated[Origins, Names("BACKEND_CORS_ORIGINS", "ALLOWED_ORIGINS")] = ()
    """The origins of browser pages that may call the API with credentials."""

    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """The least severe level that is logged."""

    LOG_FORMAT: Literal["console", "json"] = Field(default_factory=_log_format)
    """How log lines are written; console in development, else json."""

    REDIS_URL: RedisUrl | None = None
    """Where Redis is; kept for later, everything stays in the process yet."""

    @property
    def is_production(self) -> bool:
        """Say whether this is the real thing."""
        return self.ENVIRONMENT == "production"

    @property
    def is_development(self) -> bool:
        """Say whether this is a developer's machine."""
        return self.ENVIRONMENT == "development"

    @property
    def data_dir(self) -> Path:
        """DATA_DIR as an absolute path."""
        return self.DATA_DIR.expanduser().absolute()

    def production_faults(self, settings: Settings) -> Iterable[Fault]:  # noqa: ARG002
        """Refuse debug pages, and credentials for every origin."""
        if self.DEBUG:
            fix = "Set DEBUG=false: error pages would show code and settings."
            yield Fault("DEBUG", "true", "false", fix)
        if "*" in self.CORS_ORIGINS:
            fix = "List the origins of your frontends, as in https://app.example.com."
            yield Fault("CORS_ORIGINS", "'*'", "no wildcard, as credentials are sent", fix)
