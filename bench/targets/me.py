"""The own user, session and user read fresh from PostgreSQL, against the naive template."""

import secrets
from collections.abc import Mapping

from harness.accounts import ME
from harness.client import Request
from harness.figures import Bar, Sample
from harness.session import App, Bench, Row, Target, Visit
from targets import project


def naive_environment(bench: Bench) -> Mapping[str, str]:
    """Return the naive template's settings with an empty database."""
    url = bench.cluster.create("naive").replace("postgresql:", "postgresql+asyncpg:")
    return {"DATABASE_URL": url, "SECRET_KEY": secrets.token_urlsafe(48)}


NAIVE = App("naive", "targets.naive:create", Request(path=ME, status=401), naive_environment)


def visit_me(bench: Bench, app: App) -> Sample:
    """Measure the route as the first of the registered users."""
    return bench.rate(app, bench.accounts(app)[0].me())


TARGET = Target(
    "me",
    visits=(
        Visit("me", lambda bench: visit_me(bench, project.STRICT)),
        Visit("naive", lambda bench: visit_me(bench, NAIVE)),
    ),
    rows=(
        Row(
            "GET /users/me, session and user read fresh",
            ("me", "yardstick"),
            lambda rate: rate["me"] / rate["yardstick"],
            Bar(goal=0.50, floor=0.40),
        ),
        Row(
            "the same against the naive template",
            ("me", "naive"),
            lambda rate: rate["me"] / rate["naive"],
            Bar(goal=12, floor=8),
            unit="x",
        ),
        Row(
            "GET /users/me of the naive template",
            ("naive", "yardstick"),
            lambda rate: rate["naive"] / rate["yardstick"],
        ),
    ),
    uses=("yardstick",),
)
