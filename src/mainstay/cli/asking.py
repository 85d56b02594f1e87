"""Asking a running server whether it is ready."""

from __future__ import annotations

import http.client
import json
from typing import Final
from urllib.parse import urlsplit

from mainstay.cli.console import CommandError
from mainstay.core.settings import ApplicationSettings, load

PATH: Final = "/readyz"
_MOST: Final = 64 * 1024
_READY: Final = 200


def ask_readiness(url: str | None, *, timeout: float) -> list[str]:
    """Give what keeps the server from being ready; nothing where it is.

    The server is asked directly, whatever proxies the environment names.

    Raises:
        CommandError: the address is none, or nobody answers there in time.
    """
    parts = urlsplit(url or _own_address())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"{url} is no address such as http://127.0.0.1:8000."
        raise CommandError(msg, exit_code=2)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    path = parts.path if parts.path.strip("/") else PATH
    try:
        connection = kind(parts.hostname, parts.port, timeout=timeout)
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read(_MOST)
    except (OSError, ValueError, http.client.HTTPException) as error:
        msg = f"Nobody answers at {parts.scheme}://{parts.netloc}{path} ({_reason(error)})."
        raise CommandError(msg) from error
    return [] if answer.status == _READY else _down(body) or [f"status {answer.status}"]


def _own_address() -> str:
    settings = load([ApplicationSettings])[ApplicationSettings]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"


def _down(body: bytes) -> list[str]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    down = found.get("down") if isinstance(found, dict) else None
    return [str(name) for name in down] if isinstance(down, list) else []


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).lower()
