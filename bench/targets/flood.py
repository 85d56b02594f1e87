"""Latency of hello while sign-ins flood the same process, against the same without them.

Under the full load of a closed loop, which has a bar, and for a few paced visitors, for
information. The flood may be refused with 503: shedding it is one of the right answers.
"""

import time
from dataclasses import replace

from harness.accounts import login_request
from harness.client import BenchError
from harness.figures import Bar, Sample
from harness.session import App, Bench, Row, Target, Visit
from harness.wrk import Load, validate
from targets.project import APP
from targets.yardstick import HELLO

RAMP_SECONDS = 0.3
SHED = 503


def paced_load(bench: Bench) -> Load:
    """Return about 400 requests a second from four visitors."""
    return Load(connections=4, seconds=bench.seconds, pause_ms=10)


def visit_quiet(bench: Bench, app: App, load: Load) -> Sample:
    """Measure the 99th percentile of hello in ms, nothing else running."""
    sample = bench.rate(app, HELLO, load)
    return replace(sample, value=sample.p99_ms or 0.0)


def visit_flooded(bench: Bench, app: App, load: Load) -> Sample:
    """Measure the same while 32 connections sign in as fast as they are let."""
    request = replace(login_request(bench.accounts(app)), tolerated=(SHED,))
    flood = replace(bench.full_load(), seconds=load.seconds + 1)
    with bench.knock(app, request, flood) as flooding:
        time.sleep(RAMP_SECONDS)
        with bench.wrk(bench.server(app), HELLO, load) as wrk:
            outcome = wrk.outcome()
        flooded = flooding.outcome()
    validate(HELLO, outcome)
    validate(request, flooded)
    if not flooded.accepted_rate:
        raise BenchError("the flood had no successful login")
    return Sample(outcome.p99_ms, p99_ms=outcome.p99_ms)


TARGET = Target(
    "flood",
    visits=(
        Visit("quiet", lambda bench: visit_quiet(bench, APP, bench.full_load()), unit="ms"),
        Visit("flooded", lambda bench: visit_flooded(bench, APP, bench.full_load()), unit="ms"),
        Visit("paced", lambda bench: visit_quiet(bench, APP, paced_load(bench)), unit="ms"),
        Visit(
            "paced, flooded",
            lambda bench: visit_flooded(bench, APP, paced_load(bench)),
            unit="ms",
        ),
    ),
    rows=(
        Row(
            "p99 of hello while a login flood runs, against idle",
            ("flooded", "quiet"),
            lambda p99: p99["flooded"] / p99["quiet"],
            Bar(goal=3, floor=5, lower_is_better=True),
            unit="x",
        ),
        Row(
            "the same for a few paced visitors",
            ("paced, flooded", "paced"),
            lambda p99: p99["paced, flooded"] / p99["paced"],
            unit="x",
        ),
    ),
)
