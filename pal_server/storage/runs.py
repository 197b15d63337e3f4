"""Sessions, runs and run events, as rows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from pal_server.domain.actors import Actor
from pal_server.domain.effects import Told
from pal_server.domain.runs import Run, RunEvent, Session, Status, Wanted
from pal_server.domain.turns import Turn, thaw_turn
from pal_server.domain.usage import cost_in_micros, tokens_in
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import own_work, viewer

_PAGE = 1_000  # events read at a time
_LOOKED_AT = 50_000  # newest events in which effects are looked for
_TOLD = 5_000  # newest events that tell of effects
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def newest_session(tx: Tx, *, topic_id: int, agent: str) -> Session | None:
    row = tx.sql.one("sessions.newest", topic_id=topic_id, agent=agent)
    return None if row is None else _session(row)


def add_session(
    tx: Tx, *, id: str, workspace_id: str, topic_id: int, agent: str, computer_id: str | None, generation: int
) -> Session:
    tx.sql.run(
        "sessions.add",
        id=id,
        workspace_id=workspace_id,
        topic_id=topic_id,
        agent=agent,
        computer_id=computer_id,
        generation=generation,
        now=tx.now,
    )
    return Session(
        id=id,
        topic_id=topic_id,
        agent=agent,
        computer_id=computer_id,
        generation=generation,
        native_session=None,
        seen_message=0,
        created_at=tx.now,
    )


def find_session(tx: Tx, *, workspace_id: str, id: str) -> Session | None:
    row = tx.sql.one("sessions.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _session(row)


def bind_session(tx: Tx, *, id: str, native_session: str | None) -> None:
    tx.sql.run("sessions.bind", id=id, native_session=native_session)


def freeze_session(tx: Tx, *, id: str, profile: str) -> None:
    tx.sql.run("sessions.freeze", id=id, profile=profile)


def outdated_sessions(
    tx: Tx, *, workspace_id: str, agent: str, profile: str, topic_id: int | None = None, limit: int = 1000
) -> list[Session]:
    """The newest of each topic that goes on with another profile than this one."""
    rows = tx.sql.all(
        "sessions.outdated",
        workspace_id=workspace_id,
        agent=agent,
        profile=profile,
        topic_id=topic_id,
        limit=limit,
    )
    return [_session(row) for row in rows]


def session_has_seen(tx: Tx, *, id: str, message_id: int, computer_id: str | None) -> None:
    tx.sql.run("sessions.seen", id=id, message_id=message_id, computer_id=computer_id)


def sessions(tx: Tx, *, actor: Actor, after: str, limit: int, topic_id: int | None, agent: str | None) -> list[Session]:
    rows = tx.sql.all(
        "sessions.page",
        workspace_id=actor.workspace_id,
        after=after,
        limit=limit,
        topic_id=topic_id,
        agent=agent,
        **viewer(actor),
    )
    return [_session(row) for row in rows]


def add(
    tx: Tx,
    *,
    workspace_id: str,
    room_id: str,
    topic_id: int,
    message_id: int | None,
    delivery_id: int | None,
    agent: str,
    computer_id: str | None,
    session_id: str,
    status: Status,
    lease_id: str | None = None,
    fence: int | None = None,
    restart_of: int | None = None,
    prompt: str | None = None,
    profile: str | None = None,
    started_at: int | None = None,
    ended_at: int | None = None,
) -> int:
    row = tx.sql.one(
        "runs.add",
        workspace_id=workspace_id,
        room_id=room_id,
        topic_id=topic_id,
        message_id=message_id,
        delivery_id=delivery_id,
        agent=agent,
        computer_id=computer_id,
        session_id=session_id,
        status=status,
        lease_id=lease_id,
        fence=fence,
        restart_of=restart_of,
        prompt=prompt,
        profile=profile,
        started_at=started_at,
        ended_at=ended_at,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return int(row["id"])


def find(tx: Tx, *, workspace_id: str, id: int) -> Run | None:
    row = tx.sql.one("runs.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else run_of(row)


def of_attempt(tx: Tx, *, delivery_id: int, lease_id: str, fence: int) -> Run | None:
    row = tx.sql.one("runs.of_attempt", delivery_id=delivery_id, lease_id=lease_id, fence=fence)
    return None if row is None else run_of(row)


def last_of_delivery(tx: Tx, *, delivery_id: int) -> Run | None:
    row = tx.sql.one("runs.last_of_delivery", delivery_id=delivery_id)
    return None if row is None else run_of(row)


def of_delivery(tx: Tx, *, delivery_id: int) -> list[Run]:
    return [run_of(row) for row in tx.sql.all("runs.of_delivery", delivery_id=delivery_id)]


def live_on(tx: Tx, *, computer_id: str) -> list[Run]:
    return [run_of(row) for row in tx.sql.all("runs.live_on", computer_id=computer_id)]


def live_of_agent(tx: Tx, *, workspace_id: str, agent: str) -> list[Run]:
    return [run_of(row) for row in tx.sql.all("runs.live_of_agent", workspace_id=workspace_id, agent=agent)]


def live_of_lane(tx: Tx, *, topic_id: int, agent: str) -> Run | None:
    row = tx.sql.one("runs.live_of_lane", topic_id=topic_id, agent=agent)
    return None if row is None else run_of(row)


def last_in_topic(tx: Tx, *, topic_id: int) -> Run | None:
    row = tx.sql.one("runs.last_in_topic", topic_id=topic_id)
    return None if row is None else run_of(row)


def ended_by_limit(tx: Tx, *, delivery_id: int) -> int:
    """How many attempts of a delivery a limit ended."""
    row = tx.sql.one("runs.ended_by_limit", delivery_id=delivery_id)
    return 0 if row is None else int(row["number"])


def count_steps(tx: Tx, *, run_id: int, before: int) -> int:
    """How many tools it had called before its event with the number `before`."""
    row = tx.sql.one("runs.count_steps", run_id=run_id, before=before)
    return 0 if row is None else int(row["number"])


def live_in_room(tx: Tx, *, room_id: str, agent: str) -> list[Run]:
    return [run_of(row) for row in tx.sql.all("runs.live_in_room", room_id=room_id, agent=agent)]


def set_pid(tx: Tx, *, id: int, pid: int) -> None:
    tx.sql.run("runs.set_pid", id=id, pid=pid, now=tx.now)


def set_status(tx: Tx, *, id: int, status: Status, resume_at: int | None = None) -> None:
    """`resume_at` belongs to a pause; any other status forgets it."""
    tx.sql.run("runs.set_status", id=id, status=status, resume_at=resume_at, now=tx.now)


def want(tx: Tx, *, id: int, wanted: Wanted, wanted_by: str) -> None:
    tx.sql.run("runs.want", id=id, wanted=wanted, wanted_by=wanted_by)


def has_posted(tx: Tx, *, id: int) -> None:
    tx.sql.run("runs.posted", id=id)


def set_result(tx: Tx, *, id: int, result: dict[str, Any]) -> None:
    tx.sql.run("runs.set_result", id=id, result=_encode(result).decode())


def set_stalled(tx: Tx, *, id: int, computer_id: str) -> int:
    return tx.sql.run("runs.set_stalled", id=id, computer_id=computer_id, now=tx.now)


def end(
    tx: Tx,
    *,
    id: int,
    status: Status,
    exit_code: int | None,
    signal: str | None,
    error_kind: str | None,
    error: str | None,
    stderr: str | None,
    usage: dict[str, Any] | None,
    resume_at: int | None,
    ended_at: int,
) -> int:
    return tx.sql.run(
        "runs.end",
        id=id,
        status=status,
        exit_code=exit_code,
        signal=signal,
        error_kind=error_kind,
        error=error,
        stderr=stderr,
        usage=None if usage is None else _encode(usage).decode(),
        input_tokens=tokens_in(usage, "input_tokens"),
        output_tokens=tokens_in(usage, "output_tokens"),
        cost_micros=cost_in_micros(usage),
        resume_at=resume_at,
        ended_at=ended_at,
    )


def add_events(tx: Tx, *, run_id: int, events: Iterable[dict[str, Any]]) -> int:
    """Store those that are new; how many they were. Each has seq, kind, at, lane, text, data (JSON text), source."""
    return tx.sql.many("runs.add_event", [{"run_id": run_id, **event} for event in events])


def took(
    tx: Tx,
    *,
    id: int,
    last_seq: int,
    last_source: int | None,
    todo_seq: int | None = None,
    plan_seq: int | None = None,
) -> None:
    """Note how far its log is, and where its newest list and plan are when they came with it."""
    tx.sql.run(
        "runs.took",
        id=id,
        last_seq=last_seq,
        last_source=last_source,
        todo_seq=todo_seq,
        plan_seq=plan_seq,
        now=tx.now,
    )


def forget_rebuilt(tx: Tx, *, run_id: int) -> None:
    tx.sql.run("runs.forget_rebuilt", run_id=run_id)


def add_rebuilt(tx: Tx, *, run_id: int, events: Iterable[Mapping[str, Any]]) -> None:
    tx.sql.many("runs.add_rebuilt", [{"run_id": run_id, **event} for event in events])


def all_events(tx: Tx, *, run_id: int) -> Iterator[RunEvent]:
    """The whole log, a page at a time."""
    return _all(tx, "runs.events", run_id)


def count_events(tx: Tx, *, run_id: int) -> int:
    row = tx.sql.one("runs.count_events", run_id=run_id)
    return 0 if row is None else int(row["number"])


def all_rebuilt(tx: Tx, *, run_id: int) -> Iterator[RunEvent]:
    return _all(tx, "runs.rebuilt", run_id)


def put_rebuilt(tx: Tx, *, run_id: int) -> None:
    """The log that was handed in again takes the place of the stored one."""
    tx.sql.run("runs.forget_events", run_id=run_id)
    tx.sql.run("runs.move_rebuilt", run_id=run_id)
    tx.sql.run("runs.recount", run_id=run_id)
    forget_rebuilt(tx, run_id=run_id)


def summary_rows(tx: Tx, *, run_id: int) -> tuple[RunEvent | None, RunEvent | None]:
    """The run's newest list and plan."""
    found = {row["kind"]: _event(row) for row in tx.sql.all("runs.summary", run_id=run_id)}
    return found.get("todo"), found.get("plan")


