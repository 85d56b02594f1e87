"""Tokens that were verified a moment ago, so that a burst of requests pays for one signature."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["VerifiedTokens"]

_Key: TypeAlias = tuple[bytes, str, str, str]
_Entry: TypeAlias = tuple[Mapping[str, Any], float, float]


class VerifiedTokens:
    """A bounded memory of verified tokens; the one used longest ago goes first.

    It holds SHA-256 digests, never tokens. An entry answers only what was asked before (the same
    ``typ``, issuer and audience), from the moment it was put until its end, and a clock that goes
    back before that moment gets no answer. Safe to use from several threads.
    """

    def __init__(self, *, entries: int = 4096, seconds: float = 30.0) -> None:
        self._entries = entries
        self._seconds = seconds
        self._found: OrderedDict[_Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    @staticmethod
    def key(token: str, *, typ: str, issuer: str, audience: str) -> _Key:
        """Give the key of a question."""
        return (hashlib.sha256(token.encode("ascii")).digest(), typ, issuer, audience)

    def get(self, key: _Key, *, now: float) -> Mapping[str, Any] | None:
        """Give the claims that are remembered for a question, if they still count at ``now``."""
        with self._lock:
            entry = self._found.get(key)
            if entry is None:
                return None
            claims, since, until = entry
            if not since <= now < until:
                del self._found[key]
                return None
            self._found.move_to_end(key)
            return claims

    def put(self, key: _Key, claims: Mapping[str, Any], *, now: float, end: float) -> None:
        """Remember claims from ``now`` for the set time, but never until ``end`` or later."""
        with self._lock:
            self._found[key] = (claims, now, min(end, now + self._seconds))
            self._found.move_to_end(key)
            if len(self._found) > self._entries:
                self._found.popitem(last=False)
