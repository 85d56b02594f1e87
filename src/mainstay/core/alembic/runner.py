"""Brings a database to a revision: one runner over all histories, under one lock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from alembic.autogenerate import RevisionContext
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from mainstay.core.alembic.comparing import Comparison, known_metadata, merged
from mainstay.core.alembic.histories import History, package_history
from mainstay.core.alembic.locking import locked
from mainstay.core.alembic.running import MigrationError, Run, Steps, current_heads
from mainstay.core.db.engine import Database

T = TypeVar("T")
After = Callable[[], Awaitable[None]]
"""What follows an upgrade, while the lock is still held."""

HEAD: Final = "head"
_LONGEST_SLUG: Final = 27


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One known revision, and whether the database has it."""

    history: str
    id: str
    message: str
    applied: bool

    def __str__(self) -> str:
        return f"{self.id} {self.message}" if self.message not in self.id else self.id


class MigrationRunner:
    """Migrates one database. ``histories`` are in the order in which they build on each other."""

    def __init__(
        self,
        database: Database,
        histories: Sequence[History] = (),
        *,
        metadata: Sequence[MetaData] | None = None,
    ) -> None:
        self._database = database
        self._histories = tuple(histories) or (package_history(),)
        self._metadata = metadata
        self._scripts: dict[str, ScriptDirectory] = {}

    @property
    def histories(self) -> tuple[History, ...]:
        """The histories, in the order in which they are brought to head."""
        return self._histories

    async def upgrade(
        self, revision: str = HEAD, *, history: str | None = None, after: After | None = None
    ) -> list[str]:
        """Apply what is not applied, and give its revisions in order.

        ``head`` is the newest of every history; another revision is of ``history`` (the last one
        when it is not named), and those before it are brought to head. Where several processes do
        this at once, one does and the others wait, and find nothing to do. ``after`` is awaited
        under the same lock, also where there was nothing to apply.

        Raises:
            MigrationError: there is no such revision, or one of them failed its checks.
        """
        goals = self._goals(revision, history)
        async with locked(self._database) as connection:
            applied = await connection.run_sync(
                lambda c: [each for one, to in goals for each in self._to(c, one, goal=to)]
            )
            if after is not None:
                await after()
        return applied

    def upgrade_on(self, connection: Connection) -> list[str]:
        """Bring every history to head on a connection on which the caller holds the lock."""
        return [each for one in self._histories for each in self._to(connection, one, goal=HEAD)]

    async def downgrade(self, revision: str, *, history: str | None = None) -> list[str]:
        """Undo down to a revision (``-1`` and ``base`` too) of one history, the last by default.

        Raises:
            MigrationError: there is no such revision.
        """
        one = self._named(history)

        def steps(heads: Any, _context: MigrationContext) -> Sequence[RevisionStep]:
            return self._script(one)._downgrade_revs(revision, heads)  # noqa: SLF001

        async with locked(self._database) as connection:
            return await connection.run_sync(lambda c: self._run(c, one, steps=steps))

    async def current(self) -> dict[str, tuple[str, ...]]:
        """Give the revisions at which the database is, by history."""
        return await self._reading(
            lambda c: {one.name: current_heads(c, one) for one in self._histories}
        )

    async def pending(self) -> list[str]:
        """Give the revisions that are not applied, in order.

        Raises:
            MigrationError: the database is at a revision that is not known here.
        """
        return [each.id for each in await self.revisions() if not each.applied]

    async def revisions(self) -> list[Revision]:
        """Give all known revisions, in the order in which they are applied.

        Raises:
            MigrationError: the database is at a revision that is not known here.
        """
        heads = await self.current()
        return [each for one in self._histories for each in self._known(one, heads[one.name])]

    async def check(self) -> list[str]:
        """Say how the models differ from the database; nothing where they do not."""
        return await self._reading(
            lambda c: [
                each for one in self._histories for each in self._comparison(one).differences(c)
            ]
        )

    async def write_revision(
        self, message: str, *, autogenerate: bool = True, history: str | None = None
    ) -> Path | None:
        """Write a revision into a history, the last by default; None if nothing has changed.

        Raises:
            MigrationError: revisions are pending, so that there is nothing to compare with.
        """
        pending = await self.pending()
        if autogenerate and pending:
            msg = f"Apply what is pending first: {', '.join(pending)}."
            raise MigrationError(msg)
        one = self._named(history)
        async with locked(self._database) as connection:
            written = await connection.run_sync(
                lambda c: self._write(c, one, message=message, autogenerate=autogenerate)
            )
        self._scripts.pop(one.name, None)
        return written

    def _to(self, connection: Connection, one: History, *, goal: str) -> list[str]:
        def steps(heads: Any, _context: MigrationContext) -> Sequence[RevisionStep]:
            return self._script(one)._upgrade_revs(goal, heads)  # noqa: SLF001

        return self._run(connection, one, steps=steps)

    def _run(self, connection: Connection, one: History, *, steps: Steps) -> list[str]:
        environment = EnvironmentContext(one.config(), self._script(one))
        run = Run(one, environment, self._comparison(one))
        try:
            run.migrate(connection, steps)
        except (CommandError, RevisionError) as error:
            raise MigrationError(str(error)) from error
        return run.applied

    def _write(
        self, connection: Connection, one: History, *, message: str, autogenerate: bool
    ) -> Path | None:
        script = self._script(one)
        arguments = {
            "message": message,
            "autogenerate": autogenerate,
            "sql": False,
            "head": HEAD,
            "splice": False,
            "branch_label": None,
            "version_path": None,
            "rev_id": _next_id(script, one, message=message),
            "depends_on": None,
        }
        context = RevisionContext(one.config(), script, arguments)

        def collect(heads: Any, migration: MigrationContext) -> Sequence[RevisionStep]:
            run = context.run_autogenerate if autogenerate else context.run_no_autogenerate
            run(heads, migration)
            return ()

        environment = EnvironmentContext(
            one.config(), script, template_args=context.template_args, revision_context=context
        )
        Run(one, environment, self._comparison(one)).migrate(connection, collect)
        files = [each.path for each in context.generate_scripts() if each is not None]
        return Path(files[0]) if files else None

    def _known(self, one: History, heads: tuple[str, ...]) -> list[Revision]:
        script = self._script(one)
        try:
            pending = {each.revision for each in script.iterate_revisions("heads", heads)}
        except (CommandError, RevisionError) as error:
            msg = (
                f"The database is at {', '.join(heads)} of {one.name}, which is not known here: "
                "a newer version has migrated it."
            )
            raise MigrationError(msg) from error
        found = [
            Revision(
                history=one.name,
                id=each.revision,
                message=each.doc.removesuffix("."),
                applied=each.revision not in pending,
            )
            for each in script.walk_revisions()
        ]
        return found[::-1]

    def _goals(self, revision: str, history: str | None) -> list[tuple[History, str]]:
        if revision == HEAD and history is None:
            return [(one, HEAD) for one in self._histories]
        last = self._named(history)
        before = self._histories[: self._histories.index(last)]
        return [*((one, HEAD) for one in before), (last, revision)]

    def _named(self, name: str | None) -> History:
        if name is None:
            return self._histories[-1]
        for one in self._histories:
            if one.name == name:
                return one
        msg = (
            f"There is no history {name!r}; there is {', '.join(h.name for h in self._histories)}."
        )
        raise MigrationError(msg)

    def _script(self, one: History) -> ScriptDirectory:
        if one.name not in self._scripts:
            self._scripts[one.name] = one.script()
        return self._scripts[one.name]

    def _comparison(self, one: History) -> Comparison:
        metadata = known_metadata() if self._metadata is None else self._metadata
        others = [other for other in self._histories if other is not one]
        return Comparison(history=one, metadata=merged(metadata), others=others)

    async def _reading(self, look: Callable[[Connection], T]) -> T:
        connection: AsyncConnection
        async with self._database.engine.connect() as connection:
            return await connection.run_sync(look)


def run_migrations_sync(runner: MigrationRunner, revision: str = HEAD) -> list[str]:
    """Upgrade where no event loop runs: on the command line."""
    return asyncio.run(runner.upgrade(revision))


def _next_id(script: ScriptDirectory, one: History, *, message: str) -> str:
    """Give the next number, and after it what the revision does unless ids are only numbers."""
    numbers = [re.match(r"\d+", each.revision) for each in script.walk_revisions()]
    number = max((int(match[0]) for match in numbers if match), default=0) + 1
    slug = re.sub(r"\W+", "_", message.lower()).strip("_")[:_LONGEST_SLUG].strip("_")
    return f"{number:04d}" if one.numbered or not slug else f"{number:04d}_{slug}"
