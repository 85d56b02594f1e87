"""What a check is: one sentence about what is wrong, one about the fix, under a stable id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mainstay.core.ports import Ports

Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: a sentence, and the fix."""

    message: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that ``mainstay check`` looks at.

    ``run(ports)`` gives what it found, or None. A ``deploy`` check runs with ``--deploy`` only; a
    ``boot`` one also stops a production start.
    """

    id: str
    level: Level
    title: str
    run: Callable[[Ports], Awaitable[Finding | None]]
    deploy: bool = False
    boot: bool = False


def check(
    name: str, *, level: Level = "error", deploy: bool = False, boot: bool = False
) -> Callable[[Callable[[Ports], Awaitable[Finding | None]]], Check]:
    """Turn a function into the check of that id; the first line of its docstring is the title.

    Raises:
        ValueError: the function has no docstring.
    """

    def make(run: Callable[[Ports], Awaitable[Finding | None]]) -> Check:
        title = (run.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        if not title:
            msg = f"The check {name} needs a docstring that says what is looked at."
            raise ValueError(msg)
        return Check(id=name, level=level, title=title, run=run, deploy=deploy, boot=boot)

    return make
