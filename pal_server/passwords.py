"""Passwords under argon2id. Each call takes tens of milliseconds: call it in a thread, never inside a transaction."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()  # argon2-cffi's defaults are RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes


def hash_password(password: str, /) -> str:
    return _HASHER.hash(password)


def verify_password(stored: str | None, password: str, /) -> bool:
    """Whether it is the right one. A user without a password costs the same time, so that names cannot be probed."""
    try:
        _HASHER.verify(stored or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
