"""Runs: opened under a lease, reported by their computer, ordered about by people, settled once.

A run is opened before its process is started. From then on no timer gives the delivery to anybody again: what the
server does not hear of the end stays `claimed` until the computer or a person says what became of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from pal_server.actions import (
    access,
    audit,
    beginnings,
    cards,
    client_ids,
    debates,
    deliveries,
    freshness,
    interactions,
    interruptions,
    introductions,
    messages,
    orders,
    profiles,
    sessions,
    steering,
    task_progress,
    tokens,
    topics,
    transcripts,
)
from pal_server.domain import deliveries as rules
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.computers import check_epoch
from pal_server.domain.deliveries import Delivery
from pal_server.domain.messages import Message, Sender
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.pausing import Pause, goes_on_at, pause_in
from pal_server.domain.receipts import Receipt
from pal_server.domain.runs import (
    LIVE,
    STDERR_LIMIT,
    TEXT_LIMIT,
    Ending,
    Run,
    RunEvent,
    Session,
    Status,
    Wanted,
    clip,
    delivery_status,
    end_of,
    need_live,
    parse_end,
)
from pal_server.domain.steering import reads_in
from pal_server.domain.summaries import Summary, summary_of
from pal_server.domain.tokens import TokenKind
from pal_server.domain.turns import lost_in
from pal_server.errors import Conflict, Forbidden, Invalid, LeaseLost, NotFound
from pal_server.storage import agents as agent_rows
from pal_server.storage import commands, rooms, runs
from pal_server.storage import computers as computer_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import files as file_rows
from pal_server.storage import messages as message_rows
from pal_server.storage.tx import Tx

EVENTS_LIMIT = 2_000  # in one request
KIND_LIMIT = 64  # characters
EVENT_TEXT_LIMIT = 1_000_000  # characters of one event; longer texts come in parts
DATA_LIMIT = 256_000  # bytes of JSON of one event
RESULTS = frozenset({"done", "blocked", "needs_input"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """A live run is told something, by a message."""

    run: Run
    message: Message
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    accepted: int
    last_seq: int
    last_source: int | None


def open_run(
    tx: Tx,
    *,
    actor: Actor,
    delivery_id: int,
    lease_id: str,
    fence: int,
    secret_hash: str,
    dry_run: bool = False,
    epoch: int | None = None,
) -> Run:
    """Start an attempt: the process may be started once this is committed, never before.

    Said again under the same lease it answers with the same run; each answer has a new secret, and all of them die with
    the run. A dry run is recorded and settled at once.
    """
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only the computer that claimed the delivery opens its run")
    computer = computer_rows.get(tx, actor.id)
    if computer is None:
        raise NotFound("there is no such computer", computer=actor.id)
    check_epoch(computer.epoch, epoch)
    delivery = access.delivery(tx, actor, delivery_id)
    rooms.lock(tx, room_id=delivery.room_id)
    delivery = access.delivery(tx, actor, delivery_id, locked=True)
    known = runs.of_attempt(tx, delivery_id=delivery_id, lease_id=lease_id, fence=fence)
    if known is not None and known.status is Status.DRY_RUN and delivery.is_held_under(lease_id=lease_id, fence=fence):
        return known
    if known is not None and known.is_live:
        _issue_token(tx, run=known, secret_hash=secret_hash)
        return known
    run, started = _begin(tx, delivery, lease_id=lease_id, fence=fence)
    if dry_run:
        return _settle(tx, run=run, delivery=started, ending=Ending(status=Status.DRY_RUN), quiet=True)
    _issue_token(tx, run=run, secret_hash=secret_hash)
    beginnings.note_start(tx, run=run)
    return run


def set_pid(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int, pid: int) -> Run:
    """The process is there."""
    run = _under_lease(tx, actor=actor, id=id, lease_id=lease_id, fence=fence)
    if pid <= 0:
        raise Invalid("pid is a positive number", field="pid", value=pid)
    runs.set_pid(tx, id=run.id, pid=pid)
    return _changed(tx, run)


def set_state(
    tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int, status: str, resume_at: int | None = None
) -> Run:
    """The run is now running, waiting or paused; `resume_at` says until when a limit pauses it."""
    run = _under_lease(tx, actor=actor, id=id, lease_id=lease_id, fence=fence)
    if status not in LIVE or status == Status.STARTING:
        raise Invalid("status is one of running, waiting, paused; finish ends a run", field="status", value=status)
    if status == run.status and resume_at == run.resume_at:
        return run
    runs.set_status(tx, id=run.id, status=Status(status), resume_at=resume_at if status == Status.PAUSED else None)
    return _changed(tx, run)


def add_events(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    lease_id: str,
    fence: int,
    events: Sequence[dict[str, Any]],
    after_source: int | None = None,
) -> Accepted:
    """Numbered events, stored once however often they are sent.

    Each has seq, kind, at, text, lane, data (a dict) and source. `after_source` is where the sender believes the server
    stands in the spool; a wrong belief is a `Conflict` with the truth in its facts, so that a daemon that came back
    after a crash never skips a byte and never stores one twice.
    """
    reads = bool(reads_in(events))
    lost = lost_in(events) is not None
    if reads or lost:  # what it was told is settled with it, and a lost conversation is said
        rooms.lock(tx, room_id=access.own_run(tx, actor, id).room_id)
    run = _under_lease(tx, actor=actor, id=id, lease_id=lease_id, fence=fence)
    if len(events) > EVENTS_LIMIT:
        raise Invalid(f"at most {EVENTS_LIMIT} events in one request", field="events", limit=EVENTS_LIMIT)
    if after_source is not None and after_source != (run.last_source or 0):
        raise Conflict(
            "the server stands elsewhere in the spool", last_seq=run.last_seq, last_source=run.last_source or 0
        )
    rows = [_event_row(event, number=number, now=tx.now) for number, event in enumerate(events)]
    if not rows:
        return Accepted(accepted=0, last_seq=run.last_seq, last_source=run.last_source)
    accepted = runs.add_events(tx, run_id=run.id, events=rows)
    last_seq = max(run.last_seq, *(row["seq"] for row in rows))
    sources = [row["source"] for row in rows if row["source"] is not None]
    last_source = max([run.last_source or 0, *sources]) if sources else run.last_source
    runs.took(
        tx,
        id=run.id,
        last_seq=last_seq,
        last_source=last_source,
        todo_seq=_newest(rows, "todo"),
        plan_seq=_newest(rows, "plan"),
    )
    if reads:
        steering.note_reads(tx, run=run, events=events)
    if lost:
        beginnings.note_lost(tx, run=run, events=events)
    introductions.note(tx, run=run, events=events)
    pause = pause_in(events, is_paused=run.status is Status.PAUSED)
    if pause is not None:
        _pause_or_go_on(tx, run=run, pause=pause)
    elif run.stalled_since is not None:  # it gives signs of life again
        _changed(tx, run)
    tx.wake(f"run:{run.id}")
    return Accepted(accepted=accepted, last_seq=last_seq, last_source=last_source)


def take_rebuilt(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    command: int,
    events: Sequence[dict[str, Any]],
    is_first: bool,
    is_last: bool,
    is_partial: bool = False,
) -> tuple[Run, bool]:
    """Part of a log that its computer reads again; see `transcripts.take_part`. Events as for `add_events`."""
    if len(events) > EVENTS_LIMIT:
        raise Invalid(f"at most {EVENTS_LIMIT} events in one request", field="events", limit=EVENTS_LIMIT)
    rows = [_event_row(event, number=number, now=tx.now) for number, event in enumerate(events)]
    return transcripts.take_part(
        tx, actor=actor, id=id, command=command, rows=rows, is_first=is_first, is_last=is_last, is_partial=is_partial
    )


def finish(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int, ending: Ending) -> Run:
    """Settle the run and its delivery, in one transaction with the final text and the lane's next delivery.

    The same end again under the same lease is answered with the run as it is.
    """
    run = access.own_run(tx, actor, id)
    if run.delivery_id is None:
        raise Conflict("this run has no delivery", run=id)
    rooms.lock(tx, room_id=run.room_id)
    delivery = access.delivery(tx, actor, run.delivery_id, locked=True)
    run = access.own_run(tx, actor, id)
    if not run.is_live and run.lease_id == lease_id and run.fence == fence:
        return run
    _need_attempt(run, delivery, lease_id=lease_id, fence=fence, now=tx.now)
    return _settle(tx, run=run, delivery=delivery, ending=replace(ending, status=parse_end(ending.status)))


def settle_delivery(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    lease_id: str,
    fence: int,
    status: str,
    text: str | None = None,
    error: str | None = None,
    error_kind: str | None = None,
) -> Delivery:
    """`ack` and `fail`: end an attempt by its delivery. A repeat under the lease is fine.

    An attempt that was never opened as a run is recorded as one that began and ended now, so that its text, its card
    and what follows are the same.
    """
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only the computer that claimed it may")
    delivery = access.delivery(tx, actor, id)
    rooms.lock(tx, room_id=delivery.room_id)
    delivery = access.delivery(tx, actor, id, locked=True)
    if delivery.is_final and delivery.is_held_under(lease_id=lease_id, fence=fence):
        return delivery
    rules.need_lease(delivery, lease_id=lease_id, fence=fence, now=tx.now)
    end = Status.SUCCEEDED if status == "acked" else Status.FAILED
    run = runs.of_attempt(tx, delivery_id=id, lease_id=lease_id, fence=fence) if delivery.started else None
    ending = Ending(status=end, text=text, error=error, error_kind=error_kind)
    if run is None:
        run, delivery = _begin(tx, delivery, lease_id=lease_id, fence=fence)
    _settle(tx, run=run, delivery=delivery, ending=ending)
    return access.delivery(tx, actor, id)


def order(tx: Tx, *, actor: Actor, run: Run, wanted: Wanted, reason: str = "") -> Run:
    """Stop, kill or restart, as a person wants. For a computer that is away it is carried out when it returns.

    A finished run is restarted by trying its delivery again. On a computer whose key is revoked nothing can be carried
    out any more, so the run ends here.
    """
    access.need_person(actor)
    ordered = _carry_out(tx, actor=actor, run=run, wanted=wanted)
    audit.record(tx, actor=actor, action=f"run.{wanted}", target=f"run:{run.id}", detail={"reason": reason[:500]})
    return ordered


def order_by_id(tx: Tx, *, actor: Actor, id: int, wanted: Wanted, reason: str = "") -> Run:
    run = access.run(tx, actor, id)
    if actor.kind is ActorKind.RUN and run.agent != actor.agent:
        raise Forbidden("a run orders nobody else's runs", run=id)
    return order(tx, actor=actor, run=run, wanted=wanted, reason=reason)


def steer(tx: Tx, *, actor: Actor, id: int, text: str) -> Steered:
    """Tell a live run something. It is a message in the run's topic, told to the run alone; when that cannot be,
    nothing is said and the `Conflict` says why.
    """
    access.need_writer(actor)
    run = access.run(tx, actor, id)
    if actor.kind is ActorKind.RUN and run.agent == actor.agent:
        raise Forbidden("a run does not steer its own agent", run=id)
    rooms.lock(tx, room_id=run.room_id)
    run = access.run(tx, actor, id)
    need_live(run)
    if (why := steering.why_not(tx, run=run)) is not None:
        raise Conflict(f"{run.agent} cannot be told now: {why}", run=id)
    sent = messages.send(
        tx, actor=actor, content=text, topic=run.topic_id, parent=run.message_id, mentions=(run.agent,), steer="steer"
    )
    receipt = next((receipt for receipt in sent.receipts if receipt.agent == run.agent), None)
    if receipt is None or receipt.delivery is None:
        said = "it is not in the room any more" if receipt is None else receipt.text
        raise Conflict(f"{run.agent} cannot be told now: {said}", run=id)
    return Steered(run=_reread(tx, workspace_id=run.workspace_id, id=id), message=sent.message, receipt=receipt)


def kill_of_agent(tx: Tx, *, actor: Actor, agent: str) -> int:
    """Kill whatever an agent runs; how many runs that are."""
    live = runs.live_of_agent(tx, workspace_id=actor.workspace_id, agent=agent)
    for run in sorted(live, key=lambda run: run.room_id):
        order(tx, actor=actor, run=run, wanted=Wanted.KILL, reason="the agent is deleted")
    return len(live)


def live_in_room(tx: Tx, *, room_id: str, agent: str) -> list[Run]:
    return runs.live_in_room(tx, room_id=room_id, agent=agent)


def live_on(tx: Tx, *, computer_id: str) -> list[Run]:
    """What the server believes a computer has alive."""
    return runs.live_on(tx, computer_id=computer_id)


def report_result(
    tx: Tx, *, actor: Actor, id: int, status: str, summary: str, blockers: Sequence[str], next_steps: Sequence[str]
) -> Run:
    """An agent says what came of its work. Where its topic is a task, that hears of it."""
    if actor.kind is not ActorKind.RUN or actor.run_id != id:
        raise Forbidden("a result is reported from inside its run", run=id)
    rooms.lock(tx, room_id=access.run(tx, actor, id).room_id)
    run = access.run(tx, actor, id)
    need_live(run)
    if status not in RESULTS:
        raise Invalid(f"status is one of {', '.join(sorted(RESULTS))}", field="status", value=status)
    if not summary.strip():
        raise Invalid("summary is empty", field="summary")
    result = {
        "status": status,
        "summary": summary[:10_000],
        "blockers": [text[:2_000] for text in blockers[:50]],
        "next_steps": [text[:2_000] for text in next_steps[:50]],
    }
    runs.set_result(tx, id=id, result=result)
    task_progress.look(tx, workspace_id=run.workspace_id, topic_id=run.topic_id)
    return _changed(tx, run)


def submit(
    tx: Tx,
    *,
    actor: Actor,
    agent: str,
    topic: int,
    status: str,
    text: str | None = None,
    started_at: int | None = None,
    ended_at: int | None = None,
    client_id: str | None = None,
) -> Run:
    """A finished run of an external client: recorded, and its text posted in the agent's name."""
    access.need_person(actor)
    found = access.topic(tx, actor, topic)
    said = {"agent": agent, "topic": topic, "status": status, "text": text}
    if (target := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="runs.submit", said=said)) is not None:
        return access.run(tx, actor, int(target))
    profile = agent_rows.get(tx, agent, workspace_id=actor.workspace_id)
    if profile is None:
        raise NotFound("there is no such agent", agent=agent)
    room = access.room(tx, actor, found.room_id)
    rooms.lock(tx, room_id=room.id)
    session = sessions.current(tx, workspace_id=actor.workspace_id, topic_id=topic, agent=agent)
    run_id = runs.add(
        tx,
        workspace_id=actor.workspace_id,
        room_id=room.id,
        topic_id=topic,
        message_id=None,
        delivery_id=None,
        agent=agent,
        computer_id=None,
        session_id=session.id,
        status=parse_end(status),
        started_at=tx.now if started_at is None else started_at,
        ended_at=tx.now if ended_at is None else ended_at,
    )
    run = _reread(tx, workspace_id=actor.workspace_id, id=run_id)
    if text is not None and text.strip():
        _post(tx, run=run, text=text)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="runs.submit", said=said, target=run_id)
    _emit(tx, "run.finished", run)
    task_progress.look(tx, workspace_id=run.workspace_id, topic_id=run.topic_id)
    return run


