"""What daemons found out, as rows."""

from typing import Any

import msgspec

from pal_server.domain.findings import Finding, Kind, Subject, is_stale
from pal_server.storage.tx import Row, Tx


def put(tx: Tx, subject: Subject, *, kind: Kind, data: Any) -> None:
    tx.sql.run("findings.put", **_key(subject, kind), data=msgspec.json.encode(data).decode(), now=tx.now)


def failed(tx: Tx, subject: Subject, *, kind: Kind, error: str) -> None:
    """A look that found nothing; what was found before stays."""
    tx.sql.run("findings.failed", **_key(subject, kind), error=error, now=tx.now)


def find(tx: Tx, subject: Subject, *, kind: Kind) -> Finding | None:
    row = tx.sql.one("findings.get", **_key(subject, kind))
    return None if row is None else _finding(row, now=tx.now)


def of_kind(tx: Tx, *, workspace_id: str, kind: Kind) -> list[Finding]:
    """Of all computers that are not revoked."""
    return [_finding(row, now=tx.now) for row in tx.sql.all("findings.of_kind", workspace_id=workspace_id, kind=kind)]


def forget_account(tx: Tx, id: str) -> None:
    tx.sql.run("findings.forget_account", account=id)


def forget_agent(tx: Tx, *, workspace_id: str, agent: str) -> None:
    tx.sql.run("findings.forget_agent", workspace_id=workspace_id, agent=agent)


def _key(subject: Subject, kind: Kind) -> dict[str, str]:
    return {
        "computer_id": subject.computer,
        "runtime": subject.runtime,
        "account": subject.account,
        "agent": subject.agent,
        "folder": subject.folder,
        "kind": kind,
    }


def _finding(row: Row, *, now: int) -> Finding:
    subject = Subject(
        computer=row["computer_id"],
        runtime=row["runtime"],
        account=row["account"],
        agent=row["agent"],
        folder=row["folder"],
    )
    kind, found_at, error = Kind(row["kind"]), row["found_at"], row["error"]
    data = None if row["data"] is None else msgspec.json.decode(row["data"])
    return Finding(
        subject=subject,
        kind=kind,
        data=data,
        found_at=found_at,
        tried_at=row["tried_at"],
        error=error,
        is_stale=is_stale(kind, data=data, found_at=found_at, error=error, now=now),
    )
