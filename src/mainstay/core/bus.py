"""The bus: short messages to every process of the application; lost ones must do no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Bus(Protocol):
    """Port: tells all processes that something changed. It is speed, never truth."""

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Send a message to the subscribers of a topic; it does not block."""
        ...

    def subscribe(
        self, topic: str, callback: Callable[[dict[str, Any]], None]
    ) -> Callable[[], None]:
        """Call back for each message on the topic; gives the function that ends it."""
        ...


class LocalBus:
    """The bus of one process."""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Callable[[dict[str, Any]], None]]] = {}

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Call the topic's subscribers at once."""
        for callback in tuple(self._subscribers.get(topic, ())):
            callback(message)

    def subscribe(
        self, topic: str, callback: Callable[[dict[str, Any]], None]
    ) -> Callable[[], None]:
        """Add a subscriber."""
        callbacks = self._subscribers.setdefault(topic, [])
        callbacks.append(callback)
        return lambda: callbacks.remove(callback) if callback in callbacks else None