def get(tx: Tx, *, actor: Actor, id: int) -> Run:
    return access.run(tx, actor, id)


def prompt(tx: Tx, *, actor: Actor, id: int) -> str:
    """What the run was told."""
    return runs.prompt(tx, id=access.run(tx, actor, id).id) or ""


def summary(tx: Tx, *, actor: Actor, id: int) -> tuple[Run, Summary]:
    """The run, and what of it fits beside its name."""
    run = access.run(tx, actor, id)
    todo, plan = runs.summary_rows(tx, run_id=id)
    return run, summary_of(run, todo=todo, plan=plan, files=file_rows.of_run(tx, run=run))


def events(
    tx: Tx, *, actor: Actor, id: int, after: int = 0, before: int | None = None, limit: int = 50
) -> Page[RunEvent]:
    """In order of their numbers: after one, or the page before one, whose `next` is the `before` of an earlier page."""
    access.run(tx, actor, id)
    limit = parse_limit(limit)
    if before is not None:
        if after:
            raise Invalid("after and before exclude each other", field="before")
        earlier = runs.events_before(tx, run_id=id, before=before, limit=limit + 1)
        more = len(earlier) > limit
        earlier = earlier[-limit:]
        return Page(items=tuple(earlier), next=str(earlier[0].seq) if more else None)
    found = runs.events(tx, run_id=id, after=after, limit=limit + 1)
    return page_of(found, limit=limit, cursor=lambda event: str(event.seq))


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    agent: str | None = None,
    computer: str | None = None,
    room: str | None = None,
    topic: int | None = None,
    session: str | None = None,
    status: str | None = None,
    since: int | None = None,
    until: int | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Run]:
    """Newest first."""
    limit = parse_limit(limit)
    before = parse_after(after)
    found = runs.page(
        tx,
        actor=actor,
        before=2**62 if before is None else before,
        limit=limit + 1,
        agent=agent,
        computer_id=computer,
        room_id=None if room is None else access.room(tx, actor, room).id,
        topic_id=topic,
        session_id=session,
        status=status,
        since=since,
        until=until,
    )
    return page_of(found, limit=limit, cursor=lambda run: str(run.id))


