"""Commands to pal, said by a person to an agent, answered in the topic. No agent runs for them.

What an agent or a bare key says never is a command: text must not order anybody about.
"""

from pal_server.actions import audit, cards, choices, orders, sessions, steering
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.agents import AgentMode
from pal_server.domain.messages import Message
from pal_server.domain.profiles import is_outdated, thaw
from pal_server.domain.rooms import AgentMember, Room
from pal_server.domain.runs import Wanted
from pal_server.domain.slash import COMMANDS, Slash, parse_slash
from pal_server.errors import Invalid
from pal_server.storage import agents as agent_rows
from pal_server.storage import choices as choice_rows
from pal_server.storage import computers, deliveries, runs
from pal_server.storage.tx import Tx

_BACK = ("default", "off", "none")


def command_of(message: Message, *, by: Actor | None) -> Slash | None:
    """The command this message is, if a person may give it."""
    is_person = by is not None and by.kind in (ActorKind.USER, ActorKind.BRIDGE)
    return parse_slash(message.content) if is_person else None


def carry_out(tx: Tx, *, actor: Actor, room: Room, message: Message, agent: AgentMember, command: Slash) -> str:
    """Do what it says for one agent in the topic, and say so there. The room's row is locked."""
    text = _answer(tx, actor=actor, message=message, agent=agent, command=command)
    cards.answer(tx, room=room, message=message, content=text)
    return text


def to_nobody(tx: Tx, *, room: Room, message: Message, command: Slash) -> None:
    """It calls no agent: say how."""
    text = f"/{command.name} is said to an agent, as in: @name /{command.name}\n\n{_help()}"
    cards.answer(tx, room=room, message=message, content=text)


def _answer(tx: Tx, *, actor: Actor, message: Message, agent: AgentMember, command: Slash) -> str:
    match command.name:
        case "help":
            return (
                f"What {agent.key} and pal understand:\n{_help()}\n\nAny other word with a slash goes to {agent.key}."
            )
        case "new" | "clear":
            return _begin_anew(tx, message=message, agent=agent) + _not_passed_on(command)
        case "stop":
            return _stop(tx, actor=actor, message=message, agent=agent) + _not_passed_on(command)
        case "plan":
            return _plan(tx, actor=actor, message=message, agent=agent, wanted=command.rest)
        case "model" | "effort":
            return _choose(tx, actor=actor, message=message, agent=agent, command=command)
        case _:
            return _status(tx, message=message, agent=agent)


def _help() -> str:
    return "\n".join(f"/{name}: {about}" for name, about in COMMANDS.items())


def _not_passed_on(command: Slash) -> str:
    return f"\n\nWhat stands after /{command.name} was not passed on: say it on its own." if command.rest else ""


def _begin_anew(tx: Tx, *, message: Message, agent: AgentMember) -> str:
    session = sessions.begin_anew(
        tx,
        workspace_id=message.workspace_id,
        topic_id=message.topic_id,
        agent=agent.key,
        seen_message=message.id,
    )
    live = steering.live_run(tx, topic_id=message.topic_id, agent=agent.key)
    text = f"{agent.key} begins session {session.generation} here with the next message. What was said stays."
    return text if live is None else f"{text} Run {live.id}, which works now, goes on in the old one."


def _stop(tx: Tx, *, actor: Actor, message: Message, agent: AgentMember) -> str:
    live = steering.live_run(tx, topic_id=message.topic_id, agent=agent.key)
    if live is None:
        return f"{agent.key} does nothing in this topic now."
    if live.wanted is not None:
        return f"Run {live.id} of {agent.key} is being ended already."
    computer = None if live.computer_id is None else computers.get(tx, live.computer_id)
    if computer is None or computer.revoked_at is not None:
        return f"Run {live.id} of {agent.key} is on a computer that is revoked: kill it instead."
    orders.end(tx, run=live, wanted=Wanted.STOP, by=actor.name)
    audit.record(tx, actor=actor, action="run.stop", target=f"run:{live.id}", detail={"reason": "/stop"})
    waiting = deliveries.waiting_in_lane(tx, topic_id=message.topic_id, agent=agent.key)
    then = f" {waiting} that wait go on after it." if waiting else ""
    return f"Run {live.id} of {agent.key} is asked to stop; the next message goes on in the same session.{then}"


def _plan(tx: Tx, *, actor: Actor, message: Message, agent: AgentMember, wanted: str) -> str:
    if wanted not in ("", "on", *_BACK):
        return "/plan and /plan off are all there is: say what to plan in a message of its own."
    mode = None if wanted in _BACK else AgentMode.PLAN
    choices.change(tx, actor=actor, topic=message.topic_id, agent=agent.key, mode=mode)
    if mode is None:
        return f"{agent.key} works here as its profile says again{_from_when(tx, message=message, agent=agent)}."
    return f"{agent.key} plans here and changes nothing{_from_when(tx, message=message, agent=agent)}."


def _choose(tx: Tx, *, actor: Actor, message: Message, agent: AgentMember, command: Slash) -> str:
    present = agent_rows.get(tx, agent.key, workspace_id=message.workspace_id)
    assert present is not None, "it is in the room"
    session = runs.newest_session(tx, topic_id=message.topic_id, agent=agent.key)
    profile = present if session is None else thaw(present, session.profile)
    before = choice_rows.find(tx, topic_id=message.topic_id, agent=agent.key)
    own, chosen = (profile.model, before.model) if command.name == "model" else (profile.effort, before.effort)
    if not command.rest:
        here = f"{chosen} (chosen here)" if chosen else own or "what its program chooses"
        return f"The {command.name} of {agent.key} is {here}. /{command.name} NAME changes it in this topic."
    wanted = None if command.rest in _BACK else command.rest
    try:
        choices.change(tx, actor=actor, topic=message.topic_id, agent=agent.key, **{command.name: wanted})
    except Invalid as wrong:
        return wrong.message
    now = wanted or own or "what its program chooses"
    return f"The {command.name} of {agent.key} in this topic is {now}{_from_when(tx, message=message, agent=agent)}."


def _from_when(tx: Tx, *, message: Message, agent: AgentMember) -> str:
    live = steering.live_run(tx, topic_id=message.topic_id, agent=agent.key)
    return " from its next turn on" if live is None else f" from its next turn on; run {live.id} goes on as it began"


def _status(tx: Tx, *, message: Message, agent: AgentMember) -> str:
    present = agent_rows.get(tx, agent.key, workspace_id=message.workspace_id)
    assert present is not None, "it is in the room"
    choice = choice_rows.find(tx, topic_id=message.topic_id, agent=agent.key)
    session = runs.newest_session(tx, topic_id=message.topic_id, agent=agent.key)
    profile = present if session is None else thaw(present, session.profile)
    live = steering.live_run(tx, topic_id=message.topic_id, agent=agent.key)
    lines = [
        f"{agent.key}: {profile.runtime} on {agent.computer_name or 'no computer'}"
        + ("" if agent.computer_online else ", which is not there now"),
        "does nothing here now" if live is None else f"run {live.id} is {live.status}",
        f"{deliveries.waiting_in_lane(tx, topic_id=message.topic_id, agent=agent.key)} wait",
        f"model {choice.model or profile.model or 'of the program'},"
        f" effort {choice.effort or profile.effort or 'of the program'}, mode {choice.mode or profile.mode}",
        "no session yet" if session is None else f"session {session.generation}",
    ]
    if session is not None and is_outdated(session.profile, agent=present):
        lines.append(
            "its profile was changed since this session began: /new begins with it,"
            f" `pal console agents apply --key {agent.key}` goes on with it"
        )
    return "\n".join(lines)
