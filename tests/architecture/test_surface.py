"""The public names: listed, sorted, importable, and nothing besides."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mainstay


def test_the_list_is_sorted_and_without_twins() -> None:
    assert list(mainstay.__all__) == sorted(set(mainstay.__all__))


def test_every_name_is_there() -> None:
    for name in mainstay.__all__:
        assert getattr(mainstay, name) is not None


def test_dir_shows_the_list() -> None:
    assert dir(mainstay) == sorted(mainstay.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(mainstay, "no_such_name")  # noqa: B009 - type checkers know that it is not there


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(mainstay.__file__).read_text("utf-8"))
    seen = {
        alias.asname or alias.name: (node.module, alias.name)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(seen) == set(mainstay.__all__) - {"__version__"}
    assert {name: mainstay._SOURCES[name] for name in seen} == seen


def test_second_names_are_the_same_things() -> None:
    assert mainstay.get_db is mainstay.get_async_db is mainstay.get_session
    assert isinstance(mainstay.has_permissions("a:b"), mainstay.PermissionChecker)
    assert isinstance(mainstay.has_role("admin"), mainstay.RoleChecker)


def test_importing_the_package_loads_no_framework() -> None:
    code = (
        "import sys, mainstay; "
        "heavy = {'fastapi', 'sqlalchemy', 'pydantic', 'starlette'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
