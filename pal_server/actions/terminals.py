"""Terminals: opened by people on a computer, carried out by its daemon, recorded in their topic.

The order to open or to close is a durable command, so a terminal whose computer is away is ended when that returns. An
agent's own terminal holds its lane: what is said to the agent meanwhile waits, and goes on when the terminal has ended.
"""

from typing import Any

from pal_server.actions import access, audit, cards, client_ids, deliveries, sessions, work
from pal_server.domain import terminals as rules
from pal_server.domain.actors import Actor, ActorKind, system
from pal_server.domain.agents import Agent
from pal_server.domain.computers import Computer, ComputerStatus
from pal_server.domain.pages import NEWEST, OLDEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.rooms import Room, Topic
from pal_server.domain.runs import Session
from pal_server.domain.terminals import Kind, Policy, Terminal
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import agents as agent_rows
from pal_server.storage import commands, rooms, terminals
from pal_server.storage import computers as computer_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import runs as run_rows
from pal_server.storage.tx import Tx

OPEN, CLOSE = "terminal_open", "terminal_close"  # kinds of commands; an older daemon refuses them
CAPABILITY = "terminal"  # of a runtime that has an interactive form
REAP_LIMIT = 50  # in one transaction
_HERE = (ComputerStatus.ONLINE, ComputerStatus.DRAINING)


def open_terminal(
    tx: Tx,
    *,
    actor: Actor,
    policy: Policy,
    room: str,
    topic: int | None = None,
    kind: str = "shell",
    agent: str | None = None,
    computer: str | None = None,
    folder: str | None = None,
    cols: int = 80,
    rows: int = 24,
    client_id: str | None = None,
) -> Terminal:
    """Ask a computer for a terminal. `Conflict` says what stands against it: a limit, a computer that is away, an agent
    that is at work or has nothing to go on with.
    """
    wanted = rules.parse_kind(kind)
    cols, rows = rules.parse_size(cols, rows)
    folder = rules.parse_folder(folder)
    found = access.room(tx, actor, room)
    rules.need_driver(actor, policy=policy)
    in_topic = _topic(tx, actor=actor, room=found, id=topic)
    said = {
        "room": found.id,
        "topic": in_topic.id,
        "kind": wanted,
        "agent": agent,
        "computer": computer,
        "folder": folder,
        "cols": cols,
        "rows": rows,
    }
    made = client_ids.earlier(tx, actor=actor, client_id=client_id, verb="terminals.open", said=said)
    if made is not None:
        return get(tx, actor=actor, id=made)
    rooms.lock(tx, room_id=found.id)
    whose = None if agent is None else _agent(tx, actor=actor, room=found, key=agent)
    session = None
    if wanted is Kind.AGENT:
        whose, place, session = _for_agent(tx, room=found, topic=in_topic, agent=whose, computer=computer)
        folder = None  # the conversation is where the agent works
    else:
        whose, place = _for_shell(tx, actor=actor, topic=in_topic, agent=whose, computer=computer)
    computer_rows.lock(tx, place.id)
    rules.need_room(
        in_topic=terminals.live_in_topic(tx, topic_id=in_topic.id),
        on_computer=len(terminals.live_on_computer(tx, computer_id=place.id)),
        policy=policy,
    )
    terminal = terminals.add(
        tx,
        id=tx.new_id("term"),
        workspace_id=actor.workspace_id,
        room_id=found.id,
        topic_id=in_topic.id,
        computer_id=place.id,
        agent=None if whose is None else whose.key,
        kind=wanted,
        folder=folder,
        cols=cols,
        rows=rows,
        opened_by=actor.name,
    )
    order: dict[str, Any] = {"terminal": terminal.id, "kind": wanted, "cols": cols, "rows": rows, "folder": folder}
    if whose is not None:
        order |= {"agent": whose.key, "cwd": whose.cwd}
    if whose is not None and session is not None:
        order["work"] = work.for_terminal(
            tx, agent=whose, room=found, topic=in_topic, session=session, computer_id=place.id
        )
    commands.add(tx, workspace_id=actor.workspace_id, computer_id=place.id, kind=OPEN, run_id=None, data=order)
    tx.wake(f"commands:{place.id}")
    audit.record(
        tx, actor=actor, action="terminal.opened", target=terminal.id, detail={"kind": wanted, "computer": place.id}
    )
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="terminals.open", said=said, target=terminal.id)
    _emit(tx, "terminal.created", terminal)
    return terminal


