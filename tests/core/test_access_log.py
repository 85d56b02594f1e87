"""The access line: JSON whatever the path holds, and nothing of the query."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.http.context import RequestContext
from mainstay.core.logging import AccessLog
from mainstay.core.origin import Origin

pytestmark = pytest.mark.anyio


def line_of(path: str, *, method: str = "GET", ip: str | None = "127.0.0.1") -> dict[str, Any]:
    stream = io.StringIO()
    log = AccessLog(json=True, stream=stream)
    context = RequestContext(
        method=method,
        headers={},
        origin=Origin(request_id="req_1", ip=ip),
        peer=ip,
        units=None,  # type: ignore[arg-type]
        started=time.perf_counter(),
    )
    log._lines.append(log._line(context, path, 200, 1.5, colour=False))
    log.flush()
    (text,) = stream.getvalue().splitlines()
    line: dict[str, Any] = json.loads(text)
    return line


@given(st.text())
def test_any_path_is_one_line_of_json(path: str) -> None:
    assert line_of(path)["path"] == path


def test_its_members() -> None:
    line = line_of("/x", method='G"T', ip=None)
    assert line["method"] == 'G"T'
    assert line["ip"] is None
    assert line["status"] == 200
    assert line["duration_ms"] == 1.5
    assert line["timestamp"].endswith("Z")
    assert set(line) == {
        "timestamp", "level", "event", "request_id", "user_id", "ip", "method", "path",
        "status", "duration_ms",
    }  # fmt: skip


async def test_lines_are_written_together(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    log = AccessLog(json=True, stream=stream)
    context = RequestContext(
        method="GET",
        headers={},
        origin=Origin(request_id="req_1"),
        peer=None,
        units=None,  # type: ignore[arg-type]
        started=time.perf_counter(),
    )
    log.write(context, "/one", 200)
    log.write(context, "/livez", 200)
    log.write(context, "/two", 404)
    assert stream.getvalue() == ""
    log.flush()
    assert [json.loads(text)["path"] for text in stream.getvalue().splitlines()] == ["/one", "/two"]
