"""The keys that sign and verify tokens, each bound to exactly one algorithm."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

__all__ = ["KeyRingError", "SigningKey", "hkdf", "hmac_key", "private_key", "public_key"]

_RSA_MINIMUM_BITS = 2048
_KID_BYTES = 8

_PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey
_PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey


class KeyRingError(ValueError):
    """A key cannot be used; the message says which and why, and never holds the key."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SigningKey:
    """One key with its one algorithm (RFC 8725, section 3.1) and its id, 16 hex digits."""

    kid: str
    algorithm: str
    _key: Key = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Sign ``data``; the key must be private or symmetric."""
        return JWSRegistry.algorithms[self.algorithm].sign(data, self._key)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Tell whether ``signature`` belongs to ``data``."""
        return JWSRegistry.algorithms[self.algorithm].verify(data, signature, self._key)

    def public_jwk(self) -> dict[str, Any] | None:
        """Give the public half as a JWK (RFC 7517), or None where there is none to give."""
        if isinstance(self._key, OctKey):
            return None
        return dict(self._key.as_dict(private=False, kid=self.kid, alg=self.algorithm, use="sig"))


def hkdf(secret: bytes, info: bytes, *, length: int) -> bytes:
    """Derive ``length`` bytes from a secret (HKDF-SHA256, RFC 5869).

    Neither the secret nor what another ``info`` gives can be had from them.
    """
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def hmac_key(secret: bytes) -> SigningKey:
    """Build the HS256 key whose bytes are the secret's own.

    Raises:
        KeyRingError: the secret is empty, or is the text of a public key.
    """
    if not secret:
        raise KeyRingError("a secret is empty")
    with warnings.catch_warnings():
        # The secrets guard at the start judges the length; a second voice would only confuse.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            key = OctKey.import_key(secret)
        except ValueError:
            raise KeyRingError("a secret is the text of a public key") from None
    kid = hkdf(secret, b"mainstay kid v1", length=_KID_BYTES).hex()
    return SigningKey(kid=kid, algorithm="HS256", _key=key)


def private_key(pem: bytes) -> SigningKey:
    """Read an unencrypted private key: Ed25519 (EdDSA), P-256 (ES256) or RSA (RS256).

    Raises:
        KeyRingError: it is something else, or RSA of fewer than 2048 bits.
    """
    key = _read_private(pem)
    return _bind(key, key.public_key())


def public_key(pem: bytes) -> SigningKey:
    """Read a key that only verifies; of a private one the public half alone is kept.

    Raises:
        KeyRingError: as ``private_key``.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = _read_private(pem).public_key()
    if not isinstance(key, _PublicKey):
        raise KeyRingError("a former key is neither Ed25519, P-256 nor RSA")
    return _bind(key, key)


def _read_private(pem: bytes) -> _PrivateKey:
    """Read a private key of one of the three kinds."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise KeyRingError("a signing key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRingError("a signing key is not in PEM") from None
    if not isinstance(key, _PrivateKey):
        raise KeyRingError("a signing key is neither Ed25519, P-256 nor RSA")
    return key


def _bind(key: _PrivateKey | _PublicKey, public: _PublicKey) -> SigningKey:
    """Bind a key to the algorithm of its kind, under an id made of its public half."""
    algorithm, imported = _imported(key)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    kid = hashlib.sha256(der).digest()[:_KID_BYTES].hex()
    return SigningKey(kid=kid, algorithm=algorithm, _key=imported)


def _imported(key: _PrivateKey | _PublicKey) -> tuple[str, Key]:
    """Give the one algorithm of a key, and the library's form of it."""
    if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        return "EdDSA", OKPKey.import_key(key)
    if isinstance(key, EllipticCurvePrivateKey | EllipticCurvePublicKey):
        if not isinstance(key.curve, SECP256R1):
            raise KeyRingError(f"the curve {key.curve.name} is not taken, only P-256")
        return "ES256", ECKey.import_key(key)
    if key.key_size < _RSA_MINIMUM_BITS:
        raise KeyRingError(f"an RSA key of {key.key_size} bits is too short; 2048 at least")
    return "RS256", RSAKey.import_key(key)
