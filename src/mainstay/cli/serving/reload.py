"""Reload in development: a parent that watches the project, and a child that serves it."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from functools import partial
from multiprocessing import parent_process, resource_tracker
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.supervisors.basereload import BaseReload
from watchfiles import DefaultFilter, watch

from mainstay.cli.console import say

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from watchfiles import Change

_ENDINGS: Final = (".py", ".html", ".toml")
_LOOK: Final = 500
"""Milliseconds after which the child is looked at, though no file has changed."""

_NAMED: Final = 3


class Sources(DefaultFilter):
    """What a change of counts: code, pages and settings; no data, caches or environments."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, "venv", "site-packages", ".ruff_cache")

    def __init__(self, data: Path) -> None:
        super().__init__(ignore_paths=[f"{data}{os.sep}"])

    def __call__(self, change: Change, path: str) -> bool:
        """Say whether the file counts."""
        wanted = path.endswith(_ENDINGS) or os.path.basename(path) == ".env"  # noqa: PTH119
        return wanted and super().__call__(change, path)


class Reloader(BaseReload):
    """Runs ``serve(sockets=..., again=...)`` in a child, anew after each change of the project.

    A child that ends by itself ends the parent as well, with its status; but not after a change,
    when it most likely waits for the next one.
    """

    def __init__(
        self, serve: Callable[..., None], *, root: Path, data: Path, sockets: list[socket.socket]
    ) -> None:
        config = uvicorn.Config("", log_config=None, workers=1)
        super().__init__(config, partial(serve, again=False), sockets)
        self._serve = serve
        self._root = root
        self._changed = False
        self._told = False
        self.status = 0
        self._watcher = watch(
            root,
            watch_filter=Sources(data),
            stop_event=self.should_exit,
            rust_timeout=_LOOK,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )

    def run(self) -> None:
        """Serve until a signal."""
        with _unbothered():
            self.startup()
        for changes in self:
            if changes:
                self._tell(changes)
                self.target = partial(self._serve, again=True)
                self._changed, self._told = True, False
                with _unbothered():
                    self.restart()
            elif not self.process.is_alive() and self._child_ended():
                break
        self.shutdown()

    def should_restart(self) -> list[Path] | None:
        """Wait a moment for changes, and give the files."""
        changes = next(self._watcher)
        return [self._root / path for _, path in sorted(changes)] or None

    def _child_ended(self) -> bool:
        """Say whether the parent has to end as its child has."""
        if not self._changed:
            self.status = 1 if self.process.exitcode else 0
            return True
        if not self._told:
            self._told = True
            say("The server has ended. It starts again when a file changes.", error=True)
        return False

    def _tell(self, changes: list[Path]) -> None:
        names = [str(path.relative_to(self._root)) for path in dict.fromkeys(changes)]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        say(f"{', '.join(names[:_NAMED])}{more} changed, reloading")


@contextmanager
def _unbothered() -> Iterator[None]:
    """Keep Ctrl+C from a child until it can handle it; ours comes right after."""
    resource_tracker.ensure_running()  # it would lift the mask
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_child() -> None:
    """Set a child up: interrupts reach it, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until the server takes over
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, name="mainstay-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent: Any = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
