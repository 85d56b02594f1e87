"""Rows are written with what they tell of."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mainstay.core.auth import AccessRefused
from mainstay.core.events import Event
from mainstay.core.origin import Origin, reset_origin, set_origin
from mainstay.features.audit import AuditLog, AuditRowChangedError
from mainstay.kit.clock import now

if TYPE_CHECKING:
    from mainstay.core.db.unit import Units

pytestmark = pytest.mark.anyio


async def written(units: Units, *events: Event) -> list[AuditLog]:
    unit = units.unit(write=True)
    for event in events:
        await unit.publish(event)
    await unit.commit()
    await unit.close()
    return await rows(units)


async def rows(units: Units) -> list[AuditLog]:
    async with units.database.session(write=False) as session:
        return list(await session.scalars(select(AuditLog).order_by(AuditLog.id)))


async def test_a_row_tells_all_of_an_event(units: Units, thing_changed: Any) -> None:
    origin = Origin(
        request_id="req_1", ip="203.0.113.9", user_agent="curl/8", actor_id="ada", channel="api"
    )
    token = set_origin(origin)
    try:
        (row,) = await written(units, thing_changed(target_id="thing-7", colour="blue"))
    finally:
        reset_origin(token)
    assert (row.action, row.outcome) == ("thing.changed", "success")
    assert (row.actor_id, row.target_id) == ("ada", "thing-7")
    assert row.data == {"colour": "blue", "nested": None}
    assert (row.ip, row.user_agent) == ("203.0.113.9", "curl/8")
    assert (row.request_id, row.channel) == ("req_1", "api")
    assert row.created_at.tzinfo == UTC
    assert abs(row.created_at - now()) < timedelta(minutes=1)


async def test_the_event_s_own_actor_comes_before_the_request_s(
    units: Units, thing_changed: Any
) -> None:
    token = set_origin(Origin(request_id="req_1", actor_id="ada"))
    try:
        (row,) = await written(units, thing_changed(actor_id="bo"))
    finally:
        reset_origin(token)
    assert row.actor_id == "bo"


async def test_outside_of_requests_the_system_acts(units: Units, thing_changed: Any) -> None:
    (row,) = await written(units, thing_changed())
    assert (row.channel, row.request_id, row.ip, row.actor_id) == ("system", "system", None, None)


async def test_every_kind_of_event_has_a_row(units: Units, thing_changed: Any) -> None:
    refused = AccessRefused(actor_id="bo", required=("users:read",), method="GET", path="/users")
    first, second = await written(units, thing_changed(), refused)
    assert first.outcome == "success"
    assert (second.action, second.outcome) == ("access.refused", "failure")
    assert second.data == {"required": ["users:read"], "method": "GET", "path": "/users"}


async def test_what_is_undone_has_no_row(units: Units, thing_changed: Any) -> None:
    unit = units.unit(write=True)
    await unit.publish(thing_changed())
    await unit.session.flush()
    await unit.rollback()
    await unit.close()
    assert await rows(units) == []


async def test_what_outlives_a_refusal_has_a_row(units: Units, thing_changed: Any) -> None:
    unit = units.unit(write=True)
    await unit.publish(thing_changed(colour="lost"))
    unit.outlive(thing_changed(colour="kept"))
    await unit.rollback()
    await unit.close()
    assert [row.data["colour"] for row in await rows(units)] == ["kept"]


async def test_N2_no_secret_reaches_a_row(units: Units, thing_changed: Any) -> None:
    nested = {
        "password": "hunter2-a",
        "user": {"api_key": "hunter2-b", "name": "Ada"},
        "list": [{"refresh_token": "hunter2-c"}],
        "Authorization": "hunter2-d",
        "status_code": 200,
    }
    (row,) = await written(units, thing_changed(pin="hunter2-e", nested=nested))
    assert "hunter2" not in str(row.data)
    assert "pin" not in row.data
    assert row.data["nested"]["user"]["name"] == "Ada"
    assert row.data["nested"]["status_code"] == 200


async def test_hostile_text_is_kept_as_far_as_it_can_be(units: Units, thing_changed: Any) -> None:
    refused = AccessRefused(required=("x:y",), method="GET", path="/a\x00b\ud800" + "c" * 9000)
    long = thing_changed(target_id="t" * 500, actor_id="a" * 500)
    first, second = await written(units, refused, long)
    assert first.data["path"].startswith("/a\ufffdb\ufffdccc")
    assert len(first.data["path"]) == 2000
    assert second.target_id == "t" * 255
    assert second.actor_id == "a" * 64


async def test_rows_cannot_be_changed_or_deleted(units: Units, thing_changed: Any) -> None:
    await written(units, thing_changed())
    async with units.database.session(write=True) as session:
        row = (await session.scalars(select(AuditLog))).one()
        row.outcome = "failure"
        with pytest.raises(AuditRowChangedError):
            await session.flush()
    async with units.database.session(write=True) as session:
        await session.delete((await session.scalars(select(AuditLog))).one())
        with pytest.raises(AuditRowChangedError):
            await session.flush()
    (row,) = await rows(units)
    assert row.outcome == "success"
