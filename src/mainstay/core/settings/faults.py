"""What is wrong with the settings, said so that one reading is enough to put it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_GAP: Final = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong or missing setting; never holds a secret.

    ``name`` is the variable that was read, ``got`` what it held as people should see it (None:
    it is not set), ``takes`` what is right, and ``fix`` a whole sentence, or nothing.
    """

    name: str
    got: str | None
    takes: str
    fix: str = ""

    @property
    def sentence(self) -> str:
        """Say what is wrong, without the fix."""
        if self.got is None:
            return f"{self.name} is not set."
        return f"{self.name} got {self.got}, takes {self.takes}."


class SettingsError(Exception):
    """The settings do not allow a start. ``faults`` holds every reason; the text is for people."""

    def __init__(self, faults: Iterable[Fault], *, environment: str | None = None) -> None:
        self.faults = tuple(faults)
        self.environment = environment
        super().__init__(failure_text(self.faults, environment))


def failure_text(faults: Iterable[Fault], environment: str | None = None) -> str:
    """Give the whole failure: a heading, and a line a fault with the fixes in one column."""
    where = f" in {environment}" if environment else ""
    rows = [(fault.sentence, fault.fix) for fault in faults]
    width = max((len(sentence) for sentence, fix in rows if fix), default=0) + _GAP
    lines = [f"  {sentence:<{width}}{fix}".rstrip() for sentence, fix in rows]
    return "\n".join([f"Mainstay will not start{where}:", *lines])
