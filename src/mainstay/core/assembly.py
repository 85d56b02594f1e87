"""What an application is made of, once it is put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from mainstay.core.db.engine import Database
    from mainstay.core.db.unit import Units
    from mainstay.core.events import EventHub
    from mainstay.core.ports import Ports
    from mainstay.core.registry import Registry
    from mainstay.core.settings import Settings


@dataclass(slots=True)
class Lifecycle:
    """Where the process is in its life. ``draining`` turns readiness red before the end."""

    draining: bool = False
    frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The parts of one application; two of them may live in one process."""

    settings: Settings
    registry: Registry
    ports: Ports
    database: Database
    units: Units
    events: EventHub
    lifecycle: Lifecycle = field(default_factory=Lifecycle)


def assembly_of(app: FastAPI) -> Assembly:
    """Give the assembly of an application made by ``create_app``.

    Raises:
        TypeError: it was made otherwise.
    """
    found = getattr(app.state, "mainstay", None)
    if not isinstance(found, Assembly):
        msg = "This application was not made by create_app()."
        raise TypeError(msg)
    return found
