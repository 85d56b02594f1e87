"""The code blocks of a page of documentation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
KINDS: Final = frozenset({"python", "sh", "console", "json", "toml", "ini", "text"})
_FENCE: Final = re.compile(r"(?P<indent>\s*)(?P<ticks>`{3,}|~{3,})(?P<info>.*)")
_FILE: Final = re.compile(r"# ([\w./-]*[\w-]+\.(?:py|toml)|\.env)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. ``line`` is where its text begins, from 1."""

    page: str
    line: int
    kind: str
    text: str

    @property
    def place(self) -> str:
        """Name it for people."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that the block is, if its first line is a comment that is only a path."""
        found = _FILE.fullmatch(self.text.partition("\n")[0].rstrip())
        return found[1] if found and self.kind in {"python", "toml", "ini"} else None

    @property
    def is_run(self) -> bool:
        """Say whether a shell runs the block, or what it writes."""
        return self.kind in {"console", "sh"} or self.file is not None


def pages() -> list[Path]:
    """Give all pages whose blocks run: README.md and everything below docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: Path) -> list[Block]:
    """Read the blocks of a page.

    Raises:
        ValueError: a block is not closed, is indented, or is of no known kind.
    """
    name = str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else page.name
    found: list[Block] = []
    inside: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fence = _FENCE.fullmatch(line)
        if inside is not None:
            start, kind, ticks = inside
            if fence and fence["ticks"].startswith(ticks) and not fence["info"].strip():
                found.append(Block(name, start, kind, "\n".join(lines) + "\n"))
                inside, lines = None, []
            else:
                lines.append(line)
        elif fence:
            kind = fence["info"].strip()
            if fence["indent"] or kind not in KINDS:
                msg = f"{name}:{number}: a block of the kind {kind!r} cannot be run"
                raise ValueError(msg)
            inside = (number + 1, kind, fence["ticks"])
    if inside is not None:
        msg = f"{name}:{inside[0]}: the block is not closed"
        raise ValueError(msg)
    return found


def prose_of(page: Path) -> str:
    """Give a page without its blocks."""
    kept, inside = [], False
    for line in page.read_text("utf-8").splitlines():
        if _FENCE.fullmatch(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)
