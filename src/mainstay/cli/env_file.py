"""The secret key in `.env`: put there once, readable by its owner only."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING, Final

from mainstay.cli.console import CommandError

if TYPE_CHECKING:
    from pathlib import Path

_KEY: Final = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?:MAINSTAY_)?(?:SECRET_KEY|JWT_SECRET)[ \t]*=(?P<value>[^\n]*)\n?",
    re.MULTILINE,
)


def write_secret(path: Path, key: str, *, force: bool) -> bool:
    """Put ``SECRET_KEY=key`` into the file, made where it is not there; say if one was replaced.

    All else in the file stays. It is written aside and moved, so that it is never half a file.

    Raises:
        CommandError: there is a key already and no ``force``, or the file cannot be written.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = [match for match in _KEY.finditer(text) if match["value"].strip(" \t\r\"'")]
        if found and not force:
            msg = f"{path} has a secret key already. To replace it, give --force."
            raise CommandError(msg)
        _replace(path.resolve(), _with_key(text, f"SECRET_KEY={key}\n"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be written: {getattr(error, 'strerror', None) or error}."
        raise CommandError(msg) from error
    return bool(found)


def _with_key(text: str, line: str) -> str:
    """Put the line where the first key was, or at the end; other keys go."""
    first = _KEY.search(text)
    if first is None:
        return text + ("\n" if text and not text.endswith("\n") else "") + line
    return text[: first.start()] + line + _KEY.sub("", text[first.end() :])


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
