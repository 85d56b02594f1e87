"""The secret key: what is too weak to be one, and where development has its own from."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from mainstay.core.settings.application import ApplicationSettings
from mainstay.core.settings.faults import Fault, SettingsError
from mainstay.core.settings.section import Settings

MIN_BYTES: Final = 32
"""The least length of a secret key in UTF-8 (RFC 7518, section 3.2, for HS256)."""

_FRESH_BYTES: Final = 48
_FEWEST_CHARACTERS: Final = 8
_FILE_NAME: Final = "secret_key"
_TAKES: Final = f"a random secret of at least {MIN_BYTES} bytes"
_FIX: Final = "Run `mainstay secret` and put the result in SECRET_KEY."

_SAMPLES: Final = frozenset(
    {
        # FastAPI's tutorial, and what jwt.io signs with
        "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        "astringsecretatleast256bitslong",
        "your256bitsecret",
        "your384bitsecret",
        "your512bitsecret",
        "secret",
        "password",
    }
)
"""Well-known keys, in lower case, letters and digits only."""

_SAMPLE_PARTS: Final = (
    "changethis",
    "changeme",
    "changeit",
    "changein",
    "replaceme",
    "replacethis",
    "replacewith",
    "yoursecret",
    "yoursuper",
    "yourjwt",
    "mysecret",
    "supersecret",
    "secretkey",
    "jwtsecret",
    "topsecret",
    "notasecret",
    "notsosecret",
    "insecure",
    "placeholder",
    "donotuse",
    "forproduction",
    "inproduction",
    "fordevelopment",
    "opensslrand",
    "mainstaysecret",
    "abcdefghij",
    "0123456789",
    "1234567890",
    "qwertyuiop",
)
"""Parts of sample keys, of eight characters or more, which a random key has by no chance."""


def new_secret() -> str:
    """Give a fresh secret key: 48 random bytes in URL-safe base64."""
    return secrets.token_urlsafe(_FRESH_BYTES)


def weakness(secret: str) -> str | None:
    """Say what is wrong with a secret key, without showing it; None for a good one."""
    plain = re.sub(r"[^a-z0-9]", "", secret.lower())
    if plain in _SAMPLES or any(part in plain for part in _SAMPLE_PARTS):
        return "one of the sample values"
    size = len(secret.encode("utf-8", "replace"))
    if size < MIN_BYTES:
        return f"a secret of {size} {'byte' if size == 1 else 'bytes'}"
    # A text that is found in its own double before the second half repeats a part of itself.
    repeats = (secret + secret).find(secret, 1) < len(secret)
    if repeats or len(set(secret)) < _FEWEST_CHARACTERS:
        return "a secret that repeats itself"
    return None


def secret_faults(settings: Settings) -> tuple[Fault, ...]:
    """Give what is wrong with the secret key and its fallbacks, in any environment."""
    application = settings[ApplicationSettings]
    faults: list[Fault] = []
    key = application.SECRET_KEY
    got = weakness(key.get_secret_value()) if key else None
    if key is None or got:
        faults.append(Fault("SECRET_KEY", got, _TAKES, _FIX))
    for fallback in application.SECRET_KEY_FALLBACKS:
        if got := weakness(fallback.get_secret_value()):
            fix = "Take it out: whoever guesses it signs tokens."
            faults.append(Fault("SECRET_KEY_FALLBACKS", got, _TAKES, fix))
    return tuple(faults)


def ensure_secret_key(settings: Settings) -> Settings:
    """Give settings that have a secret key.

    Development without one gets a random key, made once and kept in ``DATA_DIR/secret_key``; a
    weak one of its own is a notice there.

    Raises:
        SettingsError: outside development the key is missing or weak; or the file of development
            cannot be written, or holds no usable key.
    """
    application = settings[ApplicationSettings]
    faults = secret_faults(settings)
    if faults and not application.is_development:
        raise SettingsError(faults, environment=application.ENVIRONMENT)
    weak = [
        f"{fault.name} is {fault.got}. Staging and production refuse it. {fault.fix}"
        for fault in faults
        if fault.got is not None
    ]
    if application.SECRET_KEY is not None:
        return settings.replaced({}, source="", notices=weak)
    key = SecretStr(_kept_secret(application.data_dir))
    return settings.replaced({"SECRET_KEY": key}, source="generated", notices=weak)


def _kept_secret(folder: Path) -> str:
    path = folder / _FILE_NAME
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _create(path)
        _close_to_others(path)
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        got = f"{str(folder)!r} ({error.strerror})"
        fix = "Set SECRET_KEY, or DATA_DIR to another folder."
        fault = Fault("DATA_DIR", got, "a folder in which a secret key can be kept", fix)
    else:
        weak = weakness(text)
        if weak is None:
            return text
        fix = "Delete it; the next start makes a new one."
        fault = Fault(str(path), weak, _TAKES, fix)
    raise SettingsError([fault])


def _create(path: Path) -> None:
    """Put a whole key there, or leave the one that another process put there first.

    The key is written under another name and linked: a process killed at any point leaves no
    half-written key, and a link, unlike a rename, never takes the place of a key in use.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_secret())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        except OSError:
            # Some file systems have no links. There, two first starts at once may disagree.
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _close_to_others(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        with suppress(PermissionError):
            path.chmod(0o600)
