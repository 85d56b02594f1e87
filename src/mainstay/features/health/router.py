"""The health paths, for orchestrators, balancers and people. None of them is ever cached."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response, status

from mainstay.core.auth import public
from mainstay.core.http.deps import port
from mainstay.features.health.probe import State
from mainstay.features.health.schemas import (
    HealthStatus,
    LivenessStatus,
    PartStatus,
    ReadinessStatus,
)
from mainstay.features.health.service import Health


async def no_store(response: Response) -> None:
    """Keep the answer out of every cache."""
    response.headers["Cache-Control"] = "no-store"


_OPEN: list[Any] = [Depends(public), Depends(no_store)]
_READINESS: dict[str, Any] = {
    "response_model": ReadinessStatus,
    "response_model_exclude_none": True,
    "responses": {503: {"model": ReadinessStatus, "description": "Not ready."}},
}
_PART: dict[str, Any] = {
    "response_model": PartStatus,
    "response_model_exclude_none": True,
    "responses": {503: {"model": PartStatus, "description": "Down."}},
}

router = APIRouter(prefix="/health", tags=["health"], dependencies=_OPEN)
root_router = APIRouter(tags=["health"], dependencies=_OPEN, include_in_schema=False)
HealthPort = Annotated[Health, port(Health)]


@router.get("")
async def status_(health: HealthPort) -> HealthStatus:
    """Say that the application answers, and its version."""
    return HealthStatus(version=health.version)


@root_router.get("/livez")
@router.get("/liveness")
async def liveness() -> LivenessStatus:
    """Say that the process answers. It depends on nothing."""
    return LivenessStatus()


@root_router.get("/up", **_READINESS)
@root_router.get("/readyz", **_READINESS)
@router.get("/readiness", **_READINESS)
async def readiness(health: HealthPort, response: Response) -> Any:
    """Say whether the application may be sent requests: database, schema, no shutdown."""
    found = await health.readiness()
    if found.down:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    word = "down" if found.down else "up"
    return {"status": word, "down": found.down or None, "degraded": found.degraded or None}


@router.get("/db", include_in_schema=False, **_PART)
@router.get("/database", **_PART)
async def database(health: HealthPort, response: Response) -> Any:
    """Say whether the database answers."""
    return _part(await health.database(), response)


@router.get("/cache", **_PART)
async def cache(health: HealthPort, response: Response) -> Any:
    """Say whether the cache answers."""
    state = await health.cache()
    if state is None:
        return {"status": "up", "backend": "memory"}
    return _part(state, response)


def _part(state: State, response: Response) -> dict[str, Any]:
    if state.up:
        return {"status": "up", "latency_ms": state.latency_ms}
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return {"status": "down"}