def list_sessions(
    tx: Tx,
    *,
    actor: Actor,
    topic: int | None = None,
    agent: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[Session]:
    """By id."""
    limit = parse_limit(limit)
    found = runs.sessions(tx, actor=actor, after=after or "", limit=limit + 1, topic_id=topic, agent=agent)
    aged = profiles.aged(tx, workspace_id=actor.workspace_id, sessions=found)
    return page_of(aged, limit=limit, cursor=lambda session: session.id)


def create_session(
    tx: Tx, *, actor: Actor, topic: int, agent: str, fresh: bool = False, client_id: str | None = None
) -> Session:
    """The agent's session in a topic; `fresh` begins a new generation of it."""
    access.need_writer(actor)
    found = access.topic(tx, actor, topic)
    if agent_rows.get(tx, agent, workspace_id=actor.workspace_id) is None:
        raise NotFound("there is no such agent", agent=agent)
    rooms.lock(tx, room_id=found.room_id)
    said = {"topic": topic, "agent": agent, "fresh": fresh}
    if (
        made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="sessions.create", said=said)
    ) is not None:
        return access.session(tx, actor, made)
    make = sessions.begin_anew if fresh else sessions.current
    session = make(tx, workspace_id=actor.workspace_id, topic_id=topic, agent=agent)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="sessions.create", said=said, target=session.id)
    return session


