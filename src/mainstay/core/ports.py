"""Ports: what features offer each other, looked up by type and built once an application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Provide(Generic[T]):
    """An instance for a port: ``factory(ports)`` builds it once an application."""

    port: type[T]
    factory: Callable[[Ports], T]
    replaces: bool = False


class PortError(LookupError):
    """A port has no provider, or its providers need each other in a circle."""


class Ports:
    """The built ports of one application. Building is lazy; each is built once."""

    def __init__(self, provisions: Iterable[Provide[Any]] = ()) -> None:
        self._provisions: dict[type[Any], Provide[Any]] = {p.port: p for p in provisions}
        self._built: dict[type[Any], Any] = {}
        self._building: list[type[Any]] = []

    def add(self, port: type[T], instance: T) -> None:
        """Offer a ready instance; used for what the application itself brings."""
        self._built[port] = instance

    def __contains__(self, port: type[Any]) -> bool:
        """Say whether the port has a provider."""
        return port in self._built or port in self._provisions

    def __getitem__(self, port: type[T]) -> T:
        """Give the port's instance, building it at first use.

        Raises:
            PortError: nobody provides it, or it needs itself.
        """
        try:
            return cast("T", self._built[port])
        except KeyError:
            return self._build(port)

    def get(self, port: type[T]) -> T | None:
        """Give the port's instance, or None where nobody provides it."""
        if port not in self:
            return None
        return self[port]

    def _build(self, port: type[T]) -> T:
        provision = self._provisions.get(port)
        if provision is None:
            msg = f"Nobody provides {port.__name__}. Enable the feature that does, or provide it."
            raise PortError(msg)
        if port in self._building:
            circle = " -> ".join(p.__name__ for p in [*self._building, port])
            msg = f"These ports need each other in a circle: {circle}"
            raise PortError(msg)
        self._building.append(port)
        try:
            self._built[port] = provision.factory(self)
        finally:
            self._building.pop()
        return cast("T", self._built[port])
