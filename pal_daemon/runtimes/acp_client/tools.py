"""One tool call of an agent, put together from pieces that come in any order, and told as events.

A call is known from its first sight, wherever that is: an update, or the question whether it may be made. It is told
once, as soon as it says what it does, and ended once; a later true end is told, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pal_daemon.runtimes.acp_client.diffs import SHOWN, render_diff
from pal_daemon.runtimes.base import Event
from pal_daemon.runtimes.capping import cap_text, cap_value

Status = Literal["ok", "failed", "refused", "aborted"]
OUTPUT = 64 << 10  # characters of what a tool said
FENCE = re.compile(r"\A```[^\n]*\n(.*)\n?```\s*\Z", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class Tool:
    """Written by `merge` alone."""

    id: str
    lane: str
    name: str = ""
    kind: str = "other"
    title: str = ""
    status: str = "pending"
    input: Any = None
    output: Any = None
    texts: list[str] = field(default_factory=list)
    diffs: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    is_refused: bool = False  # a person or a policy said no
    is_ended: bool = False
    _is_told: bool = False

    def merge(self, update: Mapping[str, Any]) -> None:
        """Take what the update has; what it leaves out stays."""
        name = _text(update.get("name")) or _name_in_meta(update.get("_meta"))
        self.name = name or self.name
        self.kind = _text(update.get("kind")) or self.kind
        self.title = _text(update.get("title")) or self.title
        self.status = _text(update.get("status")) or self.status
        self.input = update.get("rawInput") or self.input
        self.output = update.get("rawOutput", self.output)
        self.is_refused = self.is_refused or _is_not_executed(update.get("_meta"))
        if isinstance(update.get("locations"), list):
            paths = [place.get("path") for place in update["locations"] if isinstance(place, dict)]
            self.paths = [path for path in paths if isinstance(path, str)] or self.paths
        if isinstance(update.get("content"), list):
            parts = [part for part in update["content"] if isinstance(part, dict)]
            self.texts = [text for part in parts if (text := _text_of(part.get("content")))]
            self.diffs = [part for part in parts if part.get("type") == "diff"] or self.diffs

    def asked(self) -> dict[str, Any]:
        """The call as a permission for it has it, whichever pieces said what."""
        texts = [{"type": "content", "content": {"type": "text", "text": text}} for text in self.texts]
        return {
            "toolCallId": self.id,
            "name": self.name,
            "kind": self.kind,
            "title": self.title,
            "rawInput": self.input,
            "content": [*texts, *self.diffs],
        }

    def tell(self, *, is_sure: bool = False) -> list[Event]:
        """What it does, once, when that is known; `is_sure` when there will be no more of it."""
        if self._is_told or not (is_sure or self.status != "pending" or self._is_known):
            return []
        self._is_told = True
        data = {
            "id": self.id,
            "name": self.name or self.kind,
            "kind": self.kind,
            "title": self.title,
            "input": cap_value(self.input),
        }
        events = [Event(kind="tool_call", text=self.title or self.name, lane=self.lane, data=data)]
        if self.command is not None:
            command = {"id": self.id, "command": self.command, "cwd": self._cwd}
            events.append(Event(kind="command", text=self.command, lane=self.lane, data=command))
        if self.kind == "fetch":
            events.append(Event(kind="web_search", text=self.title, lane=self.lane, data={"id": self.id}))
        return events

    def end(self, status: Status) -> list[Event]:
        """Its result, and the files it changed when it went well."""
        events = self.tell(is_sure=True)
        self.is_ended = True
        data = {"id": self.id, "status": status, "exit": self._exit}
        events.append(Event(kind="tool_result", text=cap_text(self._said, limit=OUTPUT), lane=self.lane, data=data))
        return [*events, *self._files()] if status == "ok" else events

    @property
    def command(self) -> str | None:
        """The command line, of a call that runs one; the title is one where the agent gives no input."""
        return self._given_command or (self.title if self.kind == "execute" and not self.input else None) or None

    @property
    def _given_command(self) -> str | None:
        given = self.input.get("command") if isinstance(self.input, dict) else None
        if isinstance(given, list):
            given = " ".join(str(word) for word in given)
        return given if isinstance(given, str) and given else None

    @property
    def _is_known(self) -> bool:
        """The first pieces of some calls have a place to run in and nothing to run."""
        if self.kind == "execute":
            return self._given_command is not None
        return bool(self.input or self.diffs)

    @property
    def _cwd(self) -> str | None:
        cwd = self.input.get("cwd") if isinstance(self.input, dict) else None
        return cwd if isinstance(cwd, str) else None

    @property
    def _exit(self) -> int | None:
        found = self._metadata.get("exit")
        return found if isinstance(found, int) else None

    @property
    def _metadata(self) -> Mapping[str, Any]:
        metadata = self.output.get("metadata") if isinstance(self.output, dict) else None
        return metadata if isinstance(metadata, dict) else {}

    @property
    def _said(self) -> str:
        if isinstance(self.output, str):
            return self.output
        if isinstance(self.output, dict):
            said = self.output.get("output") or self.output.get("error")
            if isinstance(said, str):
                return said
        if not self.output and self.status == "pending":
            return ""  # what is there describes the call
        text = "\n".join(self.texts)
        fenced = FENCE.match(text)
        return fenced[1] if fenced else text

    def _files(self) -> list[Event]:
        if self.diffs:
            return [_file(diff, lane=self.lane, id=self.id) for diff in self.diffs]
        changes = {"edit": "edit", "delete": "delete", "move": "edit"}
        if self.kind not in changes:
            return []
        change = "add" if self._metadata.get("exists") is False else changes[self.kind]
        given = self._metadata.get("diff")
        diff = cap_text(given, limit=SHOWN) if isinstance(given, str) else None
        return [
            Event(
                kind="file_change",
                text=path,
                lane=self.lane,
                data={
                    "id": self.id,
                    "path": path,
                    "change": change,
                    "diff": cap_text(diff, limit=SHOWN) if diff else None,
                },
            )
            for path in self.paths
        ]


def _file(diff: Mapping[str, Any], *, lane: str, id: str) -> Event:
    path, old, new = str(diff.get("path", "")), diff.get("oldText"), diff.get("newText")
    old, new = old if isinstance(old, str) else "", new if isinstance(new, str) else ""
    change = "edit" if old and new else "delete" if old else "add"
    data = {"id": id, "path": path, "change": change, "diff": render_diff(path, old, new)}
    return Event(kind="file_change", text=path, lane=lane, data=data)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _text_of(block: object) -> str:
    return _text(block.get("text")) if isinstance(block, dict) else ""


def _name_in_meta(meta: object) -> str:
    """Some agents say a tool's own name beside the protocol."""
    named = meta.get("claudeCode") if isinstance(meta, dict) else None
    return _text(named.get("toolName")) if isinstance(named, dict) else ""


def _is_not_executed(meta: object) -> bool:
    named = meta.get("claudeCode") if isinstance(meta, dict) else None
    return isinstance(named, dict) and "nonExecutionKind" in named
