"""The ring of keys: one that signs, former ones that verify, and sub-keys of the secret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from mainstay.core.tokens.keys import (
    KeyRingError,
    SigningKey,
    hkdf,
    hmac_key,
    private_key,
    public_key,
)

__all__ = ["KeyRing"]


class KeyRing:
    """The current key, the former ones that still verify, and the sub-keys of the secret.

    A key that is taken off the ring makes its tokens void.
    """

    def __init__(self, keys: Sequence[SigningKey], *, secrets: Sequence[bytes]) -> None:
        """Take keys and secrets, the current one of each first."""
        if not all(secrets):
            raise KeyRingError("a secret is empty")
        self._current = keys[0]
        self._keys: dict[str, SigningKey] = {}
        for key in keys:
            self._keys.setdefault(key.kid, key)
        self._secrets = tuple(secrets)

    @classmethod
    def from_secret(cls, secret: bytes, *, fallbacks: Sequence[bytes] = ()) -> Self:
        """Build a ring of HS256 keys: the secrets' own bytes are the HMAC keys.

        Raises:
            KeyRingError: a secret is empty, or is the text of a public key.
        """
        secrets = (secret, *fallbacks)
        return cls([hmac_key(each) for each in secrets], secrets=secrets)

    @classmethod
    def from_pem(
        cls,
        signing: bytes,
        *,
        algorithm: str,
        secret: bytes,
        fallbacks: Sequence[bytes] = (),
        secret_fallbacks: Sequence[bytes] = (),
    ) -> Self:
        """Build a ring of asymmetric keys from PEM texts.

        ``signing`` is an unencrypted private key for ``algorithm``: EdDSA (Ed25519), ES256 or
        RS256 (2048 bits or more). ``fallbacks`` only verify and may be public keys, of any of the
        three kinds. The secrets serve ``derive`` alone.

        Raises:
            KeyRingError: a key cannot be read, is too weak, or does not fit the algorithm.
        """
        current = private_key(signing)
        if current.algorithm != algorithm:
            raise KeyRingError(
                f"the signing key is for {current.algorithm}, but the algorithm is {algorithm}"
            )
        former = [public_key(pem) for pem in fallbacks]
        return cls([current, *former], secrets=(secret, *secret_fallbacks))

    @classmethod
    def from_pem_files(
        cls,
        signing: Path,
        *,
        algorithm: str,
        secret: bytes,
        fallbacks: Sequence[Path] = (),
        secret_fallbacks: Sequence[bytes] = (),
    ) -> Self:
        """Do as ``from_pem`` does, with files in place of their texts.

        Raises:
            KeyRingError: as ``from_pem``, or a file cannot be read.
        """
        return cls.from_pem(
            _read(signing),
            algorithm=algorithm,
            secret=secret,
            fallbacks=[_read(path) for path in fallbacks],
            secret_fallbacks=secret_fallbacks,
        )

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._current

    def find(self, kid: str | None) -> SigningKey | None:
        """Look a key up by its id; without an id it is the current one."""
        return self._current if kid is None else self._keys.get(kid)

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Give the public keys as a JWK set (RFC 7517); symmetric keys are never in it."""
        jwks = (key.public_jwk() for key in self._keys.values())
        return {"keys": [jwk for jwk in jwks if jwk is not None]}

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Derive the current secret's sub-key for one purpose (HKDF-SHA256, RFC 5869)."""
        return hkdf(self._secrets[0], _info(purpose), length=length)

    def derive_all(self, purpose: str, length: int = 32) -> tuple[bytes, ...]:
        """Derive the sub-keys of all secrets, the current one first, to read what is older."""
        info = _info(purpose)
        return tuple(hkdf(secret, info, length=length) for secret in self._secrets)


def _info(purpose: str) -> bytes:
    """Set a purpose apart from whatever else is derived from the secret."""
    return b"mainstay key v1: " + purpose.encode("utf-8")


def _read(path: Path) -> bytes:
    """Read a key file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyRingError(f"the key file {path} cannot be read: {error.strerror}") from None
