"""What a person is told while they look elsewhere: something waits for them, names them, or a run of theirs is over."""

from typing import Any, Protocol

WORDS = 200  # characters of what was said or asked that are told


class Wanted(Protocol):
    """What a person chose to be told, by kind."""

    @property
    def needs(self) -> bool: ...
    @property
    def mentions(self) -> bool: ...
    @property
    def runs(self) -> bool: ...


def news_of(
    wanted: Wanted, kind: str, data: dict[str, Any], *, username: str, asked_by: str | None, base_url: str
) -> dict[str, Any] | None:
    """What is told of an event, or None when this person did not want it. `asked_by` is who began a run."""
    match kind:
        case "interaction.opened" if wanted.needs and data.get("status") == "pending":
            told = {"kind": "needs", "title": data.get("title", ""), "agent": data.get("agent")}
            shows = f"?message={data['message']}" if data.get("message") else ""
        case "message.created" if wanted.mentions and username in (data.get("mentions") or ()):
            sender = data.get("sender") or {}
            if sender.get("kind") == "user" and sender.get("name") == username:
                return None
            told = {"kind": "mention", "title": str(data.get("content", ""))[:WORDS], "from": sender.get("name")}
            shows = f"?message={data['id']}"
        case "run.finished" if wanted.runs and asked_by == username and data.get("status") != "cancelled":
            told = {"kind": "run", "title": data.get("error") or "", "agent": data.get("agent")}
            told |= {"status": data.get("status"), "run": data["id"]}
            shows = f"?run={data['id']}"
        case _:
            return None
    place = {"room": data.get("room"), "topic": data.get("topic")}
    return {**told, **place, "url": f"{base_url}/r/{data.get('room')}/{data.get('topic')}{shows}"}
