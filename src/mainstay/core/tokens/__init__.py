"""Signed tokens (JWT, RFC 7519, RFC 8725): a ring of keys, a signer and a strict verifier."""

from mainstay.core.tokens.cache import VerifiedTokens
from mainstay.core.tokens.framing import MAX_TOKEN_BYTES
from mainstay.core.tokens.jwt import Leeway, TokenSigner, TokenVerifier
from mainstay.core.tokens.keys import KeyRingError, SigningKey
from mainstay.core.tokens.ring import KeyRing

__all__ = [
    "MAX_TOKEN_BYTES",
    "KeyRing",
    "KeyRingError",
    "Leeway",
    "SigningKey",
    "TokenSigner",
    "TokenVerifier",
    "VerifiedTokens",
]
