"""Hashing passwords without holding up other requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mainstay.core.errors import ValidationFailedError
from mainstay.features.auth.hash_pool import HashPool
from mainstay.features.auth.hash_schemes import (
    Argon2id,
    BcryptSha256,
    PlainBcrypt,
    ReadableScheme,
    Scheme,
    scheme_of,
)
from mainstay.features.auth.passwords import normalise

__all__ = ["Argon2id", "BcryptSha256", "PasswordHasher", "Verification", "scheme_of"]


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a password was right, and whether its hash should be made anew with it."""

    ok: bool
    needs_rehash: bool = False


_REFUSED = Verification(ok=False)


class PasswordHasher:
    """Hashes passwords with one scheme, and verifies those of all.

    Passwords are taken as sent and normalised here, the same way for setting and verifying. A
    hash of another scheme, or one made with lower costs, is reported for rehashing.
    """

    def __init__(self, scheme: Scheme | None = None, *, pool: HashPool | None = None) -> None:
        """Take the scheme for new hashes (argon2id, m=19456 KiB, t=2, p=1) and the threads."""
        self._scheme = scheme or Argon2id()
        self._readable: tuple[ReadableScheme, ...] = (
            self._scheme,
            Argon2id(),
            BcryptSha256(),
            PlainBcrypt(),
        )
        self._dummy = self._scheme.dummy()
        self._pool = pool or HashPool()

    async def hash(self, password: str) -> str:
        """Hash a password under a new salt.

        Raises:
            ValidationFailedError: the password is no usable text.
            OverloadedError: too many are hashing already.
        """
        return await self._pool.run(partial(self._scheme.hash, normalise(password)))

    async def verify(self, password: str, stored: str | None) -> Verification:
        """Compare a password with a stored hash.

        Without a hash, or with one that cannot be read, it takes the time of a comparison and is
        not ok. So is a password that is no usable text, whatever the hash.

        Raises:
            OverloadedError: too many are hashing already.
        """
        try:
            spelled = normalise(password)
        except ValidationFailedError:
            return _REFUSED
        return await self._pool.run(partial(self._compare, password, spelled, stored or ""))

    async def burn(self, password: str) -> None:
        """Take the time of ``verify``, for an account that does not exist.

        Raises:
            OverloadedError: too many are hashing already.
        """
        await self.verify(password, None)

    def close(self) -> None:
        """Stop the threads; what waits is refused."""
        self._pool.close()

    def _compare(self, password: str, spelled: str, stored: str) -> Verification:
        """Compare in a thread."""
        for scheme in self._readable:
            if scheme.identify(stored):
                break
        else:
            self._scheme.verify(spelled, self._dummy)
            return _REFUSED
        ok = scheme.verify(spelled, stored)
        if not ok and isinstance(scheme, PlainBcrypt) and spelled != password:
            # Such a hash comes from elsewhere, and nobody there may have normalised.
            ok = scheme.verify(password, stored)
        outdated = scheme is not self._scheme or self._scheme.is_outdated(stored)
        return Verification(ok=ok, needs_rehash=ok and outdated)
