"""What no server can store, in a form that it can: one such value would cost all that is sent with it."""

from __future__ import annotations

import msgspec

from pal_server.contract.runs import Usage

INTEGER_MAX = 2**63 - 1  # of either database
COUNTED_MAX = 10**15  # of anything that is added up: a sum of those stays far below INTEGER_MAX
MARK = "\N{REPLACEMENT CHARACTER}"


def storable_text(text: str) -> str:
    """Without NUL and lone surrogates; a character stays a character."""
    text = text.replace("\0", MARK)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(MARK if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text


def storable_integer(value: int) -> int:
    """The nearest one of 64 bits."""
    return max(-INTEGER_MAX, min(value, INTEGER_MAX))


def storable_usage(usage: Usage) -> Usage:
    """Without counts that nothing can have used."""
    said = msgspec.structs.asdict(usage)
    beyond = {name: None for name, count in said.items() if count is not None and not 0 <= count <= COUNTED_MAX}
    return msgspec.structs.replace(usage, **beyond) if beyond else usage
