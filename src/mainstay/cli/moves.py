"""From where the database is to where `migrate REV` wants it, over all histories."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mainstay.cli.console import CommandError
from mainstay.core.alembic import MigrationRunner
from mainstay.core.migrating import migrate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mainstay.core.alembic import Revision
    from mainstay.core.assembly import Assembly

HEAD: Final = "head"
BASE: Final = "base"
_BACK: Final = re.compile(r"-([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be run. ``revisions`` are in the order of running; ``goal`` is Alembic's word."""

    goal: str
    history: str | None
    revisions: tuple[Revision, ...]
    backward: bool = False


async def find_move(assembly: Assembly, wanted: str) -> Move:
    """Say how to get to a revision: its id or the beginning of it, ``head``, ``base`` or ``-1``.

    ``base`` and ``-1`` are of the last history, which is the project's own where there is one.

    Raises:
        CommandError: there is no such revision, or several begin so.
    """
    runner = assembly.ports[MigrationRunner]
    known = await runner.revisions()
    if wanted == HEAD:
        return Move(HEAD, None, tuple(each for each in known if not each.applied))
    last = runner.histories[-1].name
    back = _BACK.fullmatch(wanted)
    if back or wanted == BASE:
        applied = [each for each in known if each.history == last and each.applied][::-1]
        undone = applied[: int(back[1])] if back else applied
        left = applied[len(undone) :]
        return Move(left[0].id if left else BASE, last, tuple(undone), backward=True)
    target = _named(known, wanted)
    own = [each for each in known if each.history == target.history]
    index = own.index(target)
    later = [each for each in own[index + 1 :] if each.applied][::-1]
    if later:
        return Move(target.id, target.history, tuple(later), backward=True)
    before = [each for each in known if each.history != target.history]
    earlier = before[: _position(runner, before, history=target.history)]
    revisions = [each for each in (*earlier, *own[: index + 1]) if not each.applied]
    return Move(target.id, target.history, tuple(revisions))


async def make_move(assembly: Assembly, move: Move) -> list[str]:
    """Run it, and give the ids of the revisions that were run."""
    runner = assembly.ports[MigrationRunner]
    if move.backward:
        await runner.downgrade(move.goal, history=move.history)
        return [each.id for each in move.revisions]
    if move.history is None:
        return await migrate(assembly)
    return await runner.upgrade(move.goal, history=move.history)


def _position(runner: MigrationRunner, others: Sequence[Revision], *, history: str) -> int:
    """Say how many of the others' revisions belong to histories that come before this one."""
    names = [each.name for each in runner.histories]
    before = names[: names.index(history)]
    return sum(each.history in before for each in others)


def _named(known: Sequence[Revision], wanted: str) -> Revision:
    exact = [each for each in known if each.id == wanted]
    found = exact or [each for each in known if each.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if not found:
        msg = f'There is no revision "{wanted}". `mainstay migrations` lists them.'
        raise CommandError(msg)
    names = ", ".join(each.id for each in found)
    msg = f'Several revisions begin with "{wanted}": {names}.'
    raise CommandError(msg)
