"""Values that settings hold, parsed strictly: sizes, networks, hosts, origins, URLs.

Each type is an ``Annotated`` one, for any section to use. The parsers raise ValueError.
"""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator

from mainstay.core.settings.markers import Shown, Takes
from mainstay.core.settings.splitting import split_list

_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SIZE: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*(?:([kmg])(?:i?b)?|b)?", re.IGNORECASE)
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]+")
_NOT_IN_A_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")
_MAX_HOST: Final = 253
_MAX_HOPS: Final = 32
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_EVERY_ADDRESS: Final = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
IPNetwork = IPv4Network | IPv6Network


def parse_size(value: Any) -> int:
    """Give a size in bytes from ``10mb``, ``1.5 GiB`` or ``2048``; steps are of 1024."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        msg = "not a size"
        raise ValueError(msg)
    number, unit = match.groups()
    return int(Decimal(number) * _UNITS[(unit or "").lower()])


def format_size(size: int) -> str:
    """Give a size in the largest unit that holds it without a rest: the inverse of parsing."""
    for unit in ("g", "m", "k"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}b"
    return str(size)


def parse_network(value: Any) -> IPNetwork:
    """Give the network of ``10.0.0.0/8`` or of one address; host bits must not be set."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        msg = "not a network"
        raise ValueError(msg)  # noqa: TRY004  (pydantic wants a ValueError)
    return ip_network(value.strip())


def parse_networks(value: Any) -> tuple[IPNetwork, ...]:
    """Give the networks of a list or of its text; ``*`` stands for every address."""
    items = split_list(value) if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        msg = "not a list of networks"
        raise ValueError(msg)  # noqa: TRY004  (pydantic wants a ValueError)
    networks: list[IPNetwork] = []
    for item in items:
        networks += _EVERY_ADDRESS if item == "*" else (parse_network(item),)
    return tuple(dict.fromkeys(networks))


def parse_proxies(value: Any) -> int | tuple[IPNetwork, ...]:
    """Give a number of hops, or the networks of the trusted proxies; none for 0 hops."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value.strip()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= _MAX_HOPS:
            return value or ()
        msg = "too many hops"
        raise ValueError(msg)
    return parse_networks(value)


def parse_host(value: Any) -> str:
    """Give an address or a host name in lower case; brackets round IPv6 are taken off."""
    text = value.strip() if isinstance(value, str) else ""
    if text.startswith("[") and text.endswith("]"):
        return str(IPv6Address(text[1:-1]))
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    labels = text.removesuffix(".").split(".")
    is_name = len(text) <= _MAX_HOST and all(_LABEL.fullmatch(label) for label in labels)
    if not is_name or labels[-1].isdigit():
        msg = "not a host"
        raise ValueError(msg)
    return text.lower()


def parse_host_pattern(value: Any) -> str:
    """Give a pattern of Host headers: a host with or without a port, ``*.name``, or ``*``."""
    text = value.strip() if isinstance(value, str) else ""
    if text == "*":
        return text
    if text.startswith("*."):
        return "*." + parse_host(text[2:])
    if ":" in text and "[" not in text:
        text, _, port = text.partition(":")
        return f"{parse_host(text)}:{_port(port)}"
    if not text.startswith("["):
        return parse_host(text)
    address, _, rest = text.partition("]")
    port = f":{_port(rest[1:])}" if rest.startswith(":") else rest
    if port and not rest.startswith(":"):
        msg = "not a host"
        raise ValueError(msg)
    return f"[{IPv6Address(address[1:])}]{port}"


def parse_web_url(value: Any) -> str:
    """Give an absolute http(s) URL without a slash at its end, user, query or fragment."""
    parts = _split_url(value)
    if parts.scheme not in _DEFAULT_PORTS or parts.query or parts.fragment or "@" in parts.netloc:
        msg = "not a web address"
        raise ValueError(msg)
    return f"{parts.scheme}://{_netloc(parts)}{parts.path}".rstrip("/")


def parse_origin(value: Any) -> str:
    """Give an origin as browsers send it (RFC 6454, section 6.2), or ``*``."""
    if value == "*":
        return "*"
    parts = _split_url(value)
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        msg = "not an origin"
        raise ValueError(msg)
    return f"{parts.scheme}://{_netloc(parts)}"


def parse_prefix(value: Any) -> str:
    """Give a path prefix with a slash at its start and none at its end; nothing for the root."""
    text = value.strip().strip("/") if isinstance(value, str) else None
    if text == "":
        return ""
    segments = text.split("/") if text else [""]
    if not all(_SEGMENT.fullmatch(segment) and segment.strip(".") for segment in segments):
        msg = "not a path"
        raise ValueError(msg)
    return "/" + "/".join(segments)


def parse_redis_url(value: Any) -> str:
    """Give a Redis URL, unchanged."""
    text = value.strip() if isinstance(value, str) else ""
    parts = urlsplit(text)
    known = parts.scheme in {"redis", "rediss", "unix"} and "://" in text
    if not known or _NOT_IN_A_URL.search(text) or (parts.scheme == "unix" and not parts.path):
        msg = "not a Redis URL"
        raise ValueError(msg)
    _ = parts.port  # urlsplit looks at the port only here
    return text


def parse_email(value: Any) -> str:
    """Give an address that has one ``@`` with something on both sides, and no blanks."""
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        msg = "not an e-mail address"
        raise ValueError(msg)
    return text


def host_of(url: str) -> str:
    """Give the host of a URL as a Host header has it, without the port."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:  # noqa: PLR2004
        msg = "not a port"
        raise ValueError(msg)
    return int(text)


