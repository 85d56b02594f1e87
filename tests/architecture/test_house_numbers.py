"""The house numbers: how long, how wide and how deep things may be; with the offenders by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

import mainstay

ROOT = Path(mainstay.__file__).parent
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 30
USUAL_SHARE = 0.9
LONGEST_FILE = 500
MOST_PARAMETERS = 7
MOST_POSITIONAL = 2
DEEPEST = 4

EXCEPTIONS: dict[str, str] = {
    "migrations/versions": "a revision is data, made once and never changed",
}
"""What may break a number, by the start of its place, with the reason."""

ENDPOINTS = {"get", "post", "put", "patch", "delete", "head", "options", "api_route", "websocket"}
INJECTED = {"Depends", "Annotated", "Query", "Header", "Body", "Form", "File", "Cookie"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Found:
    """A function with its place."""

    place: str
    node: Function
    owner: ast.ClassDef | None

    @property
    def name(self) -> str:
        """The place without its line, as exceptions are named."""
        file, _, rest = self.place.partition(":")
        return f"{file} {rest.partition(' ')[2]}"

    @property
    def lines(self) -> int:
        start = min([self.node.lineno, *(d.lineno for d in self.node.decorator_list)])
        return (self.node.end_lineno or start) - start + 1

    @property
    def parameters(self) -> list[ast.arg]:
        """All parameters but self and cls."""
        arguments = self.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        bound = self.owner is not None and "staticmethod" not in decorators(self.node)
        return [*positional[bound:], *arguments.kwonlyargs]

    @property
    def positional(self) -> list[ast.arg]:
        keyword = {arg.arg for arg in self.node.args.kwonlyargs}
        return [arg for arg in self.parameters if arg.arg not in keyword]


def files() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "templates" not in path.parts)


def place_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(place: str) -> str:
    dotted = place.removesuffix(".py").replace("/", ".").removesuffix("__init__").rstrip(".")
    return f"mainstay.{dotted}" if dotted else "mainstay"


def excused(place: str) -> bool:
    return any(place.startswith(start) for start in EXCEPTIONS)


def decorators(node: Function | ast.ClassDef) -> set[str]:
    """Give the last names of the decorators: ``get`` of ``@router.get(...)``."""
    calls = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return {ast.unparse(call).rpartition(".")[2] for call in calls}


def functions(tree: ast.AST, place: str, owner: ast.ClassDef | None = None) -> Iterator[Found]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            name = f"{owner.name}.{node.name}" if owner else node.name
            yield Found(f"{place}:{node.lineno} {name}", node, owner)
            yield from functions(node, place)
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, place, node)
        else:
            yield from functions(node, place, owner)


def injected_names(tree: ast.Module) -> set[str]:
    """Give the module's names for what the framework fills in: ``Caller = Annotated[...]``."""
    names = set(INJECTED)
    for node in tree.body:
        if isinstance(node, ast.Assign) and "Annotated[" in ast.unparse(node.value):
            names |= {ast.unparse(target) for target in node.targets}
    return names | {"Session"}


def called_by_framework(found: Found, injected: set[str]) -> bool:
    """Whether parameters are passed by name, by FastAPI or pytest, and never by position."""
    if decorators(found.node) & (ENDPOINTS | {"fixture"}):
        return True
    annotations = [ast.unparse(arg.annotation) for arg in found.parameters if arg.annotation]
    return any(name in injected for text in annotations for name in text.replace("[", " ").split())


SOURCES = {place_of(path): path.read_text() for path in files()}
TREES = {place: ast.parse(text) for place, text in SOURCES.items()}
FUNCTIONS = [f for place, tree in TREES.items() for f in functions(tree, place)]


def listed(offenders: list[str]) -> str:
    return "\n" + "\n".join(offenders)


def test_there_is_something_to_measure() -> None:
    assert len(FUNCTIONS) > 500
    assert {"app.py", "core/http/edge.py"} <= set(TREES)


def test_no_function_is_too_long() -> None:
    long = [
        f"{found.place}: {found.lines} lines"
        for found in FUNCTIONS
        if found.lines > LONGEST_FUNCTION and not excused(found.place)
    ]
    assert not long, listed(long)