def close(tx: Tx, *, actor: Actor, policy: Policy, id: str, reason: str = "") -> Terminal:
    """Have it ended. A second time changes nothing; on a computer that is away it ends when that returns."""
    terminal = get(tx, actor=actor, id=id)
    rules.need_driver(actor, policy=policy)
    rooms.lock(tx, room_id=terminal.room_id)
    terminal = get(tx, actor=actor, id=id)
    asked = rules.closing(terminal, reason=reason or f"by {actor.name}")
    if asked is terminal:
        return terminal
    audit.record(tx, actor=actor, action="terminal.closed", target=id, detail={"reason": asked.reason})
    return _order_close(tx, terminal, asked)


def resize(tx: Tx, *, actor: Actor, policy: Policy, id: str, cols: int, rows: int) -> Terminal:
    """Another size, for everybody who looks at it. It is no event: those who watch are told by their own socket."""
    cols, rows = rules.parse_size(cols, rows)
    terminal = get(tx, actor=actor, id=id)
    rules.need_driver(actor, policy=policy)
    if terminal.lives and (cols, rows) != (terminal.cols, terminal.rows):
        terminals.resize(tx, id=id, cols=cols, rows=rows)
    return get(tx, actor=actor, id=id)


def get(tx: Tx, *, actor: Actor, id: str) -> Terminal:
    """A terminal in a room the actor sees."""
    return access.terminal(tx, actor, id)


def watched(tx: Tx, *, actor: Actor, policy: Policy, id: str) -> tuple[Terminal, bool]:
    """The terminal, and whether the actor may type into it now."""
    return get(tx, actor=actor, id=id), rules.may_drive(actor, policy=policy)


def list_page(
    tx: Tx,
    *,
    actor: Actor,
    room: str | None = None,
    topic: int | None = None,
    is_all: bool = False,
    after: str | None = None,
    limit: int = 50,
) -> Page[Terminal]:
    """Newest first, only those that live unless `is_all`."""
    count = parse_limit(limit)
    found = terminals.page(
        tx,
        actor=actor,
        place=parse_place(after, default=NEWEST),
        limit=count + 1,
        room_id=None if room is None else access.room(tx, actor, room).id,
        topic_id=None if topic is None else access.topic(tx, actor, topic).id,
        is_all=is_all,
    )
    return page_of(found, limit=count, cursor=lambda terminal: render_place(terminal.created_at, terminal.id))


# What its computer says


def own(tx: Tx, *, actor: Actor, id: str) -> Terminal:
    """A terminal of the computer that asks; `Conflict` when it has ended, and whoever has it may forget it."""
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only the computer that has the terminal does this", terminal=id)
    found = terminals.find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or found.computer_id != actor.id:
        raise NotFound(f"there is no terminal {id}", terminal=id)
    if not found.lives:
        raise Conflict(f"the terminal is {found.state}", terminal=id, state=found.state)
    return found


def has_opened(tx: Tx, *, actor: Actor, id: str, folder: str) -> Terminal:
    """Its computer has it, in this folder; said again whenever the daemon comes back."""
    rooms.lock(tx, room_id=own(tx, actor=actor, id=id).room_id)
    terminal = own(tx, actor=actor, id=id)
    now = rules.opened(terminal, folder=folder or None, now=tx.now)
    if now is not terminal:
        terminals.put(tx, now, was=terminal)
        _emit(tx, "terminal.changed", now)
        _note(tx, now, f"{now.opened_by} opened {_what(tx, now)}")
    return now


def has_ended(tx: Tx, *, actor: Actor, id: str, exit: int | None, reason: str) -> Terminal:
    """Its program is gone."""
    rooms.lock(tx, room_id=own(tx, actor=actor, id=id).room_id)
    return _end(tx, own(tx, actor=actor, id=id), exit=exit, reason=reason)


def is_used(tx: Tx, *, workspace_id: str, id: str) -> None:
    """Somebody watches or types, or it prints something."""
    if terminals.find(tx, workspace_id=workspace_id, id=id) is not None:
        terminals.touch(tx, id=id)


def order_done(tx: Tx, *, actor: Actor, kind: str, id: str, ok: bool, detail: str) -> None:
    """A daemon says what became of an order to open or close. After this the terminal is open, or it is gone."""
    found = terminals.find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or found.computer_id != actor.id:
        return
    rooms.lock(tx, room_id=found.room_id)
    terminal = _reread(tx, found)
    if terminal.lives and (kind == CLOSE or not ok):
        _end(tx, terminal, exit=None, reason=detail)


# What ends them all


def any_overdue(tx: Tx, *, policy: Policy) -> bool:
    """Whether `reap` has anything to do."""
    return bool(terminals.overdue(tx, open_within=rules.OPEN_WITHIN, idle_for=policy.idle_for, limit=1))


