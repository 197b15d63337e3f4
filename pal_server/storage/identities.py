"""Outside people, as rows."""

from pal_server.domain.bots import Identity, Level, Standing
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, identity: Identity, *, created_by: str) -> bool:
    """Whether it is new; nothing happens when the person is known."""
    added = tx.sql.run(
        "identities.insert",
        id=identity.id,
        workspace_id=identity.workspace_id,
        platform=identity.platform,
        external_id=identity.external_id,
        name=identity.name,
        standing=identity.standing,
        level=identity.level,
        quota=identity.quota,
        user_id=identity.user_id,
        created_by=created_by,
        now=identity.created_at,
    )
    return bool(added)


def get(tx: Tx, external_id: str, *, workspace_id: str, platform: str) -> Identity | None:
    row = tx.sql.one("identities.get", workspace_id=workspace_id, platform=platform, external_id=external_id)
    return None if row is None else _identity(row)


def by_id(tx: Tx, id: str, *, workspace_id: str) -> Identity | None:
    row = tx.sql.one("identities.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _identity(row)


def of_user(tx: Tx, *, user_id: str, workspace_id: str) -> list[Identity]:
    """Who a user of pal is outside."""
    return [_identity(row) for row in tx.sql.all("identities.of_user", workspace_id=workspace_id, user_id=user_id)]


def list_page(tx: Tx, *, workspace_id: str, platform: str, standing: str, after: str, limit: int) -> list[Identity]:
    rows = tx.sql.all(
        "identities.list_page",
        workspace_id=workspace_id,
        platform=platform,
        standing=standing,
        after=after,
        limit=limit,
    )
    return [_identity(row) for row in rows]


def put(tx: Tx, identity: Identity) -> None:
    tx.sql.run(
        "identities.put",
        id=identity.id,
        name=identity.name,
        standing=identity.standing,
        level=identity.level,
        quota=identity.quota,
        user_id=identity.user_id,
    )


def delete(tx: Tx, id: str) -> None:
    tx.sql.run("identities.delete", id=id)


def _identity(row: Row) -> Identity:
    return Identity(
        id=row.id,
        workspace_id=row.workspace_id,
        platform=row.platform,
        external_id=row.external_id,
        name=row.name,
        standing=Standing(row.standing),
        level=Level(row.level),
        quota=row.quota,
        user_id=row.user_id,
        user=row.username,
        created_at=row.created_at,
    )
