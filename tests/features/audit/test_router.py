"""Reading the trail over HTTP, and what requests leave in it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from mainstay.features.audit import AuditLog, feature
from mainstay.kit.clock import now, replaced

if TYPE_CHECKING:
    import httpx2

    from mainstay.core.db.unit import Units

pytestmark = pytest.mark.anyio

LOGS = "/api/v1/audit/logs"
READER = {"Authorization": "Bearer reader"}
PERSON = {"Authorization": "Bearer person"}


async def add(units: Units, **values: Any) -> str:
    row = AuditLog(
        **{
            "action": "thing.changed",
            "outcome": "success",
            "data": {},
            "request_id": "req_1",
            "channel": "api",
            **values,
        }
    )
    async with units.database.transaction() as session:
        session.add(row)
        await session.flush()
        return row.id


async def actions(client: httpx2.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(LOGS + query, headers=READER)
    assert answer.status_code == 200, answer.text
    return [item["action"] for item in answer.json()["items"]]


async def test_N1_a_change_over_http_is_in_the_trail(client: httpx2.AsyncClient) -> None:
    done = await client.post("/things/t1", headers={**READER, "X-Request-ID": "req-77"})
    assert done.status_code == 200
    (entry,) = (await client.get(LOGS, headers=READER)).json()["items"]
    assert set(entry) == {
        "id", "action", "actor", "target", "data", "outcome", "ip", "request_id", "created_at",
    }  # fmt: skip
    assert entry["action"] == "thing.changed"
    assert entry["actor"] == "0190d9c0-0000-7000-8000-000000000001"
    assert entry["target"] == "t1"
    assert entry["data"] == {"colour": "red", "nested": None}
    assert entry["outcome"] == "success"
    assert entry["ip"] == "203.0.113.9"
    assert entry["request_id"] == "req-77"
    assert entry["created_at"].endswith("Z")


async def test_N1_a_refusal_is_in_the_trail_though_its_request_changed_nothing(
    client: httpx2.AsyncClient,
) -> None:
    refused = await client.post("/things/t1", headers={**PERSON, "X-Request-ID": "req-78"})
    assert refused.status_code == 403
    (entry,) = (await client.get(LOGS, headers=READER)).json()["items"]
    assert (entry["action"], entry["outcome"]) == ("access.refused", "failure")
    assert entry["actor"] == "0190d9c0-0000-7000-8000-000000000002"
    assert entry["request_id"] == "req-78"
    assert entry["data"]["required"] == ["audit:read"]


async def test_a_failed_request_leaves_no_row(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/things/t1?fail=true", headers=READER)).status_code == 409
    assert await actions(client) == []


async def test_J13_a_spoofed_address_does_not_reach_the_trail(client: httpx2.AsyncClient) -> None:
    spoofed = {"X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4", "X-Real-IP": "1.2.3.4"}
    await client.post("/things/t1", headers={**READER, **spoofed})
    (entry,) = (await client.get(LOGS, headers=READER)).json()["items"]
    assert entry["ip"] == "203.0.113.9"


async def test_the_trail_is_for_those_who_may_read_it(client: httpx2.AsyncClient) -> None:
    for path in (LOGS, f"{LOGS}/0190d9c0-0000-7000-8000-000000000009"):
        assert (await client.get(path)).status_code == 401
        refused = await client.get(path, headers=PERSON)
        assert refused.status_code == 403
        assert refused.json()["required"] == ["audit:read"]


async def test_one_entry_is_read_by_its_id(client: httpx2.AsyncClient, units: Units) -> None:
    known = await add(units, action="a.b", data={"n": 1})
    answer = await client.get(f"{LOGS}/{known}", headers=READER)
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["data"]) == (known, {"n": 1})


@pytest.mark.parametrize("entry", ["0190d9c0-0000-7000-8000-000000000009", "7", "%00", "a%20b"])
async def test_an_unknown_entry_is_a_404(client: httpx2.AsyncClient, entry: str) -> None:
    assert (await client.get(f"{LOGS}/{entry}", headers=READER)).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_there_is_no_way_to_change_the_trail(
    client: httpx2.AsyncClient, units: Units, method: str
) -> None:
    known = await add(units)
    for path in (LOGS, f"{LOGS}/{known}"):
        answer = await client.request(method, path, headers=READER)
        assert answer.status_code == 405
    assert len(await actions(client)) == 1


async def test_the_newest_come_first_and_pages_lead_on(
    client: httpx2.AsyncClient, units: Units
) -> None:
    start = now()
    for number in range(5):
        with replaced(lambda moment=start + timedelta(seconds=number): moment):
            await add(units, action=f"a.{number}")
    first = await client.get(f"{LOGS}?limit=2", headers=READER)
    page = first.json()
    assert [item["action"] for item in page["items"]] == ["a.4", "a.3"]
    assert page["page"]["total"] == 5
    assert 'rel="next"' in first.headers["link"]
    second = await client.get(
        f"{LOGS}?limit=2&cursor={page['page']['next_cursor']}", headers=READER
    )
    assert [item["action"] for item in second.json()["items"]] == ["a.2", "a.1"]


async def test_filters(client: httpx2.AsyncClient, units: Units) -> None:
    early = now() - timedelta(hours=2)
    with replaced(lambda: early):
        await add(units, action="a.old", actor_id="ada", ip="10.0.0.1")
    await add(units, action="a.new", actor_id="bo", target_id="t1", ip="10.0.0.2")
    await add(units, action="b.failed", actor_id="ada", target_id="t2", outcome="failure")
    between = quote((now() - timedelta(hours=1)).isoformat())
    assert await actions(client, "?actor=bo") == ["a.new"]
    assert await actions(client, "?actor=ada&outcome=success") == ["a.old"]
    assert await actions(client, "?target=t2") == ["b.failed"]
    assert await actions(client, "?ip=10.0.0.1") == ["a.old"]
    assert await actions(client, "?ip__isnull=true") == ["b.failed"]
    assert await actions(client, "?action=a.new") == ["a.new"]
    assert set(await actions(client, "?action__startswith=a.")) == {"a.new", "a.old"}
    assert await actions(client, f"?created_at__lt={between}") == ["a.old"]
    assert set(await actions(client, f"?created_at__gte={between}")) == {"a.new", "b.failed"}
    assert await actions(client, "?sort=action&outcome__ne=failure") == ["a.new", "a.old"]


async def test_an_unknown_filter_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"{LOGS}?actr=ada", headers=READER)
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_parameter"


def test_the_permission_starts_with_administrators() -> None:
    (permission,) = feature.permissions
    assert (permission.name, permission.lowest_role) == ("audit:read", "admin")
