"""The list of a caller's own sessions."""

from __future__ import annotations

from typing import Final

from mainstay.core.http.query import RANGE, ListField, ListSpec, page_model
from mainstay.features.sessions.models import SessionRow
from mainstay.features.sessions.schemas import SessionRead

SESSIONS: Final = ListSpec(
    name="Session",
    fields={
        "id": ListField(column=SessionRow.id),
        "created_at": ListField(column=SessionRow.created_at, operators=RANGE, sort=True),
        "last_seen_at": ListField(column=SessionRow.last_seen_at, operators=RANGE, sort=True),
    },
    default_sort="-created_at",
)

SessionPage: Final = page_model("SessionPage", SessionRead)
