"""The project that a command works on, or the stock application where there is none."""

from __future__ import annotations

import os
import sys
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from traceback import StackSummary, TracebackException
from typing import TYPE_CHECKING, Any, Final

from mainstay.cli.console import CommandError
from mainstay.cli.failing import explained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mainstay.core.http.application import Application

_MARK: Final = b"tool.mainstay"


@dataclass(frozen=True, slots=True)
class Project:
    """A folder whose pyproject.toml has ``[tool.mainstay]``.

    ``entrypoint`` names the application as ``shop.main:app``.
    """

    root: Path
    entrypoint: str


def find_project(start: Path) -> Project | None:
    """Walk up from a folder to the nearest project; None outside of one.

    Raises:
        CommandError: its pyproject.toml cannot be read, or names no application.
    """
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            tool = _tool_table(file)
            if isinstance(tool.get("mainstay"), dict):
                return Project(folder, _entrypoint(tool))
    return None


def enter_project() -> Project | None:
    """Find the project and go there, so that its settings, data and modules are found."""
    project = find_project(Path.cwd())
    if project is not None:
        os.chdir(project.root)
        root = str(project.root)
        if root not in sys.path:
            sys.path.insert(0, root)
    return project


def load_app(project: Project | None, *, inspecting: bool = True) -> Application:
    """Give the project's application, or the stock one.

    ``inspecting`` takes it as it is, to be looked at, however weak its settings are.

    Raises:
        CommandError: the project's entrypoint does not lead to an application of ours.
        SettingsError: settings are wrong, or too weak to serve with.
        AssemblyError: the features do not fit together.
    """
    from mainstay.app import create_app

    if not inspecting:
        return create_app() if project is None else _import_app(project)
    try:
        if project is None:
            return create_app(inspecting=True)
        with _inspected():
            return _import_app(project)
    finally:
        _log_to_standard_error()


@contextmanager
def _inspected() -> Iterator[None]:
    """Have ``create_app`` take weak settings while a project's modules are imported."""
    import mainstay
    from mainstay import app

    original = app.create_app
    lenient: Any = partial(original, inspecting=True)
    app.create_app = mainstay.create_app = lenient
    try:
        yield
    finally:
        app.create_app = mainstay.create_app = original


def _log_to_standard_error() -> None:
    """Keep log lines out of what a command prints."""
    import structlog

    if isinstance(structlog.get_config()["logger_factory"], structlog.PrintLoggerFactory):
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


def _import_app(project: Project) -> Application:
    from mainstay.core.http.application import Application

    module, _, attribute = project.entrypoint.partition(":")
    if not _is_there(module):
        msg = f'There is no module "{module}", which the entrypoint in pyproject.toml names.'
        raise CommandError(msg)
    try:
        found: Any = getattr(import_module(module), attribute or "app", None)
    except Exception as error:
        if explained(error) is not None:
            raise
        raise CommandError(_without_us(module, error)) from error
    if not isinstance(found, Application):
        msg = f'"{project.entrypoint}" is no application made by create_app().'
        raise CommandError(msg)
    return found


def _without_us(module: str, error: Exception) -> str:
    """Give the traceback of a module that cannot be imported, as far as it is the project's."""
    ours = str(Path(__file__).parents[1])
    shown = TracebackException.from_exception(error)
    frames = [f for f in shown.stack if "importlib" not in f.filename and ours not in f.filename]
    shown.stack = StackSummary.from_list(frames)
    return f"{module} cannot be imported:\n{''.join(shown.format(chain=False)).rstrip()}"


def _is_there(module: str) -> bool:
    parent = module.rpartition(".")[0]
    return (not parent or _is_there(parent)) and find_spec(module) is not None


def _tool_table(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}."
        raise CommandError(msg) from error
    try:
        tool = tomllib.loads(data.decode()).get("tool", {})
    except ValueError as error:
        if _MARK not in data:
            return {}  # somebody else's, on the way up
        msg = f"{file} is not valid TOML: {error}."
        raise CommandError(msg) from error
    return tool if isinstance(tool, dict) else {}


def _entrypoint(tool: dict[str, Any]) -> str:
    fastapi = tool.get("fastapi")
    entrypoint = fastapi.get("entrypoint") if isinstance(fastapi, dict) else None
    if not isinstance(entrypoint, str) or not entrypoint:
        msg = (
            "pyproject.toml has [tool.mainstay] and does not say where the application is. "
            'Add to it: [tool.fastapi] entrypoint = "shop.main:app"'
        )
        raise CommandError(msg)
    return entrypoint
