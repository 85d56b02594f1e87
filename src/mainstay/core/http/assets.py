"""Static bytes of our own pages: compressed beforehand, and cached for good under their digest."""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

FOREVER: Final = "public, max-age=31536000, immutable"
REVALIDATE: Final = "no-cache"
_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}


class Asset:
    """One file, kept gzip-encoded. Both encodings have a strong entity tag of their own."""

    def __init__(self, name: str, packed: bytes) -> None:
        self.name = name
        self._packed = packed
        self.digest = hashlib.sha256(packed).hexdigest()[:16]
        stem, _, ending = name.rpartition(".")
        self.versioned_name = f"{stem}-{self.digest}.{ending}"
        self._media_type = _MEDIA_TYPES[ending]

    @classmethod
    def of(cls, name: str, content: bytes) -> Asset:
        """Make an asset of bytes that are not compressed yet."""
        return cls(name, gzip.compress(content, mtime=0))

    @classmethod
    def packaged(cls, name: str) -> Asset:
        """Read an asset from ``static/``, where it stands as it is or as ``<name>.gz``."""
        static = resources.files(__package__) / "static"
        packed = static / f"{name}.gz"
        if packed.is_file():
            return cls(name, packed.read_bytes())
        return cls.of(name, (static / name).read_bytes())

    @cached_property
    def _plain(self) -> bytes:
        return gzip.decompress(self._packed)

    def respond(self, headers: Mapping[str, str], *, cache_control: str) -> Response:
        """Answer a GET with these request headers: 304, gzip-encoded, or plain."""
        packed = accepts_gzip(headers.get("accept-encoding", ""))
        etag = f'"{self.digest}-gzip"' if packed else f'"{self.digest}"'
        own = {"ETag": etag, "Cache-Control": cache_control, "Vary": "Accept-Encoding"}
        if _has_tag(headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=own)
        if packed:
            own["Content-Encoding"] = "gzip"
        body = self._packed if packed else self._plain
        own["Content-Type"] = self._media_type
        return Response(body, headers=own)


def accepts_gzip(header: str) -> bool:
    """Whether an ``Accept-Encoding`` admits gzip (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=")
        try:
            weights[name.strip()] = float(weight or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _has_tag(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as ``If-None-Match`` does (RFC 9110, section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag in tags