def reap(tx: Tx, *, policy: Policy) -> int:
    """Give up what did not open in time, and have closed what nobody used for long; how many."""
    due = terminals.overdue(tx, open_within=rules.OPEN_WITHIN, idle_for=policy.idle_for, limit=REAP_LIMIT)
    for room_id in sorted({terminal.room_id for terminal in due}):
        rooms.lock(tx, room_id=room_id)
    for seen in due:
        terminal = _reread(tx, seen)
        if terminal != seen:
            continue
        if terminal.state is rules.State.OPENING:
            seconds = rules.OPEN_WITHIN // 1000
            _end(tx, terminal, exit=None, reason=f"its computer did not open it within {seconds} seconds")
            _drop_orders(tx, terminal)
        else:
            why = f"nobody used it for {_span(policy.idle_for)}"
            audit.record(
                tx,
                actor=system(terminal.workspace_id),
                action="terminal.closed",
                target=terminal.id,
                detail={"reason": why},
            )
            _order_close(tx, terminal, rules.closing(terminal, reason=why))
    return len(due)


def end_of_computer(tx: Tx, *, computer_id: str) -> None:
    """Its key is revoked, it can report no more."""
    live = terminals.live_on_computer(tx, computer_id=computer_id)
    for room_id in sorted({terminal.room_id for terminal in live}):
        rooms.lock(tx, room_id=room_id)
    for terminal in live:
        _end(tx, _reread(tx, terminal), exit=None, reason="its computer is revoked")


def close_of_agent(tx: Tx, *, workspace_id: str, agent: str) -> None:
    """The agent is deleted."""
    for terminal in terminals.live_of_agent(tx, workspace_id=workspace_id, agent=agent):
        rooms.lock(tx, room_id=terminal.room_id)
        now = _reread(tx, terminal)
        asked = rules.closing(now, reason="the agent is deleted")
        if asked is not now:
            _order_close(tx, now, asked)


def end_of_room(tx: Tx, *, room_id: str) -> None:
    """The room is gone: they are ended here at once, and on their computers when those hear of it. The room's row is
    locked.
    """
    for terminal in terminals.live_in_room(tx, room_id=room_id):
        _drop_orders(tx, terminal)
        _command(tx, terminal, CLOSE)
        terminals.put(tx, rules.ended(terminal, exit=None, reason="the room has ended", now=tx.now), was=terminal)


def of_lane(tx: Tx, *, topic_id: int, agent: str) -> Terminal | None:
    """The terminal that holds the lane of an agent in a topic."""
    return terminals.of_lane(tx, topic_id=topic_id, agent=agent)


def _topic(tx: Tx, *, actor: Actor, room: Room, id: int | None) -> Topic:
    found = access.topic(tx, actor, room.default_topic if id is None else id)
    if found.room_id != room.id:
        raise NotFound(f"there is no topic {id} in room {room.name}", topic=id, room=room.name)
    return found


def _agent(tx: Tx, *, actor: Actor, room: Room, key: str) -> Agent:
    found = access.agent(tx, actor, key)
    if found.key not in {member.key for member in rooms.agents_in(tx, room_id=room.id)}:
        raise NotFound(f"there is no agent {key} in room {room.name}", agent=key, room=room.name)
    return found


def _for_agent(
    tx: Tx, *, room: Room, topic: Topic, agent: Agent | None, computer: str | None
) -> tuple[Agent, Computer, Session]:
    """The agent, its computer and its conversation. The room's row is locked."""
    if agent is None:
        raise Invalid("a terminal of the kind agent needs the agent", field="agent")
    if agent.computer is None:
        raise Conflict(f"{agent.key} is assigned to no computer", agent=agent.key)
    place = computer_rows.get(tx, agent.computer)
    assert place is not None, "an assignment has a computer"
    if computer is not None and computer not in (place.id, place.name):
        raise Invalid(f"{agent.key} lives on {place.name}, so its terminal is there", field="computer")
    _need_here(place)
    if (holder := terminals.of_lane(tx, topic_id=topic.id, agent=agent.key)) is not None:
        raise Conflict(
            f"{agent.key} has a terminal in this topic already, {holder.id}: pal attach {holder.id}",
            terminal=holder.id,
        )
    if delivery_rows.lane_is_open(tx, topic_id=topic.id, agent=agent.key):
        run = run_rows.live_of_lane(tx, topic_id=topic.id, agent=agent.key)
        what = "has a message waiting" if run is None else f"works in run {run.id}"
        raise Conflict(
            f"{agent.key} {what} in this topic: its terminal can be opened when that is done", agent=agent.key
        )
    if not any(state.name == agent.runtime and state.capabilities.get(CAPABILITY) for state in place.runtimes):
        raise Conflict(
            f"{agent.runtime} on {place.name} cannot be used in a terminal; a shell can", runtime=agent.runtime
        )
    session = sessions.current(tx, workspace_id=room.workspace_id, topic_id=topic.id, agent=agent.key)
    if session.native_session is None or not session.is_on(place.id):
        raise Conflict(
            f"{agent.key} has no conversation in this topic that could go on in a terminal: send it a message first",
            agent=agent.key,
        )
    return agent, place, session


