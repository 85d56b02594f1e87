"""A Mainstay project in production on PostgreSQL, as the Mainstay targets serve it."""

import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI

from harness.client import BenchError
from harness.servers import clean_environment
from harness.session import App, Bench
from targets.routes import nest
from targets.yardstick import HELLO

COMMAND = Path(sys.executable).parent / "mainstay"
MIGRATE_SECONDS = 120
UNREACHED = "10000000/min"


def create() -> FastAPI:
    """Return a project with one public route."""
    from mainstay import create_app, public

    app = create_app()

    @app.get("/hello", dependencies=[Depends(public)])
    async def hello() -> dict[str, str]:
        return {"message": "hello"}

    return app


def create_nested() -> FastAPI:
    """Return a project with 200 public routes behind three levels of routers."""
    from mainstay import create_app, public

    app = create_app()
    app.include_router(nest(lambda: APIRouter(dependencies=[Depends(public)])))
    return app


def environment(bench: Bench, name: str) -> dict[str, str]:
    """Return production settings with a migrated database of their own."""
    schema = bench.once("mainstay schema", lambda: _migrate(bench))
    return _settings(bench.cluster.create(name, template=schema))


def strict_environment(bench: Bench) -> Mapping[str, str]:
    """Return the settings under which each request reads session and user from the database."""
    return {**environment(bench, "strict"), "AUTH_STRICT": "true"}


APP = App("mainstay", "targets.project:create", HELLO, lambda bench: environment(bench, "mainstay"))
START = App("mainstay start", APP.factory, HELLO, lambda bench: environment(bench, "start"))
STRICT = App("mainstay strict", "targets.project:create", HELLO, strict_environment)


def _migrate(bench: Bench) -> str:
    url = bench.cluster.create("schema")
    done = subprocess.run(
        [str(COMMAND), "migrate"],
        cwd=bench.folder,
        env=clean_environment(_settings(url)),
        capture_output=True,
        text=True,
        timeout=MIGRATE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BenchError.of_output("`mainstay migrate` failed", done.stdout + done.stderr)
    return url


def _settings(url: str) -> dict[str, str]:
    return {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": url,
        "RATE_LIMIT_AUTHENTICATED": UNREACHED,
        "RATE_LIMIT_UNAUTHENTICATED": UNREACHED,
        "RATE_LIMIT_AUTH_ENDPOINTS": UNREACHED,
        "ALLOWED_HOSTS": "127.0.0.1",
        "PUBLIC_URL": "https://127.0.0.1",
        "MAIL_PROVIDER": "console",
        "MAIL_FROM": "noreply@benchmark.dev",
        "LOG_FORMAT": "json",
    }
