"""Invites and guests in the database."""

from pal_server.domain.invites import Guest, Invite, fold
from pal_server.domain.pages import Place
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, invite: Invite, *, secret_hash: str) -> None:
    tx.sql.run(
        "invites.insert",
        id=invite.id,
        workspace_id=invite.workspace_id,
        room_id=invite.room_id,
        hash=secret_hash,
        created_by=invite.created_by,
        now=invite.created_at,
        expires_at=invite.expires_at,
    )


def by_hash(tx: Tx, secret_hash: str) -> Invite | None:
    """The invite of that token, also an ended one."""
    row = tx.sql.one("invites.by_hash", hash=secret_hash)
    return None if row is None else _invite(row)


def get(tx: Tx, id: str, *, workspace_id: str) -> Invite | None:
    row = tx.sql.one("invites.get", workspace_id=workspace_id, id=id)
    return None if row is None else _invite(row)


def list_page(tx: Tx, *, workspace_id: str, created_by: str | None, place: Place, limit: int) -> list[Invite]:
    """Newest first; of one user, or of everybody."""
    rows = tx.sql.all(
        "invites.list_page",
        workspace_id=workspace_id,
        created_by=created_by or "",
        at=place.at,
        id=place.id,
        limit=limit,
    )
    return [_invite(row) for row in rows]


def set_hash(tx: Tx, id: str, *, secret_hash: str) -> bool:
    """False when it was used or revoked."""
    return tx.sql.run("invites.set_hash", id=id, hash=secret_hash) == 1


def revoke(tx: Tx, id: str) -> bool:
    """False when it was revoked before."""
    return tx.sql.run("invites.revoke", id=id, now=tx.now) == 1


def join(tx: Tx, *, id: str, invite: Invite, name: str) -> None:
    """Somebody is in. The name is free in the room."""
    tx.sql.run("invites.note_use", id=invite.id)
    tx.sql.run(
        "invites.join",
        id=id,
        workspace_id=invite.workspace_id,
        room_id=invite.room_id,
        invite_id=invite.id,
        name=name,
        folded=fold(name),
        now=tx.now,
    )


def guest_named(tx: Tx, *, room_id: str, name: str) -> Guest | None:
    """Who has the name there and has not left."""
    row = tx.sql.one("invites.guest_named", room_id=room_id, folded=fold(name))
    if row is None:
        return None
    return Guest(
        id=row.id,
        room_id=row.room_id,
        invite_id=row.invite_id,
        name=row.name,
        joined_at=row.joined_at,
        seen_at=row.seen_at,
    )


def guests_of(tx: Tx, *, invite_id: str) -> list[tuple[str, str]]:
    """Ids of guests who have not left, with their room."""
    return [(row.id, row.room_id) for row in tx.sql.all("invites.guests_of_invite", invite_id=invite_id)]


def count_guests(tx: Tx, *, room_id: str) -> int:
    row = tx.sql.one("invites.count_guests", room_id=room_id)
    return 0 if row is None else int(row.many)


def leave(tx: Tx, id: str) -> bool:
    """False when the guest had left before."""
    return tx.sql.run("invites.leave", id=id, now=tx.now) == 1


def good_guest(tx: Tx, id: str) -> Row | None:
    """id, name and room_id of a guest whose credential is good now."""
    return tx.sql.one("invites.good_guest", id=id, now=tx.now)


def _invite(row: Row) -> Invite:
    return Invite(
        id=row.id,
        workspace_id=row.workspace_id,
        room_id=row.room_id,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        uses=row.uses,
    )
