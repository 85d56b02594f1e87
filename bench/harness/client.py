"""Single HTTP requests, for preparing and for checking a target before it is measured."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 15.0


class BenchError(Exception):
    """A target cannot be measured; the message says why."""

    @classmethod
    def of_output(cls, what: str, output: str) -> "BenchError":
        """Return the error of a failed program: ``what`` and the last line that it wrote."""
        lines = output.strip().splitlines() or ["it wrote nothing"]
        return cls(f"{what}: {lines[-1][:300]}")


@dataclass(frozen=True)
class Request:
    """One request and what its answer must be.

    Several ``bodies`` are sent in turn. ``contains`` must stand in the body of the answer.
    ``tolerated`` are further statuses that do not make a measurement invalid.
    """

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    bodies: tuple[str, ...] = ()
    status: int = 200
    contains: str = ""
    tolerated: tuple[int, ...] = ()


def send(port: int, request: Request) -> tuple[int, str]:
    """Send the request to the loopback port and return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        body = request.bodies[0] if request.bodies else None
        connection.request(request.method, request.path, body=body, headers=dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def check(port: int, request: Request) -> str:
    """Return the body of the answer.

    Raises:
        BenchError: The status or the body is not the expected one, or nothing answers.
    """
    what = f"{request.method} {request.path}"
    try:
        status, body = send(port, request)
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"{what}: no answer ({error!r})") from error
    if status != request.status or request.contains not in body:
        message = f"{what}: {status} instead of {request.status}, {body[:300]!r}"
        raise BenchError(message)
    return body
