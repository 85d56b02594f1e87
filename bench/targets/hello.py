"""Hello through the whole stack, with everything on that a production start has."""

from harness.figures import Bar
from harness.session import Row, Target, Visit
from targets.project import APP
from targets.yardstick import HELLO

TARGET = Target(
    "hello",
    visits=(Visit("hello", lambda bench: bench.rate(APP, HELLO)),),
    rows=(
        Row(
            "hello through the whole stack",
            ("hello", "yardstick"),
            lambda rate: rate["hello"] / rate["yardstick"],
            Bar(goal=1.00, floor=0.90),
        ),
    ),
    uses=("yardstick",),
)
