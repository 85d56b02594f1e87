"""The load generator: wrk with a script written for each request."""

import json
import subprocess
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from harness.client import BenchError, Request

MARK = "bench-result "
GRACE_SECONDS = 20.0
FIRST_REFUSAL = 400
DONE = """
threads = {}
unexpected = 0
setup = function(thread) threads[#threads + 1] = thread end
done = function(summary, latency, requests)
  local e, strange = summary.errors, 0
  for _, thread in ipairs(threads) do strange = strange + thread:get("unexpected") end
  io.write(string.format(
    '\\n%s{"micros":%d,"requests":%d,"refused":%d,"socket":%d,"unexpected":%d,"p99":%f}\\n',
    "bench-result ", summary.duration, summary.requests, e.status,
    e.connect + e.read + e.write + e.timeout, strange, latency:percentile(99.0)))
end
"""
COUNT = """
response = function(status)
  if not expected[status] then unexpected = unexpected + 1 end
end
"""
TURN = """
local prepared, turn = {}, 0
init = function(args)
  for i, body in ipairs(bodies) do prepared[i] = wrk.format(nil, nil, nil, body) end
end
request = function()
  turn = turn % #prepared + 1
  return prepared[turn]
end
"""


@dataclass(frozen=True)
class Load:
    """How hard to knock: connections, whole seconds, and a pause of each connection."""

    connections: int
    seconds: int
    pause_ms: int = 0


@dataclass(frozen=True)
class Outcome:
    """What wrk counted.

    ``refused`` are answers of status 400 and above; ``unexpected`` those outside the expected
    and tolerated statuses, counted only where some are tolerated.
    """

    seconds: float
    requests: int
    refused: int
    socket_errors: int
    unexpected: int
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def accepted_rate(self) -> float:
        """Answers below status 400, a second."""
        return (self.requests - self.refused) / self.seconds


class Wrk(AbstractContextManager["Wrk"]):
    """One run of wrk with one thread on one core; leaving the block ends it."""

    def __init__(self, port: int, request: Request, load: Load, *, core: int, script: Path) -> None:
        script.write_text(_script(request, load), encoding="utf-8")
        command = ["taskset", "-c", str(core), "wrk", "--threads=1", "--timeout=10s"]
        command += [f"--connections={load.connections}", f"--duration={load.seconds}s"]
        command += [f"--script={script}", f"http://127.0.0.1:{port}{request.path}"]
        self._limit = load.seconds + GRACE_SECONDS
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def outcome(self) -> Outcome:
        """Wait for the end and return what was counted.

        Raises:
            BenchError: wrk failed or printed no result.
        """
        try:
            text, _ = self._process.communicate(timeout=self._limit)
        except subprocess.TimeoutExpired as error:
            raise BenchError("wrk did not end in time") from error
        lines = [line for line in text.splitlines() if line.startswith(MARK)]
        if self._process.returncode or not lines:
            raise BenchError.of_output("wrk failed", text)
        return _parse(json.loads(lines[-1].removeprefix(MARK)))


def validate(request: Request, outcome: Outcome) -> None:
    """Refuse a run with other answers than the expected ones.

    Raises:
        BenchError: There were socket errors or no answers; or refusals where none, or only
            refusals, are expected; or statuses that are not tolerated where some are.
    """
    what = f"{request.method} {request.path}"
    if outcome.socket_errors or not outcome.requests:
        message = f"{what}: {outcome.requests} answers, {outcome.socket_errors} socket errors"
        raise BenchError(message)
    wanted = outcome.requests if request.status >= FIRST_REFUSAL else 0
    strange = outcome.unexpected if request.tolerated else abs(outcome.refused - wanted)
    if strange:
        message = f"{what}: {strange} of {outcome.requests} answers had another status"
        raise BenchError(message)


def _parse(result: dict[str, float]) -> Outcome:
    return Outcome(
        seconds=result["micros"] / 1e6,
        requests=int(result["requests"]),
        refused=int(result["refused"]),
        socket_errors=int(result["socket"]),
        unexpected=int(result["unexpected"]),
        p99_ms=result["p99"] / 1e3,
    )


def _script(request: Request, load: Load) -> str:
    lines = [f"wrk.method = {_quote(request.method)}"]
    for name, value in request.headers.items():
        lines.append(f"wrk.headers[{_quote(name)}] = {_quote(value)}")
    if len(request.bodies) == 1:
        lines.append(f"wrk.body = {_quote(request.bodies[0])}")
    elif request.bodies:
        lines += [f"bodies = {{{', '.join(map(_quote, request.bodies))}}}", TURN]
    if load.pause_ms:
        lines.append(f"delay = function() return {load.pause_ms} end")
    lines.append(DONE)
    if request.tolerated:
        statuses = ", ".join(f"[{status}]=true" for status in (request.status, *request.tolerated))
        lines += [f"expected = {{{statuses}}}", COUNT]
    return "\n".join(lines)


def _quote(text: str) -> str:
    return '"' + "".join(f"\\{code:03d}" for code in text.encode()) + '"'
