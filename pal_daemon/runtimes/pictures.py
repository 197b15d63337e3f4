"""Pictures among the attached files, as programs take them beside the words. Their paths are in the prompt too."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from pal_server.contract.deliveries import Work

KINDS = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))  # what every one of the programs takes
LARGEST = 3 << 20  # bytes of one; in base64 it stays below the 5 MB that endpoints take
ALL = 6 << 20  # bytes of all; they travel in one launch document
MOST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    path: str
    mime: str

    def encoded(self) -> str:
        """Its bytes in base64."""
        return b64encode(Path(self.path).read_bytes()).decode("ascii")


def pictures_of(work: Work, *, room: int = ALL) -> tuple[Picture, ...]:
    """What can be shown to a model within `room` bytes, in order; the others are left to be read from their paths."""
    found: list[Picture] = []
    for file in work.files:
        path, mime, size = file.get("path"), str(file.get("mime")), int(file.get("size", 0))
        if path and mime in KINDS and 0 < size <= min(LARGEST, room) and len(found) < MOST:
            found.append(Picture(path=str(path), mime=mime))
            room -= size
    return tuple(found)
