"""Settings as text that may be shown: secrets masked, passwords in URLs too."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import to_jsonable_python

MASK: Final = "********"
_LONGEST_SHOWN: Final = 80
_SECRET_NAME: Final = re.compile(
    r"(^|_)(KEYS?|PASSWORD|PASSWD|PASSPHRASE|SECRETS?|TOKEN|DSN|CREDENTIALS)$", re.IGNORECASE
)
_SECRET_KEY_OF_JSON: Final = re.compile(
    r"(key|pass|password|passwd|passphrase|secret|token|dsn|credential)s?$", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SECRET_PARAMETER: Final = re.compile(
    r"([?&;][^=&;#]*(?:key|pass|password|passwd|pwd|secret|signature|token)[^=&;#]*=)[^&;#]*",
    re.IGNORECASE,
)


def named_as_secret(name: str) -> bool:
    """Say whether a setting of that name holds a secret, whatever its type says."""
    return _SECRET_NAME.search(name) is not None


def mask_url(text: str) -> str:
    """Mask the password of a URL and its telling parameters; leave other text alone.

    Text that only resembles a URL with a password (a mistyped one) loses all before its last
    ``@``: too much hidden is the lesser fault.
    """
    match = _SCHEME.match(text)
    scheme = match.group() if match else ""
    before, at, after = text.removeprefix(scheme).rpartition("@")
    if at and ":" in before:
        user = f"{before.partition(':')[0]}:" if scheme else ""
        text = f"{scheme}{user}{MASK}@{after}"
    return _SECRET_PARAMETER.sub(rf"\1{MASK}", text)


def show(value: Any) -> str:
    """Give a value the way it would be set, with secrets masked; nothing for None.

    Lists are comma separated where that can be read back, else JSON; so are objects.
    """
    if value is None:
        return ""
    plain = _masked(to_jsonable_python(value, fallback=str))
    if isinstance(plain, list) and all(_fits_in_commas(item) for item in plain):
        return ",".join(_scalar(item) for item in plain)
    if isinstance(plain, list | dict):
        return json.dumps(plain, ensure_ascii=False)
    return _scalar(plain)


def quote(text: str, *, secret: bool) -> str:
    """Give what a variable held for a fault: quoted, shortened, and only the length of a secret."""
    if secret:
        unit = "character" if len(text) == 1 else "characters"
        return f"a secret of {len(text)} {unit}"
    masked = mask_url(text)
    if len(masked) > _LONGEST_SHOWN:
        masked = masked[: _LONGEST_SHOWN - 1] + "…"
    return repr(masked)


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: MASK if _SECRET_KEY_OF_JSON.search(key) and item is not None else _masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return mask_url(value) if isinstance(value, str) else value


def _fits_in_commas(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and value == value.strip() and not re.search(r"[,\[\]{}\"]", value)
    return isinstance(value, int | float)


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