def events_before(tx: Tx, *, run_id: int, before: int, limit: int) -> list[RunEvent]:
    """The newest before a number, oldest first."""
    rows = tx.sql.all("runs.events_before", run_id=run_id, before=before, limit=limit)
    return [_event(row) for row in reversed(rows)]


def events(tx: Tx, *, run_id: int, after: int, limit: int) -> list[RunEvent]:
    return [_event(row) for row in tx.sql.all("runs.events", run_id=run_id, after=after, limit=limit)]


def told(tx: Tx, *, run: Run) -> list[Told]:
    """The newest events that tell of effects, oldest first; of a log however long only its end is read."""
    rows = tx.sql.all("runs.told", run_id=run.id, after=run.last_seq - _LOOKED_AT, limit=_TOLD)
    return [Told(kind=row["kind"], text=row["text"], data=_decode(row["data"])) for row in reversed(rows)]


def prompt(tx: Tx, *, id: int) -> str | None:
    row = tx.sql.one("runs.prompt", id=id)
    return None if row is None else row["prompt"]


def told_before(tx: Tx, *, id: int, text: str) -> None:
    """The run's program was told this before its prompt."""
    tx.sql.run("runs.told_before", id=id, text=text)


def turns(tx: Tx, *, session_id: str, up_to: int) -> list[tuple[int, Turn]]:
    """What the two newest runs of a session up to `up_to` work with, the newest first, with their ids."""
    rows = tx.sql.all("runs.turns", session_id=session_id, up_to=up_to)
    return [(row["id"], thaw_turn(row["profile"])) for row in rows]


