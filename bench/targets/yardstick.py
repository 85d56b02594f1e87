"""The yardstick: a bare FastAPI hello. Every ratio of a round is to its rate in that round."""

from fastapi import FastAPI

from harness.client import Request
from harness.session import App, Target, Visit

HELLO = Request(path="/hello", contains='{"message":"hello"}')
APP = App("yardstick", "targets.yardstick:create", HELLO)


def create() -> FastAPI:
    """Return an application with nothing but the route."""
    app = FastAPI()

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"message": "hello"}

    return app


TARGET = Target("yardstick", (Visit("yardstick", lambda bench: bench.rate(APP, HELLO)),))
