"""Recorded lines of ACP agents, and a spool made of them."""

from __future__ import annotations

import json
from typing import Any

from pal_daemon.runtimes.acp_client.dialect import Dialect
from pal_daemon.runtimes.acp_client.reader import AcpReader
from pal_daemon.runtimes.base import Event, Out, Reply
from pal_daemon.spool import Record, Stream

SESSION = "ses_1"
BEGUN = {
    "id": 1,
    "result": {
        "protocolVersion": 1,
        "agentInfo": {"name": "agent", "version": "2.0.1"},
        "agentCapabilities": {"loadSession": True},
    },
}
OPENED = {"id": 2, "result": {"sessionId": SESSION}}
PROMPT = 3  # id of our prompt when nothing has to be set

FORM = {
    "id": 0,
    "method": "elicitation/create",
    "params": {
        "mode": "form",
        "sessionId": SESSION,
        "message": "Which colour?",
        "requestedSchema": {
            "type": "object",
            "properties": {
                "question_0": {
                    "type": "string",
                    "title": "Colour",
                    "oneOf": [
                        {"const": "Blue", "title": "Blue", "description": "as the sky"},
                        {"const": "Red", "title": "Red"},
                    ],
                },
                "question_0_custom": {"type": "string", "title": "Other"},
            },
        },
    },
}


class Spool:
    """Feeds a reader as a keeper would; keeps what went in, to read it again."""

    def __init__(self, dialect: Dialect | None = None, **task: Any) -> None:
        self.dialect = dialect or Dialect()
        self.reader = AcpReader(self.dialect)
        self.records: list[Record] = []
        self.outs: list[Out] = []
        self.memo({"prompt": "do it", "folder": "/w", **task})

    def memo(self, memo: dict[str, Any]) -> list[Out]:
        return self._feed(Stream.MEMO, json.dumps(memo).encode())

    def says(self, *lines: dict[str, Any] | str) -> list[Out]:
        """Lines of the agent; what they gave."""
        whole = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        return self._feed(Stream.STDOUT, whole.encode())

    def written(self, name: str) -> list[Out]:
        """An input record: these bytes are in the agent's pipe."""
        return self._feed(Stream.INPUT, json.dumps({"id": name, "bytes": 1}).encode())

    def exits(self) -> list[Out]:
        return self._feed(Stream.EXIT, b"{}")

    def begins(self, **task: Any) -> list[Out]:
        return self.says(BEGUN, OPENED)

    def again(self, *, size: int | None = None) -> list[Out]:
        """The outs of a new reader over the same records, output cut into pieces of `size`."""
        reader = AcpReader(self.dialect)
        outs: list[Out] = []
        for record in self.records:
            step = size if size and record.stream is Stream.STDOUT else max(1, len(record.data))
            for at in range(0, max(1, len(record.data)), step):
                part = record.data[at : at + step]
                outs += reader.feed(Record(stream=record.stream, at=1, data=part, end=record.end))
        return outs

    def _feed(self, stream: Stream, data: bytes) -> list[Out]:
        end = (self.records[-1].end if self.records else 0) + len(data) + 20
        record = Record(stream=stream, at=1, data=data, end=end)
        self.records.append(record)
        outs = self.reader.feed(record)
        self.outs += outs
        return outs


def update(named: str, /, **more: Any) -> dict[str, Any]:
    return {"method": "session/update", "params": {"sessionId": SESSION, "update": {"sessionUpdate": named, **more}}}


def says(text: str, **more: Any) -> dict[str, Any]:
    return update("agent_message_chunk", content={"type": "text", "text": text}, **more)


def ended(reason: str = "end_turn", *, id: int | str = PROMPT, **more: Any) -> dict[str, Any]:
    return {"id": id, "result": {"stopReason": reason, **more}}


def permission(id: int = 0, *, tool: str = "call_1", title: str = "touch zz", **call: Any) -> dict[str, Any]:
    """As Gemini CLI asks: no call precedes it."""
    options = [
        {"optionId": "proceed_always", "name": "Allow for this session", "kind": "allow_always"},
        {"optionId": "proceed_once", "name": "Allow", "kind": "allow_once"},
        {"optionId": "cancel", "name": "Reject", "kind": "reject_once"},
    ]
    call = {"toolCallId": tool, "status": "pending", "title": title, "content": [], "kind": "execute", **call}
    params = {"sessionId": SESSION, "options": options, "toolCall": call}
    return {"id": id, "method": "session/request_permission", "params": params}


def lines_of(outs: list[Out]) -> list[dict[str, Any]]:
    """What we wrote."""
    return [json.loads(line) for out in outs if isinstance(out, Reply) for line in out.data.splitlines()]


def parsed(data: bytes | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data or b"").splitlines()]


def events(outs: list[Out], kind: str) -> list[Event]:
    return [out for out in outs if isinstance(out, Event) and out.kind == kind]
