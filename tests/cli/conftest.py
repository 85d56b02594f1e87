"""The command as people run it: in a process and a folder of its own."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "mainstay"
LONGEST = 60
"""Seconds after which a command is given up."""

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "Zk3n8qLw1vXr5tYb7uCd9eFg2hJk4mNp6sQa0iOx",
    "DATABASE_URL": "sqlite:///shop.db",
    "MAIL_SERVER": "127.0.0.1",
    "MAIL_FROM": "hello@shop.at",
    "PUBLIC_URL": "https://shop.at",
}
"""What lets a production server start."""


_FORKING = """
import importlib, json, os, sys
from mainstay.features import BUILT_IN
import mainstay.app, mainstay.cli.administrators, mainstay.cli.moves, mainstay.cli.parts
import mainstay.cli.program, mainstay.cli.serving.run, mainstay.core.checks.runner
for name in BUILT_IN:
    importlib.import_module(f"mainstay.features.{name}.feature")
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        for number, name in enumerate(order["streams"]):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdin = open(0)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv[:] = ["mainstay", *order["arguments"]]
        mainstay.cli.main()
        os._exit(99)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs commands, each in a fork, so that the framework is imported once and not for each."""


class Forks:
    """A process that runs commands in forks of itself."""

    def __init__(self, streams):
        self._streams = [streams / name for name in ("in", "out", "err")]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _FORKING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        )

    def run(self, arguments, *, folder, environment):
        """Run a command to its end."""
        self._streams[0].write_bytes(b"")
        order = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "streams": list(map(str, self._streams)),
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LONGEST)
        assert ready, f"{arguments} did not end"
        status = int(self._process.stdout.readline())
        out, err = (stream.read_text("utf-8") for stream in self._streams[1:])
        return subprocess.CompletedProcess(arguments, status, out, err)

    def close(self):
        """End."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """Give the process that runs commands."""
    made = Forks(tmp_path_factory.mktemp("streams"))
    yield made
    made.close()


class Server:
    """A running `mainstay serve`."""

    def __init__(self, process, port, output):
        self.process = process
        self.port = port
        self._output = output

    @property
    def said(self):
        """All that it has written."""
        return self._output.read_text("utf-8")

    def get(self, path, *, token=None, body=None):
        """Give status and body of an answer; with a body to send it is a POST of JSON."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def wait_for(self, condition):
        """Wait until a condition holds."""
        end = time.monotonic() + LONGEST
        while not condition():
            assert time.monotonic() < end, self.said
            time.sleep(0.05)

    def wait_until_up(self):
        """Wait until it answers."""

        def answers():
            assert self.process.poll() is None, self.said
            try:
                return self.get("/livez")[0] == 200
            except OSError:
                return False

        self.wait_for(answers)

    def end(self, sig=signal.SIGTERM):
        """Send a signal and give the exit status."""
        self.process.send_signal(sig)
        return self.process.wait(LONGEST)


class Mainstay:
    """The command, in a folder and an environment of its own."""

    def __init__(self, folder, forks):
        self.folder = folder
        self._forks = forks
        self._servers = 0

    def environment(self, given):
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "LANG": "C.UTF-8", **given}

    def run(self, *arguments, **environment):
        """Run a command to its end."""
        given = self.environment(environment)
        return self._forks.run(arguments, folder=self.folder, environment=given)

    def talk(self, dialogue, *arguments, **environment):
        """Run a command on a terminal and answer what it asks; gives status and all it wrote."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=self.environment({"TERM": "xterm", **environment}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        said = ""
        try:
            for question, reply in [*dialogue, (None, "")]:
                said += _listen(ours, question)
                if question is not None:
                    os.write(ours, reply.encode() + b"\n")
            return process.wait(LONGEST), said
        finally:
            process.kill()
            process.wait(LONGEST)
            os.close(ours)

    @contextmanager
    def serve(self, *arguments, wait=True, **environment):
        """Serve on a free port until the end of the block, at the latest."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self._servers += 1
        output = self.folder / f"output{self._servers}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [PROGRAM, "serve", *arguments],
                cwd=self.folder,
                env=self.environment({"PORT": str(port), **environment}),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        server = Server(process, port, output)
        try:
            if wait:
                server.wait_until_up()
            yield server
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(LONGEST)


def _listen(terminal, question):
    """Read until the question has come, or with None to the end."""
    heard = ""
    while question is None or question not in heard:
        ready, _, _ = select.select([terminal], [], [], LONGEST)
        assert ready, f"{question!r} was not asked: {heard}"
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux says so that the other side has closed
            data = b""
        if not data:
            assert question is None, f"{question!r} was not asked: {heard}"
            return heard
        heard += data.decode()
    return heard


@pytest.fixture
def mainstay(tmp_path, forks):
    """The command in an empty folder."""
    return Mainstay(tmp_path, forks)


@pytest.fixture
def production():
    """What lets a production server start."""
    return dict(PRODUCTION)


@pytest.fixture
def shop(mainstay):
    """The command in a project with one route."""
    (mainstay.folder / "pyproject.toml").write_text(
        '[tool.mainstay]\n[tool.fastapi]\nentrypoint = "shop.main:app"\n'
    )
    package = mainstay.folder / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "main.py").write_text(
        "from fastapi import Depends\n"
        "from mainstay import create_app, public\n"
        "app = create_app()\n"
        '@app.get("/hello", dependencies=[Depends(public)])\n'
        'async def hello(): return "one"\n'
    )
    return mainstay
