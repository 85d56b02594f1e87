"""Ways to hash a password: two to choose from, and one that is only read and left behind.

All take the password normalised. ``verify`` is called with a hash that ``identify`` took, and
gives False for whatever else is wrong with it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import Protocol

import bcrypt
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

__all__ = ["Argon2id", "BcryptSha256", "PlainBcrypt", "ReadableScheme", "Scheme", "scheme_of"]

_SALT_BYTES = 16
_DIGEST_BYTES = 32
# A stored hash that asks for more is damaged, or would hold a thread for minutes.
_MOST_COSTS = (1 << 20, 64, 16)
_LEAST_ROUNDS, _MOST_ROUNDS = 4, 16
_BCRYPT_FORM = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72
_BCRYPT_DIGEST_CHARACTERS = 31


class ReadableScheme(Protocol):
    """A way to hash whose stored hashes can be verified."""

    def identify(self, stored: str) -> bool:
        """Tell whether a stored hash is one of this scheme, in form and within bounds."""

    def verify(self, password: str, stored: str) -> bool:
        """Tell whether a password belongs to a stored hash."""


class Scheme(ReadableScheme, Protocol):
    """A way to hash that may be chosen for new hashes."""

    def hash(self, password: str) -> str:
        """Hash a password under a new salt."""

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a stored hash of this scheme was made with less than is asked today."""

    def dummy(self) -> str:
        """Give a hash that belongs to no password and costs as much to verify as a new one."""


class Argon2id:
    """Argon2id (RFC 9106): ``memory`` in KiB, ``passes`` over it, ``lanes`` in parallel.

    Hashes of argon2i and argon2d are verified, and are always outdated.
    """

    _FORM = re.compile(
        r"\$(argon2(?:id|i|d))\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})"
        r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
    )

    def __init__(self, *, memory: int = 19456, passes: int = 2, lanes: int = 1) -> None:
        self._costs = (memory, passes, lanes)
        self._hasher = Argon2Hasher(
            time_cost=passes,
            memory_cost=memory,
            parallelism=lanes,
            hash_len=_DIGEST_BYTES,
            salt_len=_SALT_BYTES,
        )

    def identify(self, stored: str) -> bool:
        """Tell whether a stored hash is argon2, version 1.3, of bearable costs."""
        match = self._FORM.fullmatch(stored)
        return match is not None and not _any_less(_MOST_COSTS, _costs(match))

    def verify(self, password: str, stored: str) -> bool:
        """Tell whether a password belongs to a stored hash."""
        return self._hasher.verify(password, stored)

    def hash(self, password: str) -> str:
        """Hash a password under a new salt."""
        return self._hasher.hash(password)

    def is_outdated(self, stored: str) -> bool:
        """Tell whether the variant is another one, or any cost or length is under today's."""
        match = self._FORM.fullmatch(stored)
        if match is None or match[1] != "argon2id":
            return True
        made = (*_costs(match), len(match[5]), len(match[6]))
        today = (*self._costs, len(_random_base64(_SALT_BYTES)), len(_random_base64(_DIGEST_BYTES)))
        return _any_less(made, today)

    def dummy(self) -> str:
        """Give a hash with a random digest and today's costs."""
        memory, passes, lanes = self._costs
        salt, digest = _random_base64(_SALT_BYTES), _random_base64(_DIGEST_BYTES)
        return f"$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${digest}"


class BcryptSha256:
    """Bcrypt over base64(SHA-256(password)), so that every byte of the password counts.

    A hash is the mark ``$bcrypt-sha256`` with the bcrypt hash after it.
    """

    _MARK = "$bcrypt-sha256"

    def __init__(self, *, rounds: int = 12) -> None:
        self._rounds = rounds
        self._hasher = BcryptHasher(rounds=rounds)

    def identify(self, stored: str) -> bool:
        """Tell whether a stored hash bears the mark, and a bcrypt hash of bearable cost."""
        return stored.startswith(self._MARK) and _is_bcrypt(stored.removeprefix(self._MARK))

    def verify(self, password: str, stored: str) -> bool:
        """Tell whether a password belongs to a stored hash."""
        return _bcrypt_verify(self._hasher, _digested(password), stored.removeprefix(self._MARK))

    def hash(self, password: str) -> str:
        """Hash a password under a new salt."""
        return self._MARK + self._hasher.hash(_digested(password))

    def is_outdated(self, stored: str) -> bool:
        """Tell whether there are fewer rounds than today."""
        match = _BCRYPT_FORM.fullmatch(stored.removeprefix(self._MARK))
        return match is None or int(match[1]) < self._rounds

    def dummy(self) -> str:
        """Give a hash with a random salt and today's rounds; no password gives its digest."""
        salt = bcrypt.gensalt(self._rounds).decode("ascii")
        return self._MARK + salt + "." * _BCRYPT_DIGEST_CHARACTERS


class PlainBcrypt:
    """Bcrypt over the password itself, of which only 72 bytes count: verified, never made.

    What is beyond them is cut off here, as it was by whatever made such a hash; the library of
    today raises instead.
    """

    def __init__(self) -> None:
        self._hasher = BcryptHasher()

    def identify(self, stored: str) -> bool:
        """Tell whether a stored hash is bcrypt, of bearable cost."""
        return _is_bcrypt(stored)

    def verify(self, password: str, stored: str) -> bool:
        """Tell whether the first 72 bytes of a password belong to a stored hash."""
        return _bcrypt_verify(self._hasher, password.encode("utf-8")[:_BCRYPT_BYTES], stored)


def scheme_of(name: str) -> Scheme:
    """Give the scheme that ``PASSWORD_HASHER`` names, with its default costs.

    Raises:
        ValueError: it is neither ``argon2id`` nor ``bcrypt``.
    """
    if name == "argon2id":
        return Argon2id()
    if name == "bcrypt":
        return BcryptSha256()
    raise ValueError(f"{name!r} is no password hasher; take argon2id or bcrypt")


def _costs(match: re.Match[str]) -> tuple[int, int, int]:
    """Read memory, passes and lanes out of an argon2 hash."""
    return int(match[2]), int(match[3]), int(match[4])


def _any_less(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    """Tell whether any number on the left is under the one across from it."""
    return any(a < b for a, b in zip(left, right, strict=True))


def _random_base64(size: int) -> str:
    """Give random bytes as argon2 writes them: base64 without padding."""
    return base64.b64encode(secrets.token_bytes(size)).decode("ascii").rstrip("=")


def _is_bcrypt(stored: str) -> bool:
    """Tell whether a text is a bcrypt hash that can be verified in bearable time."""
    match = _BCRYPT_FORM.fullmatch(stored)
    return match is not None and _LEAST_ROUNDS <= int(match[1]) <= _MOST_ROUNDS


def _bcrypt_verify(hasher: BcryptHasher, password: bytes, stored: str) -> bool:
    """Verify, taking a salt that cannot be read for a wrong password."""
    try:
        return hasher.verify(password, stored)
    except ValueError:
        return False


def _digested(password: str) -> bytes:
    """Give base64(SHA-256(password)): 44 bytes, none of them NUL, so that bcrypt reads them all."""
    return base64.b64encode(hashlib.sha256(password.encode("utf-8")).digest())
