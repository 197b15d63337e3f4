"""The audit log in the database."""

import json
from collections.abc import Iterable
from typing import Any

from pal_server.domain.audit import START, AuditEntry, link
from pal_server.storage.tx import Row, Sql, Tx


def write(sql: Sql, entries: Iterable[tuple[str, int, str, str, str, str]], *, workspace_id: str, key: bytes) -> None:
    """Chain a workspace's entries (workspace, at, actor, action, target, detail) to the newest one and store them.

    Holds the workspace's row until the commit, so that no two entries follow the same one.
    """
    sql.run("audit.lock", workspace_id=workspace_id)
    newest = sql.one("audit.head", workspace_id=workspace_id)
    head = START if newest is None else newest.hash
    rows: list[dict[str, object]] = []
    for _, at, actor, action, target, detail in entries:
        said: dict[str, Any] = {"actor": actor, "action": action, "target": target, "detail": detail}
        head = link(key, previous=head, workspace_id=workspace_id, at=at, **said)
        rows.append({"workspace_id": workspace_id, "now": at, "hash": head, **said})
    sql.many("audit.insert", rows)


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