def bind_native_session(
    tx: Tx, *, actor: Actor, id: str, lease_id: str, fence: int, native_session: str | None, run: int | None = None
) -> Session:
    """Remember the program's own conversation, for the next run. Under the lease of a live run of the session."""
    session = access.session(tx, actor, id)
    live = [
        found for found in runs.live_on(tx, computer_id=actor.id) if found.session_id == id and run in (None, found.id)
    ]
    for found in live:
        if found.lease_id == lease_id and found.fence == fence:
            runs.bind_session(tx, id=id, native_session=native_session)
            return access.session(tx, actor, id)
    raise LeaseLost("no live run of this session has this lease", session=session.id)


def _carry_out(tx: Tx, *, actor: Actor, run: Run, wanted: Wanted) -> Run:
    rooms.lock(tx, room_id=run.room_id)  # whoever ends it holds this lock: it ends before the order, or obeys it
    run = _reread(tx, workspace_id=run.workspace_id, id=run.id)
    if not run.is_live:
        if wanted is not Wanted.RESTART:
            need_live(run)
        if run.delivery_id is None:
            raise Conflict("this run has no delivery that could go on", run=run.id)
        deliveries.retry(tx, actor=actor, id=run.delivery_id, any_end=True)
        return run
    if wanted is Wanted.RESTART and (why := _why_not_again(tx, run)) is not None:
        raise Conflict(f"it cannot be done again: {why}", run=run.id)
    computer = None if run.computer_id is None else computer_rows.get(tx, run.computer_id)
    if computer is None or computer.revoked_at is not None:
        runs.want(tx, id=run.id, wanted=wanted, wanted_by=actor.name)
        return _end_without_computer(tx, run=_reread(tx, workspace_id=run.workspace_id, id=run.id))
    return orders.end(tx, run=run, wanted=wanted, by=actor.name)


