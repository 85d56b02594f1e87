"""Tokens made by hand, so that the code under test is not its own witness."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SECRET = b"a secret of no less than thirty-two bytes"
NOW = 1_800_000_000


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture
def secret() -> bytes:
    return SECRET


@pytest.fixture
def claims() -> dict[str, Any]:
    return {
        "iss": "https://api.example.com",
        "aud": "shop",
        "sub": "0197a000-0000-7000-8000-000000000001",
        "sid": "0197a000-0000-7000-8000-000000000002",
        "jti": "0197a000-0000-7000-8000-000000000003",
        "iat": NOW,
        "exp": NOW + 1800,
    }


@pytest.fixture
def question() -> dict[str, Any]:
    """What a route asks of a token."""
    return {
        "typ": "at+jwt",
        "issuer": "https://api.example.com",
        "audience": "shop",
        "now": NOW + 1,
    }


@pytest.fixture
def forge() -> Callable[..., str]:
    """Write an HS256 token with any header and payload; a ``str`` or ``bytes`` goes in as it is."""

    def build(payload: Any, *, header: Any = None, key: bytes = SECRET, **members: Any) -> str:
        head = {"alg": "HS256", "typ": "at+jwt"} | members if header is None else header
        segments = ".".join(_b64(_as_bytes(each)) for each in (head, payload))
        signature = hmac.new(key, segments.encode(), hashlib.sha256).digest()
        return f"{segments}.{_b64(signature)}"

    return build


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@pytest.fixture(scope="session")
def pems() -> dict[str, bytes]:
    """One private key in PEM for each algorithm."""
    keys: dict[str, Any] = {
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(65537, 2048),
    }
    return {
        name: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, key in keys.items()
    }


@pytest.fixture(scope="session")
def public_pem() -> Callable[[bytes], bytes]:
    """Give the public half of a private key."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    def convert(pem: bytes) -> bytes:
        key = load_pem_private_key(pem, None).public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    return convert
