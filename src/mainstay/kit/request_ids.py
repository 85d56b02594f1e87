"""Request ids: ``req_`` and a UUIDv7 in Crockford's base 32, so that they sort by time."""

from __future__ import annotations

import os
import re
import time
from itertools import count
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_ACCEPTED: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_VERSION: Final = 7 << 76
_VARIANT: Final = 2 << 62
_COUNTER_BITS: Final = 30
_COUNTER_MASK: Final = (1 << _COUNTER_BITS) - 1


def _spell(number: int, *, bits: int) -> str:
    """Spell a number of a multiple of ten bits in base 32."""
    return "".join(_PAIRS[number >> shift & 1023] for shift in range(bits - 10, -1, -10))


class _Sequence:
    """One process's ids: 48 bits of milliseconds, 44 random ones of the process, a counter."""

    __slots__ = ("_counter", "_head", "_middle", "_millisecond")

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew; a forked child must not repeat its parent's ids."""
        self._counter = count(int.from_bytes(os.urandom(3), "big"))
        self._middle = int.from_bytes(os.urandom(6), "big")
        self._millisecond = -1
        self._head = ""

    def next(self) -> str:
        """Give the next id."""
        millisecond = time.time_ns() // 1_000_000
        if millisecond != self._millisecond:
            random = self._middle & 0xFFF_FFFF_FFFF
            number = millisecond << 80 | _VERSION | (random >> 32) << 64
            number |= _VARIANT | (random & 0xFFFF_FFFF) << _COUNTER_BITS
            self._head = "req_" + _spell(number >> _COUNTER_BITS, bits=100)
            self._millisecond = millisecond
        tail = next(self._counter) & _COUNTER_MASK
        pairs = _PAIRS
        return self._head + pairs[tail >> 20] + pairs[tail >> 10 & 1023] + pairs[tail & 1023]


_sequence: Final = _Sequence()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_sequence.renew)

new_request_id: Final = _sequence.next
"""Give a fresh id."""


def accept_request_id(sent: bytes | None) -> str:
    """Give the caller's own id where it is well-formed, else a fresh one."""
    if sent is not None and _ACCEPTED.fullmatch(sent):
        return sent.decode("ascii")
    return new_request_id()
