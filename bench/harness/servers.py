"""One server process: started on a free port and a fixed core, ended by its own id."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.client import BenchError, Request, check

BENCH = Path(__file__).resolve().parent.parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_SECONDS = 30.0
STOP_SECONDS = 10.0
SETTINGS = (
    "--loop=uvloop",
    "--http=httptools",
    "--lifespan=on",
    "--no-access-log",
    "--no-server-header",
    "--no-proxy-headers",
    "--log-level=warning",
)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return a minimal environment with ``extra``, so that a developer's own settings stay out."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(BENCH), **extra}


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """uvicorn with one worker, the same settings for every target, on one core."""

    def __init__(
        self, factory: str, *, core: int, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.port = free_port()
        self.log = folder / f"{factory.replace(':', '.')}-{self.port}.log"
        command = ["taskset", "-c", str(core), sys.executable, "-m", "uvicorn", factory]
        command += ["--factory", "--host=127.0.0.1", f"--port={self.port}", *SETTINGS]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=clean_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_up(self, request: Request, *, interval: float = 0.05) -> None:
        """Wait for the expected answer.

        Raises:
            BenchError: The process ended, or did not answer within half a minute.
        """
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                check(self.port, request)
            except BenchError as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    log = self.log.read_text(encoding="utf-8", errors="replace")
                    what = f"the server does not answer as it must ({error}); its log"
                    raise BenchError.of_output(what, log) from error
                time.sleep(interval)
            else:
                return

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process and its threads have used."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def stop(self) -> None:
        """End the process and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def settle(servers: Sequence[Server], *, seconds: float = 5.0) -> None:
    """Wait until no server works off what an earlier visit left, at most ``seconds``."""
    end = time.monotonic() + seconds
    before = _total(servers)
    while time.monotonic() < end:
        time.sleep(0.05)
        now = _total(servers)
        if now - before < 1 / TICKS_PER_SECOND:
            return
        before = now


def _total(servers: Sequence[Server]) -> float:
    return sum(server.cpu_seconds() for server in servers)
