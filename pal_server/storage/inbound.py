"""What platforms told, as rows: each once, however often it is told."""

import json
from dataclasses import dataclass
from typing import Any

from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    id: int
    workspace_id: str
    bot_id: str
    event: str
    kind: str
    chat: str
    thread: str
    person: str
    identity_id: str | None
    ref: str
    outcome: str
    message_id: int | None
    answer: dict[str, Any]
    held: dict[str, Any] | None
    raw: str
    said_at: int
    received_at: int
    platform: str = ""
    app_id: str = ""

    def fact(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "platform": self.platform,
            "app_id": self.app_id,
            "bot": self.bot_id,
            "event": self.event,
            "kind": self.kind,
            "chat": self.chat,
            "thread": self.thread,
            "person": self.person,
            "outcome": self.outcome,
            "message": self.message_id,
            "said_at": self.said_at,
            "received_at": self.received_at,
            "raw": self.raw,
        }


def find(tx: Tx, *, bot_id: str, event: str) -> InboundEvent | None:
    row = tx.sql.one("inbound.find", bot_id=bot_id, event=event)
    return None if row is None else _event(row)


def by_id(tx: Tx, id: int, *, workspace_id: str) -> InboundEvent | None:
    row = tx.sql.one("inbound.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _event(row)


def add(
    tx: Tx,
    *,
    workspace_id: str,
    bot_id: str,
    event: str,
    kind: str,
    chat: str,
    thread: str,
    person: str,
    identity_id: str | None,
    ref: str,
    outcome: str,
    message_id: int | None,
    answer: dict[str, Any],
    held: dict[str, Any] | None,
    raw: str,
    said_at: int,
) -> int | None:
    """Its id; None when it is known already."""
    row = tx.sql.one(
        "inbound.insert",
        workspace_id=workspace_id,
        bot_id=bot_id,
        event=event,
        kind=kind,
        chat=chat,
        thread=thread,
        person=person,
        identity_id=identity_id,
        ref=ref,
        outcome=outcome,
        message_id=message_id,
        answer=json.dumps(answer),
        held=None if held is None else json.dumps(held),
        raw=raw,
        said_at=said_at,
        now=tx.now,
    )
    return None if row is None else row.id


def finish(tx: Tx, *, id: int, outcome: str, message_id: int | None, answer: dict[str, Any]) -> bool:
    """End one that waited; False when it did not wait any more."""
    text = json.dumps(answer)
    return bool(tx.sql.run("inbound.finish", id=id, outcome=outcome, message_id=message_id, answer=text))


def press_again(tx: Tx, *, id: int, outcome: str, answer: dict[str, Any]) -> bool:
    """What became of a press that was refused before; False when it does not stand refused any more."""
    return bool(tx.sql.run("inbound.press_again", id=id, outcome=outcome, answer=json.dumps(answer)))


def waiting(tx: Tx, *, bot_id: str, limit: int) -> list[InboundEvent]:
    return [_event(row) for row in tx.sql.all("inbound.waiting", bot_id=bot_id, limit=limit)]


def waiting_as(tx: Tx, *, bot_id: str, chat: str, ref: str) -> InboundEvent | None:
    """What waits for the files of that message of the platform."""
    row = tx.sql.one("inbound.waiting_as", bot_id=bot_id, chat=chat, ref=ref)
    return None if row is None else _event(row)


def reword(tx: Tx, *, id: int, held: dict[str, Any]) -> bool:
    """Let it be said in other words when its files are here; False when it does not wait any more."""
    return bool(tx.sql.run("inbound.reword", id=id, held=json.dumps(held)))


def said_since(tx: Tx, *, identity_id: str, since: int) -> int:
    row = tx.sql.one("inbound.said_since", identity_id=identity_id, since=since)
    return 0 if row is None else int(row.said)


def of_message(tx: Tx, *, workspace_id: str, message_id: int) -> InboundEvent | None:
    row = tx.sql.one("inbound.of_message", workspace_id=workspace_id, message_id=message_id)
    return None if row is None else _event(row, platform=row.platform)


def list_page(tx: Tx, *, workspace_id: str, platform: str, before: int, limit: int) -> list[InboundEvent]:
    """Newest first."""
    rows = tx.sql.all("inbound.list_page", workspace_id=workspace_id, platform=platform, before=before, limit=limit)
    return [_event(row, platform=row.platform, app_id=row.app_id) for row in rows]


def clear_raw(tx: Tx, *, before: int, keep: int) -> int:
    """Forget what the platforms' words were, but for the newest `keep`; how many that were."""
    row = tx.sql.one("inbound.keep_from", keep=keep)
    return tx.sql.run("inbound.clear_raw", before=before, keep_from=0 if row is None else row.id or 0)


def _event(row: Row, *, platform: str = "", app_id: str = "") -> InboundEvent:
    return InboundEvent(
        id=row.id,
        workspace_id=row.workspace_id,
        bot_id=row.bot_id,
        event=row.event,
        kind=row.kind,
        chat=row.chat,
        thread=row.thread,
        person=row.person,
        identity_id=row.identity_id,
        ref=row.ref,
        outcome=row.outcome,
        message_id=row.message_id,
        answer=json.loads(row.answer),
        held=None if row.held is None else json.loads(row.held),
        raw=row.raw,
        said_at=row.said_at,
        received_at=row.received_at,
        platform=platform,
        app_id=app_id,
    )
