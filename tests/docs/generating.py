"""The parts of the documentation that the code tells: settings, errors, checks, commands."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.docs.reading import ROOT
from typer.main import get_command

import mainstay
from mainstay.app import create_app
from mainstay.cli.program import app as program
from mainstay.core.assembly import assembly_of
from mainstay.core.checks import Check
from mainstay.core.checks.runner import all_checks
from mainstay.core.errors import ProblemError
from mainstay.core.http.application import Application
from mainstay.core.settings import Section, env_example
from mainstay.core.settings.section import default_texts
from mainstay.core.settings.shape import shapes

BEGIN: Final = "<!-- generated:begin -->"
END: Final = "<!-- generated:end -->"
_RUNS: Final = re.compile(r"\.asgi$|\.__main__$|\.migrations\.versions\.")
"""Modules that do something when they are imported; none of them holds an error."""

_GENERATED: Final = re.compile(f"(?<={BEGIN}\n).*(?={END}\n)", re.DOTALL)


def with_generated(page: str, generated: str) -> str:
    """Put the generated part between a page's two marks.

    Raises:
        ValueError: the page has not exactly one place for it.
    """
    new, places = _GENERATED.subn(lambda _: f"\n{generated}\n", page)
    if places != 1 or page.count(BEGIN) != 1:
        msg = f"the page needs one {BEGIN} and one {END}, each on a line of its own"
        raise ValueError(msg)
    return new


@cache
def stock() -> Application:
    """Give the stock application with its defaults, to be looked at."""
    return create_app(inspecting=True, environ={}, env_file=Path("/nonexistent"))


def sections() -> list[type[Section]]:
    """Give the sections of settings of the stock application."""
    return [type(section) for section in assembly_of(stock()).settings.sections]


def environment_file() -> str:
    """Give ``.env.example``."""
    return env_example(sections())


def settings_tables() -> str:
    """Give a table for each section."""
    return "\n".join(line for section in sections() for line in _settings_table(section))


def _settings_table(section: type[Section]) -> Iterator[str]:
    yield f"### {section.title().capitalize()}\n"
    yield f"{_prose(section)}\n"
    yield _row("name", "default", "other names", "what it is")
    yield _rule(4)
    defaults = default_texts(section)
    for name, shape in shapes(section).items():
        default = f"`{defaults[name]}`" if defaults[name] else ""
        others = ", ".join(f"`{other}`" for other in shape.names[1:])
        described = section.model_fields[name].description or ""
        yield _row(f"`{name}`", default, others, " ".join(described.split()))
    yield ""


def errors_table() -> str:
    """Give a table of every error code."""
    lines = [_row("status", "code", "title", "meaning"), _rule(4)]
    lines += [
        _row(str(kind.status), f'<a id="{code}"></a>`{code}`', kind.title, _prose(kind))
        for code, kind in sorted(error_kinds().items(), key=lambda item: (item[1].status, item[0]))
    ]
    return "\n".join(lines) + "\n"


def error_kinds() -> dict[str, type[ProblemError]]:
    """Give the class that stands for each code of the package, after importing all of it."""
    for module in pkgutil.walk_packages(mainstay.__path__, "mainstay."):
        if not _RUNS.search(module.name):
            import_module(module.name)
    kinds: dict[str, type[ProblemError]] = {}
    for kind in ProblemError.catalogue():
        ours = kind.__module__.startswith("mainstay.") and kind.type_uri != "about:blank"
        if kind is not ProblemError and ours:
            kinds.setdefault(kind.code, kind)
    return kinds


def checks_table() -> str:
    """Give a table of all checks of the stock application."""
    lines = [_row("id", "level", "when", "what is looked at", "what it says, and the fix")]
    lines += [_rule(5)]
    for check in sorted(all_checks(assembly_of(stock()).ports), key=lambda check: check.id):
        when = "`--deploy`" if check.deploy else "always"
        said = "<br>".join(f"{message} *{fix}*" for message, fix in findings_of(check))
        lines.append(
            _row(
                f'<a id="{check.id}"></a>{check.id}',
                check.level,
                f"{when}; start" if check.boot else when,
                f"{check.title}.",
                said,
            )
        )
    return "\n".join(lines) + "\n"


def findings_of(check: Check) -> list[tuple[str, str]]:
    """Read from a check's source what it may say; ``…`` stands for what is put in."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(check.run)))
    numbers = vars(inspect.getmodule(check.run)).items()
    named: dict[str, ast.expr] = {
        name: ast.Constant(str(number)) for name, number in numbers if isinstance(number, int)
    }
    named |= {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        (_text(call.args[0], named), _text(call.args[1], named))
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Finding"
    ]


def _text(node: ast.expr, named: Mapping[str, ast.expr]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, named) for part in parts)
        case ast.FormattedValue(value=inner) | ast.IfExp(orelse=inner):
            return _text(inner, named)
        case ast.Name(id=name) if name in named:
            return _text(named[name], {})
        case ast.Call(func=ast.Name(id="counted"), args=[_, ast.Constant(value=noun)]):
            return f"… {noun}s"
        case _:
            return "…"


def commands() -> str:
    """Give every command with its options, under the headings of the help."""
    root: Any = get_command(program)
    kinds: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        if not command.hidden:
            kinds.setdefault(command.rich_help_panel, []).extend(_command(name, command))
    return "\n".join(line for kind, lines in kinds.items() for line in (f"## {kind}\n", *lines))


def _command(name: str, command: Any) -> Iterator[str]:
    context = command.make_context(f"mainstay {name}", [], resilient_parsing=True)
    usage = " ".join(
        piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"
    )
    yield f"### `{f'mainstay {name} {usage}'.strip()}`\n"
    yield f"{' '.join((command.help or '').split())}\n"
    records = filter(None, (each.get_help_record(context) for each in command.params))
    rows = [(left.partition(" <")[0] if left[0] != "-" else left, right) for left, right in records]
    if rows:
        yield _row("argument or option", "what it does")
        yield _rule(2)
        yield from (_row(f"`{left}`", right) for left, right in rows)
        yield ""


def _prose(kind: type[object]) -> str:
    return " ".join((inspect.getdoc(kind) or "").replace("``", "`").split())


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


GENERATED: Final[dict[str, Callable[[], str]]] = {
    "docs/configuration.md": settings_tables,
    "docs/errors.md": errors_table,
    "docs/checks.md": checks_table,
    "docs/cli.md": commands,
}
"""The pages with a generated part, and what makes it."""

__all__: Sequence[str] = ("GENERATED", "ROOT", "environment_file", "sections", "with_generated")
