"""Tasks as people read them."""

from typing import Any

from pal_server.client.terminal.output import note, say, table, when

Answer = dict[str, Any]


def tasks(answer: Answer) -> None:
    table(
        ("TASK", "STATUS", "PROJECT", "AGENT", "OWNER", "TITLE"),
        [
            (one["code"], _status(one), one["project"], one.get("agent"), one.get("owner"), one["title"])
            for one in answer["tasks"]
        ],
        empty='no tasks. `pal cli tasks add "TITLE"` plans one',
    )


def task(answer: Answer) -> None:
    """Where it stands first, then its plan as far as it has one."""
    one = answer["task"]
    say(f"{one['project']} {one['code']}: {one['title']}")
    say(f"status: {_status(one)}{', archived' if one.get('archived_at') else ''}")
    if one.get("waiting_note"):
        say(f"waits: {one['waiting_note']}")
    for name, value in (
        ("type", one["type"]),
        ("owner", one.get("owner")),
        ("agent", one.get("agent")),
        ("after", ", ".join(one["depends_on"])),
        ("blocked by", ", ".join(one["blocked_by"])),
        ("last run", one.get("last_outcome")),
        ("topic", one["topic"]),
        ("id", one["id"]),
    ):
        if value:
            say(f"{name}: {value}")
    for name in ("acceptance", "paths", "references"):
        for line in one[name]:
            say(f"{name}: {line}")
    if one["verification"]:
        needed = ", needed to be done" if one["verification_required"] else ""
        passed = f", passed {when(one['verified_at'])}" if one.get("verified_at") else ", has not passed"
        say(f"verification: {one['verification']}{needed}{passed}")
    if (result := one.get("result")) is not None:
        say(f"result: {result['status']}: {result['summary']}")
    if one["body"]:
        say()
        say(one["body"])


def added(answer: Answer) -> None:
    one = answer["task"]
    say(f"{one['code']} is planned: {one['title']} (topic {one['topic']})")


def moved(answer: Answer) -> None:
    one = answer["task"]
    say(f"{one['code']}: {_status(one)}{', archived' if one.get('archived_at') else ''}")


def verified(answer: Answer) -> None:
    one, what = answer["task"], answer["verification"]
    if what["passed"]:
        say(f"{one['code']}: the verification passed; the task is {_status(one)}")
    else:
        note(f"{one['code']}: the verification failed with exit code {what['exit_code']}")


def _status(one: Answer) -> str:
    if one["status"] == "waiting":
        return f"waiting ({one['waiting_reason']})"
    return f"{one['status']}, blocked" if one["blocked_by"] and one["status"] in ("backlog", "ready") else one["status"]
