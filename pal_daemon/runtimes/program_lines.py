"""The lines pal's own small programs speak (`demo`, `manual`): one JSON object a line, `type` first.

Program to us: say, progress, ask, session, read. To the program: prompt, answer, steer.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pal_daemon.runtimes.base import Answer, Ask, Event, NativeSession, Out, Outcome
from pal_daemon.runtimes.lines import LineCutter, TextDecoder
from pal_daemon.spool import Record, Stream


class ProgramReader:
    """Reads such a program. A line that is none of ours becomes plain output."""

    def __init__(self, *, takes_text: bool = False) -> None:
        """`takes_text`: the program reads what it is told while it works, and says so."""
        self._takes_text = takes_text
        self._lines = LineCutter()
        self._log = TextDecoder()
        self._said: list[str] = []

    def feed(self, record: Record) -> list[Out]:
        match record.stream:
            case Stream.STDOUT:
                return [out for line in self._lines.feed(record.data) for out in self._read(line)]
            case Stream.STDERR:
                text = self._log.feed(record.data)
                return [Event(kind="log", text=text, is_piece=True)] if text else []
            case Stream.EXIT:
                return self._read(self._lines.rest())
            case _:
                return []

    def outcome(self) -> Outcome:
        return Outcome(text="\n\n".join(self._said).strip() or None)

    def render_answer(self, answer: Answer) -> bytes | None:
        said = {"answer": answer.answer, "decision": answer.decision, "reason": answer.reason}
        return msgspec.json.encode({"type": "answer", "key": answer.key, **said}) + b"\n"

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        if not self._takes_text:
            return None
        return msgspec.json.encode({"type": "steer", "key": key, "text": text}) + b"\n"

    def _read(self, line: bytes) -> list[Out]:
        if not line.strip():
            return []
        try:
            said = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError:
            said = {}
        match said:
            case {"type": "say", "text": str(text)}:
                self._said.append(text)
                return [Event(kind="message", text=text)]
            case {"type": "progress", "text": str(text)}:
                return [Event(kind="status", text=text)]
            case {"type": "files", "text": str(text), "paths": list(paths)}:
                more = {name: said[name] for name in ("change", "diff") if isinstance(said.get(name), str)}
                return [Event(kind="file_change", text=text, data={"paths": paths, **more})]
            case {"type": "read", "input": str(name), "step": int(step)}:
                return [
                    Event(
                        kind="status", text="read what it was told", data={"state": "read", "input": name, "step": step}
                    )
                ]
            case {"type": "session", "id": str(name)}:
                return [NativeSession(id=name)]
            case {"type": "ask", "key": str(key), "kind": "approval" | "question" as kind, "title": str(title)}:
                options = tuple(str(option) for option in said.get("options", ()))
                return [Ask(key=key, kind=kind, title=title, body=str(said.get("body", "")), options=options)]
            case _:
                return [Event(kind="output", text=line.decode("utf-8", "replace") + "\n")]


def render_prompt(text: str, **more: object) -> bytes:
    return msgspec.json.encode({"type": "prompt", "text": text, **more}) + b"\n"
