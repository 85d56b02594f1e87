"""Sealing a text so that only the holder of a token can read it again.

AES-256-GCM (NIST SP 800-38D) under a key derived from the token by HKDF-SHA256 (RFC 5869). The
stored digest of the token does not open the seal; the token itself does. It keeps the successor
of a spent refresh token through its grace.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mainstay.kit import base64url

__all__ = ["SealBrokenError", "seal", "unseal"]

_INFO = b"mainstay seal v1"
_NONCE_BYTES = 12


class SealBrokenError(ValueError):
    """The seal was made under another token, or has been changed."""


def seal(key_material: str, plaintext: str) -> str:
    """Seal ``plaintext`` under ``key_material``, a random token of at least 128 bits.

    The result is base64url of nonce, ciphertext and tag, another one at each call.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64url.encode(
        nonce + _cipher(key_material).encrypt(nonce, plaintext.encode("utf-8"), None)
    )


def unseal(key_material: str, sealed: str) -> str:
    """Read what ``seal`` wrote under the same ``key_material``.

    Raises:
        SealBrokenError: the token is another one, or the text is not as it was sealed.
    """
    try:
        raw = base64url.decode(sealed)
        nonce, ciphertext = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        return _cipher(key_material).decrypt(nonce, ciphertext, None).decode("utf-8")
    except (InvalidTag, ValueError):
        raise SealBrokenError("the seal does not open") from None


def _cipher(key_material: str) -> AESGCM:
    """Give the cipher under the key that belongs to this token."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO)
    return AESGCM(hkdf.derive(key_material.encode("utf-8", "surrogatepass")))
