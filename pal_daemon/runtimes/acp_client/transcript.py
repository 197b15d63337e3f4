"""What an agent says and does in one run: updates of its session → events, its answer, its usage. Pure.

Tools still open when the turn ends are ended as refused or aborted; nothing spins for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pal_daemon.runtimes.acp_client.tools import Status, Tool
from pal_daemon.runtimes.base import Event
from pal_daemon.runtimes.capping import cap_raw

MAIN = "main"
COMMANDS = 200  # of an agent, told for completion
ENDS: Mapping[str, Status] = {"completed": "ok", "failed": "failed", "cancelled": "aborted"}


class Transcript:
    """Fed with the updates of one turn, in order."""

    def __init__(self, *, noise: re.Pattern[str] | None = None) -> None:
        self.has_said = False  # anything at all was said or done
        self.context_used: int | None = None  # tokens
        self.context_size: int | None = None
        self.cost: float | None = None  # US dollars of the whole session, as last told
        self._noise = noise
        self._tools: dict[str, Tool] = {}
        self._parts: list[str] = []  # the answer since the last tool call
        self._answer = ""  # the last part that was not empty
        self._message: object = None
        self._lanes: set[str] = set()
        self._commands: object = None
        self.plans: dict[str, str] = {}  # files of plans by their path, as they were written last

    @property
    def text(self) -> str | None:
        """The answer: what was said after the last tool call, or before it when nothing followed."""
        return "".join(self._parts).strip() or self._answer or None

    def update(self, update: Mapping[str, Any], *, session: str | None) -> list[Event]:
        """`session` names the conversation of a subagent; None is the run's own."""
        lane, events = self._lane(update, session)
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                events += self._say(update, lane)
            case "agent_thought_chunk":
                events += self._think(update, lane)
            case "tool_call" | "tool_call_update":
                events += self._use(update, lane)
            case "plan":
                events += _plan(update, lane)
            case "user_message_chunk":
                pass  # our own words
            case _:
                events += self.side_note(update)
        return events

    def side_note(self, update: Mapping[str, Any]) -> list[Event]:
        """What is true whether or not a turn runs: commands, mode, usage."""
        match update:
            case {"sessionUpdate": "usage_update"}:
                self._note_usage(update)
                return []
            case {"sessionUpdate": "available_commands_update", "availableCommands": list(commands)}:
                if commands == self._commands:
                    return []
                self._commands = commands
                named = [_command(command) for command in commands[:COMMANDS] if isinstance(command, dict)]
                return [Event(kind="status", data={"state": "introduced", "commands": named})]
            case {"sessionUpdate": "current_mode_update", "currentModeId": str(mode)}:
                return [Event(kind="status", data={"state": "mode", "mode": mode})]
            case {"sessionUpdate": "session_info_update"} | {"sessionUpdate": "config_option_update"}:
                return []
            case _:
                return [Event(kind="status", data={"raw": cap_raw(update)})]

    def see(self, call: Mapping[str, Any], *, session: str | None) -> list[Event]:
        """A call that is asked about; some agents tell of it nowhere else."""
        lane, events = self._lane(call, session)
        tool = self._tool(call, lane)
        if tool is None:
            return events
        self._break()
        return [*events, *tool.tell(is_sure=True)]

    def asked(self, call: Mapping[str, Any]) -> Mapping[str, Any]:
        """A call that was seen, with all that is known of it."""
        tool = self._tools.get(str(call.get("toolCallId")))
        return call if tool is None else tool.asked()

    def refuse(self, tool: str) -> None:
        """That call was not allowed."""
        if tool in self._tools:
            self._tools[tool].is_refused = True

    def close(self) -> list[Event]:
        """The turn is over."""
        events: list[Event] = []
        for tool in self._tools.values():
            if not tool.is_ended:
                events += tool.end("refused" if tool.is_refused else "aborted")
        return events

    def _say(self, update: Mapping[str, Any], lane: str) -> list[Event]:
        text = _content_text(update)
        if text is None:
            return [Event(kind="status", lane=lane, data={"raw": cap_raw(update)})]
        if self._noise is not None and self._noise.fullmatch(text):
            return [Event(kind="status", text=text, lane=lane)]
        if not text:
            return []
        if lane == MAIN:
            self._keep(text, update.get("messageId"))
        return [Event(kind="message", text=text, lane=lane, is_piece=True, data=_id(update))]

    def _keep(self, text: str, message: object) -> None:
        self.has_said = True
        is_new = message is not None and self._message is not None and message != self._message and bool(self._parts)
        self._message = message
        self._parts.append(f"\n\n{text}" if is_new else text)

    def _think(self, update: Mapping[str, Any], lane: str) -> list[Event]:
        text = _content_text(update)
        return [Event(kind="reasoning", text=text, lane=lane, is_piece=True, data=_id(update))] if text else []

    def _use(self, update: Mapping[str, Any], lane: str) -> list[Event]:
        tool = self._tool(update, lane)
        if tool is None:
            return [Event(kind="status", lane=lane, data={"raw": cap_raw(update)})]
        self._break()
        status = ENDS.get(str(update.get("status")))
        if status is None:
            return tool.tell()
        return tool.end("refused" if status == "failed" and tool.is_refused else status)

    def _break(self) -> None:
        """A tool call stands between two answers."""
        self.has_said = True
        self._answer = "".join(self._parts).strip() or self._answer
        self._parts = []

    def _tool(self, update: Mapping[str, Any], lane: str) -> Tool | None:
        id = update.get("toolCallId")
        if not isinstance(id, str) or not id:
            return None
        tool = self._tools.setdefault(id, Tool(id=id, lane=lane))
        tool.merge(update)
        for diff in tool.diffs:
            path, text = diff.get("path"), diff.get("newText")
            if isinstance(path, str) and "/plans/" in path and isinstance(text, str):
                self.plans[path] = text
        return tool

    def _lane(self, update: Mapping[str, Any], session: str | None) -> tuple[str, list[Event]]:
        """Whose words they are; a subagent is told when it is first heard."""
        lane = session or _parent(update.get("_meta")) or MAIN
        if lane == MAIN or lane in self._lanes:
            return lane, []
        self._lanes.add(lane)
        return lane, [Event(kind="subagent", lane=lane, data={"id": lane, "parent": MAIN, "state": "running"})]

    def _note_usage(self, update: Mapping[str, Any]) -> None:
        used, size, cost = update.get("used"), update.get("size"), update.get("cost")
        self.context_used = used if isinstance(used, int) else self.context_used
        self.context_size = size if isinstance(size, int) else self.context_size
        amount = cost.get("amount") if isinstance(cost, dict) and cost.get("currency", "USD") == "USD" else None
        self.cost = float(amount) if isinstance(amount, int | float) else self.cost


