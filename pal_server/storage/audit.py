"""The audit log in the database."""

import json

from pal_server.domain.audit import START, AuditEntry
from pal_server.storage.tx import Row, Tx


def take_head(tx: Tx, *, workspace_id: str) -> str:
    """The hash of the newest entry; nobody else appends until the commit."""
    tx.sql.run("audit.lock", workspace_id=workspace_id)
    row = tx.sql.one("audit.head", workspace_id=workspace_id)
    return START if row is None else row.hash


def append(tx: Tx, *, workspace_id: str, actor: str, action: str, target: str, detail: str, hash: str) -> None:
    tx.sql.run(
        "audit.insert",
        workspace_id=workspace_id,
        now=tx.now,
        actor=actor,
        action=action,
        target=target,
        detail=detail,
        hash=hash,
    )


def list_page(tx: Tx, *, workspace_id: str, action: str, before: int, limit: int) -> list[AuditEntry]:
    """Newest first; an empty `action` means every one."""
    rows = tx.sql.all("audit.list_page", workspace_id=workspace_id, action=action, before=before, limit=limit)
    return [_entry(row) for row in rows]


def list_forward(tx: Tx, *, workspace_id: str, after: int, limit: int) -> list[tuple[AuditEntry, str]]:
    """Oldest first, each with its detail as stored, which is what was hashed."""
    rows = tx.sql.all("audit.list_forward", workspace_id=workspace_id, after=after, limit=limit)
    return [(_entry(row), row.detail) for row in rows]


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        workspace_id=row.workspace_id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        target=row.target,
        detail=_detail(row.detail),
        hash=row.hash,
    )


def _detail(text: str) -> dict[str, object]:
    """Somebody may have written nonsense there; the log must stay readable to show it."""
    try:
        detail = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return detail if isinstance(detail, dict) else {"unreadable": text}
