"""What became of the texts written to Claude Code: held back, read, or dropped. By the program's own word."""

from __future__ import annotations

from pal_daemon.runtimes.base import Event, Out
from pal_daemon.runtimes.claude_code.control import name_input

PROMPT = "launch"  # the keeper's name for what stdin began with


class Receipts:
    """Of one run. The program names texts by uuid, pal by key; which belongs to which is known once the spool says that
    a text is in the pipe, which may be after the program's first word about it.
    """

    def __init__(self) -> None:
        self._run = 0
        self._keys: dict[str, str] = {}
        self._early: dict[str, list[tuple[str, int]]] = {}  # by uuid: state and step
        self._queued: dict[str, None] = {}

    def begin(self, run: int) -> None:
        self._run = run

    @property
    def queued(self) -> tuple[str, ...]:
        """Uuids of texts the program holds back; they would begin a turn of their own."""
        return tuple(self._queued)

    def taken(self, key: str) -> list[Out]:
        """The text of this key is in the program's pipe."""
        uuid = name_input(self._run, key)
        self._keys[uuid] = key
        return [out for state, step in self._early.pop(uuid, ()) for out in self.heard(uuid, state, step=step)]

    def heard(self, uuid: str, state: str, *, step: int) -> list[Out]:
        """The program's word: queued, started, completed or cancelled. `step` counts the tools used so far."""
        if state == "queued":
            self._queued[uuid] = None
        else:
            self._queued.pop(uuid, None)
        key = self._keys.get(uuid)
        if key is None:
            self._early.setdefault(uuid, []).append((state, step))
            return []
        if key == PROMPT or state == "completed":
            return []
        if state == "started":
            return [Event(kind="status", data={"state": "read", "input": key, "step": step})]
        return [Event(kind="status", data={"state": state, "input": key})]
