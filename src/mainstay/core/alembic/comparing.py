"""What differs between the models and the database, seen from one history's side only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alembic.autogenerate import compare_metadata
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import LargeBinary, MetaData, Table
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection

from mainstay.core.alembic.histories import History
from mainstay.core.db.base import PROJECT, Base, owner_of
from mainstay.core.db.types import MYSQL_FAMILY, Id, JsonDocument, Line, Timestamp

_OUR_TYPES: Final = (Id, Timestamp, JsonDocument, Line)
_BLOBS: Final = (LargeBinary, mysql.TINYBLOB, mysql.MEDIUMBLOB, mysql.LONGBLOB)
_SAYS: Final = {
    "add_table": "table {} is new",
    "remove_table": "table {} has no model",
    "add_column": "{} is new",
    "remove_column": "{} has no model",
    "modify_type": "{} has another type",
    "modify_nullable": "{} allows NULL or does not",
    "modify_default": "{} has another default",
    "modify_comment": "{} has another comment",
    "add_index": "index {} is new",
    "remove_index": "index {} has no model",
    "add_constraint": "constraint {} is new",
    "remove_constraint": "constraint {} has no model",
    "add_fk": "foreign key {} is new",
    "remove_fk": "foreign key {} has no model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Compares one history's tables. ``others`` are the histories beside it.

    A project's history has all tables that no other one has. A table of the database without a
    model counts for it too, unless a revision of another history makes it: the feature that it
    belongs to may be switched off.
    """

    history: History
    metadata: MetaData
    others: Sequence[History] = ()

    def options(self) -> dict[str, Any]:
        """Give the options for Alembic's ``configure``."""
        made_elsewhere = {
            name for other in self.others for name in (other.version_table, *other.tables())
        }

        def include(found: Any, name: str | None, kind: str, reflected: bool, model: Any) -> bool:  # noqa: FBT001
            if kind != "table":
                return True
            if reflected and model is None:
                return self.history.owner == PROJECT and name not in made_elsewhere
            return self._has(model if reflected else found)

        return {
            "target_metadata": self.metadata,
            "include_object": include,
            "compare_type": _is_other_type,
            "process_revision_directives": _shape,
            "render_item": _render,
        }

    def differences(self, connection: Connection) -> list[str]:
        """Say what differs, in a few words each; nothing where all is as it should be."""
        options = {**self.options(), "version_table": self.history.version_table}
        context = MigrationContext.configure(connection, opts=options)
        found = compare_metadata(context, self.metadata)
        return sorted({_sentence(difference) for difference in _flat(found)})

    def _has(self, table: Table) -> bool:
        owner = owner_of(table)
        if self.history.owner != PROJECT:
            return owner == self.history.owner
        return all(owner != other.owner for other in self.others)


def known_metadata() -> list[MetaData]:
    """Give where models are: our base, and SQLModel's if it is in use."""
    sqlmodel = sys.modules.get("sqlmodel")
    return [Base.metadata] if sqlmodel is None else [Base.metadata, sqlmodel.SQLModel.metadata]


def merged(collections: Sequence[MetaData]) -> MetaData:
    """Give one collection of all tables, so that foreign keys between collections are found."""
    if len(collections) == 1:
        return collections[0]
    together = MetaData(naming_convention=collections[0].naming_convention)
    for collection in collections:
        for table in collection.tables.values():
            if table.key not in together.tables:
                table.to_metadata(together)
    return together


def _is_other_type(
    context: MigrationContext, _found: Any, _column: Any, found_type: Any, model_type: Any
) -> bool | None:
    """Leave it to Alembic, but for MariaDB's choice of a size of BLOB by the length asked for."""
    both_binary = isinstance(found_type, _BLOBS) and isinstance(model_type, LargeBinary)
    return False if both_binary and context.dialect.name in MYSQL_FAMILY else None


def _flat(differences: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Alembic puts the changes of one column into a list of their own."""
    for difference in differences:
        if isinstance(difference, list):
            yield from difference
        else:
            yield difference


def _sentence(difference: tuple[Any, ...]) -> str:
    verb = str(difference[0])
    if verb in {"add_column", "remove_column"}:
        name = f"{difference[2]}.{difference[3].name}"
    elif verb.startswith("modify_"):
        name = f"{difference[2]}.{difference[3]}"
    else:
        name = str(difference[1].name)
    return _SAYS.get(verb, f"{verb}: {{}}").format(name)


def _shape(context: MigrationContext, _revision: Any, directives: list[Any]) -> None:
    """Write no revision without content, and only such as can be repeated after a kill."""
    if not directives:
        return
    script = directives[0]
    if not isinstance(script, ops.MigrationScript):
        return
    asked = context.opts.get("revision_context")
    # Alembic's ``check`` compares too, but has no message, and needs the empty revision.
    is_wanted = asked and asked.command_args["autogenerate"] and asked.command_args["message"]
    if is_wanted and all(each.is_empty() for each in script.upgrade_ops_list):
        directives.clear()
        return
    for group in (*script.upgrade_ops_list, *script.downgrade_ops_list):
        dropped = {each.table_name for each in group.ops if isinstance(each, ops.DropTableOp)}
        group.ops = list(_repeatable(group.ops, dropped))


def _repeatable(operations: Iterable[Any], dropped: set[str]) -> Iterator[Any]:
    """Let operations bear a repeat, and leave out indexes that go with their table anyway.

    MariaDB refuses to drop the index of a foreign key before it.
    """
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            operation.ops = list(_repeatable(operation.ops, dropped))
            if operation.ops:
                yield operation
            continue
        if isinstance(operation, ops.DropIndexOp) and operation.table_name in dropped:
            continue
        if isinstance(operation, ops.CreateTableOp | ops.CreateIndexOp | ops.AddColumnOp):
            operation.if_not_exists = True
        elif isinstance(operation, ops.DropTableOp | ops.DropIndexOp | ops.DropColumnOp):
            operation.if_exists = True
        yield operation


def _render(kind: str, item: Any, context: AutogenContext) -> str | bool:
    if kind != "type":
        return False
    if isinstance(item, _OUR_TYPES):
        context.imports.add("from mainstay.core import db")
        return f"db.{type(item).__name__}()"
    if type(item).__module__.startswith("sqlmodel."):
        length = getattr(item, "length", None)
        if length is not None:
            return f"sa.String(length={length})"
        context.imports.add("from mainstay.core import db")
        return "db.Line()"
    return False
