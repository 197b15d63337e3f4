"""Claude Code's tools, as people see them: title, kind, diff, what a permission card shows, what a result says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pal_daemon.runtimes.base import Event
from pal_daemon.runtimes.capping import cap_text, cap_value

KINDS = {
    "Bash": "execute",
    "Edit": "edit",
    "MultiEdit": "edit",
    "Write": "edit",
    "NotebookEdit": "edit",
    "Read": "read",
    "Glob": "search",
    "Grep": "search",
    "WebSearch": "fetch",
    "WebFetch": "fetch",
    "Agent": "think",
    "Task": "think",
    "Skill": "think",
}
HARMLESS = frozenset(("Read", "Glob", "Grep", "WebFetch", "WebSearch", "Agent", "Task", "Skill", "ToolSearch"))
SUBJECTS = ("file_path", "notebook_path", "path", "pattern", "query", "url", "subject", "description", "skill")
DIFF_CHARS = 32_000
DIFF_LINES = 4_000  # of both texts; the time grows with their product
OUTPUT_CHARS = 32_000
SHOWN_CHARS = 45_000  # of what a permission is asked for; the server takes 50,000 with what is around it
TITLE_CHARS = 200
EXIT = re.compile(r"(?:Error: )?Exit code (\d+)\b")
REFUSED = frozenset(("permission-rule", "user-rejected"))


def title_of(name: str, tool_input: Mapping[str, Any]) -> str:
    if name == "Bash" and isinstance(tool_input.get("command"), str):
        return _one_line(tool_input["command"])
    subject = next((tool_input[key] for key in SUBJECTS if isinstance(tool_input.get(key), str)), "")
    return _one_line(f"{name} {subject}")


def call_events(call: str, name: str, tool_input: Mapping[str, Any], *, lane: str, cwd: str | None) -> list[Event]:
    """What a tool's start tells."""
    data = {
        "id": call,
        "name": name,
        "kind": KINDS.get(name, "other"),
        "title": title_of(name, tool_input),
        "input": cap_value(dict(tool_input)),
    }
    events = [Event(kind="tool_call", lane=lane, data=data)]
    if name == "Bash" and isinstance(tool_input.get("command"), str):
        command = cap_text(tool_input["command"], limit=OUTPUT_CHARS)
        events.append(Event(kind="command", text=command, lane=lane, data={"id": call, "command": command, "cwd": cwd}))
    if name == "WebSearch" and isinstance(tool_input.get("query"), str):
        query = cap_text(tool_input["query"], limit=TITLE_CHARS)
        events.append(Event(kind="web_search", text=query, lane=lane, data={"id": call, "query": query}))
    return events


def result_event(
    call: str, block: Mapping[str, Any], *, detail: object, meta: Mapping[str, Any], was_aborted: bool, lane: str
) -> Event:
    """How a tool ended. `detail` is the program's structured result, `meta` what it says of the permission."""
    text = content_text(block.get("content"))
    is_error = block.get("is_error") is True
    status = "failed" if is_error else "ok"
    if is_error and (meta.get("non_execution_kind") in REFUSED or _decision(meta) == "reject"):
        status = "aborted" if was_aborted else "refused"
    if isinstance(detail, dict) and detail.get("interrupted") is True:
        status = "aborted"
    found = EXIT.match(text) if is_error else None
    data: dict[str, object] = {"id": call, "status": status}
    if found:
        data["exit"] = int(found[1])
    return Event(kind="tool_result", text=cap_text(text, limit=OUTPUT_CHARS), lane=lane, data=data)


def change_event(detail: object, *, lane: str) -> Event | None:
    """The file an Edit or Write has changed, from the tool's structured result."""
    if not isinstance(detail, dict) or not isinstance(detail.get("filePath"), str):
        return None
    hunks = detail.get("structuredPatch")
    if not isinstance(hunks, list):
        return None
    path = detail["filePath"]
    is_new = detail.get("type") == "create"
    diff = _added(str(detail.get("content") or "")) if is_new else _render_hunks(hunks)
    data = {"path": path, "change": "add" if is_new else "edit", "diff": cap_text(diff, limit=DIFF_CHARS)}
    return Event(kind="file_change", text=path, lane=lane, data=data)