def _for_shell(
    tx: Tx, *, actor: Actor, topic: Topic, agent: Agent | None, computer: str | None
) -> tuple[Agent | None, Computer]:
    """Whose folder, if anybody's, and which computer."""
    if agent is None and computer is None and (worked := run_rows.last_in_topic(tx, topic_id=topic.id)) is not None:
        agent = agent_rows.get(tx, worked.agent, workspace_id=actor.workspace_id)
    if computer is not None:
        place = access.computer(tx, actor, computer)
    elif agent is not None and agent.computer is not None:
        place = access.computer(tx, actor, agent.computer)
    else:
        place = _only_one_here(tx, actor=actor)
    _need_here(place)
    return agent if agent is not None and agent.computer == place.id else None, place


def _only_one_here(tx: Tx, *, actor: Actor) -> Computer:
    every = computer_rows.list_page(tx, workspace_id=actor.workspace_id, place=OLDEST, limit=1000)
    here = [computer for computer in every if computer.status in _HERE]
    if not here:
        raise Conflict("no computer is online")
    if len(here) > 1:
        names = [computer.name for computer in here]
        raise Invalid(f"name the computer: {', '.join(names)} are online", field="computer", computers=names)
    return here[0]


def _need_here(computer: Computer) -> None:
    if computer.status not in _HERE:
        raise Conflict(f"{computer.name} is {computer.status}", computer=computer.id, status=computer.status)


def _order_close(tx: Tx, was: Terminal, asked: Terminal) -> Terminal:
    """The room's row is locked."""
    terminals.put(tx, asked, was=was)
    _command(tx, asked, CLOSE)
    closing = _reread(tx, asked)
    _emit(tx, "terminal.changed", closing)
    return closing


def _end(tx: Tx, terminal: Terminal, *, exit: int | None, reason: str) -> Terminal:
    """The room's row is locked."""
    gone = rules.ended(terminal, exit=exit, reason=reason, now=tx.now)
    terminals.put(tx, gone, was=terminal)
    _emit(tx, "terminal.ended", gone)
    _note(tx, gone, rules.describe_end(gone))
    if gone.kind is Kind.AGENT and gone.agent is not None:
        delivery_rows.promote(tx, topic_id=gone.topic_id, agent=gone.agent)
        deliveries.wake_agent(tx, workspace_id=gone.workspace_id, agent=gone.agent)
    return gone


def _drop_orders(tx: Tx, terminal: Terminal) -> None:
    """What its computer has not carried out yet."""
    for command in commands.open_for(tx, computer_id=terminal.computer_id):
        if command.kind in (OPEN, CLOSE) and command.data.get("terminal") == terminal.id:
            commands.done(tx, id=command.id, computer_id=command.computer_id, ok=False, detail="it has ended")


def _command(tx: Tx, terminal: Terminal, kind: str) -> None:
    commands.add(
        tx,
        workspace_id=terminal.workspace_id,
        computer_id=terminal.computer_id,
        kind=kind,
        run_id=None,
        data={"terminal": terminal.id},
    )
    tx.wake(f"commands:{terminal.computer_id}")


def _note(tx: Tx, terminal: Terminal, text: str) -> None:
    room = rooms.find(tx, workspace_id=terminal.workspace_id, ref=terminal.room_id)
    assert room is not None, "a terminal has a room"
    cards.say(tx, room=room, topic_id=terminal.topic_id, parent_id=None, content=text)


def _what(tx: Tx, terminal: Terminal) -> str:
    computer = computer_rows.get(tx, terminal.computer_id)
    place = "a computer that is gone" if computer is None else computer.name
    if terminal.kind is Kind.AGENT:
        return (
            f"{terminal.agent} in a terminal on {place}: what is said to {terminal.agent} here waits until it is closed"
        )
    return f"a shell on {place}{f' in {terminal.folder}' if terminal.folder else ''}"


def _span(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 60} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} seconds"


def _reread(tx: Tx, terminal: Terminal) -> Terminal:
    found = terminals.find(tx, workspace_id=terminal.workspace_id, id=terminal.id)
    assert found is not None, "a terminal is never removed"
    return found


def _emit(tx: Tx, kind: str, terminal: Terminal) -> None:
    tx.wake(f"terminal:{terminal.id}")
    tx.emit(kind, workspace_id=terminal.workspace_id, room_id=terminal.room_id, data=terminal.fact())
