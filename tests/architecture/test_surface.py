"""The public names: listed, sorted, importable, loaded late, and nothing besides."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mainstay

SOURCE = Path(mainstay.__file__)
ALIASES = {
    "PermissionChecker": "has_permissions",
    "RoleChecker": "has_role",
    "get_async_db": "get_session",
    "get_db": "get_session",
}
FRAMEWORKS = ("fastapi", "starlette", "pydantic", "sqlalchemy", "alembic", "structlog", "jinja2")


def type_checking_imports() -> dict[str, tuple[str, str]]:
    """Give the names that type checkers see, with the module and name behind each."""
    found: dict[str, tuple[str, str]] = {}
    for block in ast.parse(SOURCE.read_text()).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                assert isinstance(line, ast.ImportFrom)
                for name in line.names:
                    assert (name.asname or name.name) not in found, "imported twice"
                    found[name.asname or name.name] = line.module or "", name.name
    return found


IMPORTS = type_checking_imports()


def test_the_names_are_sorted_and_told_once() -> None:
    assert sorted(set(mainstay.__all__)) == mainstay.__all__
    assert dir(mainstay) == mainstay.__all__


def test_type_checkers_and_python_see_the_same_names() -> None:
    assert set(mainstay.__all__) == set(IMPORTS) | {"__version__"}


@pytest.mark.parametrize("name", sorted(IMPORTS))
def test_a_name_is_the_object_that_type_checkers_see(name: str) -> None:
    home, attribute = IMPORTS[name]
    assert getattr(mainstay, name) is getattr(import_module(home), attribute)


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_an_alias_is_the_same_thing(alias: str, name: str) -> None:
    target = getattr(mainstay, name)
    made = getattr(mainstay, alias)
    assert made is target or isinstance(target("admin"), made)


def test_nothing_else_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mainstay.nonsense  # type: ignore[attr-defined]
    own = {name for name in vars(mainstay) if name.isidentifier() and not name.startswith("_")}
    submodules = {name for name in own if f"mainstay.{name}" in sys.modules}
    helpers = {"Any", "TYPE_CHECKING", "VERSION", "annotations", "import_module"}
    assert own - submodules - helpers <= set(mainstay.__all__)


def run(code: str) -> str:
    """Run code in an interpreter of its own, and give what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_import_loads_no_framework() -> None:
    loaded = run(
        "import sys, mainstay, mainstay.kit.version\n"
        f"print(*sorted(set(sys.modules) & set({FRAMEWORKS!r})))"
    )
    assert loaded == ""


def test_a_star_import_gives_every_name() -> None:
    names = run(
        "from mainstay import *\n"
        "print(*sorted(n for n in globals() if not n.startswith('__') or n == '__version__'))"
    )
    assert names.split() == sorted(mainstay.__all__)


def test_nothing_happens_at_import() -> None:
    """No engine, no settings, no application: two of them may live in one process."""
    code = (
        "import os, sys, pkgutil, importlib, mainstay\n"
        "os.environ.clear()\n"
        "for found in pkgutil.walk_packages(mainstay.__path__, 'mainstay.'):\n"
        "    left_out = ('mainstay.asgi', 'mainstay.cli.__main__', 'mainstay.migrations')\n"
        "    if not found.name.startswith(left_out) and 'templates' not in found.name:\n"
        "        importlib.import_module(found.name)\n"
        "import gc\n"
        "from sqlalchemy.engine import Engine\n"
        "from fastapi import FastAPI\n"
        "print(*[type(o).__name__ for o in gc.get_objects() if isinstance(o, (Engine, FastAPI))])"
    )
    assert run(code) == ""