def _begin(tx: Tx, delivery: Delivery, *, lease_id: str, fence: int) -> tuple[Run, Delivery]:
    """Record that the attempt has started. The room's row is locked."""
    if delivery.started:
        raise LeaseLost("another attempt has started", delivery=delivery.id)
    rules.need_lease(delivery, lease_id=lease_id, fence=fence, now=tx.now)
    run_id = _insert(tx, delivery=delivery)
    started = rules.start(delivery, lease_id=lease_id, fence=fence, run_id=run_id, now=tx.now)
    delivery_rows.put(tx, started, was=delivery)
    run = _reread(tx, workspace_id=delivery.workspace_id, id=run_id)
    _emit(tx, "run.started", run)
    task_progress.look(tx, workspace_id=run.workspace_id, topic_id=run.topic_id)
    return run, started


def _why_not_again(tx: Tx, run: Run) -> str | None:
    assert run.delivery_id is not None, "a live run has a delivery"
    delivery = delivery_rows.find_locked(tx, workspace_id=run.workspace_id, id=run.delivery_id)
    assert delivery is not None, "a run's delivery is never removed"
    return deliveries.why_not_again(tx, delivery)


def _insert(tx: Tx, *, delivery: Delivery) -> int:
    session = sessions.current(tx, workspace_id=delivery.workspace_id, topic_id=delivery.topic_id, agent=delivery.agent)
    profiles.begin(tx, workspace_id=delivery.workspace_id, session=session)
    before = runs.last_of_delivery(tx, delivery_id=delivery.id) if delivery.run_id is not None else None
    burst = delivery_rows.burst_messages(tx, delivery_id=delivery.id)
    prompt, profile = delivery_rows.given(tx, id=delivery.id)
    runs.session_has_seen(
        tx, id=session.id, message_id=max([delivery.message_id, *burst]), computer_id=delivery.computer_id
    )
    return runs.add(
        tx,
        workspace_id=delivery.workspace_id,
        room_id=delivery.room_id,
        topic_id=delivery.topic_id,
        message_id=delivery.message_id,
        delivery_id=delivery.id,
        agent=delivery.agent,
        computer_id=delivery.computer_id,
        session_id=session.id,
        status=Status.STARTING,
        lease_id=delivery.lease_id,
        fence=delivery.fence,
        restart_of=None if before is None else before.id,
        prompt=prompt,
        profile=profile,
    )


