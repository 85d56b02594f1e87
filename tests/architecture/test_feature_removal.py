"""A disabled feature is truly gone: no route, no permission, no job, not even an import."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from mainstay.core.feature import Feature
from mainstay.core.registry import AssemblyError, dependents_of
from mainstay.features import BUILT_IN
from mainstay.testing.backend import environment

FEATURES: list[Feature] = [import_module(f"mainstay.features.{name}").feature for name in BUILT_IN]

PROGRAM = """
import asyncio, json, sys
import httpx2
from mainstay.app import create_app
from mainstay.core.assembly import assembly_of
from mainstay.core.http.access import routes_with_access

disabled = set(sys.argv[2:])
app = create_app(disable=disabled, environ=json.loads(sys.argv[1]))
registry = assembly_of(app).registry

async def ask():
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/openapi.json")).status_code

print(json.dumps({
    "status": asyncio.run(ask()),
    "paths": sorted({path for path, _, _ in routes_with_access(app)}),
    "permissions": [p.name for p in registry.permissions],
    "jobs": [j.name for f in registry.features for j in f.jobs],
    "modules": [m for m in sys.modules if m.startswith("mainstay.features.")],
}))
"""


def start_without(disabled: frozenset[str], folder: Path) -> dict[str, Any]:
    environ = environment(DATA_DIR=folder, DATABASE_URL=f"sqlite:///{folder}/test.db")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(environ), *sorted(disabled)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return start_without(frozenset(), tmp_path_factory.mktemp("everything"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_feature_can_be_left_out(name: str, tmp_path: Path, everything: dict[str, Any]) -> None:
    disabled = dependents_of(name, FEATURES)
    gone = [feature for feature in FEATURES if feature.name in disabled]

    found = start_without(disabled, tmp_path)

    assert found["status"] == 200
    assert not set(found["permissions"]) & {p.name for f in gone for p in f.permissions}
    assert not set(found["jobs"]) & {j.name for f in gone for j in f.jobs}
    folders = {module.split(".")[2] for module in found["modules"]}
    assert not folders & disabled
    ends, other_ends = route_ends(gone), route_ends([f for f in FEATURES if f not in gone])
    own = {path for path in everything["paths"] if path.endswith(ends)}
    assert bool(ends) == bool(own)
    assert all(path.endswith(other_ends) for path in own & set(found["paths"]))


def route_ends(features: list[Feature]) -> tuple[str, ...]:
    """Give what the paths of the features' routes end with."""
    routes = [route for f in features for mount in f.routers for route in mount.router.routes]
    return tuple({route.path for route in routes if isinstance(route, APIRoute) and route.path})


def test_what_others_need_cannot_be_left_out_alone() -> None:
    with pytest.raises(AssemblyError, match=r'"rbac" requires "users"|requires "users"'):
        import_module("mainstay.app").create_app(disable={"users"})


def test_an_unknown_feature_cannot_be_disabled() -> None:
    with pytest.raises(AssemblyError, match="there is no such feature"):
        import_module("mainstay.app").create_app(disable={"no-such-feature"})
