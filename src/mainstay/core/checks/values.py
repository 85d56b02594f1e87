"""What checks read, without knowing which feature declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mainstay.core.settings import ApplicationSettings, Settings

if TYPE_CHECKING:
    from mainstay.core.ports import Ports


def setting(ports: Ports, name: str) -> Any:
    """Give the value of a setting by its name; None where no loaded section declares it."""
    return getattr(ports[Settings], name, None)


def application(ports: Ports) -> ApplicationSettings:
    """Give the application's own settings."""
    return ports[Settings][ApplicationSettings]


def some(items: list[str], *, most: int = 5) -> str:
    """Name a few of many: ``a, b, …``."""
    return ", ".join(items[:most]) + (", …" if len(items) > most else "")


def counted(number: int, noun: str) -> str:
    """Give ``1 route`` or ``3 routes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
