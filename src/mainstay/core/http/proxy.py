"""Who really calls: addresses and scheme behind trusted proxies, and nothing else."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from starlette.types import Scope


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Give the address of a ``Forwarded``-like entry, with or without a port; None for nonsense.

    An address with a zone (``fe80::1%eth0``) means nothing on another machine, and a zone may hold
    any text: nonsense too.
    """
    if "%" in text:
        return None
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def is_loopback(host: str | None) -> bool:
    """Say whether the peer is on this machine; an unknown peer (a Unix socket) is not."""
    address = parse_address(host) if host else None
    return address is not None and address.is_loopback


class Proxies:
    """The trusted proxies: networks, or a number of hops; neither means none.

    ``X-Forwarded-For`` is walked from the right, and the first address that is no trusted proxy
    is the caller. A caller cannot add to the left of that to any effect.
    """

    def __init__(self, trusted: int | Sequence[IPv4Network | IPv6Network]) -> None:
        self._hops = trusted if isinstance(trusted, int) else 0
        self._networks = () if isinstance(trusted, int) else tuple(trusted)
        self.none = not self._hops and not self._networks

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)

    def client(self, peer: str | None, forwarded_for: Sequence[str]) -> tuple[str | None, bool]:
        """Give the caller's address, and whether the peer's forwarding headers count at all."""
        if self.none:
            return peer, False
        entries = [entry for line in forwarded_for for entry in line.split(",") if entry.strip()]
        if self._hops:
            if len(entries) < self._hops:
                return peer, True
            address = parse_address(entries[-self._hops])
            return (str(address) if address else peer), True
        current = parse_address(peer) if peer else None
        if current is None or not self._trusts(current):
            return peer, False
        for entry in reversed(entries):
            address = parse_address(entry)
            if address is None:
                break
            current = address
            if not self._trusts(address):
                break
        return str(current), True

    def apply(self, scope: Scope, peer: str | None) -> str | None:
        """Give the caller's address and set the scope's client and scheme to what it used."""
        headers = scope["headers"]
        forwarded = [v.decode("latin-1") for k, v in headers if k == b"x-forwarded-for"]
        client, counts = self.client(peer, forwarded)
        if counts:
            scope["client"] = (client or "", 0)
            for name, value in headers:
                if name == b"x-forwarded-proto" and value in {b"http", b"https"}:
                    scope["scheme"] = value.decode("ascii")
        return client
