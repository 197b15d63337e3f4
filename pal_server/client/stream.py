"""Server-sent events without I/O: bytes in, frames out. Both clients read their streams through it."""

from dataclasses import dataclass

SILENCE = 45.0  # seconds; the server says something every 15, so a stream silent for longer is dead
FRAME_LIMIT = 64 * 1024 * 1024  # bytes; more in one frame is no event of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One event as it came. `id` is the position where the server gave one."""

    id: int | None
    event: str
    data: str


class SseReader:
    """Feed it bytes as they arrive, cut anywhere. Comments keep a stream alive and yield nothing."""

    def __init__(self) -> None:
        self.position: int | None = None  # of the newest event, or where the server said the stream begins
        self._rest = b""
        self._id: int | None = None
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, received: bytes, /) -> list[Frame]:
        """The frames that are complete now. `ValueError` when a frame is longer than any of ours."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        frames: list[Frame] = []
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if line:
                self._size += len(line)
                self._read_line(line.decode(errors="replace"))
                continue
            if self._data:
                self.position = self.position if self._id is None else self._id
                frames.append(Frame(id=self._id, event=self._event or "message", data="\n".join(self._data)))
            self._event, self._data, self._size = "", [], 0
        if self._size + len(self._rest) > FRAME_LIMIT:
            raise ValueError("a frame of the stream is longer than any event")
        return frames

    def _read_line(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            begin = value.removeprefix("position ")
            if begin != value and begin.isascii() and begin.isdigit():
                self.position = int(begin)
            return
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if value.isascii() and value.isdigit():
                self._id = int(value)
            case _:  # retry, and what a later server may add
                return
