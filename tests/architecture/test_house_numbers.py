"""The house's numbers: small functions, small files, few parameters, everything described.

A real reason may stand as a named exception in ``EXCEPTIONS``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mainstay

ROOT = Path(mainstay.__file__).parent
LONGEST_FUNCTION, USUAL_FUNCTION, USUAL_SHARE = 60, 30, 0.9
LONGEST_FILE = 500
MOST_PARAMETERS = 7
DEEPEST_INHERITANCE = 4
ROOTS = {"Base", "BaseModel"}
"""Names that stand for a library's class too; depth is counted below them."""

EXCEPTIONS: dict[str, str] = {
    "app.py:create_app": "the public face of the assembly; all but the first are keyword-only",
}
"""``file:function`` and the reason why a number does not hold there."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    path: str
    owner: ast.ClassDef | None
    function: Function

    @property
    def name(self) -> str:
        return f"{self.path}:{self.function.name}"

    @property
    def lines(self) -> int:
        return (self.function.end_lineno or 0) - self.function.lineno + 1


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def places() -> Iterator[Place]:
    for path, tree in trees():
        owners = {
            child: node
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            for child in node.body
        }
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield Place(path, owners.get(node), node)


def called_by_a_framework(place: Place) -> bool:
    """Endpoints, dependencies, commands and fixtures get their parameters by name."""
    decorators = " ".join(ast.unparse(d) for d in place.function.decorator_list)
    framework = ("router.", "fixture", "command", "event.listens_for", "compiles", ".callback")
    if any(word in decorators for word in framework):
        return True
    annotations = [a.annotation for a in place.function.args.args if a.annotation is not None]
    return any("Depends(" in ast.unparse(a) or "port(" in ast.unparse(a) for a in annotations)


def test_functions_are_short() -> None:
    found = list(places())
    long = [(p.name, p.lines) for p in found if p.lines > LONGEST_FUNCTION]
    assert [entry for entry in long if entry[0] not in EXCEPTIONS] == []
    usual = sum(p.lines <= USUAL_FUNCTION for p in found) / len(found)
    assert usual >= USUAL_SHARE


def test_files_are_short() -> None:
    sizes = {p: len((ROOT / p).read_text("utf-8").splitlines()) for p, _ in trees()}
    assert {p: n for p, n in sizes.items() if n > LONGEST_FILE and p not in EXCEPTIONS} == {}


def test_parameters_are_few() -> None:
    offenders = []
    for place in places():
        if called_by_a_framework(place) or place.name in EXCEPTIONS:
            continue
        arguments = place.function.args
        positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        if place.owner is not None and positional[:1] in (["self"], ["cls"]):
            positional = positional[1:]
        count = len(positional) + len(arguments.kwonlyargs)
        if count > MOST_PARAMETERS:
            offenders.append((place.name, count))
    assert offenders == []


def test_everything_public_is_described_and_typed() -> None:
    offenders = []
    for path, tree in trees():
        if ast.get_docstring(tree) is None and tree.body:
            offenders.append(path)
    for place in places():
        function = place.function
        public = not function.name.startswith("_") and (
            place.owner is None or not place.owner.name.startswith("_")
        )
        nested = place.owner is None and function.col_offset > 0
        revision = place.path.startswith("migrations/versions")
        if public and not nested and not revision and ast.get_docstring(function) is None:
            offenders.append(place.name)
        untyped = [
            a.arg
            for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
            if a.annotation is None and a.arg not in {"self", "cls"}
        ]
        if untyped or function.returns is None:
            offenders.append(f"{place.name}: {untyped or 'return'}")
    assert offenders == []


def depth(name: str, parents: dict[str, list[str]], seen: frozenset[str] = frozenset()) -> int:
    above = [p for p in parents.get(name, []) if p in parents and p not in seen]
    return 1 + max((depth(p, parents, seen | {name}) for p in above), default=0)


def test_inheritance_is_shallow() -> None:
    parents = {
        node.name: [ast.unparse(base).partition("[")[0] for base in node.bases]
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name not in ROOTS
    }
    assert {n: depth(n, parents) for n in parents if depth(n, parents) > DEEPEST_INHERITANCE} == {}
