"""What forbids a start outside development, over all sections at once."""

from __future__ import annotations

from mainstay.core.settings.application import ApplicationSettings
from mainstay.core.settings.faults import Fault, SettingsError
from mainstay.core.settings.secret import secret_faults
from mainstay.core.settings.section import Settings


def production_faults(settings: Settings) -> tuple[Fault, ...]:
    """Give every reason not to start: none in development, the secret key's in staging.

    In production each section adds its own by ``Section.production_faults``.
    """
    application = settings[ApplicationSettings]
    if application.is_development:
        return ()
    faults = list(secret_faults(settings))
    if application.is_production:
        for section in settings.sections:
            faults += section.production_faults(settings)
    return tuple(faults)


def require_startable(settings: Settings) -> None:
    """Let the start go on, or stop it.

    Raises:
        SettingsError: with everything that ``production_faults`` gives, if that is anything.
    """
    faults = production_faults(settings)
    if faults:
        raise SettingsError(faults, environment=settings[ApplicationSettings].ENVIRONMENT)
