"""Claude Code's texts: streamed in pieces, then said once more whole. Each is given out once.

A text that was begun and asked for again (the connection broke) is never said whole; it is marked as discarded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pal_daemon.runtimes.base import Event

KINDS = {"text": "message", "thinking": "reasoning"}
DELTAS = {"text_delta": "text", "thinking_delta": "thinking"}


@dataclass(slots=True)
class _Streamed:
    """A block of which pieces were given out."""

    id: str
    message: str
    type: str
    pieces: list[str] = field(default_factory=list)


class Texts:
    """The texts of one lane."""

    def __init__(self, lane: str) -> None:
        self._lane = lane
        self._message = ""
        self._blocks: dict[int, _Streamed] = {}
        self._unsaid: deque[_Streamed] = deque()  # streamed, and not yet said whole

    def stream(self, event: Mapping[str, Any]) -> list[Event]:
        """One event of the model's raw stream."""
        match event:
            case {"type": "message_start", "message": {"id": str(message)}}:
                discarded = self.discard()
                self._message = message
                return discarded
            case {"type": "content_block_start", "index": int(index), "content_block": {"type": str(kind)}}:
                if kind in KINDS:
                    block = _Streamed(id=f"{self._message}/{index}", message=self._message, type=kind)
                    self._blocks[index] = block
                    self._unsaid.append(block)
            case {"type": "content_block_delta", "index": int(index), "delta": {"type": str(kind)} as delta}:
                piece = delta.get(DELTAS.get(kind, ""))
                if index in self._blocks and isinstance(piece, str) and piece:
                    return [self._piece(self._blocks[index], piece)]
        return []

    def said(self, kind: str, text: str, *, message: str) -> list[Event]:
        """A whole block. Nothing when its pieces were given out already."""
        block = next((each for each in self._unsaid if each.message == message and each.type == kind), None)
        if block is not None:
            self._unsaid.remove(block)
            if "".join(block.pieces) == text:
                return []
        if not text:
            return []
        data: dict[str, object] = {"id": message if block is None else block.id}
        if block is not None and block.pieces:
            data["replaces"] = True
        return [Event(kind=KINDS[kind], text=text, lane=self._lane, data=data)]

    def discard(self) -> list[Event]:
        """Whatever was begun and not finished never will be."""
        begun = [block for block in self._unsaid if block.pieces]
        self._unsaid.clear()
        self._blocks.clear()
        return [
            Event(
                kind="status", lane=self._lane, data={"state": "discarded", "kind": KINDS[block.type], "id": block.id}
            )
            for block in begun
        ]

    def _piece(self, block: _Streamed, piece: str) -> Event:
        block.pieces.append(piece)
        return Event(kind=KINDS[block.type], text=piece, lane=self._lane, is_piece=True, data={"id": block.id})
