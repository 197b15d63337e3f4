"""Keeps what goes into an event small: the spool has all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

STRING = 4000  # characters of one string in an event's data
RAW = 4000  # bytes of a whole line that nobody knew
ITEMS = 100  # of a list or an object
DEPTH = 8


def cap_text(text: str, *, limit: int) -> str:
    """The beginning, and how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}\n[{len(text) - limit:,} characters more]"


def digest_of(whole: object) -> str:
    """SHA-256 (hex) of a text or JSON value that cannot be shown in full."""
    data = whole.encode("utf-8", "surrogatepass") if isinstance(whole, str) else msgspec.json.encode(whole)
    return hashlib.sha256(data).hexdigest()


def cap_value(value: object, *, string: int = STRING, depth: int = DEPTH) -> object:
    """A JSON value in which nothing is long."""
    match value:
        case str():
            return cap_text(value, limit=string)
        case dict() | list() if not depth:
            return "…"
        case dict():
            return {
                cap_text(str(name), limit=200): cap_value(part, string=string, depth=depth - 1)
                for name, part in list(value.items())[:ITEMS]
            }
        case list():
            return [cap_value(part, string=string, depth=depth - 1) for part in value[:ITEMS]]
        case _:
            return value


def cap_raw(value: Mapping[str, object]) -> object:
    """A line as data; as text of its beginning when it is large."""
    raw = msgspec.json.encode(value)
    return value if len(raw) <= RAW else cap_text(raw.decode("utf-8", "replace"), limit=RAW)
