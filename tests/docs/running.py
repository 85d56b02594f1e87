"""Runs the blocks of a page as its reader would, from the first to the last.

============  =====================================================================================
``python``    run in one namespace a page
``console``   typed line by line in a shell, in a copy of the checkout; outputs are compared
``sh``        likewise, without outputs
``ini``       lines of a ``.env``; the settings take each of them
``json``      parsed
``toml``      parsed
``text``      what the Python block before it printed, or a tree of files that are there
============  =====================================================================================

A block of Python, TOML or settings that begins with a path as its only comment is that file: it is
written into the shell's folder. ``make dev`` and ``mainstay serve`` stay in the foreground of a
terminal of their own while the page goes on; ``^C`` is typed there.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.docs.reading import ROOT, Block
from tests.docs.samples import Samples
from tests.docs.terminals import PATIENCE, Foreground, Shell

DRIVER: Final = Path(__file__).with_name("driver.py")
_STAYS: Final = re.compile(
    r"(?:\w+=\S+ )*(?:make dev|(?:\.venv/bin/)?mainstay serve)(?! .*&$)(?: .*)?"
)
_PROMPT: Final = "$ "
_INTERRUPT: Final = "^C"
_INTERRUPTED: Final = frozenset({0, -signal.SIGINT, 128 + signal.SIGINT})
"""How a program ends after Ctrl+C: well, or, as make does, by the signal itself."""


class BlockError(AssertionError):
    """A block does not do what the page says."""

    def __init__(self, block: Block, reason: str) -> None:
        super().__init__(f"{block.place}: {reason}")


class PageRunner:
    """Runs blocks one after the other. ``end`` it in any case."""

    def __init__(
        self,
        *,
        checkout: Callable[[], Path],
        scratch: Path,
        environ: Mapping[str, str],
        samples: Samples,
        check_settings: Callable[[str], None],
    ) -> None:
        self._checkout = checkout
        self._scratch = scratch
        self._environ = dict(environ)
        self._samples = samples
        self._check_settings = check_settings
        self._python: subprocess.Popen[str] | None = None
        self._shell: Shell | None = None
        self._foreground: Foreground | None = None
        self._printed = ""
        self._unused: Block | None = None

    def run(self, block: Block) -> None:
        """Run a block.

        Raises:
            BlockError: it fails, or prints something else than the page says.
        """
        if block.file is not None:
            self._write(block, block.file)
            return
        getattr(self, f"_run_{block.kind}")(block)

    def finish(self) -> None:
        """Say that the page is at its end.

        Raises:
            BlockError: the page has a file that no command after it can have used.
        """
        if self._unused is not None:
            raise BlockError(self._unused, "no command comes after this file")

    def end(self) -> None:
        """End all that the page has started."""
        if self._foreground is not None:
            self._foreground.end()
        if self._shell is not None:
            self._shell.end()
        if self._python is not None:
            self._python.communicate(timeout=PATIENCE)

    def _run_python(self, block: Block) -> None:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, "-W", "error", str(DRIVER)],
                cwd=self._scratch,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        sent = json.dumps({"page": block.page, "line": block.line, "text": block.text})
        self._python.stdin.write(sent + "\n")  # type: ignore[union-attr]
        self._python.stdin.flush()  # type: ignore[union-attr]
        answer = json.loads(self._python.stdout.readline())  # type: ignore[union-attr]
        if answer["fault"]:
            raise BlockError(block, answer["fault"])
        self._printed = answer["printed"]

    def _run_text(self, block: Block) -> None:
        if "── " in block.text:
            missing = [path for path in paths_of(block.text) if not (ROOT / path).exists()]
            if missing:
                raise BlockError(block, f"not there: {', '.join(missing)}")
            return
        if not self._printed:
            raise BlockError(block, "no Python block before it printed anything")
        self._compare(block, block.text, self._printed)
        self._printed = ""

    def _run_json(self, block: Block) -> None:
        self._parse(block, json.loads)

    def _run_toml(self, block: Block) -> None:
        self._parse(block, tomllib.loads)

    def _run_ini(self, block: Block) -> None:
        self._parse(block, self._check_settings)

    def _run_sh(self, block: Block) -> None:
        self._unused = None
        if _STAYS.fullmatch(block.text.strip()):
            self._start(block, block.text.strip(), "…")
        else:
            self._type(block, block.text)

    def _run_console(self, block: Block) -> None:
        self._unused = None
        for command, expected in turns_of(block):
            if command == _INTERRUPT:
                self._interrupt(block)
            elif _STAYS.fullmatch(command):
                self._start(block, command, expected)
            else:
                self._compare(block, expected, self._type(block, command))

    def _write(self, block: Block, name: str) -> None:
        if name.endswith(".py"):
            self._parse(block, lambda text: compile(text, block.page, "exec"))
        elif name.endswith(".toml"):
            self._run_toml(block)
        else:
            self._run_ini(block)
        self._unused = block
        file = self._folder(block) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._samples.translate(block.text), "utf-8")

    def _type(self, block: Block, command: str) -> str:
        if self._shell is None:
            self._shell = Shell(self._checkout(), self._environ)
        printed, well = self._shell.run(self._samples.translate(command))
        if not well:
            raise BlockError(block, f"{command}\nfailed:\n{printed}")
        return printed

    def _folder(self, block: Block) -> Path:
        return Path(self._type(block, "pwd").strip())

    def _start(self, block: Block, command: str, expected: str) -> None:
        if self._foreground is not None:
            raise BlockError(block, "another program is in the foreground")
        translated = self._samples.translate(command)
        self._foreground = Foreground(translated, self._folder(block), self._environ)
        output = self._foreground.output
        printed, well = output.wait_until(
            lambda text: self._samples.compare(expected, text) is None and bool(text)
        )
        if not well:
            self._compare(block, expected, printed or "nothing")

    def _interrupt(self, block: Block) -> None:
        if self._foreground is None:
            raise BlockError(block, "nothing is in the foreground")
        status = self._foreground.interrupt()
        self._foreground.end()
        self._foreground = None
        if status not in _INTERRUPTED:
            raise BlockError(block, f"ended with {status} after Ctrl+C")

    def _compare(self, block: Block, expected: str, printed: str) -> None:
        difference = self._samples.compare(expected, printed)
        if difference is not None:
            raise BlockError(block, difference)

    def _parse(self, block: Block, parse: Callable[[str], object]) -> None:
        try:
            parse(block.text)
        except Exception as error:
            raise BlockError(block, f"{type(error).__name__}: {error}") from error


def turns_of(block: Block) -> Iterator[tuple[str, str]]:
    """Give the commands of a transcript, each with what it prints; Ctrl+C is a command.

    Raises:
        BlockError: the transcript begins with an output.
    """
    command: list[str] = []
    expected: list[str] = []
    for line in block.text.splitlines():
        if line.startswith("> ") and command and not expected:
            command.append(line[2:])
        elif line.startswith(_PROMPT) or line == _INTERRUPT:
            if command:
                yield "\n".join(command), "\n".join(expected)
            command, expected = [line.removeprefix(_PROMPT)], []
        elif not command:
            raise BlockError(block, "a transcript begins with a command")
        else:
            expected.append(line)
    if command:
        yield "\n".join(command), "\n".join(expected)


def paths_of(tree: str) -> Iterator[str]:
    """Give the paths that a drawn tree of files names; several may share a line by commas."""
    folders: list[str] = []
    for line in tree.splitlines():
        drawn = re.match(r"(?:[│ ] {3}|[├└]── )*", line)
        depth = len(drawn[0]) // 4 if drawn else 0
        names = re.match(r"[\w./-]+(?:, [\w./-]+)*", line[depth * 4 :])
        if names is None:
            continue
        folders = folders[:depth]
        listed = names[0].split(", ")
        yield from ("".join([*folders, name]) for name in listed)
        folders.append(listed[-1] if listed[-1].endswith("/") else listed[-1] + "/")
