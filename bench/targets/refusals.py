"""Requests that no route takes: 404 and 405, against hello."""

from harness.client import Request
from harness.figures import Bar
from harness.session import Row, Target, Visit
from targets.project import APP

MISSING = Request(path="/api/v1/nowhere/to/be/found", status=404, contains="not_found")
WRONG_METHOD = Request(path="/hello", method="DELETE", status=405, contains='"code"')
BAR = Bar(goal=1.0, floor=1.3, lower_is_better=True)

TARGET = Target(
    "refusals",
    visits=(
        Visit("404", lambda bench: bench.rate(APP, MISSING)),
        Visit("405", lambda bench: bench.rate(APP, WRONG_METHOD)),
    ),
    rows=(
        Row(
            "a 404, against hello",
            ("hello", "404"),
            lambda rate: rate["hello"] / rate["404"],
            BAR,
            unit="x",
        ),
        Row(
            "a 405, against hello",
            ("hello", "405"),
            lambda rate: rate["hello"] / rate["405"],
            BAR,
            unit="x",
        ),
    ),
    uses=("hello",),
)
