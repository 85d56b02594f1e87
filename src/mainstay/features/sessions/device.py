"""A device's name for people, from its user agent. A guess, and shown as nothing more."""

from __future__ import annotations

from typing import Final

_PROGRAMS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-httpx", "Python"),
    ("python-requests", "Python"),
    ("okhttp", "Android app"),
    ("PostmanRuntime", "Postman"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def describe_device(user_agent: str | None) -> str:
    """Give a name such as ``Firefox on Linux``."""
    text = user_agent or ""
    program = next((name for mark, name in _PROGRAMS if mark in text), None)
    system = next((name for mark, name in _SYSTEMS if mark in text), None)
    if program and system:
        return f"{program} on {system}"
    return program or system or "Unknown device"
