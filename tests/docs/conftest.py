"""What runs the pages: a copy of the checkout, a clean environment, a free port, a database."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
from dotenv import dotenv_values
from tests.docs.generating import sections
from tests.docs.reading import ROOT, Block
from tests.docs.running import PageRunner
from tests.docs.samples import Samples

from mainstay.core.settings import Settings, load
from mainstay.testing.databases import fresh_database, is_required, why_unavailable

PORT_SHOWN = ":8000"
DATABASE_SHOWN = "postgresql://postgres@localhost/shop"
PRODUCT_SHOWN = "PostgreSQL shop"


@pytest.fixture(scope="session")
def checkout_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that a clone has, with the environment of these tests as its own."""
    folder = tmp_path_factory.mktemp("checkout")
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture
def run_page(tmp_path: Path, checkout_template: Path) -> Iterator[Callable[[list[Block]], None]]:
    """Run the blocks of a page in order; those after a missing database are skipped."""
    with ExitStack() as stack:

        def run(blocks: list[Block]) -> None:
            known = {PORT_SHOWN: f":{free_port()}"}
            wants_database = [b for b in blocks if DATABASE_SHOWN in b.text and b.is_run]
            reason = why_unavailable("postgresql") if wants_database else None
            if wants_database and reason is None:
                url = stack.enter_context(fresh_database("postgresql"))
                known |= {
                    DATABASE_SHOWN: url,
                    PRODUCT_SHOWN: f"PostgreSQL {url.rpartition('/')[2]}",
                }
            runner = PageRunner(
                checkout=partial(_copy, checkout_template, tmp_path / "shop"),
                scratch=tmp_path,
                environ=_environ(tmp_path, known[PORT_SHOWN].removeprefix(":")),
                samples=Samples(known),
                check_settings=check_settings,
            )
            stack.callback(runner.end)
            for block in blocks:
                if reason is not None and block is wants_database[0]:
                    (pytest.fail if is_required("postgresql") else pytest.skip)(reason)
                runner.run(block)
            runner.finish()

        yield run


def check_settings(text: str) -> None:
    """Take the lines of a ``.env``; alternatives of one setting are taken one by one.

    Raises:
        SettingsError: a value is wrong.
        ValueError: a line is none, or names nothing that is a setting.
    """
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [next(iter(dotenv_values(stream=io.StringIO(line)).items()), None) for line in lines]
    if None in pairs:
        msg = "this is no line of a .env"
        raise ValueError(msg)
    given = [pair for pair in pairs if pair is not None]
    together = len({name for name, _ in given}) == len(given)
    for environ in [dict(given)] if together else [dict([pair]) for pair in given]:
        prefixed = {
            f"MAINSTAY_{name.removeprefix('MAINSTAY_')}": v or "" for name, v in environ.items()
        }
        loaded: Settings = load(sections(), environ=prefixed, env_file=None)
        unknown = [notice for notice in loaded.notices if "is not a setting" in notice]
        if unknown:
            raise ValueError(unknown[0])


def free_port() -> int:
    """Find a port that nobody listens on."""
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _copy(template: Path, folder: Path) -> Path:
    """Copy the checkout; the packages of these tests stand in it as if `make dev` had run before.

    The Makefile's stamps say so, and nothing is installed.
    """
    shutil.copytree(template, folder)
    environment = folder / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    for stamp in re.findall(
        r"^\$\(VENV\)/([\w.-]+):", (folder / "Makefile").read_text(), re.MULTILINE
    ):
        (environment / stamp).touch()
    return folder


def _environ(home: Path, port: str) -> dict[str, str]:
    """Give an environment without the settings and habits of who runs the tests."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PORT": port,
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_DRY_RUN": "1",
    }
