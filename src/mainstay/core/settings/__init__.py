"""Typed settings in sections, from the environment, files and ``.env``; faults all at once."""

from mainstay.core.settings.application import ApplicationSettings
from mainstay.core.settings.example import env_example
from mainstay.core.settings.faults import Fault, SettingsError, failure_text
from mainstay.core.settings.loading import load
from mainstay.core.settings.markers import Names, Shown, Takes
from mainstay.core.settings.production import production_faults, require_startable
from mainstay.core.settings.secret import ensure_secret_key, new_secret, weakness
from mainstay.core.settings.section import Entry, Section, Settings
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
    parse_size,
)

__all__ = [
    "ApplicationSettings",
    "Email",
    "Entry",
    "Fault",
    "Host",
    "HostPatterns",
    "Names",
    "Networks",
    "Origins",
    "PathPrefix",
    "RedisUrl",
    "Section",
    "Settings",
    "SettingsError",
    "Shown",
    "Size",
    "Takes",
    "TrustedProxies",
    "WebUrl",
    "ensure_secret_key",
    "env_example",
    "failure_text",
    "load",
    "new_secret",
    "parse_size",
    "production_faults",
    "require_startable",
    "weakness",
]
