"""The H rows."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mainstay.core.checks import http
from mainstay.core.checks.http import HTTP, reload_is_on
from mainstay.core.db.engine import Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from mainstay.core.checks import Finding
    from mainstay.core.ports import Ports

EVERYWHERE = "0.0.0.0"  # noqa: S104
BY_ID = {check.id: check for check in HTTP}


def found(name: str, ports: Ports) -> Finding | None:
    return asyncio.run(BY_ID[name].run(ports))


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        ("H001", {"PUBLIC_URL": None}, "ALLOWED_HOSTS is empty: links in mails"),
        ("H001", {"ALLOWED_HOSTS": "*"}, 'ALLOWED_HOSTS is "*": links in mails'),
        ("H002", {"PUBLIC_URL": None}, "PUBLIC_URL is not set: links in mails will be wrong."),
        ("H002", {"PUBLIC_URL": "http://shop.example"}, "PUBLIC_URL is not https"),
        ("H003", {"PUBLIC_URL": "http://shop.example"}, "HSTS is off."),
        ("H004", {"TRUSTED_PROXIES": "*", "HOST": EVERYWHERE}, 'TRUSTED_PROXIES="*"'),
        ("H004", {"TRUSTED_PROXIES": "::/0", "HOST": "shop.example"}, 'TRUSTED_PROXIES="*"'),
        ("H006", {"MAX_BODY_SIZE": "1gb"}, "No request body limit."),
    ],
)
def test_a_row_finds_its_fault(
    name: str, bad: dict[str, Any], message: str, ports_with: Callable[..., Ports]
) -> None:
    finding = found(name, ports_with(**bad))
    assert finding is not None
    assert message in finding.message
    assert finding.fix.endswith(".")


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("H001", {}),
        ("H001", {"PUBLIC_URL": None, "ALLOWED_HOSTS": "shop.example"}),
        ("H002", {}),
        ("H003", {}),
        ("H004", {"TRUSTED_PROXIES": "*"}),
        ("H004", {"TRUSTED_PROXIES": "*", "HOST": "localhost"}),
        ("H004", {"TRUSTED_PROXIES": "10.0.0.0/8", "HOST": EVERYWHERE}),
        ("H004", {"TRUSTED_PROXIES": "2", "HOST": EVERYWHERE}),
        ("H006", {}),
    ],
)
def test_a_row_passes_what_is_right(
    name: str, good: dict[str, Any], ports_with: Callable[..., Ports]
) -> None:
    assert found(name, ports_with(**good)) is None


@pytest.mark.parametrize(
    ("argv", "environ", "expected"),
    [
        (["uvicorn", "main:app", "--reload"], {}, True),
        (["granian"], {"GRANIAN_RELOAD": "true"}, True),
        (["uvicorn"], {"UVICORN_RELOAD": "0"}, False),
        (["mainstay", "serve"], {}, False),
    ],
)
def test_reload_is_recognised(argv: list[str], environ: dict[str, str], expected: bool) -> None:
    assert reload_is_on(argv, environ) is expected


def test_H008_stands_outside_of_development_only(
    monkeypatch: pytest.MonkeyPatch, ports_with: Callable[..., Ports]
) -> None:
    monkeypatch.setattr("sys.argv", ["uvicorn", "--reload"])
    finding = found("H008", ports_with())
    assert finding is not None
    assert finding.message == "Reload is on."
    assert found("H008", ports_with(ENVIRONMENT="development")) is None
    monkeypatch.setattr("sys.argv", ["uvicorn"])
    assert found("H008", ports_with()) is None


@pytest.mark.parametrize(
    ("dialect", "cores", "settings", "message"),
    [
        ("postgresql", 8, {}, "1 worker on 8 cores."),
        ("postgresql", 8, {"WEB_CONCURRENCY": 2}, None),
        ("postgresql", 1, {}, None),
        ("sqlite", 8, {}, None),
    ],
)
def test_H009_counts_cores(  # noqa: PLR0917
    dialect: str,
    cores: int,
    settings: dict[str, Any],
    message: str | None,
    monkeypatch: pytest.MonkeyPatch,
    ports_with: Callable[..., Ports],
) -> None:
    monkeypatch.setattr(http, "available_cores", lambda: cores)
    ports = ports_with(**settings)
    ports.add(Database, SimpleNamespace(dialect_name=dialect))  # type: ignore[arg-type]
    finding = found("H009", ports)
    assert (finding.message if finding else None) == message
