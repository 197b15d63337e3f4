"""Computers in the database."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pal_server.domain.computers import AWAY_AFTER_MIN, BEATS_MISSED, Checkout, Computer, RuntimeState, status_of
from pal_server.domain.pages import Place
from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A run that gives no sign of life, or does again (`since` is None)."""

    run: int
    room_id: str
    since: int | None


def insert(tx: Tx, *, id: str, workspace_id: str, name: str) -> None:
    tx.sql.run("computers.insert", id=id, workspace_id=workspace_id, name=name, now=tx.now)


def get(tx: Tx, id: str) -> Computer | None:
    row = tx.sql.one("computers.get", id=id)
    return None if row is None else _computer(row, agents=agents_of(tx, id), now=tx.now)


def by_name(tx: Tx, name: str, *, workspace_id: str) -> str | None:
    """The id of the computer with this short handle; names of revoked ones are free."""
    row = tx.sql.one("computers.by_name", workspace_id=workspace_id, name=name)
    return None if row is None else row.id


def by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    return [row.id for row in tx.sql.all("computers.by_prefix", workspace_id=workspace_id, pattern=prefix + "%")]


def list_page(tx: Tx, *, workspace_id: str, place: Place, limit: int) -> list[Computer]:
    """In order of provisioning, revoked ones too."""
    agents: dict[str, list[str]] = defaultdict(list)
    for row in tx.sql.all("computers.assigned", workspace_id=workspace_id):
        agents[row.computer_id].append(row.key)
    rows = tx.sql.all("computers.list_page", workspace_id=workspace_id, at=place.at, id=place.id, limit=limit)
    return [_computer(row, agents=tuple(agents[row.id]), now=tx.now) for row in rows]


def agents_of(tx: Tx, id: str) -> tuple[str, ...]:
    """Keys of the agents assigned to it."""
    return tuple(row.key for row in tx.sql.all("computers.agents_of", computer_id=id))


def lock(tx: Tx, id: str) -> None:
    """Nobody else changes its epoch until the commit."""
    tx.sql.run("computers.lock", id=id)


def connect(
    tx: Tx,
    id: str,
    *,
    machine: str,
    epoch: int,
    host: str,
    os: str,
    daemon_version: str,
    runtimes: Sequence[RuntimeState],
    beat_every: int,
) -> bool:
    """False when it was revoked."""
    changed = tx.sql.run(
        "computers.connect",
        id=id,
        machine=machine,
        epoch=epoch,
        host=host,
        os=os,
        daemon_version=daemon_version,
        runtimes=_render_runtimes(runtimes),
        beat_every=beat_every,
        now=tx.now,
    )
    return changed == 1


def beat(tx: Tx, id: str) -> bool:
    """False when it was revoked."""
    return tx.sql.run("computers.beat", id=id, now=tx.now) == 1


def set_runtimes(tx: Tx, id: str, runtimes: Sequence[RuntimeState]) -> None:
    tx.sql.run("computers.set_runtimes", id=id, runtimes=_render_runtimes(runtimes))


def set_checkouts(tx: Tx, id: str, checkouts: Sequence[Checkout]) -> None:
    told = json.dumps([checkout.fact() for checkout in checkouts], ensure_ascii=False)
    tx.sql.run("computers.set_checkouts", id=id, checkouts=told)


def silent(tx: Tx) -> list[str]:
    """Computers the log calls online and nobody has heard of for too long."""
    rows = tx.sql.all("computers.silent", now=tx.now, beats=BEATS_MISSED, least=AWAY_AFTER_MIN)
    return [row.id for row in rows]


def mark_offline(tx: Tx, id: str) -> bool:
    """False when it was heard of again."""
    changed = tx.sql.run("computers.mark_offline", id=id, now=tx.now, beats=BEATS_MISSED, least=AWAY_AFTER_MIN)
    return changed == 1


def set_draining(tx: Tx, id: str, *, draining: bool) -> None:
    tx.sql.run("computers.set_draining", id=id, draining=int(draining))


def cut_off(tx: Tx, id: str) -> None:
    """No daemon holds it any more; the one that did is fenced out."""
    tx.sql.run("computers.cut_off", id=id)


def revoke(tx: Tx, id: str) -> bool:
    """False when it was revoked before."""
    return tx.sql.run("computers.revoke", id=id, now=tx.now) == 1


def flag_stalled(tx: Tx, id: str, *, runs: Sequence[int]) -> list[Stall]:
    """Make exactly `runs` the stalled ones of the computer's live runs; those that changed."""
    before = {row.id for row in tx.sql.all("computers.stalled", computer_id=id)}
    rows = [tx.sql.one("computers.stall", run_id=run, computer_id=id, now=tx.now) for run in sorted(set(runs) - before)]
    rows += [tx.sql.one("computers.unstall", run_id=run, computer_id=id) for run in sorted(before - set(runs))]
    return [Stall(run=row.id, room_id=row.room_id, since=row.stalled_since) for row in rows if row is not None]


def parse_runtimes(text: str) -> tuple[RuntimeState, ...]:
    """The stored form of what a computer said of its runtimes."""
    return tuple(RuntimeState(**runtime) for runtime in json.loads(text))


def _render_runtimes(runtimes: Sequence[RuntimeState]) -> str:
    return json.dumps([runtime.fact() for runtime in runtimes], ensure_ascii=False)


def _computer(row: Row, *, agents: tuple[str, ...], now: int) -> Computer:
    status = status_of(
        revoked_at=row.revoked_at,
        last_seen_at=row.last_seen_at,
        is_offline=bool(row.is_offline),
        draining=bool(row.draining),
        beat_every=row.beat_every,
        now=now,
    )
    return Computer(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        status=status,
        machine=row.machine,
        epoch=row.epoch,
        host=row.host,
        os=row.os,
        daemon_version=row.daemon_version,
        runtimes=parse_runtimes(row.runtimes),
        beat_every=row.beat_every,
        max_runs=row.max_runs,
        draining=bool(row.draining),
        is_offline=bool(row.is_offline),
        last_seen_at=row.last_seen_at,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        agents=agents,
        live_runs=row.live_runs,
        checkouts=tuple(Checkout(**checkout) for checkout in json.loads(row.checkouts)),
    )
