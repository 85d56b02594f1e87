"""Running checks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mainstay.core.checks import Check, Finding, Level, runner
from mainstay.core.checks.runner import (
    CORE_CHECKS,
    Selection,
    all_checks,
    boot_findings,
    run_checks,
)
from mainstay.core.db.engine import Database
from mainstay.core.feature import Feature
from mainstay.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainstay.core.ports import Ports

SPECIFIED_BOOT_ROWS = {"S001", "S002", "S003", "S008", "H001", "H002", "H004", "H008"} | {
    "D001",
    "D003",
}
SPECIFIED_LEVELS = {
    "error": "S001 S002 S003 S008 S016 S019 H001 H002 H004 H008 D001 D002 D003 D005",
    "warning": "S009 S011 S013 S014 S015 S021 H003 H006 D006 D007 D008 D009 D010 D011",
    "info": "S018 H009",
}


def check(name: str, result: Any = None, *, level: Level = "error", **more: Any) -> Check:
    async def run(_: Ports) -> Finding | None:
        if isinstance(result, Exception):
            raise result
        if result == "hang":
            await asyncio.sleep(60)
        return Finding(result, f"mend {name}.") if result else None

    return Check(id=name, level=level, title=f"About {name}", run=run, **more)


@pytest.fixture
def ports_of(
    ports_with: Callable[..., Ports], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ports]:
    """Make ports whose only checks are those given."""
    monkeypatch.delenv("MAINSTAY_SKIP_CHECKS", raising=False)
    monkeypatch.setattr(runner, "CORE_CHECKS", ())

    def make(*checks: Check) -> Ports:
        ports = ports_with()
        dialect = SimpleNamespace(name="postgresql", server_version_info=(17, 2))
        engine = SimpleNamespace(dialect=dialect)
        ports.add(Database, SimpleNamespace(engine=engine))  # type: ignore[arg-type]
        ports.add(Registry, Registry((Feature(name="shop", checks=checks),)))
        return ports

    return make


def states(ports: Ports, **selection: Any) -> dict[str, str]:
    report = asyncio.run(run_checks(ports, Selection(**selection)))
    return {result.check.id: result.state for result in report.results}


def test_findings_and_passes(ports_of: Callable[..., Ports]) -> None:
    ports = ports_of(check("A1", "It is wrong."), check("A2"))
    report = asyncio.run(run_checks(ports))
    first, second = report.results
    assert (first.state, first.message, first.fix) == ("failed", "It is wrong.", "mend A1.")
    assert second.state == "passed"
    assert report.about == ("production", "PostgreSQL 17.2")


def test_deploy_rows_run_when_asked_for(ports_of: Callable[..., Ports]) -> None:
    ports = ports_of(check("A1"), check("A2", deploy=True))
    assert states(ports) == {"A1": "passed"}
    assert states(ports, deploy=True) == {"A1": "passed", "A2": "passed"}


def test_a_tag_chooses_by_the_beginning_of_the_id(ports_of: Callable[..., Ports]) -> None:
    ports = ports_of(check("A1"), check("shop.S001"))
    assert states(ports, tag="shop") == {"shop.S001": "passed"}


def test_a_check_that_breaks_takes_no_other_with_it_and_is_no_pass(
    ports_of: Callable[..., Ports],
) -> None:
    ports = ports_of(check("A1", ConnectionRefusedError("password=hunter2")), check("A2"))
    report = asyncio.run(run_checks(ports))
    assert [result.state for result in report.results] == ["unknown", "passed"]
    assert report.results[0].message == '"About A1" could not be checked: ConnectionRefusedError.'
    assert report.exit_status() == 3
    assert "hunter2" not in report.as_text()


def test_a_check_that_hangs_is_ended(
    ports_of: Callable[..., Ports], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TIMEOUT", 0.01)
    ports = ports_of(check("A1", "hang"))
    (result,) = asyncio.run(run_checks(ports)).results
    assert result.message == '"About A1" could not be checked in 0.01 s.'


def test_a_silenced_finding_keeps_its_reason(ports_of: Callable[..., Ports]) -> None:
    ports = ports_of(check("A1", "It is wrong."), check("A2"))
    silence = {"A1": "we know", "A2": "we know"}
    report = asyncio.run(run_checks(ports, Selection(silence=silence)))
    first, second = report.results
    assert (first.state, first.reason) == ("silenced", "we know")
    assert second.state == "passed"
    assert report.exit_status() == 0


def test_a_skipped_check_does_not_run_and_is_logged(
    ports_of: Callable[..., Ports], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(
        runner, "_log", SimpleNamespace(warning=lambda _, **more: logged.append(more))
    )
    monkeypatch.setenv("MAINSTAY_SKIP_CHECKS", "A1")
    ports = ports_of(check("A1", RuntimeError()), check("A2"))
    assert states(ports) == {"A1": "skipped", "A2": "passed"}
    assert logged == [{"check": "A1"}]


def test_only_boot_rows_stop_a_start(
    ports_of: Callable[..., Ports], monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = ports_of(
        check("A1", "It is wrong.", boot=True, deploy=True),
        check("A2", "It is wrong too."),
        check("A3", boot=True),
        check("A4", OSError(), boot=True),
    )
    assert [result.check.id for result in asyncio.run(boot_findings(ports))] == ["A1"]
    monkeypatch.setenv("MAINSTAY_SKIP_CHECKS", "A1")
    assert asyncio.run(boot_findings(ports)) == ()


def test_the_core_s_checks_come_before_the_features(ports_with: Callable[..., Ports]) -> None:
    ports = ports_with()
    own = check("shop.S001")
    ports.add(Registry, Registry((Feature(name="shop", checks=(own,)),)))
    assert all_checks(ports) == (*CORE_CHECKS, own)


def test_the_catalogue_is_that_of_the_handbook() -> None:
    ids = [each.id for each in CORE_CHECKS]
    assert len(ids) == len(set(ids))
    by_level = {level: set(names.split()) for level, names in SPECIFIED_LEVELS.items()}
    for level, names in by_level.items():
        assert {each.id for each in CORE_CHECKS if each.level == level} == names
    assert {each.id for each in CORE_CHECKS if each.boot} == SPECIFIED_BOOT_ROWS
    assert all(each.title for each in CORE_CHECKS)
