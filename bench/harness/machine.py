"""The machine: which core does what, and a description that belongs beside the numbers."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "fastapi",
    "starlette",
    "pydantic",
    "uvicorn",
    "uvloop",
    "httptools",
    "sqlalchemy",
    "asyncpg",
    "joserfc",
    "orjson",
    "argon2-cffi",
)


@dataclass(frozen=True)
class Cores:
    """The core of the servers and the core of the load generator and the database."""

    server: int
    load: int

    @property
    def apart(self) -> bool:
        """Whether the two are different cores."""
        return self.server != self.load


def choose_cores() -> Cores:
    """Take the first and the last core that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(server=usable[0], load=usable[-1])


def describe(cores: Cores, database: str) -> list[tuple[str, str]]:
    """Return what the numbers depend on, as pairs of a label and a text."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    apart = "" if cores.apart else " (one core for all: the figures are not comparable)"
    return [
        ("date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("cores", f"{os.cpu_count()} x {_cpu_model()}"),
        (
            "pinned",
            f"servers to core {cores.server}; load and database to core {cores.load}{apart}",
        ),
        ("memory", _memory()),
        ("system", f"{platform.system()} {platform.release()}"),
        ("load average at the start", load),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("libraries", ", ".join(_library(name) for name in LIBRARIES)),
        ("database", database),
        ("load generator", _wrk_version()),
    ]


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} missing"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        label, _, value = line.partition(":")
        if label.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.1f} GiB"


def _wrk_version() -> str:
    done = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).split()
    return " ".join(words[:2])
