"""The H rows: hosts, addresses, proxies, limits and processes."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from mainstay.core.checks.records import Finding, check
from mainstay.core.checks.values import application
from mainstay.core.db.engine import Database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mainstay.core.ports import Ports

UNLIMITED_BODY: Final = 1024**3
"""A limit from which on it is none: a body of this size fills a small server."""

_ON: Final = frozenset({"1", "true", "yes", "on"})
_RELOAD_VARIABLES: Final = ("UVICORN_RELOAD", "GRANIAN_RELOAD")


@check("H001", deploy=True, boot=True)
async def allowed_hosts(ports: Ports) -> Finding | None:
    """Only named hosts are served."""
    hosts = application(ports).ALLOWED_HOSTS
    if hosts and "*" not in hosts:
        return None
    what = '"*"' if hosts else "empty"
    return Finding(
        f"ALLOWED_HOSTS is {what}: links in mails can be forged by the Host header.",
        "set PUBLIC_URL, whose host is then allowed, or ALLOWED_HOSTS=example.com.",
    )


@check("H002", deploy=True, boot=True)
async def public_url(ports: Ports) -> Finding | None:
    """The address of the server is known, and https."""
    url = application(ports).PUBLIC_URL
    if url is not None and url.startswith("https://"):
        return None
    what = "not set" if url is None else "not https"
    return Finding(
        f"PUBLIC_URL is {what}: links in mails will be wrong.",
        "set PUBLIC_URL=https://example.com.",
    )


@check("H003", level="warning", deploy=True)
async def hsts(ports: Ports) -> Finding | None:
    """Browsers are told to come by https only (RFC 6797)."""
    if (application(ports).PUBLIC_URL or "").startswith("https://"):
        return None
    return Finding("HSTS is off.", "set PUBLIC_URL to an https:// address.")


@check("H004", deploy=True, boot=True)
async def trusted_proxies(ports: Ports) -> Finding | None:
    """Not everybody is trusted as a proxy."""
    own = application(ports)
    proxies = own.TRUSTED_PROXIES
    everybody = not isinstance(proxies, int) and any(n.prefixlen == 0 for n in proxies)
    if not everybody or _only_this_machine(own.HOST):
        return None
    return Finding(
        'TRUSTED_PROXIES="*" on a public address: clients can forge their IP, '
        "so limits and audit lie.",
        "set TRUSTED_PROXIES to the proxy's network, such as 10.0.0.0/8, or to their number.",
    )


@check("H006", level="warning", deploy=True)
async def body_limit(ports: Ports) -> Finding | None:
    """Request bodies have a limit."""
    if application(ports).MAX_BODY_SIZE < UNLIMITED_BODY:
        return None
    return Finding("No request body limit.", "set MAX_BODY_SIZE=10mb.")


@check("H008", deploy=True, boot=True)
async def reload(ports: Ports) -> Finding | None:
    """The server does not watch files for changes."""
    if application(ports).is_development or not reload_is_on(sys.argv, os.environ):
        return None
    return Finding("Reload is on.", "start the server without --reload: `mainstay serve`.")


@check("H009", level="info", deploy=True)
async def workers(ports: Ports) -> Finding | None:
    """The machine's cores are used."""
    cores, own = available_cores(), application(ports)
    if own.WEB_CONCURRENCY > 1 or cores == 1 or ports[Database].dialect_name == "sqlite":
        return None
    fix = "nothing yet; several processes need a shared bus, which this version does not have."
    return Finding(f"1 worker on {cores} cores.", fix)


def reload_is_on(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Say whether the server was started to reload on changes."""
    by_variable = any(environ.get(name, "").lower() in _ON for name in _RELOAD_VARIABLES)
    return by_variable or "--reload" in argv


def available_cores() -> int:
    """Give how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _only_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


HTTP: Final = (
    allowed_hosts,
    public_url,
    hsts,
    trusted_proxies,
    body_limit,
    reload,
    workers,
)
