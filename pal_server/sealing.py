"""Secrets at rest: sealed with the key file, which is never in the database, so a stolen database tells none."""

import base64
import hashlib
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pal_server.errors import Unavailable

_NONCE = 12  # bytes


def seal(key: bytes, secrets: dict[str, str], /, *, bound: str) -> str:
    """Encrypt and sign; `bound` is what it belongs to, and opens it again."""
    nonce = os.urandom(_NONCE)
    sealed = _cipher(key).encrypt(nonce, msgspec.json.encode(secrets), bound.encode())
    return base64.b64encode(nonce + sealed).decode()


def unseal(key: bytes, sealed: str, /, *, bound: str) -> dict[str, str]:
    """`Unavailable` when the key file is another one, or the row was tampered with."""
    raw = base64.b64decode(sealed)
    try:
        opened = _cipher(key).decrypt(raw[:_NONCE], raw[_NONCE:], bound.encode())
    except InvalidTag:
        raise Unavailable(
            "A stored credential cannot be opened: $PAL_HOME/secret.key is not the one it was sealed with.", of=bound
        ) from None
    return msgspec.json.decode(opened, type=dict[str, str])


def _cipher(key: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hashlib.blake2b(b"seal", key=key[:64], digest_size=32).digest())
