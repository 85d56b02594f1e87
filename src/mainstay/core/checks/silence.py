"""Which checks are silenced, and why: ``[tool.mainstay.checks] silence = {H003 = "..."}``."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SKIP_VARIABLE: Final = "MAINSTAY_SKIP_CHECKS"
"""The environment variable that leaves checks out, boot rows too: ``D004,H003``."""


class SilenceError(Exception):
    """The list of silenced checks in pyproject.toml is not as it should be."""


def read_silence(pyproject: Path) -> dict[str, str]:
    """Give the silenced ids with their reasons; none where the file is not there.

    Raises:
        SilenceError: the file cannot be read, or a check is silenced without a reason.
    """
    try:
        document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        msg = f"{pyproject.name} cannot be read: {error}."
        raise SilenceError(msg) from error
    silence = _member(_member(_member(document, "tool"), "mainstay"), "checks").get("silence", {})
    if not isinstance(silence, dict):
        msg = 'silence takes ids with reasons: silence = {H003 = "HSTS at the load balancer"}.'
        raise SilenceError(msg)
    for name, reason in silence.items():
        if not isinstance(reason, str) or not reason.strip():
            msg = f'{name} is silenced without a reason. Write {name} = "why it may stand".'
            raise SilenceError(msg)
    return dict(silence)


def skipped_ids(environ: Mapping[str, str]) -> frozenset[str]:
    """Give the ids that the environment leaves out."""
    listed = environ.get(SKIP_VARIABLE, "").split(",")
    return frozenset(name for part in listed if (name := part.strip()))


def _member(table: dict[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}
