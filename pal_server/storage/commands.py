"""Durable orders to computers, as rows."""

from dataclasses import dataclass
from typing import Any

import msgspec

from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    id: int
    computer_id: str
    kind: str
    run_id: int | None
    data: dict[str, Any]
    created_at: int

    def fact(self) -> dict[str, Any]:
        """The command as its computer gets it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "run": self.run_id,
            "data": self.data,
            "created_at": self.created_at,
        }


def add(tx: Tx, *, workspace_id: str, computer_id: str, kind: str, run_id: int | None, data: dict[str, Any]) -> int:
    row = tx.sql.one(
        "commands.add",
        workspace_id=workspace_id,
        computer_id=computer_id,
        kind=kind,
        run_id=run_id,
        data=msgspec.json.encode(data).decode(),
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return int(row["id"])


def open_for(tx: Tx, *, computer_id: str, limit: int = 200) -> list[Command]:
    return [_command(row) for row in tx.sql.all("commands.open_for", computer_id=computer_id, limit=limit)]


def open_of_run(tx: Tx, *, run_id: int) -> list[Command]:
    return [_command(row) for row in tx.sql.all("commands.open_of_run", run_id=run_id)]


def find_of_run(tx: Tx, *, id: int, run_id: int) -> Command | None:
    row = tx.sql.one("commands.of_run_by_id", id=id, run_id=run_id)
    return None if row is None else _command(row)


def find_for(tx: Tx, *, id: int, computer_id: str) -> Command | None:
    row = tx.sql.one("commands.by_id", id=id, computer_id=computer_id)
    return None if row is None else _command(row)


def set_data(tx: Tx, *, id: int, data: dict[str, Any]) -> None:
    tx.sql.run("commands.set_data", id=id, data=msgspec.json.encode(data).decode())


def done(tx: Tx, *, id: int, computer_id: str, ok: bool, detail: str) -> None:
    """Saying so twice is fine."""
    tx.sql.run("commands.done", id=id, computer_id=computer_id, ok=int(ok), detail=detail, now=tx.now)


def close_of_run(tx: Tx, *, run_id: int, ok: bool, detail: str) -> None:
    tx.sql.run("commands.close_of_run", run_id=run_id, ok=int(ok), detail=detail, now=tx.now)


def _command(row: Row) -> Command:
    return Command(
        id=row["id"],
        computer_id=row["computer_id"],
        kind=row["kind"],
        run_id=row["run_id"],
        data=msgspec.json.decode(row["data"]),
        created_at=row["created_at"],
    )
