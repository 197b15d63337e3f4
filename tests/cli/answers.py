"""Answers of the API in their full shape, for fakes."""

from typing import Any

MESSAGE: dict[str, Any] = {
    "id": 12,
    "room": "room_a",
    "room_name": "general",
    "topic": 3,
    "seq": 1,
    "parent": None,
    "kind": "text",
    "sender": {"kind": "user", "name": "owner", "display_name": "", "origin": ""},
    "content": "hello",
    "mentions": ["codex"],
    "files": [],
    "created_at": 1_700_000_000_000,
    "edited_at": None,
    "deleted_at": None,
}
SENT: dict[str, Any] = {
    "message": MESSAGE,
    "deliveries": [{"id": 5, "agent": "codex", "status": "pending", "reason": "mention"}],
    "unresolved_mentions": ["ghost"],
    "receipts": [
        {
            "agent": "codex",
            "outcome": "offline",
            "text": "queued, 2nd; its computer is offline",
            "delivery": 5,
            "place": 2,
        }
    ],
}
ROOM: dict[str, Any] = {
    "id": "room_a",
    "name": "general",
    "title": "",
    "rules": "",
    "visibility": "workspace",
    "seq": 1,
    "default_topic": 1,
    "created_at": 1,
}
MEMBER: dict[str, Any] = {"kind": "agent", "name": "codex", "display_name": "Codex", "mode": "all", "joined_at": 1}
TOPIC: dict[str, Any] = {"id": 3, "room": "room_a", "title": "Investigation", "is_default": False, "created_at": 1}
RUN: dict[str, Any] = {
    "id": 7,
    "agent": "codex",
    "status": "running",
    "room": "room_a",
    "topic": 3,
    "created_at": 1_700_000_000_000,
}
AGENT: dict[str, Any] = {
    "key": "codex",
    "display_name": "Codex Agent",
    "runtime": "codex",
    "runtime_state": "available",
    "computer": "machine_a",
    "enabled": True,
}
COMPUTER: dict[str, Any] = {"id": "machine_a", "name": "box", "status": "online", "live_runs": 0, "max_runs": 20}
FILE: dict[str, Any] = {
    "id": "file_a",
    "name": "report.html",
    "mime": "text/html",
    "size": 5,
    "url": "http://x/f/file_a",
}
DEBATE: dict[str, Any] = {
    "id": "debate_a",
    "topic": 9,
    "a": "codex",
    "b": "reviewer",
    "turns": 6,
    "taken": 0,
    "status": "running",
}
INTERACTION: dict[str, Any] = {
    "id": 4,
    "kind": "question",
    "status": "pending",
    "title": "Which branch?",
    "body": "",
    "options": [],
    "room": "general",
    "topic": 3,
    "agent": "codex",
    "hash": "abc",
    "answer": None,
    "created_at": 1_700_000_000_000,
}


def page(name: str, *items: Any) -> dict[str, Any]:
    """The one page of a list."""
    return {name: list(items), "next": None}
