"""Runs the checks of the core and of the enabled features."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mainstay.core.checks.database import DATABASE
from mainstay.core.checks.http import HTTP
from mainstay.core.checks.report import Report, Result
from mainstay.core.checks.security import SECURITY
from mainstay.core.checks.silence import skipped_ids
from mainstay.core.checks.values import application
from mainstay.core.db.engine import Database
from mainstay.core.logging import get_logger
from mainstay.core.registry import Registry

if TYPE_CHECKING:
    from mainstay.core.checks.records import Check
    from mainstay.core.ports import Ports

CORE_CHECKS: Final[tuple[Check, ...]] = (*SECURITY, *HTTP, *DATABASE)
TIMEOUT: Final = 10.0
"""Seconds that one check may take."""

_log = get_logger("mainstay.checks")
_PRODUCTS: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which checks run. ``tag`` keeps those whose id begins with it (``S``, ``shop``).

    ``silence`` holds the ids of pyproject.toml with their reasons, ``skip`` those that the
    environment leaves out altogether.
    """

    deploy: bool = False
    tag: str = ""
    silence: Mapping[str, str] = field(default_factory=dict)
    skip: Collection[str] = field(default_factory=lambda: skipped_ids(os.environ))

    def takes(self, check: Check) -> bool:
        """Say whether the check belongs to the run."""
        return (self.deploy or not check.deploy) and check.id.startswith(self.tag)


def all_checks(ports: Ports) -> tuple[Check, ...]:
    """Give the core's checks and those of the enabled features, in that order."""
    features = ports[Registry].features
    return (*CORE_CHECKS, *(check for feature in features for check in feature.checks))


async def run_checks(ports: Ports, selection: Selection | None = None) -> Report:
    """Run the selected checks, one after the other; a check that cannot run is no pass."""
    chosen = selection or Selection()
    began = time.perf_counter()
    checks = [check for check in all_checks(ports) if chosen.takes(check)]
    results = await _run(checks, ports, silence=chosen.silence, skip=chosen.skip)
    seconds = time.perf_counter() - began
    return Report(results=results, seconds=seconds, about=_about(ports))


async def boot_findings(ports: Ports) -> tuple[Result, ...]:
    """Give the boot rows that fail: each is a reason not to start in production.

    A row that could not be looked at, as the database is away, is none: the server starts, and
    readiness tells. ``refusal_text`` says them all at once.
    """
    checks = [check for check in all_checks(ports) if check.boot]
    results = await _run(checks, ports, silence={}, skip=skipped_ids(os.environ))
    return tuple(result for result in results if result.state == "failed")


async def _run(
    checks: Sequence[Check], ports: Ports, *, silence: Mapping[str, str], skip: Collection[str]
) -> tuple[Result, ...]:
    results = []
    for check in checks:
        if check.id in skip:
            _log.warning("check.skipped", check=check.id)
            results.append(Result(check=check, state="skipped"))
        else:
            results.append(await _one(check, ports, reason=silence.get(check.id)))
    return tuple(results)


async def _one(check: Check, ports: Ports, *, reason: str | None) -> Result:
    try:
        async with asyncio.timeout(TIMEOUT):
            finding = await check.run(ports)
    except Exception as error:  # noqa: BLE001 - one check must not take the others with it
        return Result(check=check, state="unknown", message=_why(check, error))
    if finding is None:
        return Result(check=check, state="passed")
    state: Final = "failed" if reason is None else "silenced"
    return Result(
        check=check, state=state, message=finding.message, fix=finding.fix, reason=reason or ""
    )


def _why(check: Check, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f'"{check.title}" could not be checked in {TIMEOUT:g} s.'
    cause = getattr(error, "orig", None) or error
    return f'"{check.title}" could not be checked: {type(cause).__name__}.'


def _about(ports: Ports) -> tuple[str, ...]:
    dialect = ports[Database].engine.dialect
    version = getattr(dialect, "server_version_info", None)
    name = "MariaDB" if getattr(dialect, "is_mariadb", False) else _PRODUCTS.get(dialect.name, "")
    shown = name if version is None else f"{name} {'.'.join(map(str, version[:2]))}"
    return tuple(filter(None, (application(ports).ENVIRONMENT, shown)))
