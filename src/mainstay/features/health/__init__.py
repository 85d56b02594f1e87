"""Health: whether the process lives, may be sent requests, and which of its parts answer."""

from mainstay.features.health.feature import feature
from mainstay.features.health.service import Health, Readiness
from mainstay.features.health.settings import HealthSettings

__all__ = ["Health", "HealthSettings", "Readiness", "feature"]
