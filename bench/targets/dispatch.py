"""Finding a route: the last of 200 nested ones against a single one."""

from fastapi import FastAPI

from harness.figures import Bar
from harness.session import App, Row, Target, Visit
from targets import project
from targets.routes import LAST, nest

STOCK = App("stock nested", "targets.dispatch:create_stock", LAST)
MAINSTAY = App(
    "mainstay nested",
    "targets.project:create_nested",
    LAST,
    lambda bench: project.environment(bench, "nested"),
)


def create_stock() -> FastAPI:
    """Return bare FastAPI with the 200 routes."""
    app = FastAPI()
    app.include_router(nest())
    return app


TARGET = Target(
    "dispatch",
    visits=(
        Visit("last of 200", lambda bench: bench.rate(MAINSTAY, LAST)),
        Visit("last of 200, stock FastAPI", lambda bench: bench.rate(STOCK, LAST)),
    ),
    rows=(
        Row(
            "last of 200 nested routes, against a single route",
            ("hello", "last of 200"),
            lambda rate: rate["hello"] / rate["last of 200"],
            Bar(goal=1.2, floor=1.4, lower_is_better=True),
            unit="x",
        ),
        Row(
            "the same in stock FastAPI",
            ("yardstick", "last of 200, stock FastAPI"),
            lambda rate: rate["yardstick"] / rate["last of 200, stock FastAPI"],
            unit="x",
        ),
    ),
    uses=("yardstick", "hello"),
)
