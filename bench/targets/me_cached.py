"""The own user with the principal cached: the default while the bus is alive."""

from harness.figures import Bar
from harness.session import Row, Target, Visit
from targets import project
from targets.me import visit_me

TARGET = Target(
    "me-cached",
    visits=(Visit("me cached", lambda bench: visit_me(bench, project.APP)),),
    rows=(
        Row(
            "GET /users/me, principal cached",
            ("me cached", "yardstick"),
            lambda rate: rate["me cached"] / rate["yardstick"],
            Bar(goal=0.75, floor=0.65),
        ),
        Row(
            "the same against the naive template",
            ("me cached", "naive"),
            lambda rate: rate["me cached"] / rate["naive"],
            Bar(goal=20, floor=14),
            unit="x",
        ),
    ),
    uses=("yardstick", "me"),
    default=False,
)
