"""What commands print, and what they ask: colour and signs only where the terminal has them."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

_PLAIN: Final = str.maketrans({"·": "-", "✓": "+", "…": "...", "→": "->", "—": "-"})
_WIDEST: Final = 44
"""A column's text beyond this pushes only its own line."""


class CommandError(Exception):
    """A command cannot do what it was asked; the text is for people, one sentence or a few lines.

    ``exit_code`` is 1 for a failure and 2 for a wrong use.
    """

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def say(text: str = "", *, error: bool = False) -> None:
    """Write a line to standard output, or to standard error."""
    stream = sys.stderr if error else sys.stdout
    stream.write(fitted(text, stream) + "\n")
    stream.flush()


def fitted(text: str, stream: TextIO) -> str:
    """Give the text in what the stream can encode; other signs become ASCII."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def bold(text: str) -> str:
    """Make text stand out on a terminal that shows it (https://no-color.org)."""
    return f"\x1b[1m{text}\x1b[0m" if has_colour(sys.stdout) else text


def has_colour(stream: TextIO) -> bool:
    """Say whether colour may be written to the stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Give a line a row, with what belongs together below each other."""
    table = [[cell or "-" for cell in row] for row in rows]
    if not table:
        return []
    widths = [
        max((len(cell) for cell in column if len(cell) <= _WIDEST), default=0)
        for column in zip(*table, strict=True)
    ]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def show_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; its header is only for people, so it is left out of pipes."""
    listed = list(rows)
    if sys.stdout.isatty() and listed:
        first, *rest = columns([header, *listed])
        say(bold(first))
    else:
        rest = columns(listed)
    for line in rest:
        say(line)


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def is_interactive() -> bool:
    """Say whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