def permission_body(name: str, tool_input: Mapping[str, Any], request: Mapping[str, Any]) -> str:
    """Everything the permission is for, then why it is asked; whatever its length."""
    if name == "Bash" and isinstance(tool_input.get("command"), str):
        shown = f"```\n{tool_input['command']}\n```"
        rest = {key: value for key, value in tool_input.items() if key not in ("command", "description")}
    elif name == "Edit" and isinstance(tool_input.get("old_string"), str):
        shown = f"{tool_input.get('file_path')}\n```diff\n{_diff(tool_input)}\n```"
        rest = {"replace_all": True} if tool_input.get("replace_all") else {}
    elif name == "Write" and isinstance(tool_input.get("content"), str):
        shown = f"{tool_input.get('file_path')}\n```\n{tool_input['content']}\n```"
        rest = {}
    else:
        shown, rest = "", dict(tool_input)
    more = f"```json\n{msgspec.json.format(msgspec.json.encode(rest)).decode()}\n```" if rest else ""
    reason = request.get("decision_reason")
    parts = [
        str(tool_input.get("description") or ""),
        shown,
        more,
        str(reason) if isinstance(reason, str) else "",
        f"Outside what is allowed: {request['blocked_path']}" if isinstance(request.get("blocked_path"), str) else "",
    ]
    return "\n\n".join(part for part in parts if part)


def content_text(content: object) -> str:
    """The text of a message's or result's content, whichever of its shapes it has."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(_part_text(part) for part in content if isinstance(part, dict))


class TodoList:
    """The program's tasks, put together from what its tools were told and answered."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, str]] = {}

    def after(self, name: str, tool_input: Mapping[str, Any], detail: object) -> Event | None:
        """The whole list when this result changed it."""
        match name, detail:
            case "TaskCreate", {"task": {"id": str(task), "subject": str(subject)}}:
                self._entries[task] = {"text": cap_text(subject, limit=TITLE_CHARS), "status": "pending"}
            case "TaskUpdate", {"success": True, "taskId": str(task)}:
                self._change(task, tool_input)
            case "TodoWrite", _:
                self._entries = _written(tool_input.get("todos"))
            case _:
                return None
        return Event(kind="todo", data={"entries": list(self._entries.values())})

    def _change(self, task: str, tool_input: Mapping[str, Any]) -> None:
        if tool_input.get("status") == "deleted":
            self._entries.pop(task, None)
            return
        before = self._entries.get(task, {"text": f"task {task}", "status": "pending"})
        self._entries[task] = {
            "text": cap_text(str(tool_input.get("subject") or before["text"]), limit=TITLE_CHARS),
            "status": str(tool_input.get("status") or before["status"]),
        }


def _written(todos: object) -> dict[str, dict[str, str]]:
    if not isinstance(todos, list):
        return {}
    return {
        str(place): {
            "text": cap_text(str(todo.get("content", "")), limit=TITLE_CHARS),
            "status": str(todo.get("status", "pending")),
        }
        for place, todo in enumerate(todos)
        if isinstance(todo, dict)
    }


def _decision(meta: Mapping[str, Any]) -> object:
    decision = meta.get("permission_decision")
    return decision.get("decision") if isinstance(decision, dict) else None


def _part_text(part: Mapping[str, Any]) -> str:
    if isinstance(part.get("text"), str):
        return str(part["text"])
    return f"[{part.get('type', 'something')}]"


def _render_hunks(hunks: Sequence[object]) -> str:
    lines = []
    for hunk in hunks:
        if not isinstance(hunk, dict) or not isinstance(hunk.get("lines"), list):
            continue
        old, new = (f"{hunk.get(f'{side}Start')},{hunk.get(f'{side}Lines')}" for side in ("old", "new"))
        lines += [f"@@ -{old} +{new} @@", *map(str, hunk["lines"])]
    return "\n".join(lines)


def _added(content: str) -> str:
    lines = content.splitlines()
    return "\n".join((f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)))


def _diff(tool_input: Mapping[str, Any]) -> str:
    """All of both texts, so that no other edit looks the same; too long to compare they stand one after the other."""
    old, new = (str(tool_input.get(side) or "").split("\n") for side in ("old_string", "new_string"))
    if len(old) + len(new) > DIFF_LINES:
        return "\n".join((*(f"-{line}" for line in old), *(f"+{line}" for line in new)))
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=DIFF_LINES))[2:])


def _one_line(text: str) -> str:
    line = " ".join(text[: TITLE_CHARS * 4].split())
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1] + "…"