def last_heard_on(tx: Tx, *, session_id: str) -> str | None:
    """The computer of the session's newest run that did something and did not fail."""
    row = tx.sql.one("runs.last_heard", session_id=session_id)
    return None if row is None else row["computer_id"]


def newest_of_topic(tx: Tx, *, actor: Actor, topic_id: int, limit: int) -> list[Run]:
    """Newest first, of a topic the actor sees."""
    rows = tx.sql.all("runs.newest_of_topic", topic_id=topic_id, own=own_work(actor), limit=limit)
    return [run_of(row) for row in rows]


def page(
    tx: Tx,
    *,
    actor: Actor,
    before: int,
    limit: int,
    agent: str | None = None,
    computer_id: str | None = None,
    room_id: str | None = None,
    topic_id: int | None = None,
    session_id: str | None = None,
    status: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[Run]:
    """Newest first."""
    rows = tx.sql.all(
        "runs.page",
        workspace_id=actor.workspace_id,
        before=before,
        limit=limit,
        agent=agent,
        computer_id=computer_id,
        room_id=room_id,
        topic_id=topic_id,
        session_id=session_id,
        status=status,
        since=since,
        until=until,
        own=own_work(actor),
        **viewer(actor),
    )
    return [run_of(row) for row in rows]


def _all(tx: Tx, name: str, run_id: int) -> Iterator[RunEvent]:
    after = 0
    while rows := tx.sql.all(name, run_id=run_id, after=after, limit=_PAGE):
        yield from map(_event, rows)
        after = rows[-1]["seq"]


def _event(row: Row) -> RunEvent:
    return RunEvent(
        run_id=row["run_id"],
        seq=row["seq"],
        kind=row["kind"],
        at=row["at"],
        text=row["text"],
        lane=row["lane"],
        data=row["data"],
    )


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        topic_id=row["topic_id"],
        agent=row["agent"],
        computer_id=row["computer_id"],
        generation=row["generation"],
        native_session=row["native_session"],
        seen_message=row["seen_message"],
        profile=row["profile"],
        created_at=row["created_at"],
    )


def run_of(row: Row) -> Run:
    return Run(
        id=row["id"],
        workspace_id=row["workspace_id"],
        room_id=row["room_id"],
        topic_id=row["topic_id"],
        message_id=row["message_id"],
        delivery_id=row["delivery_id"],
        agent=row["agent"],
        computer_id=row["computer_id"],
        session_id=row["session_id"],
        status=Status(row["status"]),
        lease_id=row["lease_id"],
        fence=row["fence"],
        pid=row["pid"],
        exit_code=row["exit_code"],
        signal=row["signal"],
        error_kind=row["error_kind"],
        error=row["error"],
        stderr=row["stderr"],
        restart_of=row["restart_of"],
        wanted=None if row["wanted"] is None else Wanted(row["wanted"]),
        stalled_since=row["stalled_since"],
        result=None if row["result"] is None else _decode(row["result"]),
        posted=bool(row["posted"]),
        last_seq=row["last_seq"],
        last_source=row["last_source"],
        usage=None if row["usage"] is None else _decode(row["usage"]),
        resume_at=row["resume_at"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
