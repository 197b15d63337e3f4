"""Text ids: a word that says what it is of, and 100 random bits."""

import secrets

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"  # base32 in lower case: safe in URLs, file names and read aloud
LENGTH = 20


def new_id(prefix: str, /) -> str:
    """`new_id("room")` is `room_` and 20 characters."""
    bits = secrets.randbits(5 * LENGTH)
    return prefix + "_" + "".join(_LETTERS[bits >> shift & 31] for shift in range(0, 5 * LENGTH, 5))
