"""Cuts a program's output into lines and texts, whatever pieces it arrives in."""

from __future__ import annotations

import codecs

LONGEST_LINE = 64 << 20  # bytes; a longer one is no line of any protocol and is given out in pieces


class LineCutter:
    """Bytes in, whole lines out, without their end. Holds at most one unfinished line."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def feed(self, data: bytes) -> list[bytes]:
        if b"\n" not in data:
            self._parts.append(data)
            self._length += len(data)
            return [self.rest()] if self._length > LONGEST_LINE else []
        first, *others = data.split(b"\n")
        lines = [b"".join((*self._parts, first)), *others[:-1]]
        self._parts = [others[-1]]
        self._length = len(others[-1])
        return lines

    def rest(self) -> bytes:
        """What came after the last line's end."""
        rest = b"".join(self._parts)
        self._parts = []
        self._length = 0
        return rest


class TextDecoder:
    """UTF-8 in pieces → text; what is no UTF-8 becomes U+FFFD, a character cut in two does not."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        return self._decoder.decode(data)

    def end(self) -> str:
        return self._decoder.decode(b"", True)
