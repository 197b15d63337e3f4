"""What somebody types while a terminal cannot take it: it opens, or its computer is away for a moment.

All of it is passed on, in order, or none: half a command is another command. What waited too long would be carried out
when nobody expects it any more, so it is dropped, and whoever typed is told.
"""

KEPT_FOR = 60.0  # seconds; as long as a computer has to open a terminal
LIMIT = 1 << 20  # bytes; the largest paste


class Typeahead:
    """Of one viewer. `now` is in seconds of any clock that only goes on."""

    def __init__(self) -> None:
        self.is_lost = False  # too much or too long; so is what follows, until somebody takes it
        self._waiting = bytearray()
        self._since = 0.0  # when the first byte that waits was typed

    def __bool__(self) -> bool:
        return self.is_lost or bool(self._waiting)

    @property
    def waiting(self) -> int:
        """Bytes."""
        return len(self._waiting)

    def add(self, data: bytes, *, now: float) -> None:
        if not self._waiting:
            self._since = now
        self._waiting += data
        if len(self._waiting) > LIMIT:
            self.lose()
        self.look(now=now)

    def look(self, *, now: float) -> None:
        """Drop what has waited for too long."""
        if self.is_lost or (self._waiting and now - self._since > KEPT_FOR):
            self.lose()

    def lose(self) -> None:
        self.is_lost = True
        self._waiting.clear()

    def take(self) -> bytes:
        """Everything, for whoever can pass it on now; nothing when it is lost, and what is typed next counts again."""
        data = bytes(self._waiting)
        self._waiting.clear()
        self.is_lost = False
        return data
