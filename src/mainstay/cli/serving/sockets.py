"""The sockets that a server listens on, opened before anything else so that a taken port shows."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, Final

from mainstay.cli.console import CommandError, say

LAST_TRIED: Final = 9
"""How many ports after the wanted one are tried."""

HIGHEST_PORT: Final = 65535
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def open_sockets(host: str, port: int, *, fixed: bool) -> tuple[list[socket.socket], int]:
    """Open the sockets of an address, and say which port it became.

    Where the port is taken and not ``fixed``, the next free one of the following nine is used, and
    a line says so. The sockets listen at once then, so that no other process can take the port.

    Raises:
        CommandError: the port is taken, or the address cannot be used.
    """
    last = port if fixed else min(port + LAST_TRIED, HIGHEST_PORT)
    for candidate in range(port, last + 1):
        try:
            sockets = _bound(host, candidate, listening=not fixed)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _refused(error, host=host, port=candidate) from error
            continue
        if candidate != port:
            say(f"Port {port} is in use, using {candidate}")
        return sockets, candidate
    if fixed:
        msg = f"Port {port} is in use. Stop what uses it, or choose another one with --port."
    else:
        msg = f"Ports {port} to {last} are in use. Choose another one with --port."
    raise CommandError(msg)


def _bound(host: str, port: int, *, listening: bool) -> list[socket.socket]:
    """Bind a socket for each address of the host that this machine has.

    Raises:
        OSError: none can be bound, or one of them is taken; none is left open then.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            sockets.append(
                _listener(socket.socket(family, kind, protocol), address, listening=listening)
            )
        except OSError as error:
            missing = error
            if error.errno not in _NOT_HERE:
                break
    else:
        if sockets:
            return sockets
    for opened in sockets:
        opened.close()
    raise missing or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


def _listener(opened: socket.socket, address: Any, *, listening: bool) -> socket.socket:
    try:
        if os.name == "posix":  # elsewhere it would let two processes share a port
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        if listening:
            opened.listen()
    except OSError:
        opened.close()
        raise
    return opened


def _refused(error: OSError, *, host: str, port: int) -> CommandError:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return CommandError(f"Port {port} may not be used without special rights. Use --port 8000.")
    reason = (error.strerror or str(error)).lower()
    return CommandError(f"The address {host} cannot be used ({reason}). Use --host 127.0.0.1.")
