"""Share links in the database."""

from pal_server.domain.pages import Place
from pal_server.domain.shares import Rights, Share, ShareKind
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, share: Share, *, secret_hash: str) -> None:
    tx.sql.run(
        "shares.insert",
        id=share.id,
        workspace_id=share.workspace_id,
        hash=secret_hash,
        kind=share.kind,
        target=share.target,
        rights=share.rights,
        may_trigger=int(share.may_trigger),
        created_by=share.created_by,
        now=share.created_at,
        expires_at=share.expires_at,
    )


def by_hash(tx: Tx, secret_hash: str) -> Share | None:
    """The link of that token, also an ended one."""
    row = tx.sql.one("shares.by_hash", hash=secret_hash)
    return None if row is None else _share(row)


def get(tx: Tx, id: str, *, workspace_id: str) -> Share | None:
    row = tx.sql.one("shares.get", workspace_id=workspace_id, id=id)
    return None if row is None else _share(row)


def list_page(tx: Tx, *, workspace_id: str, created_by: str | None, place: Place, limit: int) -> list[Share]:
    """Newest first; of one user, or of everybody."""
    rows = tx.sql.all(
        "shares.list_page",
        workspace_id=workspace_id,
        created_by=created_by or "",
        at=place.at,
        id=place.id,
        limit=limit,
    )
    return [_share(row) for row in rows]


def set_hash(tx: Tx, id: str, *, secret_hash: str) -> bool:
    """False when it was used or revoked."""
    return tx.sql.run("shares.set_hash", id=id, hash=secret_hash) == 1


def revoke(tx: Tx, id: str) -> bool:
    """False when it was revoked before."""
    return tx.sql.run("shares.revoke", id=id, now=tx.now) == 1


def note_use(tx: Tx, id: str) -> None:
    tx.sql.run("shares.note_use", id=id, now=tx.now)


def _share(row: Row) -> Share:
    return Share(
        id=row.id,
        workspace_id=row.workspace_id,
        kind=ShareKind(row.kind),
        target=row.target,
        rights=Rights(row.rights),
        may_trigger=bool(row.may_trigger),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        uses=row.uses,
        last_used_at=row.last_used_at,
    )