def test_most_functions_are_short() -> None:
    long = [
        f"{found.place}: {found.lines} lines" for found in FUNCTIONS if found.lines > USUAL_FUNCTION
    ]
    assert len(long) <= (1 - USUAL_SHARE) * len(FUNCTIONS), listed(long)


def test_no_file_is_too_long() -> None:
    lengths = {place: text.count("\n") for place, text in SOURCES.items()}
    long = [
        f"{place}: {lines} lines"
        for place, lines in lengths.items()
        if lines > LONGEST_FILE and not excused(place)
    ]
    assert not long, listed(long)


def test_no_function_takes_too_much() -> None:
    wide = []
    for found in FUNCTIONS:
        tree = TREES[found.place.partition(":")[0]]
        if excused(found.place) or called_by_framework(found, injected_names(tree)):
            continue
        count = len(found.parameters)
        if count > MOST_PARAMETERS:
            wide.append(f"{found.place}: {count} parameters")
        # Two are told apart by their place; from three on, by name after the second.
        # A protocol of somebody else (ASGI, SQLAlchemy's events) is as it is.
    assert not wide, listed(wide)


OF_OTHERS = {"__exit__", "__aexit__", "__call__", "__init_subclass__", "__getattr__"}


def overrides(found: Found) -> bool:
    """Whether the signature is somebody else's: a special method, a callback, or an override."""
    name = found.node.name
    if name in OF_OTHERS or found.owner is None:
        return name in OF_OTHERS
    module = import_module(module_of(found.place.partition(":")[0]))
    kind = getattr(module, found.owner.name, None)
    bases = kind.__mro__[1:] if isinstance(kind, type) else ()
    return any(name in vars(base) for base in bases if not base.__module__.startswith("mainstay."))


CALLED_BY_POSITION = "a library calls it, by position"
OLDER = "older than this check; it gets names when its file is next touched"
NAMED_POSITIONS: dict[str, str] = {
    "app.py _connect": OLDER,
    "app.py _wrap": CALLED_BY_POSITION,
    "app.py _edge_parts": OLDER,
    "app.py _add_routes": OLDER,
    "core/alembic/comparing.py include": CALLED_BY_POSITION,
    "core/alembic/comparing.py _is_other_type": CALLED_BY_POSITION,
    "core/alembic/comparing.py _shape": CALLED_BY_POSITION,
    "core/alembic/comparing.py _render": CALLED_BY_POSITION,
    "core/db/building.py _connect": CALLED_BY_POSITION,
    "core/db/pool.py _look": CALLED_BY_POSITION,
    "core/http/_fastapi.py Internals.select": OLDER,
    "core/http/_fastapi.py _leaf": OLDER,
    "core/http/_fastapi.py _target": OLDER,
    "core/http/dispatch/index.py _Node.collect": OLDER,
    "core/http/docs_pages.py _register": OLDER,
    "core/http/docs_pages.py _html": OLDER,
    "core/http/docs_pages.py page": OLDER,
    "core/logging.py redact": CALLED_BY_POSITION,
    "core/logging.py _add_origin": CALLED_BY_POSITION,
    "core/logging.py AccessLog.write": OLDER,
    "core/logging.py _json_line": OLDER,
    "core/logging.py _console_line": OLDER,
    "core/settings/example.py _setting": OLDER,
    "core/settings/loading.py _Draft.of": OLDER,
    "core/settings/loading.py _got": OLDER,
    "core/settings/reading.py Reader._candidates": OLDER,
    "core/settings/section.py _rebuild": OLDER,
    "features/auth/hash_schemes.py _bcrypt_verify": OLDER,
    "features/auth/hashing.py PasswordHasher._compare": OLDER,
    "features/auth/link_pages.py _form": OLDER,
    "features/auth/link_pages.py _carry_out": OLDER,
    "features/auth/passwords.py _names": OLDER,
    "features/auth/recovery.py Recovery.prove": OLDER,
    "features/auth/recovery.py Recovery.reauthenticate": OLDER,
    "features/auth/registration.py RegistrationService._create": OLDER,
    "features/jobs/executor.py Executor._settle": OLDER,
    "features/jobs/repository.py renew": OLDER,
    "features/jobs/schedule.py retry_delay": OLDER,
    "features/jobs/schedule.py next_run": OLDER,
    "features/mail/delivery.py _note": OLDER,
    "features/mail/templating.py MailTemplates._own_text": OLDER,
    "features/rbac/synchronising.py _add_new": OLDER,
    "features/sessions/last_seen.py LastSeen.note": OLDER,
    "features/sessions/rotation.py Rotation._again": OLDER,
    "features/sessions/rotation.py Rotation._answer": OLDER,
    "features/sessions/rotation.py _refuse": OLDER,
    "features/sessions/service.py SessionService.tokens": OLDER,
}
"""Functions with more than two positional parameters, each with the reason why."""