def _issue_token(tx: Tx, *, run: Run, secret_hash: str) -> None:
    tokens.issue(
        tx,
        kind=TokenKind.RUN,
        subject=str(run.id),
        name=f"run {run.id} of {run.agent}",
        workspace_id=run.workspace_id,
        created_by=f"computer:{run.computer_id}",
        secret_hash=secret_hash,
    )


def _under_lease(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int) -> Run:
    run = access.own_run(tx, actor, id)
    if run.delivery_id is None:
        raise Conflict("this run has no delivery", run=id)
    delivery = access.delivery(tx, actor, run.delivery_id, locked=True)
    run = _reread(tx, workspace_id=run.workspace_id, id=id)  # as of the lock
    _need_attempt(run, delivery, lease_id=lease_id, fence=fence, now=tx.now)
    return run


def _need_attempt(run: Run, delivery: Delivery, *, lease_id: str, fence: int, now: int) -> None:
    rules.need_lease(delivery, lease_id=lease_id, fence=fence, now=now)
    if not run.is_live or run.lease_id != lease_id or run.fence != fence:
        raise LeaseLost("the run has ended or belongs to another attempt", run=run.id)


def _newest(rows: Sequence[dict[str, Any]], kind: str) -> int | None:
    return max((row["seq"] for row in rows if row["kind"] == kind), default=None)


def _event_row(event: dict[str, Any], *, number: int, now: int) -> dict[str, Any]:
    data = msgspec.json.encode(event["data"])
    where = f"events[{number}]"
    if event["seq"] < 1:
        raise Invalid(f"{where}.seq is a positive number", field=f"{where}.seq")
    if not 1 <= len(event["kind"]) <= KIND_LIMIT:
        raise Invalid(f"{where}.kind has 1 to {KIND_LIMIT} characters", field=f"{where}.kind")
    if len(event["text"] or "") > EVENT_TEXT_LIMIT or len(data) > DATA_LIMIT:
        raise Invalid(f"{where} is too large: send it in parts", field=where, limit=EVENT_TEXT_LIMIT)
    return {
        "seq": event["seq"],
        "kind": event["kind"],
        "at": now if event["at"] is None else event["at"],
        "lane": event["lane"],
        "text": event["text"],
        "data": data.decode(),
        "source": event["source"],
    }


