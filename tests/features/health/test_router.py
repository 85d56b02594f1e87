"""The health paths over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from mainstay.core.alembic import MigrationError
from mainstay.features.health import service
from mainstay.features.health.probe import Probe

READINESS = ["/health/readiness", "/api/v1/health/readiness", "/readyz", "/up"]
LIVENESS = ["/health/liveness", "/api/v1/health/liveness", "/livez"]
EVERY_PATH = [
    *READINESS,
    *LIVENESS,
    *(
        base + path
        for base in ("", "/api/v1")
        for path in ("/health", "/health/database", "/health/db", "/health/cache")
    ),
]


def test_health_tells_the_version(backend: Any) -> None:
    answer = backend().get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": "7.8.9"}


@pytest.mark.parametrize("path", EVERY_PATH)
def test_every_path_answers_without_signing_in_and_is_never_cached(backend: Any, path: str) -> None:
    for form in (path, path + "/"):
        answer = backend().get(form)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
    assert backend().get(path, "HEAD").status_code == 200


@pytest.mark.parametrize("path", READINESS)
def test_ready_is_up(backend: Any, path: str) -> None:
    answer = backend(others={"mail": False}).get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "up"})


@pytest.mark.parametrize("path", READINESS)
def test_without_its_database_it_is_not_ready(backend: Any, path: str) -> None:
    running = backend()
    running.parts.faults["database"] = ConnectionRefusedError()
    answer = running.get(path)
    assert (answer.status_code, answer.json()) == (503, {"status": "down", "down": ["database"]})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    del running.parts.faults["database"]
    assert running.get(path).status_code == 200


@pytest.mark.parametrize("path", LIVENESS)
def test_liveness_depends_on_nothing(backend: Any, path: str) -> None:
    running = backend(others={"redis": True})
    running.parts.lifecycle.draining = True
    running.parts.pending = ["0001"]
    for name in ("database", "migrations", "redis"):
        running.parts.faults[name] = OSError()
    answer = running.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "up"})


def test_behind_in_migrations_it_is_not_ready(backend: Any) -> None:
    running = backend()
    running.parts.pending = ["0004"]
    answer = running.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "down", "down": ["migrations"]})
    running.parts.pending = []
    assert running.get("/readyz").status_code == 200


def test_a_schema_ahead_of_the_code_is_not_behind(backend: Any) -> None:
    running = backend()
    running.parts.faults["migrations"] = MigrationError("The database is at 0099.")
    assert running.get("/readyz").status_code == 200


def test_a_schema_that_is_new_is_not_asked_for_again(backend: Any) -> None:
    running = backend()
    for _ in range(5):
        running.get("/readyz")
    assert running.parts.asked_for_pending == 1


def test_shutting_down_it_is_not_ready_and_asks_nobody(backend: Any) -> None:
    running = backend()
    running.parts.lifecycle.draining = True
    answer = running.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "down", "down": ["shutdown"]})
    assert running.parts.asked_for_pending == 0


def test_other_parts_only_degrade_it(backend: Any) -> None:
    running = backend(others={"redis": False, "mail": False})
    running.parts.faults["redis"] = OSError()
    answer = running.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "up", "degraded": ["redis"]})


def test_a_critical_part_makes_it_red(backend: Any) -> None:
    running = backend(others={"ledger": True, "mail": False})
    running.parts.faults |= {"ledger": OSError(), "mail": OSError()}
    answer = running.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "down": ["ledger"], "degraded": ["mail"]}


def test_readiness_requires_what_the_setting_names(backend: Any) -> None:
    running = backend(others={"redis": False}, READINESS_REQUIRES="redis, database")
    assert running.get("/readyz").status_code == 200
    running.parts.faults["redis"] = OSError()
    answer = running.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "down", "down": ["redis"]})


def test_a_required_part_that_nobody_knows_is_down(backend: Any) -> None:
    answer = backend(READINESS_REQUIRES="rediss").get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "down", "down": ["rediss"]})


@pytest.mark.parametrize("path", ["/health/database", "/health/db"])
def test_the_database_tells_up_or_down_and_latency_only(backend: Any, path: str) -> None:
    running = backend()
    up = running.get(path).json()
    assert set(up) == {"status", "latency_ms"}
    assert up["status"] == "up"
    running.parts.faults["database"] = OSError("password=hunter2 host=db1")
    down = running.get(path)
    assert (down.status_code, down.json()) == (503, {"status": "down"})


def test_a_cache_in_memory_is_up(backend: Any) -> None:
    assert backend().get("/health/cache").json() == {"status": "up", "backend": "memory"}


def test_a_cache_elsewhere_tells_up_or_down(backend: Any) -> None:
    running = backend(others={"redis": False})
    assert set(running.get("/health/cache").json()) == {"status", "latency_ms"}
    running.parts.faults["redis"] = OSError()
    down = running.get("/health/cache")
    assert (down.status_code, down.json()) == (503, {"status": "down"})


def test_a_part_that_hangs_does_not_hold_the_answer(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "Probe", partial(Probe, limit=0.01))
    running = backend(others={"mail": False})
    running.parts.hanging = {"database", "mail"}
    answer = running.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "down": ["database"], "degraded": ["mail"]}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_there_is_nothing_to_change(backend: Any, method: str) -> None:
    assert backend().get("/health", method).status_code == 405