def _plan(update: Mapping[str, Any], lane: str) -> list[Event]:
    given = update.get("entries")
    entries = [
        {"text": str(entry.get("content", "")), "status": str(entry.get("status", "pending"))}
        for entry in (given if isinstance(given, list) else [])
        if isinstance(entry, dict)
    ]
    return [Event(kind="todo", lane=lane, data={"entries": entries})]


def _content_text(update: Mapping[str, Any]) -> str | None:
    content = update.get("content")
    text = content.get("text") if isinstance(content, dict) else None
    return text if isinstance(text, str) else None


def _id(update: Mapping[str, Any]) -> dict[str, str]:
    """What the pieces of one text have in common, where the agent says it."""
    message = update.get("messageId")
    return {"id": message} if isinstance(message, str) else {}


def _command(command: Mapping[str, Any]) -> dict[str, str]:
    hint = command.get("input")
    return {
        "name": str(command.get("name", "")),
        "description": str(command.get("description") or ""),
        "hint": str(hint.get("hint") or "") if isinstance(hint, dict) else "",
    }


def _parent(meta: object) -> str | None:
    """The call a subagent works for, where the agent says it beside the protocol."""
    named = meta.get("claudeCode") if isinstance(meta, dict) else None
    parent = named.get("parentToolUseId") if isinstance(named, dict) else None
    return parent if isinstance(parent, str) else None