def _settle(tx: Tx, *, run: Run, delivery: Delivery, ending: Ending, quiet: bool = False) -> Run:
    """The one way a run ends. The room's row is locked and the lease is checked."""
    status = end_of(ending, wanted=run.wanted)
    error = None if ending.error is None else clip(ending.error, limit=STDERR_LIMIT, note="[…]")
    ended_before = runs.ended_by_limit(tx, delivery_id=delivery.id) if ending.resume_at is not None else 0
    goes_on = goes_on_at(run, ending, ends_as=status, ended_before=ended_before, now=tx.now)
    if goes_on is not None and deliveries.why_not_again(tx, delivery) is not None:
        goes_on = None
    runs.end(
        tx,
        id=run.id,
        status=status,
        exit_code=ending.exit_code,
        signal=ending.signal,
        error_kind=ending.error_kind,
        error=error,
        stderr=None if ending.stderr is None else ending.stderr[-STDERR_LIMIT:],
        usage=ending.usage,
        resume_at=goes_on,
        ended_at=tx.now if ending.ended_at is None else min(ending.ended_at, tx.now),
    )
    transcripts.close_events(tx, run=run, status=status)
    interactions.expire_of_run(tx, run=run)
    commands.close_of_run(tx, run_id=run.id, ok=status is Status.CANCELLED, detail=f"the run has ended: {status}")
    tokens.revoke_of(tx, workspace_id=run.workspace_id, kind=TokenKind.RUN, subject=str(run.id))
    if goes_on is not None:
        _say_when_it_goes_on(tx, run=run, until=goes_on, error=error)
    elif not quiet:
        _say_how_it_ended(tx, run=run, status=status, ending=ending, error=error)
    ended = _reread(tx, workspace_id=run.workspace_id, id=run.id)
    _emit(tx, "run.finished", ended)
    if status is Status.SUCCEEDED:
        topics.name_after_first_run(tx, run=ended)
    tx.wake(f"run:{run.id}")
    steering.run_ended(tx, run=ended)
    if run.wanted is Wanted.RESTART and deliveries.why_not_again(tx, delivery) is None:
        _put_back(tx, delivery)
        return ended
    if goes_on is not None:
        _wait_for_limit(tx, delivery, until=goes_on, error=error)
        return ended
    _end_delivery(tx, run=ended, delivery=delivery, error=error)
    if deliveries.is_turn(tx, delivery):
        debates.turn_ended(tx, run=ended)
    return ended


def _put_back(tx: Tx, delivery: Delivery) -> None:
    """A restart was ordered: the same delivery goes on, also when its run had ended before it heard of the order."""
    assert delivery.lease_id is not None, "a claimed delivery has a lease"
    again = rules.put_back(delivery, lease_id=delivery.lease_id, fence=delivery.fence, now=tx.now)
    delivery_rows.put(tx, again, was=delivery)
    deliveries.changed(tx, "delivery.retried", again)
    deliveries.wake_agent(tx, workspace_id=delivery.workspace_id, agent=delivery.agent)


def _wait_for_limit(tx: Tx, delivery: Delivery, *, until: int, error: str | None) -> None:
    """A limit ended the run: the same delivery may be claimed again when it has passed."""
    assert delivery.lease_id is not None, "a claimed delivery has a lease"
    why = error or "a limit of the program's provider"
    again = rules.pause(delivery, lease_id=delivery.lease_id, fence=delivery.fence, until=until, error=why, now=tx.now)
    delivery_rows.put(tx, again, was=delivery)
    deliveries.changed(tx, "delivery.paused", again)
    deliveries.wake_agent(tx, workspace_id=delivery.workspace_id, agent=delivery.agent)


def _pause_or_go_on(tx: Tx, *, run: Run, pause: Pause) -> None:
    """The program's own word; a run that waits for a person goes on waiting for them."""
    if run.status is Status.WAITING and not pause.is_paused:
        return
    status = Status.PAUSED if pause.is_paused else Status.RUNNING
    runs.set_status(tx, id=run.id, status=status, resume_at=pause.resume_at)
    _changed(tx, run)


def _say_when_it_goes_on(tx: Tx, *, run: Run, until: int, error: str | None) -> None:
    """A card with the moment, which readers show in their own time zone."""
    why = f": {error}" if error else ""
    content = f"{run.agent} met a limit and goes on by itself when it has passed{why}"
    _card(tx, run=run, kind="paused", actions=["retry", "cancel"], content=content, more={"resume_at": until})


def _end_delivery(tx: Tx, *, run: Run, delivery: Delivery, error: str | None) -> None:
    assert delivery.lease_id is not None, "a claimed delivery has a lease"
    lease_id, fence = delivery.lease_id, delivery.fence
    outcome = delivery_status(run.status)
    settled = rules.settle(delivery, lease_id=lease_id, fence=fence, outcome=outcome, error=error, now=tx.now)
    delivery_rows.put(tx, settled, was=delivery)
    deliveries.changed(tx, f"delivery.{outcome}", settled)
    deliveries.go_on(tx, settled)


