r"""Bytes of a control connection → requests. Pure; refuses instead of raising whatever arrives.

One request a line, words separated by single spaces, ASCII:

    input ID LENGTH\n<LENGTH bytes>    hand these bytes to the agent's stdin, once for each ID
    close-input\n                      end of file after what is queued
    signal NAME\n                      to the agent's process group
    resize COLUMNS ROWS\n              of the agent's terminal, where it has one
    stop\n   kill\n   status\n   watch\n

Each is answered by one line: `ok {…}` or `error CODE sentence`. A watching connection also gets `grew SIZE` lines.
"""

from __future__ import annotations

LINE = 512  # bytes; the longest request line
SIDE = 4096  # columns or rows; a terminal's size has 16 bits
INPUT = 16 << 20  # bytes; the longest single input, and all that may wait for the agent to read
ID = 128  # characters

BARE = frozenset(("close-input", "stop", "kill", "status", "watch"))


class Request:
    """One thing a client wants; `fault` says why it cannot be had."""

    __slots__ = ("argument", "body", "fault", "is_fatal", "verb")

    def __init__(
        self, verb: str, argument: str = "", body: bytes = b"", *, fault: str = "", is_fatal: bool = False
    ) -> None:
        self.verb = verb
        self.argument = argument
        self.body = body
        self.fault = fault
        self.is_fatal = is_fatal  # where the next request begins is unknown: answer and hang up


class RequestParser:
    """Holds at most one unfinished request."""

    __slots__ = ("_buffer", "_id", "_missing")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._id = ""
        self._missing = -1  # length of the body we are in, -1 between requests

    def feed(self, data: bytes) -> list[Request]:
        """The requests that `data` completed, in order; nothing after a fatal one."""
        self._buffer += data
        requests: list[Request] = []
        while (request := self._next()) is not None:
            requests.append(request)
            if request.is_fatal:
                break
        return requests

    def _next(self) -> Request | None:
        if self._missing < 0:
            end = self._buffer.find(b"\n", 0, LINE)
            if end < 0:
                too_long = len(self._buffer) >= LINE
                return Request("", fault="bad_request the line is too long", is_fatal=True) if too_long else None
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            request = self._parse(line)
            if request is not None:
                return request
        if len(self._buffer) < self._missing:
            return None
        body = bytes(self._buffer[: self._missing])
        del self._buffer[: self._missing]
        self._missing = -1
        return Request("input", self._id, body)

    def _parse(self, line: bytes) -> Request | None:
        """The request on this line; None when its body follows."""
        words = line.decode("ascii", "replace").split(" ")
        if len(words) == 1 and words[0] in BARE:
            return Request(words[0])
        if len(words) == 2 and words[0] == "signal":
            return Request("signal", words[1])
        if words[0] == "resize":
            is_size = len(words) == 3 and all(word.isdecimal() and 0 < int(word[:5]) <= SIDE for word in words[1:])
            fault = "" if is_size else "bad_request it is: resize COLUMNS ROWS"
            return Request("resize", " ".join(words[1:]), fault=fault)
        if words[0] != "input":
            return Request("", fault="bad_request no such request")
        if len(words) != 3 or not words[2].isdecimal() or not words[1].isprintable() or not 0 < len(words[1]) <= ID:
            return Request("", fault="bad_request it is: input ID LENGTH", is_fatal=True)
        if len(words[2]) > 9 or int(words[2]) > INPUT:
            return Request("", fault=f"too_large an input has at most {INPUT} bytes", is_fatal=True)
        self._id, self._missing = words[1], int(words[2])
        return None
