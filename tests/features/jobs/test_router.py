"""Jobs over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from mainstay.features.jobs import JobRow
from mainstay.kit.clock import now
from mainstay.kit.ids import new_id

pytestmark = pytest.mark.anyio


async def put(backend: Any, **values: Any) -> str:
    """Write a row that no runner here takes."""
    row = {"name": "tests.unknown", "payload": {"token": "hunter2"}, "max_attempts": 3}
    row |= {"id": new_id(), "run_at": now(), "request_id": "req_1"} | values
    async with backend.assembly.units.transaction() as session:
        await session.execute(insert(JobRow).values(**row))
    return str(row["id"])


async def test_administrators_list_and_read_jobs(backend: Any) -> None:
    admin = await backend.user("admin")
    failed = await put(backend, state="failed", last_error="ValueError: no", unique_key="k")
    await put(backend)
    answer = await backend.client.get(
        "/api/v1/jobs?state=failed&name=tests.unknown&limit=5", headers=admin.headers
    )
    assert answer.status_code == 200
    page = answer.json()
    assert page["page"]["total"] == 1
    (item,) = page["items"]
    one = await backend.client.get(f"/api/v1/jobs/{failed}", headers=admin.headers)
    assert one.json() == item
    assert (item["id"], item["state"], item["last_error"]) == (failed, "failed", "ValueError: no")
    assert item["run_at"].endswith("Z")
    assert "hunter2" not in answer.text
    assert "payload" not in item


async def test_a_failed_job_is_retried(backend: Any) -> None:
    admin = await backend.user("admin")
    job_id = await put(backend, state="failed", attempts=3, finished_at=now())
    answer = await backend.client.post(f"/api/v1/jobs/{job_id}/retry", headers=admin.headers)
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["attempts"]) == ("queued", 0)
    again = await backend.client.post(f"/api/v1/jobs/{job_id}/retry", headers=admin.headers)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_a_waiting_job_is_cancelled(backend: Any) -> None:
    admin = await backend.user("admin")
    job_id = await put(backend)
    for _ in range(2):
        answer = await backend.client.delete(f"/api/v1/jobs/{job_id}", headers=admin.headers)
        assert (answer.status_code, answer.content) == (204, b"")
    shown = await backend.client.get(f"/api/v1/jobs/{job_id}", headers=admin.headers)
    assert shown.json()["state"] == "cancelled"


@pytest.mark.parametrize("job_id", ["nonsense", "01980000-0000-7000-8000-000000000000"])
async def test_there_is_no_such_job(backend: Any, job_id: str) -> None:
    admin = await backend.user("admin")
    for method, path in (("GET", ""), ("POST", "/retry"), ("DELETE", "")):
        answer = await backend.client.request(
            method, f"/api/v1/jobs/{job_id}{path}", headers=admin.headers
        )
        assert answer.status_code == 404


async def test_others_are_refused(backend: Any) -> None:
    user = await backend.user()
    job_id = await put(backend)
    calls = [("GET", ""), ("GET", f"/{job_id}"), ("POST", f"/{job_id}/retry")]
    for method, path in [*calls, ("DELETE", f"/{job_id}")]:
        url = f"/api/v1/jobs{path}"
        assert (await backend.client.request(method, url)).status_code == 401
        refused = await backend.client.request(method, url, headers=user.headers)
        assert refused.status_code == 403
        assert refused.json()["required"][0].startswith("jobs:")
