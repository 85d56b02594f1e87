"""Typed domain events: handled in the transaction that they happened in, or after its commit.

A service publishes an event on the session it works with. Subscribers *in the transaction* run at
once and share its fate. Subscribers *after the commit* get a job row in the same transaction
(an outbox): a crash between commit and delivery loses nothing, and a handler may run twice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.jobs import JobQueue
    from mainstay.core.ports import Ports

UNIT_KEY = "mainstay.unit"
"""Where a session's ``info`` holds its unit of work."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """The root of all domain events; a subclass is a frozen dataclass of plain values.

    ``name`` is ``<resource>.<past tense>``; ``outcome`` is ``success`` or ``failure``; ``secret``
    lists fields that no audit row or log may show.
    """

    name: ClassVar[str] = "event"
    outcome: ClassVar[str] = "success"
    secret: ClassVar[frozenset[str]] = frozenset()

    actor_id: str | None = None
    target_id: str | None = None

    def data(self) -> dict[str, Any]:
        """Give the event's own values, secrets left out, in JSON's types."""
        hidden = self.secret | {"actor_id", "target_id"}
        values = _adapter(type(self)).dump_python(self, mode="json")
        return {f.name: values[f.name] for f in fields(self) if f.name not in hidden}


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(event: type[Any]) -> TypeAdapter[Any]:
    """Give what turns an event into JSON's types; making it costs a hundred times its use."""
    if event not in _adapters:
        _adapters[event] = TypeAdapter(event)
    return _adapters[event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A handler for an event and all its subclasses.

    ``handler(event, session, ports)`` works in the publisher's transaction, or, with
    ``after_commit``, in one of its own later; then ``name`` must be stable across versions.
    """

    event: type[Event]
    handler: Callable[[Any, AsyncSession, Ports], Awaitable[None]]
    name: str
    after_commit: bool = False


def delivery_job(subscriber: Subscriber) -> str:
    """Give the name of the job that delivers an event to this subscriber."""
    return f"event:{subscriber.name}"


def dump(event: Event) -> dict[str, Any]:
    """Turn an event into a job's payload."""
    return {
        "event": event.name,
        "values": _adapter(type(event)).dump_python(event, mode="json"),
    }


class EventHub:
    """The subscribers of one application."""

    def __init__(self, subscribers: Iterable[Subscriber], ports: Ports) -> None:
        self._subscribers = tuple(subscribers)
        self._ports = ports
        self._routes: dict[type[Event], tuple[Subscriber, ...]] = {}
        self._queue: JobQueue | None = None

    def use_queue(self, queue: JobQueue | None) -> None:
        """Set where deliveries after the commit are written; without one they are refused."""
        self._queue = queue

    def for_event(self, event: type[Event]) -> tuple[Subscriber, ...]:
        """Give the subscribers of an event, in the order of the features."""
        route = self._routes.get(event)
        if route is None:
            route = tuple(s for s in self._subscribers if issubclass(event, s.event))
            self._routes[event] = route
        return route

    async def deliver(self, event: Event, session: AsyncSession) -> None:
        """Run the subscribers in the transaction, and write the later deliveries into it."""
        for subscriber in self.for_event(type(event)):
            if not subscriber.after_commit:
                await subscriber.handler(event, session, self._ports)
            elif self._queue is not None:
                await self._queue.enqueue(session, delivery_job(subscriber), dump(event))

    def event_class(self, name: str) -> type[Event] | None:
        """Find a known event by its name."""
        return _by_name(Event, name)


def _by_name(root: type[Event], name: str) -> type[Event] | None:
    for child in root.__subclasses__():
        if is_dataclass(child) and child.name == name:
            return child
        found = _by_name(child, name)
        if found is not None:
            return found
    return None


async def publish(session: AsyncSession, event: Event) -> None:
    """Publish an event on a session that belongs to a unit of work.

    Raises:
        RuntimeError: the session was not made by one.
    """
    await _unit_of(session).publish(event)


def outlive(session: AsyncSession, event: Event) -> None:
    """Have an event recorded when the session's unit of work ends, even if that is undone.

    Raises:
        RuntimeError: the session was not made by one.
    """
    _unit_of(session).outlive(event)


def _unit_of(session: AsyncSession) -> Any:
    unit = session.info.get(UNIT_KEY)
    if unit is None:
        msg = "This session belongs to no unit of work, so its events would be lost."
        raise RuntimeError(msg)
    return unit
