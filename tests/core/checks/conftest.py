"""Ports with nothing but settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mainstay.core.ports import Ports
from mainstay.core.settings import ApplicationSettings, Section, Settings

if TYPE_CHECKING:
    from collections.abc import Callable


class AccountSettings(Section):
    """Stands for the sections of features, which the core reads by name alone."""

    ACCESS_TOKEN_EXPIRE_MINUTES: int = 30
    REGISTRATION_ENABLED: bool = True
    REQUIRE_EMAIL_VERIFICATION: bool = True
    PASSWORD_MIN_LENGTH: int = 15
    PASSWORD_HASHER: str = "argon2id"
    ACCOUNT_LOCKOUT_THRESHOLD: int = 5
    RATE_LIMIT_ENABLED: bool = True
    DB_QUERY_TIMEOUT: float = 30


@pytest.fixture
def ports_with() -> Callable[..., Ports]:
    """Make ports whose settings are good for production but for what is given."""

    def make(**values: Any) -> Ports:
        own = {name: values.pop(name) for name in AccountSettings.model_fields if name in values}
        good = {
            "ENVIRONMENT": "production",
            "SECRET_KEY": "p9Zx4Lr7Qm2Vt8Wn5Bk3Hs6Jd1Fg0Cy-XaUeIoTb",
            "PUBLIC_URL": "https://shop.example",
        }
        ports = Ports()
        sections = [ApplicationSettings(**{**good, **values}), AccountSettings(**own)]
        ports.add(Settings, Settings(sections))
        return ports

    return make


@pytest.fixture
def bare_ports() -> Ports:
    """Give ports of an application without any feature."""
    ports = Ports()
    ports.add(Settings, Settings([ApplicationSettings()]))
    return ports