def _split_url(value: Any) -> SplitResult:
    text = value.strip() if isinstance(value, str) else ""
    scheme, mark, _ = text.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme) or _NOT_IN_A_URL.search(text):
        msg = "not a URL"
        raise ValueError(msg)
    return urlsplit(text)


def _netloc(parts: SplitResult) -> str:
    host = parse_host(parts.hostname)
    shown = f"[{host}]" if ":" in host else host
    if parts.port is None and parts.netloc.endswith(":"):
        msg = "a port is missing"
        raise ValueError(msg)
    if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)}:
        return shown
    return f"{shown}:{_port(str(parts.port))}"


Size = Annotated[
    int, BeforeValidator(parse_size), Takes("a size such as 512kb, 10mb or 1gb"), Shown(format_size)
]
"""A number of bytes."""

Networks = Annotated[
    tuple[IPNetwork, ...],
    PlainValidator(parse_networks),
    Takes("a list of networks such as 10.0.0.0/8,fd00::/8"),
]
"""IP networks; one address is the network of itself."""

TrustedProxies = Annotated[
    int | tuple[IPNetwork, ...],
    PlainValidator(parse_proxies),
    Takes(f"networks such as 10.0.0.0/8, or a number of hops up to {_MAX_HOPS}"),
]
"""Networks of proxies, or how many proxies stand in front."""

Host = Annotated[str, AfterValidator(parse_host), Takes("an IP address or a host name")]
"""Where a server listens or is found, without a port."""

HostPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(parse_host_pattern)], ...],
    Takes("a list of hosts such as example.com,*.example.com"),
]
"""Hosts that are served."""

Origins = Annotated[
    tuple[Annotated[str, AfterValidator(parse_origin)], ...],
    Takes("a list of origins such as https://app.example.com"),
]
"""Origins of browser pages."""

WebUrl = Annotated[
    str, AfterValidator(parse_web_url), Takes("an address such as https://example.com")
]
"""An absolute http(s) URL."""

PathPrefix = Annotated[str, AfterValidator(parse_prefix), Takes("a path such as /api/v1")]
"""A path before other paths."""

RedisUrl = Annotated[
    str, AfterValidator(parse_redis_url), Takes("a URL such as redis://localhost:6379/0")
]
"""Where Redis is."""

Email = Annotated[str, AfterValidator(parse_email), Takes("an e-mail address")]
"""An e-mail address; only its outline is checked."""
