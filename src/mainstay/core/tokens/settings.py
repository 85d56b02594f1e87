"""Which algorithm signs, and with which key."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mainstay.core.settings import ApplicationSettings, Section, Settings
from mainstay.core.tokens.keys import KeyRingError
from mainstay.core.tokens.ring import KeyRing


class SigningSettings(Section):
    """How tokens are signed."""

    ALGORITHM: Literal["HS256", "EdDSA", "ES256", "RS256"] = "HS256"
    """How access tokens are signed; all but HS256 need SIGNING_KEY_FILE."""

    SIGNING_KEY_FILE: Path | None = None
    """The private key, as a PEM file, for an asymmetric algorithm."""

    SIGNING_KEY_FALLBACK_FILES: tuple[Path, ...] = ()
    """Former keys, as PEM files, whose tokens still hold until they expire."""


def ring_of(settings: Settings) -> KeyRing:
    """Build the ring of keys that the settings describe.

    Raises:
        KeyRingError: a key is missing, unreadable or does not fit the algorithm.
    """
    application, signing = settings[ApplicationSettings], settings[SigningSettings]
    if application.SECRET_KEY is None:
        raise KeyRingError("SECRET_KEY is not set")
    secret = application.SECRET_KEY.get_secret_value().encode()
    former = [key.get_secret_value().encode() for key in application.SECRET_KEY_FALLBACKS]
    if signing.ALGORITHM == "HS256":
        return KeyRing.from_secret(secret, fallbacks=former)
    if signing.SIGNING_KEY_FILE is None:
        raise KeyRingError(f"ALGORITHM={signing.ALGORITHM} needs SIGNING_KEY_FILE")
    return KeyRing.from_pem_files(
        signing.SIGNING_KEY_FILE,
        algorithm=signing.ALGORITHM,
        secret=secret,
        fallbacks=list(signing.SIGNING_KEY_FALLBACK_FILES),
        secret_fallbacks=former,
    )