CARRIED: dict[str, str] = {
    "AsyncSession": "the transaction that a call works in, handed on as self is",
    "Receive": "ASGI's own three, always in this order",
    "Send": "likewise",
}
"""Types whose parameters do not count as positional, with the reason."""


def type_of(arg: ast.arg) -> str:
    return ast.unparse(arg.annotation) if arg.annotation else ""


def positional_offenders() -> dict[str, str]:
    """Give the functions that take more than two parameters by position, with them."""
    wide = {}
    for found in FUNCTIONS:
        counted = [arg for arg in found.positional if type_of(arg) not in CARRIED]
        if len(counted) <= MOST_POSITIONAL or excused(found.place):
            continue
        tree = TREES[found.place.partition(":")[0]]
        if not called_by_framework(found, injected_names(tree)) and not overrides(found):
            wide[found.name] = ", ".join(arg.arg for arg in found.positional)
    return wide


def test_after_the_second_parameters_have_names() -> None:
    wide = [
        f"{name}: {parameters}"
        for name, parameters in positional_offenders().items()
        if name not in NAMED_POSITIONS
    ]
    assert not wide, listed(wide)


def test_no_exception_is_left_that_is_needed_no_more() -> None:
    needless = set(NAMED_POSITIONS) - set(positional_offenders())
    assert not needless, listed(sorted(needless))


def test_no_class_is_deeply_derived() -> None:
    deep = []
    for place, tree in TREES.items():
        if excused(place) or place in {"asgi.py", "cli/__main__.py"}:
            continue
        module = import_module(module_of(place))
        for node in ast.walk(tree):
            kind = getattr(module, node.name, None) if isinstance(node, ast.ClassDef) else None
            if isinstance(kind, type):
                depth = depth_of(kind)
                if depth > DEEPEST:
                    deep.append(f"{place} {kind.__name__}: {depth}")
    assert not deep, listed(deep)


def depth_of(kind: type) -> int:
    """Count the classes of ours in the longest line above a class, itself included."""
    if not kind.__module__.startswith("mainstay"):
        return 0
    return 1 + max((depth_of(base) for base in kind.__bases__), default=0)


def test_everything_is_annotated() -> None:
    bare = []
    for found in FUNCTIONS:
        arguments = found.node.args
        every = [*found.parameters, *filter(None, (arguments.vararg, arguments.kwarg))]
        missing = [arg.arg for arg in every if arg.annotation is None]
        if found.node.returns is None and found.node.name != "<lambda>":
            missing.append("return")
        if missing and not excused(found.place):
            bare.append(f"{found.place}: {', '.join(missing)}")
    assert not bare, listed(bare)


def is_public(name: str) -> bool:
    return not name.startswith("_") or name == "__call__"


def undocumented(place: str, tree: ast.Module) -> Iterator[str]:
    if ast.get_docstring(tree) is None:
        yield place
    stack: list[tuple[str, ast.AST]] = [(place, tree)]
    while stack:
        prefix, node = stack.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef) and is_public(child.name):
                overloaded = "overload" in decorators(child)
                setter = "setter" in decorators(child)
                if ast.get_docstring(child) is None and not overloaded and not setter:
                    yield f"{prefix}:{child.lineno} {child.name}"
                if isinstance(child, ast.ClassDef):
                    stack.append((prefix, child))


def test_everything_public_says_what_it_is() -> None:
    bare = [
        line
        for place, tree in TREES.items()
        if not excused(place)
        for line in undocumented(place, tree)
    ]
    assert not bare, listed(bare)


@pytest.mark.parametrize("start", EXCEPTIONS)
def test_exceptions_are_for_something(start: str) -> None:
    assert any(place.startswith(start) for place in SOURCES)
