"""What Codex does, item by item → events. Pure.

Items are keyed by their own id, created on first sight and ended once; a command's end may come after its turn's.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pal_daemon.runtimes.base import Event
from pal_daemon.runtimes.capping import cap_raw, cap_text, cap_value

OUTPUT = 64 << 10  # characters of what a tool said, or of a difference
UNWRAPPED = 100_000  # characters of a command that is looked at word by word
SHELL = re.compile(
    r"(?:/bin/|/usr/bin/|/usr/local/bin/|/opt/homebrew/bin/)?(?:bash|sh|zsh)"
)  # not `./bash`, which may be anything
Status = Literal["ok", "failed", "refused", "aborted"]
STATUSES: Mapping[str, Status] = {"completed": "ok", "failed": "failed", "declined": "refused"}
TOOLS = ("commandExecution", "fileChange", "mcpToolCall", "dynamicToolCall", "collabAgentToolCall")
SILENT = ("userMessage", "reasoning", "agentMessage", "plan")  # told by what belongs to them


@dataclass(slots=True, kw_only=True)
class _Item:
    lane: str
    kind: str  # Codex's own word
    has_deltas: bool = False
    is_ended: bool = False


@dataclass(slots=True, kw_only=True)
class Items:
    """The items of all threads of one run."""

    answer: str | None = None  # the last message of the main thread
    plan: str | None = None  # the plan handed in last
    has_said: bool = False
    _known: dict[str, _Item] = field(default_factory=dict)

    def started(self, item: Mapping[str, Any], *, lane: str) -> list[Event]:
        id, kind = str(item.get("id", "")), str(item.get("type", ""))
        if id in self._known:
            return []
        self._known[id] = _Item(lane=lane, kind=kind)
        return _call(item, lane) if kind in TOOLS else []

    def delta(self, method: str, params: Mapping[str, Any], *, lane: str) -> list[Event]:
        id, text = str(params.get("itemId", "")), params.get("delta")
        if not isinstance(text, str) or not text:
            return []
        item = self._known.setdefault(id, _Item(lane=lane, kind=""))
        item.has_deltas = True
        match method:
            case "item/agentMessage/delta":
                return [self._say(text, lane, id)]
            case "item/commandExecution/outputDelta":
                return [Event(kind="output", text=text, lane=lane, is_piece=True, data={"id": id})]
            case "item/plan/delta":
                return [Event(kind="plan", text=text, lane=lane, is_piece=True, data={"id": id})]
            case _:
                return [Event(kind="reasoning", text=text, lane=lane, is_piece=True, data={"id": id})]

    def completed(self, item: Mapping[str, Any], *, lane: str) -> list[Event]:
        id, kind = str(item.get("id", "")), str(item.get("type", ""))
        events = self.started(item, lane=lane)
        known = self._known[id]
        if known.is_ended:
            return events
        known.is_ended = kind in TOOLS and item.get("status") != "inProgress"
        match kind:
            case "agentMessage":
                return [*events, *self._said(item, known)]
            case "reasoning":
                text = "\n".join(str(part) for part in item.get("summary") or ())
                return [] if known.has_deltas or not text else [Event(kind="reasoning", text=text, lane=lane)]
            case "plan":
                self.plan = str(item.get("text") or "")
                return [] if known.has_deltas else [Event(kind="plan", text=self.plan, lane=lane, data={"id": id})]
            case "userMessage":
                return []
            case "webSearch":
                query = str(item.get("query") or "")
                return [Event(kind="web_search", text=query, lane=lane, data={"id": id, "query": query})]
            case _ if kind in TOOLS:
                self.has_said = True
                status = STATUSES.get(str(item.get("status")), "ok")
                return [*events, _result(item, status, lane), *(_files(item, lane) if status == "ok" else [])]
            case _:
                return [Event(kind="status", lane=lane, data={"raw": cap_raw(item)})]

    def close(self) -> list[Event]:
        """The turn is over: what still runs is ended for us."""
        events = []
        for id, item in self._known.items():
            if item.kind in TOOLS and not item.is_ended:
                item.is_ended = True
                data = {"id": id, "status": "aborted", "exit": None}
                events.append(Event(kind="tool_result", text="", lane=item.lane, data=data))
        return events

    def _say(self, text: str, lane: str, id: str) -> Event:
        self.has_said = True
        return Event(kind="message", text=text, lane=lane, is_piece=True, data={"id": id})

    def _said(self, item: Mapping[str, Any], known: _Item) -> list[Event]:
        """The whole text; its pieces were told already, unless there were none."""
        text = str(item.get("text") or "")
        if known.lane == "main" and text.strip():
            self.answer = text
        return [] if known.has_deltas or not text else [self._say(text, known.lane, str(item.get("id", "")))]


def command_of(item: Mapping[str, Any]) -> str:
    """The command line as the model wrote it, without the shell around it.

    What the program says a command comes to (`commandActions`) leaves out where it goes first and what its output goes
    through, so nobody may approve by that.
    """
    command = str(item.get("command") or "")
    if len(command) > UNWRAPPED:
        return command
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    is_wrapped = len(words) == 3 and SHELL.fullmatch(words[0]) and words[1] in ("-c", "-lc")
    return words[2] if is_wrapped else command


def describe_changes(item: Mapping[str, Any]) -> str:
    """What a person has to see before saying yes."""
    return "\n\n".join(
        f"{change['path']} ({change['change']}):\n```\n{change['diff']}\n```" for change in _changes(item)
    )


def _call(item: Mapping[str, Any], lane: str) -> list[Event]:
    id, kind = str(item.get("id", "")), str(item.get("type", ""))
    match kind:
        case "commandExecution":
            command, cwd = command_of(item), item.get("cwd")
            data = {"id": id, "name": "shell", "kind": "execute", "title": command}
            return [
                Event(
                    kind="tool_call", text=command, lane=lane, data=data | {"input": {"command": command, "cwd": cwd}}
                ),
                Event(kind="command", text=command, lane=lane, data={"id": id, "command": command, "cwd": cwd}),
            ]
        case "fileChange":
            paths = [change["path"] for change in _changes(item)]
            title = ", ".join(paths)
            data = {"id": id, "name": "apply_patch", "kind": "edit", "title": title}
            return [Event(kind="tool_call", text=title, lane=lane, data=data | {"input": {"paths": paths}})]
        case _:
            name = ".".join(str(item[part]) for part in ("server", "tool") if item.get(part)) or kind
            data = {"id": id, "name": name, "kind": "other", "title": name}
            given = cap_value(item.get("arguments"))
            return [Event(kind="tool_call", text=name, lane=lane, data=data | {"input": given})]


def _result(item: Mapping[str, Any], status: Status, lane: str) -> Event:
    said = item.get("aggregatedOutput")
    if not isinstance(said, str):
        given = item.get("error") or item.get("result")
        said = "" if given is None else str(cap_value(given))
    data = {"id": str(item.get("id", "")), "status": status, "exit": item.get("exitCode")}
    return Event(kind="tool_result", text=cap_text(said, limit=OUTPUT), lane=lane, data=data)


def _files(item: Mapping[str, Any], lane: str) -> list[Event]:
    return [
        Event(kind="file_change", text=change["path"], lane=lane, data={"id": str(item.get("id", "")), **change})
        for change in _changes(item)
    ]


def _changes(item: Mapping[str, Any]) -> list[dict[str, str]]:
    given = item.get("changes")
    return [_change(change) for change in (given if isinstance(given, list) else []) if isinstance(change, dict)]


def _change(change: Mapping[str, Any]) -> dict[str, str]:
    """The difference of an added or deleted file is its plain content there."""
    kind = change.get("kind")
    word = str(kind.get("type") if isinstance(kind, dict) else kind)
    diff = str(change.get("diff") or "")
    if word in ("add", "delete"):
        sign = "+" if word == "add" else "-"
        diff = "".join(f"{sign}{line}" for line in diff.splitlines(keepends=True))
    known = {"add": "add", "delete": "delete"}.get(word, "edit")
    return {"path": str(change.get("path", "")), "change": known, "diff": cap_text(diff, limit=OUTPUT)}
