"""Tells a run again from a rollout of Codex: its finished items, in other words than over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pal_daemon.runtimes.base import Retold
from pal_daemon.runtimes.codex.items import Items
from pal_daemon.runtimes.transcripts import lines_between


def retell(file: Path, *, since: int, until: int) -> Iterator[Retold]:
    items = Items()
    for at, said in lines_between(file, since=since, until=until):
        payload = said.get("payload")
        if not isinstance(payload, dict) or payload.get("type") != "item_completed":
            continue
        item = payload.get("item")
        wired = _as_wired(item) if isinstance(item, dict) else None
        if wired is not None:
            yield from (Retold(at=at, event=event) for event in items.completed(wired, lane="main"))


def _as_wired(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """The item as the app server sends it; None for one it is not told of."""
    id = str(item.get("id", ""))
    match item.get("type"):
        case "AgentMessage":
            return {"type": "agentMessage", "id": id, "text": _text(item.get("content"))}
        case "Reasoning":
            return {"type": "reasoning", "id": id, "summary": _texts(item.get("summary_text") or item.get("summary"))}
        case "Plan":
            return {"type": "plan", "id": id, "text": str(item.get("text") or "")}
        case "CommandExecution":
            words = item.get("command")
            command = str(words[-1]) if isinstance(words, list) and words else str(words or "")
            return {
                "type": "commandExecution",
                "id": id,
                "command": command,
                "cwd": unquote(urlsplit(str(item.get("cwd") or "")).path) or None,
                "aggregatedOutput": item.get("aggregated_output"),
                "exitCode": item.get("exit_code"),
                "status": item.get("status"),
            }
        case "FileChange":
            return {
                "type": "fileChange",
                "id": id,
                "changes": _changes(item.get("changes")),
                "status": item.get("status"),
            }
        case _:
            return None


def _changes(changes: object) -> list[dict[str, Any]]:
    found = changes.items() if isinstance(changes, dict) else ()
    return [
        {
            "path": path,
            "kind": {"type": change.get("type")},
            "diff": change.get("unified_diff") or change.get("content") or "",
        }
        for path, change in found
        if isinstance(change, dict)
    ]


def _text(content: object) -> str:
    return "".join(_texts(content))


def _texts(content: object) -> list[str]:
    parts = content if isinstance(content, list) else []
    return [str(part.get("text") or "") if isinstance(part, dict) else str(part) for part in parts]
