"""The bytes of a spool record: a header of 20 bytes, then the payload as it came.

Header, little endian: magic ``pS``, version, stream code, payload length (u32), time (u64, UTC ms), CRC-32 of the
16 bytes before it and the payload. The checksum tells a record the disk lost half of from one still
being written.

Output payloads are raw bytes; every other stream carries one JSON object, flat but for the memo's. Shared by the
keeper, which writes it and may import next to nothing, and by `pal_daemon.spool`, which reads it.
"""

from __future__ import annotations

from binascii import crc32
from struct import Struct

try:
    from _json import encode_basestring_ascii as _quote
except ImportError:  # an interpreter without the C part; the whole package costs 6 ms
    from json.encoder import encode_basestring_ascii as _quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Fact: TypeAlias = str | int | bool | list[int] | None
    Facts: TypeAlias = dict[str, Fact]

MAGIC = b"pS"
VERSION = 1
HEADER = Struct("<2sBBIQI")
CHECKED = 16  # bytes of the header the checksum covers
MAX_PAYLOAD = 1 << 20  # bytes; output comes in 64 KiB at most, a memo may have this; more is no record but damage

STARTED = 1
STDOUT = 2
STDERR = 3
INPUT = 4
NOTE = 5
EXIT = 6
MEMO = 7


def pack_frame(stream: int, data: bytes, *, at: int) -> bytes:
    """One record, ready to be appended. `at` is UTC milliseconds."""
    head = HEADER.pack(MAGIC, VERSION, stream, len(data), at, 0)[:CHECKED]
    return b"".join((head, crc32(data, crc32(head)).to_bytes(4, "little"), data))


def pack_facts(facts: Facts) -> bytes:
    """A flat JSON object, ASCII only."""
    return ("{" + ", ".join(f"{_quote(name)}: {_render(value)}" for name, value in facts.items()) + "}").encode()


def _render(value: Fact) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quote(value) if isinstance(value, str) else str(value)
