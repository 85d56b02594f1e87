"""The histories of migrations that meet in one database: the package's, and a project's own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.script import ScriptDirectory

from mainstay.core.db.base import PACKAGE, PROJECT

HERE: Final = Path(__file__).parent
_CREATING: Final = frozenset({"create_table", "rename_table"})


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One linear history. ``folder`` holds ``versions``, ``owner`` is that of its tables.

    ``numbered`` ids are ``0007``; otherwise they are ``0007_what_it_does``, so that two people who
    write one at the same time get two heads and not two files with one id.
    """

    name: str
    folder: Path
    version_table: str
    owner: str
    numbered: bool = False

    def script(self) -> ScriptDirectory:
        """Read the revisions, and choose the template: the folder's own, or the package's."""
        own = (self.folder / "script.py.mako").is_file()
        return ScriptDirectory(
            str(self.folder if own else HERE),
            version_locations=[str(self.folder / "versions")],
            file_template="%(rev)s_%(slug)s" if self.numbered else "%(rev)s",
            truncate_slug_length=40,
            messaging_opts={"quiet": True},
        )

    def config(self) -> Config:
        """Give what Alembic wants to have instead of an ``alembic.ini``."""
        return Config(attributes={"mainstay.history": self})

    def tables(self) -> frozenset[str]:
        """Name the tables that the revisions make, whether or not a model of them is loaded."""
        return frozenset(
            name
            for file in (self.folder / "versions").glob("*.py")
            for name in _tables_in(file.read_text("utf-8"))
        )


def package_history() -> History:
    """Give the package's own history."""
    return History(
        name=PACKAGE,
        folder=HERE.parents[1] / "migrations",
        version_table="mainstay_version",
        owner=PACKAGE,
        numbered=True,
    )


def project_history(folder: Path) -> History:
    """Give the history of a project, whose folder holds ``versions``."""
    return History(name=PROJECT, folder=folder, version_table="alembic_version", owner=PROJECT)


def _tables_in(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else None
            last = node.args[1:2] if called == "rename_table" else node.args[:1]
            if called in _CREATING and last and isinstance(last[0], ast.Constant):
                found.append(str(last[0].value))
    return found
