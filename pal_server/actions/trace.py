"""Why is there no reply? Follows a message link by link, in plain words, and names the first broken one."""

from dataclasses import dataclass
from typing import Any

from pal_server.actions import access, cards, outside_trace
from pal_server.domain.actors import Actor
from pal_server.domain.addressing import Reason
from pal_server.domain.agents import Agent, Readiness
from pal_server.domain.computers import Computer, ComputerStatus
from pal_server.domain.deliveries import Delivery, Status
from pal_server.domain.interactions import Interaction
from pal_server.domain.messages import Message, mentions_in
from pal_server.domain.rooms import Mode
from pal_server.domain.runs import Run
from pal_server.domain.runs import Status as RunStatus
from pal_server.domain.slash import parse_slash
from pal_server.storage import accounts as account_rows
from pal_server.storage import agents as agent_rows
from pal_server.storage import computers as computer_rows
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import interactions, messages, rooms, runs, terminals
from pal_server.storage.tx import Tx

RULES = {
    Reason.MENTION: "it was called by name",
    Reason.REPLY: "the message answers one of its own",
    Reason.ALL: "it hears every message of a person here",
    Reason.DIRECT: "it was its turn",
    Reason.PERIODIC: "its digest was due",
    Reason.SCHEDULE: "a schedule asked for it",
    Reason.TASK: "a task was started",
    Reason.MANUAL: "somebody gave it the message by hand",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One link: `ok` is True when done, False when broken here, None when not reached yet."""

    what: str
    text: str
    ok: bool | None
    at: int | None = None
    facts: dict[str, Any]
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    message: int
    steps: tuple[Step, ...]

    @property
    def first_broken(self) -> Step | None:
        return next((step for step in self.steps if step.ok is False), None)


def of_message(tx: Tx, *, actor: Actor, id: int) -> Trace:
    """Everything that became of a message, in order."""
    message = access.message(tx, actor, id)
    who = f"{message.sender.kind} {message.sender.name}"
    outside = outside_trace.received(tx, workspace_id=actor.workspace_id, message_id=id)
    steps = [
        *_outside(outside),
        Step(
            what="stored",
            at=message.created_at,
            ok=True,
            text=f"stored as number {message.seq} of room {message.room_name}, from {who}",
            facts={"seq": message.seq, "topic": message.topic_id},
        ),
    ]
    if message.deleted_at is not None:
        steps.append(_step("deleted", "it was deleted; what waited for it was dropped", ok=True, at=message.deleted_at))
    made = delivery_rows.of_message(tx, message_id=id)
    joined = [
        found
        for delivery_id in delivery_rows.bursts_of(tx, message_id=id)
        if (found := delivery_rows.find(tx, workspace_id=actor.workspace_id, id=delivery_id)) is not None
    ]
    steps.extend(_addressed(tx, message=message, made=[*made, *joined]))
    for delivery in [*made, *joined]:
        steps.extend(_followed(tx, delivery=delivery, is_joined=delivery in joined))
    return Trace(message=id, steps=tuple(steps))


def _addressed(tx: Tx, *, message: Message, made: list[Delivery]) -> list[Step]:
    members = {agent.key.lower(): agent for agent in rooms.agents_in(tx, room_id=message.room_id)}
    people = {person.username.lower() for person in rooms.people_in(tx, room_id=message.room_id)}
    has = {delivery.agent.lower() for delivery in made}
    steps = []
    for name in dict.fromkeys([*message.mentions, *message.unresolved, *mentions_in(message.content)]):
        key = name.lower()
        if key in has or key in people:
            continue
        agent = members.get(key)
        if agent is None:
            known = agent_rows.get(tx, key, workspace_id=message.workspace_id) is not None
            steps.append(
                _step(
                    "addressed",
                    f"{name} is not in room {message.room_name}"
                    if known
                    else f"there is no agent or person called {name}",
                    ok=False,
                    advice=(
                        f"invite it: pal cli rooms invite --room {message.room_name} --agent {name}"
                        if known
                        else "see who can be called: pal cli rooms members, pal console agents list"
                    ),
                )
            )
        elif agent.mode is Mode.OFF:
            steps.append(
                _step(
                    "addressed",
                    f"the mode of {agent.key} is off in room {message.room_name}, so nobody can call it there",
                    ok=False,
                    advice=f"pal cli rooms invite --room {message.room_name} --agent {agent.key} --mode mentions",
                )
            )
        elif agent.mode in (Mode.MUTED, Mode.PERIODIC):
            steps.append(
                _step(
                    "addressed",
                    f"{agent.key} is {agent.mode} in this room, so the message is kept and nothing runs",
                    ok=agent.mode is Mode.PERIODIC,
                    advice=f"pal cli rooms invite --room {message.room_name} --agent {agent.key} --mode mentions",
                )
            )
        elif not agent.enabled:
            steps.append(
                _step(
                    "addressed",
                    f"{agent.key} is disabled",
                    ok=False,
                    advice=f"pal console agents update --key {agent.key} --enable",
                )
            )
        elif (why := _held(tx, message=message)) is not None:
            steps.append(why)
    if not made and parse_slash(message.content) is not None and message.sender.kind != "agent":
        return [_step("addressed", "it is a command to pal, which answered it in the topic; no agent runs", ok=True)]
    if not steps and not made and message.deleted_at is None:  # nobody can tell any more what it said
        text = (
            "it calls nobody by name, answers no agent, and no agent here hears every message: it is for people to read"
            if message.sender.kind != "agent"
            else "it calls nobody by name"
        )
        steps.append(_step("addressed", text, ok=True))
    return steps


def _held(tx: Tx, *, message: Message) -> Step | None:
    asked = interactions.pending_of_chain(tx, chain_id=message.chain_id)
    if asked is None or message.id not in asked.held:
        return None
    return _step(
        "addressed",
        f"held: {asked.body}, and a person has to let it go on",
        ok=False,
        advice=f"pal cli approve {asked.id}",
    )


def _followed(tx: Tx, *, delivery: Delivery, is_joined: bool) -> list[Step]:
    steps = [
        _step(
            "addressed",
            f"for {delivery.agent}: "
            + ("joined a message that waited already" if is_joined else RULES[delivery.reason]),
            ok=True,
            at=delivery.created_at,
            delivery=delivery.id,
        )
    ]
    attempts = runs.of_delivery(tx, delivery_id=delivery.id)
    for run in attempts:
        steps.extend(_ran(tx, run=run))
    match delivery.status:
        case Status.PENDING:
            steps.append(_waits(tx, delivery=delivery))
        case Status.ACKED if delivery.read_step is not None:
            text = f"run {delivery.steered_into} read it while it worked, at step {delivery.read_step}"
            steps.append(_step("read", text, ok=True, at=delivery.updated_at, run=delivery.steered_into))
        case Status.CLAIMED if not delivery.started:
            name = _computer_name(tx, delivery.computer_id)
            steps.append(
                _step("claimed", f"{name} has claimed it and prepares the run", ok=True, at=delivery.updated_at)
            )
        case Status.CANCELLED:
            steps.append(_step("delivered", "the delivery was cancelled before anybody worked on it", ok=False))
        case Status.DEAD:
            steps.append(
                _step(
                    "claimed",
                    f"given up after {delivery.attempts} attempts: {delivery.error}",
                    ok=False,
                    advice=f"look at the daemon's log, then: pal console deliveries retry {delivery.id}",
                )
            )
        case _:
            pass
    return steps


def _waits(tx: Tx, *, delivery: Delivery) -> Step:
    if delivery.waits:
        place = delivery_rows.before_in_lane(
            tx, topic_id=delivery.topic_id, agent=delivery.agent, id=delivery.id, ahead=delivery.ahead
        )
        if delivery.steered_into is not None:
            text = f"told to run {delivery.steered_into} of {delivery.agent}, which has not said that it read it"
            return _step("read", text, ok=None, run=delivery.steered_into, place=place)
        held = terminals.of_lane(tx, topic_id=delivery.topic_id, agent=delivery.agent)
        if held is not None:
            return _step(
                "claimed",
                f"waits: {delivery.agent} is used in a terminal that {held.opened_by} opened",
                ok=None,
                advice=f"pal attach {held.id}, or end it: pal terminal --close {held.id}",
                at=held.created_at,
                terminal=held.id,
                place=place,
            )
        return _step(
            "claimed", f"waits: {delivery.agent} is busy in this topic, {place} before it", ok=None, place=place
        )
    agent = agent_rows.get(tx, delivery.agent, workspace_id=delivery.workspace_id)
    computer = None if agent is None or agent.computer is None else computer_rows.get(tx, agent.computer)
    return _unclaimed(tx, delivery=delivery, agent=agent, computer=computer)


def _unclaimed(tx: Tx, *, delivery: Delivery, agent: Agent | None, computer: Computer | None) -> Step:
    if agent is None:
        return _step("claimed", f"there is no agent {delivery.agent} any more", ok=False)
    if computer is None:
        return _step(
            "claimed",
            f"{agent.key} is assigned to no computer, so nobody can claim it",
            ok=False,
            advice=f"pal console agents update --key {agent.key} --computer-id machine_…",
        )
    if computer.status is ComputerStatus.PROVISIONED:
        return _step(
            "claimed",
            f"no daemon has ever connected from {computer.name}, the computer of {agent.key}",
            ok=False,
            advice="start it with the command that provisioning printed, or pal up",
        )
    if computer.status is ComputerStatus.REVOKED:
        return _step(
            "claimed",
            f"the key of {computer.name} is revoked",
            ok=False,
            advice="provision a computer and assign the agent to it",
        )
    if computer.status is ComputerStatus.OFFLINE:
        return _step(
            "claimed",
            f"{computer.name}, the computer of {agent.key}, is offline",
            ok=False,
            advice=f"start its daemon; pal doctor on {computer.name} says what is wrong there",
            last_seen_at=computer.last_seen_at,
        )
    if computer.status is ComputerStatus.DRAINING:
        return _step(
            "claimed",
            f"{computer.name} is draining and takes nothing new",
            ok=False,
            advice=f"pal console computers drain {computer.name} --off",
        )
    if agent.runtime_state is Readiness.UNAVAILABLE:
        return _step("claimed", f"{agent.key} cannot run: {agent.runtime_note}", ok=False, advice=agent.runtime_note)
    held = delivery_rows.held_on(tx, computer_id=computer.id)
    if held.get(agent.key, 0) >= agent.concurrency or sum(held.values()) >= computer.max_runs:
        return _step("claimed", f"waits: {computer.name} runs as much as it may", ok=None, running=sum(held.values()))
    if delivery.not_before > tx.now:
        return _step("claimed", "waits a moment for the rest of what is being said", ok=None, until=delivery.not_before)
    return _step("claimed", f"waits for {computer.name}, which is online", ok=None, since=delivery.updated_at)


def _ran(tx: Tx, *, run: Run) -> list[Step]:
    name = _computer_name(tx, run.computer_id)
    steps = [
        _step("claimed", f"claimed by {name}", ok=True, at=run.created_at, run=run.id),
    ]
    if run.pid is not None:
        steps.append(
            _step("started", f"run {run.id} is process {run.pid} on {name}", ok=True, at=run.started_at, pid=run.pid)
        )
    first = runs.events(tx, run_id=run.id, after=0, limit=1)
    if first:
        steps.append(_step("first output", f"run {run.id} said something first", ok=True, at=first[0].at))
    for asked in interactions.pending_of_run(tx, run_id=run.id):
        steps.append(
            _step(
                "asked",
                f"it waits for {_whom(asked)}: {asked.title}",
                ok=False,
                at=asked.created_at,
                advice=f"pal cli answer {asked.id} …" if asked.kind == "question" else f"pal cli approve {asked.id}",
            )
        )
    steps.append(_end(tx, run=run, name=name))
    if (said := messages.last_of_run(tx, topic_id=run.topic_id, run_id=run.id)) is not None:
        steps.append(
            _step("answered", f"answered with message {said.id}", ok=True, at=said.created_at, message=said.id)
        )
        steps += _outside(outside_trace.shown(tx, workspace_id=run.workspace_id, message_id=said.id))
    elif (draft := cards.held_draft(tx, run_id=run.id, message_id=run.message_id)) is not None:
        text = "its answer is held: something newer was said that it has not read"
        advice = f"pal cli draft {draft.id} send, revise or drop"
        steps.append(_step("answered", text, ok=False, at=draft.created_at, advice=advice, message=draft.id))
    return steps


def _outside(steps: list[outside_trace.OutsideStep]) -> list[Step]:
    return [
        Step(what=one.what, text=one.text, ok=one.ok, at=one.at, facts=one.facts, advice=one.advice) for one in steps
    ]


def _whom(asked: Interaction) -> str:
    if asked.needs == 1:
        return "a person"
    have = len(asked.approvals)
    return (
        f"{asked.needs} people" if not have else f"{asked.needs - have} more, as {asked.needs} people have to approve"
    )


def _end(tx: Tx, *, run: Run, name: str) -> Step:
    if run.is_live:
        computer = None if run.computer_id is None else computer_rows.get(tx, run.computer_id)
        if computer is not None and computer.status is ComputerStatus.OFFLINE:
            return _step(
                "ended",
                f"{name} has been offline since the run started: what became of it shows when it returns",
                ok=False,
                advice=f"start the daemon on {name} again",
            )
        if run.stalled_since is not None:
            return _step("ended", "it is still running, but has given no sign for long", ok=None, at=run.stalled_since)
        return _step("ended", f"it is still {run.status}", ok=None)
    match run.status:
        case RunStatus.SUCCEEDED | RunStatus.DRY_RUN:
            return _step("ended", f"run {run.id} {run.status.replace('_', ' ')}", ok=True, at=run.ended_at)
        case RunStatus.CANCELLED:
            by = "" if run.wanted is None else f" ({run.wanted})"
            return _step("ended", f"run {run.id} was ended by a person{by}", ok=True, at=run.ended_at)
        case RunStatus.INTERRUPTED:
            advice = f"pal cli choose {run.id} resume, start-over, drop or keep-files"
            return _step(
                "ended",
                f"run {run.id} was interrupted: nobody knows how it ended",
                ok=False,
                at=run.ended_at,
                advice=advice,
            )
        case _:
            code = "" if run.exit_code is None else f" with exit code {run.exit_code}"
            why = run.error or (run.stderr or "").strip()[-300:]
            return _step(
                "ended",
                f"run {run.id} failed{code}" + (f": {why}" if why else ""),
                ok=False,
                at=run.ended_at,
                advice=f"{_log_in(tx, run, name)}; then pal console deliveries retry {run.delivery_id}",
            )


def _log_in(tx: Tx, run: Run, name: str) -> str:
    """What to look at; where nobody was logged in, how somebody is, as the program's own word for it is of no use."""
    agent = agent_rows.get(tx, run.agent, workspace_id=run.workspace_id)
    if run.error_kind != "auth" or agent is None:
        return f"pal logs {run.id}"
    account = None if agent.account is None else account_rows.get(tx, agent.account, workspace_id=agent.workspace_id)
    if account is None:
        return f"on {name}: pal cli auth login {agent.runtime}, or give {agent.key} an account"
    return f"on {name}: pal cli auth login {account.label}, or pal cli auth set {account.label}"


def _computer_name(tx: Tx, id: str | None) -> str:
    computer = None if id is None else computer_rows.get(tx, id)
    return "an unknown computer" if computer is None else computer.name


def _step(what: str, text: str, *, ok: bool | None, at: int | None = None, advice: str = "", **facts: Any) -> Step:
    return Step(what=what, text=text, ok=ok, at=at, advice=advice, facts=facts)
