"""Sign-ins: how much of a core goes into the hash, which is the only work that must be there.

Eight connections keep the hashing busy without overflowing its queue: shedding is
measured by the flood.
"""

import subprocess
import sys

from harness.accounts import login_request
from harness.client import BenchError
from harness.figures import Bar, Sample
from harness.servers import clean_environment
from harness.session import App, Bench, Row, Target, Visit
from harness.wrk import Load
from targets.project import APP

CONNECTIONS = 8
SERVER_CORES = 1


def visit_login(bench: Bench, app: App) -> Sample:
    """Measure sign-ins of several users."""
    load = Load(connections=CONNECTIONS, seconds=bench.seconds)
    return bench.rate(app, login_request(bench.accounts(app)), load)


def visit_hash(bench: Bench, app: App) -> Sample:
    """Measure one hash, in seconds, on the servers' core with the stored cost parameters."""
    bench.accounts(app)
    url = bench.environment(app)["DATABASE_URL"]
    sample = bench.once(f"hash {app.name}", lambda: bench.cluster.stored_hash(url))
    command = ["taskset", "-c", str(bench.cores.server)]
    command += [sys.executable, "-m", "harness.hash_time", sample]
    bench.settle()
    done = subprocess.run(
        command,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise BenchError.of_output("the hash was not timed", done.stderr)
    return Sample(float(done.stdout))


TARGET = Target(
    "login",
    visits=(
        Visit("hash", lambda bench: visit_hash(bench, APP), unit="s"),
        Visit("login", lambda bench: visit_login(bench, APP)),
    ),
    rows=(
        Row(
            "login: logins/s x time of one hash / cores",
            ("login", "hash"),
            lambda value: value["login"] * value["hash"] / SERVER_CORES,
            Bar(goal=0.85, floor=0.70),
        ),
    ),
)
