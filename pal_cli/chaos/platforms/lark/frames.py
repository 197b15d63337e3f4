"""The frame of the long connection, read and written by hand: protobuf 2, fields 1 to 9.

Written without the SDK on purpose, so that the SDK's own reading and writing is what meets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

CONTROL, DATA = 0, 1
_VARINT, _BYTES = 0, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`method` is CONTROL or DATA; the first four fields are on the wire even when zero."""

    method: int
    service: int = 0
    seq_id: int = 0
    log_id: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    payload: bytes = b""


def encode(frame: Frame) -> bytes:
    """Bytes of one frame."""
    out = bytearray()
    for number, value in ((1, frame.seq_id), (2, frame.log_id), (3, frame.service), (4, frame.method)):
        out += _key(number, _VARINT) + _varint(value)
    for key, text in frame.headers.items():
        header = _string(1, key.encode()) + _string(2, text.encode())
        out += _string(5, header)
    if frame.payload:
        out += _string(8, frame.payload)
    return bytes(out)


def decode(data: bytes) -> Frame:
    """The frame in `data`. ValueError when it is none."""
    numbers: dict[int, int] = {}
    headers: dict[str, str] = {}
    payload = b""
    for number, value in _fields(data):
        if isinstance(value, int):
            numbers[number] = value
        elif number == 5:
            parts = dict(_fields(value))
            headers[cast("bytes", parts[1]).decode()] = cast("bytes", parts[2]).decode()
        elif number == 8:
            payload = value
    if not {1, 2, 3, 4} <= numbers.keys():
        raise ValueError("a frame without its required fields")
    return Frame(
        seq_id=numbers[1], log_id=numbers[2], service=numbers[3], method=numbers[4], headers=headers, payload=payload
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(data):
        key, place = _read_varint(data, place)
        if key & 7 == _VARINT:
            value, place = _read_varint(data, place)
            yield key >> 3, value
        elif key & 7 == _BYTES:
            length, place = _read_varint(data, place)
            yield key >> 3, data[place : place + length]
            place += length
        else:
            raise ValueError(f"wire type {key & 7}")


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data):
            raise ValueError("a frame that ends too early")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _string(number: int, value: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)
