"""Rows of files in the database; their bytes are the business of `blobs`."""

from dataclasses import dataclass

from pal_server.domain.files import File
from pal_server.domain.pages import Place
from pal_server.domain.runs import Run
from pal_server.storage.patterns import containing, plain
from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    id: str
    sha256: str
    room: str | None


def insert(tx: Tx, file: File) -> None:
    tx.sql.run(
        "files.insert",
        id=file.id,
        workspace_id=file.workspace_id,
        room_id=file.room,
        run_id=file.run,
        name=file.name,
        title=file.title,
        mime=file.mime,
        size=file.size,
        sha256=file.sha256,
        created_by=file.created_by,
        now=file.created_at,
        expires_at=file.expires_at,
    )


def get(tx: Tx, id: str) -> File | None:
    row = tx.sql.one("files.get", id=id)
    return None if row is None else _file(row)


def by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    return [row.id for row in tx.sql.all("files.by_prefix", workspace_id=workspace_id, pattern=prefix + "%")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which files a list holds; what is empty or 0 does not matter."""

    q: str = ""  # in name or title
    room_id: str = ""
    run_id: int = 0
    mime: str = ""  # its beginning
    state: str = ""  # live, ended


def list_page(tx: Tx, *, workspace_id: str, wanted: Wanted, place: Place, limit: int) -> list[File]:
    """Newest first."""
    rows = tx.sql.all(
        "files.list_page",
        workspace_id=workspace_id,
        pattern=containing(wanted.q),
        room_id=wanted.room_id,
        run_id=wanted.run_id,
        mime=f"{plain(wanted.mime)}%",
        state=wanted.state,
        now=tx.now,
        at=place.at,
        id=place.id,
        limit=limit,
    )
    return [_file(row) for row in rows]


def revoke(tx: Tx, id: str) -> bool:
    """False when it was revoked before."""
    return tx.sql.run("files.revoke", id=id, now=tx.now) == 1


def move(tx: Tx, id: str, *, room_id: str) -> None:
    tx.sql.run("files.move", id=id, room_id=room_id)


def of_run(tx: Tx, *, run: Run) -> list[File]:
    """What it uploaded, oldest first."""
    rows = tx.sql.all("files.of_run", workspace_id=run.workspace_id, run_id=run.id, since=run.created_at)
    return [_file(row) for row in rows]


def ended(tx: Tx, *, workspace_id: str, limit: int) -> list[Ended]:
    """Files that are revoked or expired."""
    rows = tx.sql.all("files.ended", workspace_id=workspace_id, now=tx.now, limit=limit)
    return [Ended(id=row.id, sha256=row.sha256, room=row.room_id) for row in rows]


def delete(tx: Tx, id: str) -> None:
    tx.sql.run("files.delete", id=id)


def is_used(tx: Tx, sha256: str) -> bool:
    """Whether any file has this content."""
    return tx.sql.one("files.is_used", sha256=sha256) is not None


def _file(row: Row) -> File:
    return File(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        title=row.title,
        mime=row.mime,
        size=row.size,
        sha256=row.sha256,
        room=row.room_id,
        run=row.run_id,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
