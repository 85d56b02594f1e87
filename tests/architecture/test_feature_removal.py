"""A disabled feature is truly gone: each is removed in turn, with those that need it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mainstay.core.feature import Feature
from mainstay.core.registry import AssemblyError, assemble, dependents_of
from mainstay.features import BUILT_IN

FEATURES: dict[str, Feature] = {
    name: import_module(f"mainstay.features.{name}.feature").feature for name in BUILT_IN
}

# In a process of its own, as the tests themselves have imported everything.
PROGRAM = """
import asyncio, json, os, sys
from pathlib import Path
import httpx2
from mainstay.app import create_app
from mainstay.core.assembly import assembly_of
from mainstay.core.http.access import routes_with_access

async def main(removed, folder):
    app = create_app(disable=removed, environ={
        "DATABASE_URL": f"sqlite:///{folder}/test.db", "DATA_DIR": folder, "LOG_FORMAT": "json",
        "SECRET_KEY": "a test's own key, and long enough for that!", "RUN_MIGRATIONS": "true",
    }, env_file=Path(os.devnull))
    routes = sorted(f"{m} {path}" for path, ms, _ in routes_with_access(app) for m in ms)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            statuses = {}
            for path in ("/", "/health", "/openapi.json", "/docs", "/nowhere", "/api/v1/users/me"):
                statuses[path] = (await client.get(path)).status_code
    registry = assembly_of(app).registry
    return {
        "statuses": statuses,
        "features": [feature.name for feature in registry.features],
        "routes": routes,
        "permissions": sorted(p.name for p in registry.permissions),
        "jobs": sorted(job.name for feature in registry.features for job in feature.jobs),
        "modules": sorted({
            name.split(".")[2] for name in sys.modules if name.startswith("mainstay.features.")
        }),
    }

found = asyncio.run(main(set(sys.argv[2:]), sys.argv[1]))
print("\\n" + json.dumps(found))
"""


def served_without(removed: frozenset[str], folder: Path) -> dict[str, Any]:
    """Start an application without these features, and tell what is there."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(folder), *sorted(removed)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The application with everything."""
    return served_without(frozenset(), tmp_path_factory.mktemp("whole"))


def test_nothing_removed_is_everything(whole: dict[str, Any]) -> None:
    assert sorted(whole["features"]) == sorted(BUILT_IN)
    assert whole["statuses"]["/health"] == 200
    assert whole["statuses"]["/api/v1/users/me"] == 401


def routes_of(names: frozenset[str]) -> set[str]:
    """Give what the routers of these features answer."""
    return {
        f"{method} {base}{mount.prefix}{route.path}"
        for name in names
        for mount in FEATURES[name].routers
        for base in {"api": ["/api/v1"], "root": [""], "both": ["/api/v1", ""]}[mount.at]
        for route in mount.router.routes
        for method in route.methods  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_feature_can_be_removed(name: str, whole: dict[str, Any], tmp_path: Path) -> None:
    removed = dependents_of(name, FEATURES.values())
    found = served_without(removed, tmp_path)
    assert set(found["features"]) == set(BUILT_IN) - removed
    assert not set(found["modules"]) & removed
    gone = {p.name for n in removed for p in FEATURES[n].permissions}
    assert set(found["permissions"]) == set(whole["permissions"]) - gone
    jobs = {job.name for n in removed for job in FEATURES[n].jobs}
    assert set(found["jobs"]) == set(whole["jobs"]) - jobs
    assert not routes_of(removed) & set(found["routes"])
    assert set(found["routes"]) == set(whole["routes"]) - routes_of(removed)
    expected = {
        "/": 404 if "auth" in removed else 200,
        "/health": 404 if "health" in removed else 200,
        "/openapi.json": 200,
        "/docs": 200,
        "/nowhere": 404,
        "/api/v1/users/me": 404 if "users" in removed else 401,
    }
    if "sessions" in removed and "users" not in removed:
        expected.pop("/api/v1/users/me")  # nobody can sign in, and nothing says who would
    assert {path: found["statuses"][path] for path in expected} == expected


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_needs_a_feature_cannot_stay_without_it(name: str) -> None:
    needing = dependents_of(name, FEATURES.values()) - {name}
    left = [feature for feature in FEATURES.values() if feature.name != name]
    if needing:
        with pytest.raises(AssemblyError) as caught:
            assemble(left, disable={name}, known=BUILT_IN)
        assert any(other in str(caught.value) for other in needing)


def test_an_unknown_feature_cannot_be_removed() -> None:
    with pytest.raises(AssemblyError, match="there is no such feature"):
        assemble(FEATURES.values(), disable={"no-such-feature"}, known=BUILT_IN)
