"""The S rows."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, Depends

from mainstay.core.auth import has_permissions, public
from mainstay.core.checks.security import SECURITY, tracked_by_git
from mainstay.core.http.application import Application

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mainstay.core.checks import Finding
    from mainstay.core.ports import Ports

BY_ID = {check.id: check for check in SECURITY}


def found(name: str, ports: Ports) -> Finding | None:
    return asyncio.run(BY_ID[name].run(ports))


@pytest.mark.parametrize(
    ("name", "bad", "message"),
    [
        ("S001", {"SECRET_KEY": None}, "SECRET_KEY is missing."),
        ("S001", {"SECRET_KEY": "short"}, "a secret of 5 bytes"),
        ("S001", {"SECRET_KEY": "change-this-to-a-long-random-string!"}, "sample values"),
        ("S002", {"ENVIRONMENT": "development"}, 'ENVIRONMENT is "development".'),
        ("S003", {"DEBUG": True}, "Debug is on: error pages show code and settings."),
        ("S008", {"CORS_ORIGINS": "*"}, "CORS allows every origin and sends credentials."),
        (
            "S009",
            {"CORS_ORIGINS": "http://shop.example,https://localhost:3000,https://a.example"},
            "contains http:// or localhost: http://shop.example, https://localhost:3000.",
        ),
        ("S011", {"ACCESS_TOKEN_EXPIRE_MINUTES": 1440}, "Access tokens live 24 h;"),
        ("S011", {"ACCESS_TOKEN_EXPIRE_MINUTES": 61}, "Access tokens live 61 min;"),
        ("S013", {"REQUIRE_EMAIL_VERIFICATION": False}, "without proving the address."),
        ("S014", {"PASSWORD_MIN_LENGTH": 8}, "Passwords may be 8 characters. NIST asks 15"),
        ("S015", {"PASSWORD_HASHER": "bcrypt"}, "weaker than argon2id"),
        ("S018", {"API_DOCS": "redoc"}, "/docs and /openapi.json are public."),
        (
            "S021",
            {"ACCOUNT_LOCKOUT_THRESHOLD": 0, "RATE_LIMIT_ENABLED": False},
            "No login lockout or rate limit on /auth/login.",
        ),
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
        ("S001", {}),
        ("S002", {"ENVIRONMENT": "staging"}),
        ("S003", {}),
        ("S008", {"CORS_ORIGINS": "https://a.example"}),
        ("S009", {"CORS_ORIGINS": "https://a.example"}),
        ("S009", {"CORS_ORIGINS": "*"}),
        ("S011", {"ACCESS_TOKEN_EXPIRE_MINUTES": 60}),
        ("S013", {}),
        ("S013", {"REGISTRATION_ENABLED": False, "REQUIRE_EMAIL_VERIFICATION": False}),
        ("S014", {}),
        ("S015", {}),
        ("S018", {"API_DOCS": "off"}),
        ("S021", {"RATE_LIMIT_ENABLED": False}),
        ("S021", {"ACCOUNT_LOCKOUT_THRESHOLD": 0}),
    ],
)
def test_a_row_passes_what_is_right(
    name: str, good: dict[str, Any], ports_with: Callable[..., Ports]
) -> None:
    assert found(name, ports_with(**good)) is None


@pytest.mark.parametrize("name", ["S011", "S013", "S014", "S015", "S021"])
def test_rows_about_accounts_say_nothing_where_there_are_none(name: str, bare_ports: Ports) -> None:
    assert found(name, bare_ports) is None


def test_no_finding_shows_the_secret(ports_with: Callable[..., Ports]) -> None:
    finding = found("S001", ports_with(SECRET_KEY="hunter2hunter2"))
    assert finding is not None
    assert "hunter2" not in finding.message + finding.fix


def test_S016_names_the_routes_that_anybody_may_change_data_by(bare_ports: Ports) -> None:
    app = Application()
    router = APIRouter()
    for number in range(7):
        router.add_api_route(f"/loose/{number}", lambda: None, methods=["POST"])
    router.add_api_route("/shut", lambda: None, methods=["POST"], dependencies=[Depends(public)])
    needs = Depends(has_permissions("a:b"))
    router.add_api_route("/closed", lambda: None, methods=["DELETE"], dependencies=[needs])
    router.add_api_route("/read", lambda: None, methods=["GET"])
    app.include_router(router, prefix="/shop")
    bare_ports.add(Application, app)
    finding = found("S016", bare_ports)
    assert finding is not None
    assert finding.message.startswith(
        "7 routes change data without a permission: POST /shop/loose/0"
    )
    assert finding.message.endswith("POST /shop/loose/4, ….")
    assert "shut" not in finding.message
    assert "closed" not in finding.message
    assert "read" not in finding.message


def test_S016_passes_routes_that_say_who_may_call(bare_ports: Ports) -> None:
    app = Application()
    app.add_api_route("/shut", lambda: None, methods=["POST"], dependencies=[Depends(public)])
    app.add_api_route("/read", lambda: None)
    bare_ports.add(Application, app)
    assert found("S016", bare_ports) is None


def test_S019_finds_settings_that_git_tracks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare_ports: Ports
) -> None:
    monkeypatch.chdir(tmp_path)
    env_file = tmp_path / ".env"
    assert not tracked_by_git(env_file)
    env_file.write_text("SECRET_KEY=x\n", encoding="utf-8")
    assert not tracked_by_git(env_file)
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    assert found("S019", bare_ports) is None
    subprocess.run(["git", "add", ".env"], cwd=tmp_path, check=True)
    finding = found("S019", bare_ports)
    assert finding is not None
    assert finding.message == ".env is tracked by git."
