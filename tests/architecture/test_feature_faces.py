"""A feature uses another only where it says so, and only through its public face."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import mainstay
from mainstay.features import BUILT_IN

ROOT = Path(mainstay.__file__).parent
FEATURES = ROOT / "features"


def imports_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def foreign_imports(feature: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((FEATURES / feature).rglob("*.py")):
        for module in imports_of(ast.parse(path.read_text("utf-8"))):
            parts = module.split(".")
            if parts[:2] == ["mainstay", "features"] and len(parts) > 2 and parts[2] != feature:
                yield path, module


def test_every_folder_is_a_built_in_feature() -> None:
    folders = {p.name for p in FEATURES.iterdir() if p.is_dir() and not p.name.startswith("__")}
    assert folders == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_other_features_are_used_through_their_faces(name: str) -> None:
    deep = [(p.name, module) for p, module in foreign_imports(name) if module.count(".") > 2]
    assert deep == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_used_is_required(name: str) -> None:
    feature = import_module(f"mainstay.features.{name}").feature
    used = {module.split(".")[2] for _, module in foreign_imports(name)}
    assert used <= set(feature.requires)


def test_imports_stand_at_the_top() -> None:
    hidden = []
    for path in sorted(ROOT.rglob("*.py")):
        if "cli" in path.relative_to(ROOT).parts:
            continue
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                own = [m for m in imports_of(function) if m.startswith("mainstay")]
                hidden += [(str(path.relative_to(ROOT)), function.name, m) for m in own]
    assert hidden == []
