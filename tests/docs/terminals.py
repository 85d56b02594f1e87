"""Two terminals: one for a program that stays in the foreground, one for all other commands."""

from __future__ import annotations

import os
import pty
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

PATIENCE: Final = 60.0
"""Seconds that anything may take."""

_INTERRUPT: Final = b"\x03"
_TAKE_TERMINAL: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp('bash', ['bash', '-euo', 'pipefail', '-c', sys.argv[1]])"
)
_OF_JOBS: Final = re.compile(r"bash: line \d+: +\d+ Killed .*\n")
"""What a shell says of a job that was killed; an interactive one says it in other words."""


class _Output:
    """What a program prints, read by a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bytes = b""
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_until(self, ready: Callable[[str], bool]) -> tuple[str, bool]:
        """Give what was printed as soon as it will do, and whether it does."""
        end = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                text = self._bytes.decode("utf-8", "replace").replace("\r\n", "\n")
                if ready(text):
                    return text, True
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    return text, False
                self._changed.wait(left)

    def join(self) -> None:
        self._thread.join(PATIENCE)

    def clear(self) -> None:
        with self._changed:
            self._bytes = b""

    def _read(self) -> None:
        while True:
            chunk = b""
            with suppress(OSError):  # a terminal whose program has ended
                chunk = os.read(self._descriptor, 65_536)
            with self._changed:
                self._bytes += chunk
                self._ended = not chunk
                self._changed.notify_all()
            if not chunk:
                return


class Foreground:
    """A program with a terminal of its own."""

    def __init__(self, command: str, folder: Path, environ: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, command],
            cwd=folder,
            env=dict(environ),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.output = _Output(self._master)

    def interrupt(self) -> int:
        """Press Ctrl+C, and give the status with which it ends."""
        os.write(self._master, _INTERRUPT)
        return self._process.wait(PATIENCE)

    def end(self) -> None:
        _end(self._process)
        self.output.join()
        os.close(self._master)


class Shell:
    """A shell that keeps its folder and variables from one command to the next."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "-euo", "pipefail"],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self._output = _Output(self._process.stdout.fileno())

    def run(self, command: str) -> tuple[str, bool]:
        """Run a command; gives what it printed, and whether it went well."""
        mark = f"done {secrets.token_hex(16)}"
        self._output.clear()
        with suppress(BrokenPipeError):
            self._input.write(
                f"{{\n{command}\n}} 2>&1 </dev/null\nprintf '\\n{mark}\\n'\n".encode()
            )
            self._input.flush()
        printed, well = self._output.wait_until(lambda text: text.endswith(f"\n{mark}\n"))
        return _OF_JOBS.sub("", printed.removesuffix(f"\n{mark}\n")), well

    def end(self) -> None:
        _end(self._process)
        self._output.join()
        with suppress(BrokenPipeError):
            self._input.close()
        self._process.stdout.close()  # type: ignore[union-attr]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started, which is of its process group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    process.wait(PATIENCE)
