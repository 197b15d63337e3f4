"""The log of a run that has ended: closed with a last event, and read again from its computer when it is damaged.

A rebuild is a durable order. The computer reads its spool once more and hands in the whole log in parts; with the last
part it takes the place of the stored one, if the two differ in what they say. So a rebuild of a log that lacks nothing
adds nothing, and one that breaks off changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pal_server.actions import access, audit
from pal_server.domain.actors import Actor
from pal_server.domain.runs import Run, Status
from pal_server.domain.transcripts import ENDED, read
from pal_server.errors import Conflict
from pal_server.storage import accounts, commands, rooms, runs
from pal_server.storage import agents as agent_rows
from pal_server.storage import computers as computer_rows
from pal_server.storage.tx import Tx

HOMES = ("HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME")  # variables that say where programs keep their transcripts
PARTS_LIMIT = 200_000  # events of one log


def close_events(tx: Tx, *, run: Run, status: Status) -> None:
    """An explicit end for what did not end by its own word: who shows the log sees no tool working for ever."""
    if status in (Status.SUCCEEDED, Status.DRY_RUN):
        return
    told = runs.told(tx, run=run)
    ended = {str(event.data.get("id")) for event in told if event.kind == "tool_result"}
    begun = [str(event.data["id"]) for event in told if event.kind in ("tool_call", "command") and event.data.get("id")]
    data = {"state": ENDED, "status": status, "open": [id for id in dict.fromkeys(begun) if id not in ended]}
    _append(tx, run=run, data=data)


def order_rebuild(tx: Tx, *, actor: Actor, id: int) -> Run:
    """Ask the run's computer for its log once more. Asked again while that is open, it is asked once."""
    access.need_person(actor)
    rooms.lock(tx, room_id=access.run(tx, actor, id).room_id)
    run = access.run(tx, actor, id)
    if run.is_live:
        raise Conflict("the run is still going: its log is being written", run=id, status=run.status)
    computer = None if run.computer_id is None else computer_rows.get(tx, run.computer_id)
    if computer is None or computer.revoked_at is not None:
        raise Conflict("no computer has the log of this run any more", run=id)
    if not any(command.kind == "rebuild" for command in commands.open_of_run(tx, run_id=id)):
        commands.add(
            tx,
            workspace_id=run.workspace_id,
            computer_id=computer.id,
            kind="rebuild",
            run_id=id,
            data=_where_else(tx, run),
        )
        audit.record(tx, actor=actor, action="run.rebuild", target=f"run:{id}", detail={})
    tx.wake(f"commands:{computer.id}")
    return run


def take_part(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    command: int,
    rows: Sequence[Mapping[str, Any]],
    is_first: bool,
    is_last: bool,
    is_partial: bool = False,
) -> tuple[Run, bool]:
    """Part of a log that is handed in again, in order; with the last one whether it took the place of the stored one.

    Each row is as `runs.add_events` stores it. Parts said again are taken once. What is partial, because it is from the
    program's own transcript, is taken for a log that lacks something, when it has no less of what was said and done.
    """
    rooms.lock(tx, room_id=access.own_run(tx, actor, id).room_id)
    run = access.own_run(tx, actor, id)
    order = commands.find_of_run(tx, id=command, run_id=id)
    if order is None or order.kind != "rebuild" or run.is_live:
        raise Conflict("nobody asked for the log of this run", run=id)
    if is_first:
        runs.forget_rebuilt(tx, run_id=id)
    if any(row["seq"] > PARTS_LIMIT for row in rows):
        raise Conflict(f"a log has at most {PARTS_LIMIT} events here", run=id)
    runs.add_rebuilt(tx, run_id=id, events=rows)
    if not is_last:
        return run, False
    stored, rebuilt = read(runs.all_events(tx, run_id=id)), read(runs.all_rebuilt(tx, run_id=id))
    lacks = runs.count_events(tx, run_id=id) < run.last_seq
    if stored.digest == rebuilt.digest or (is_partial and not (lacks and rebuilt.has_at_least(stored))):
        runs.forget_rebuilt(tx, run_id=id)
        return run, False
    if rebuilt.hidden < stored.hidden:
        raise Conflict("secrets of this run are not known any more: its log stays as it is", run=id)
    runs.put_rebuilt(tx, run_id=id)
    now = runs.find(tx, workspace_id=run.workspace_id, id=id)
    assert now is not None, "it was read in this transaction"
    close_events(tx, run=now, status=now.status)
    now = runs.find(tx, workspace_id=run.workspace_id, id=id)
    assert now is not None, "it was read in this transaction"
    tx.emit("run.changed", workspace_id=now.workspace_id, room_id=now.room_id, data=now.fact())
    tx.wake(f"run:{id}")
    return now, True


def _where_else(tx: Tx, run: Run) -> dict[str, Any]:
    """Where the program's own transcript of the run is, for a computer that has no spool of it any more."""
    agent = agent_rows.get(tx, run.agent, workspace_id=run.workspace_id)
    session = runs.find_session(tx, workspace_id=run.workspace_id, id=run.session_id)
    if agent is None or session is None or session.native_session is None:
        return {}
    account = None if agent.account is None else accounts.get(tx, agent.account, workspace_id=run.workspace_id)
    return {
        "runtime": agent.runtime,
        "session": session.native_session,
        "home": None if account is None else account.home,
        "env": {} if account is None else {name: account.env[name] for name in HOMES if name in account.env},
        "since": run.started_at or run.created_at,
        "until": run.ended_at or tx.now,
    }


def _append(tx: Tx, *, run: Run, data: Mapping[str, Any]) -> None:
    seq = run.last_seq + 1
    event = {
        "seq": seq,
        "kind": "status",
        "at": tx.now,
        "lane": "main",
        "text": None,
        "data": msgspec.json.encode(data).decode(),
        "source": None,
    }
    runs.add_events(tx, run_id=run.id, events=[event])
    runs.took(tx, id=run.id, last_seq=seq, last_source=None)