def _say_how_it_ended(tx: Tx, *, run: Run, status: Status, ending: Ending, error: str | None) -> None:
    """The final text when the run itself has posted none; a card when people would otherwise wait for nothing."""
    text = (ending.text or "").strip()
    posted = _reread(tx, workspace_id=run.workspace_id, id=run.id).posted
    if text and not posted and status in (Status.SUCCEEDED, Status.FAILED):
        _answer(tx, run=run, text=text)
        posted = True
    match status:
        case Status.FAILED:
            code = "" if ending.exit_code is None else f" with exit code {ending.exit_code}"
            signal = f" by {ending.signal}" if ending.signal else ""
            why = f": {error}" if error else ""
            _card(tx, run=run, kind="failed", actions=["retry"], content=f"{run.agent} failed{code}{signal}{why}")
        case Status.INTERRUPTED:
            interruptions.show(tx, run=run, found=ending.effects or {})
        case Status.SUCCEEDED if not posted:
            _card(tx, run=run, kind="silent", actions=[], content=f"{run.agent} is done and had nothing to say.")
        case _:
            pass


def _card(tx: Tx, *, run: Run, kind: str, actions: list[str], content: str, more: dict[str, Any] | None = None) -> None:
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    cards.post(
        tx,
        workspace_id=run.workspace_id,
        room=room,
        topic_id=run.topic_id,
        content=content,
        card={
            "type": kind,
            "run": run.id,
            "delivery": run.delivery_id,
            "agent": run.agent,
            "actions": actions,
            **(more or {}),
        },
        parent_id=run.message_id,
    )


def _answer(tx: Tx, *, run: Run, text: str) -> None:
    """The final text, or a draft of it when something newer was said and the room asks for that."""
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    unread = freshness.unread_by(tx, room=room, run=run, topic_id=run.topic_id)
    if not unread or _is_turn(tx, run):
        _post(tx, run=run, text=text)
        return
    content = clip(text, limit=TEXT_LIMIT, note=_whole_text(run))
    freshness.hold(tx, room=room, run=run, content=content, unread=unread, parent=run.message_id)


def _is_turn(tx: Tx, run: Run) -> bool:
    """A debate's turns go on as they come."""
    work = delivery_rows.find(tx, workspace_id=run.workspace_id, id=run.delivery_id) if run.delivery_id else None
    return work is not None and deliveries.is_turn(tx, work)


def _whole_text(run: Run) -> str:
    return f"[cut here; the whole text is in run {run.id}: `pal logs {run.id}`]"


def _post(tx: Tx, *, run: Run, text: str) -> None:
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    topic = rooms.find_topic(tx, workspace_id=run.workspace_id, id=run.topic_id)
    agent = agent_rows.get(tx, run.agent, workspace_id=run.workspace_id)
    assert room is not None, "a run has a room"
    assert topic is not None, "a run has a topic"
    parent = None
    if run.message_id is not None:
        parent = message_rows.find(tx, workspace_id=run.workspace_id, id=run.message_id)
    name = run.agent if agent is None else agent.display_name
    messages.say(
        tx,
        workspace_id=run.workspace_id,
        room=room,
        topic=topic,
        parent=parent,
        sender=Sender(kind="agent", name=run.agent, display_name=name, origin="", key=f"agent:{run.agent}"),
        content=clip(text, limit=TEXT_LIMIT, note=_whole_text(run)),
        run=run,
    )


def _end_without_computer(tx: Tx, *, run: Run) -> Run:
    assert run.delivery_id is not None, "a live run has a delivery"
    rooms.lock(tx, room_id=run.room_id)
    delivery = delivery_rows.find_locked(tx, workspace_id=run.workspace_id, id=run.delivery_id)
    assert delivery is not None, "a run's delivery is never removed"
    ending = Ending(status=Status.CANCELLED, error_kind="lost", error="its computer is revoked and cannot report")
    return _settle(tx, run=run, delivery=delivery, ending=ending)


def _changed(tx: Tx, run: Run) -> Run:
    now = _reread(tx, workspace_id=run.workspace_id, id=run.id)
    _emit(tx, "run.changed", now)
    return now


def _reread(tx: Tx, *, workspace_id: str, id: int) -> Run:
    run = runs.find(tx, workspace_id=workspace_id, id=id)
    assert run is not None, "it was read or written in this transaction"
    return run


def _emit(tx: Tx, kind: str, run: Run) -> None:
    tx.emit(kind, workspace_id=run.workspace_id, room_id=run.room_id, data=run.fact())
