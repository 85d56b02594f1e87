"""What may be written into a role, and by whom. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mainstay.core.principal import admits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

EVERYTHING: Final = "*"
"""The permission that admits all others, those to come too."""


def is_grantable(name: str, declared: Iterable[str]) -> bool:
    """Say whether a role may hold this: a declared permission, ``*``, or ``users:*`` and so on."""
    resource, _, action = name.partition(":")
    if name == EVERYTHING:
        return True
    if action == EVERYTHING:
        return any(known.startswith(f"{resource}:") for known in declared)
    return name in declared


def overreach(
    wanted: Iterable[str], *, giver: Collection[str], present: Collection[str] = ()
) -> list[str]:
    """Give, sorted, what a giver cannot put into a role: what they lack and it does not have yet.

    What the role has is not given anew, so that leaving it there takes nothing.
    """
    return sorted(
        name for name in set(wanted) if not admits(giver, name) and not admits(present, name)
    )
