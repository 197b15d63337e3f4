"""What a claim hands out: who runs, where, and the composed prompt. One place, the same for every runtime."""

from dataclasses import dataclass, replace
from typing import Any

from pal_server.actions import briefings, introductions, sessions
from pal_server.domain.agents import Agent
from pal_server.domain.bots import PROMPT, prompt_text
from pal_server.domain.computers import Computer
from pal_server.domain.deliveries import Delivery
from pal_server.domain.findings import Kind
from pal_server.domain.messages import Message, without_mention
from pal_server.domain.profiles import thaw
from pal_server.domain.prompts import RECAP_LIMIT, RECENT_LIMIT, compose_recap
from pal_server.domain.prompts import compose as compose_prompt
from pal_server.domain.rooms import Room, Topic
from pal_server.domain.runs import Session
from pal_server.domain.task_prompts import tell_plan
from pal_server.domain.turns import Turn
from pal_server.storage import accounts, bots, choices, deliveries, inbound, messages, rooms, runs, tasks
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What one attempt is given: `work` in the shape of the contract's `Work`, and the part of it its run is asked for
    later.
    """

    work: dict[str, Any]
    turn: Turn

    @property
    def prompt(self) -> str:
        return str(self.work["prompt"])

    @property
    def recap(self) -> str:
        return str(self.work["recap"])


def compose(tx: Tx, *, delivery: Delivery, agent: Agent, computer: Computer) -> Composed:
    """The work of one attempt, on the computer that claims it."""
    room = rooms.find(tx, workspace_id=delivery.workspace_id, ref=delivery.room_id)
    topic = rooms.find_topic(tx, workspace_id=delivery.workspace_id, id=delivery.topic_id)
    assert room is not None, "a delivery has a room"
    assert topic is not None, "a delivery has a topic"
    session = session_for(tx, delivery=delivery)
    agent = thaw(agent, session.profile)
    said = burst_of(tx, delivery)
    before = runs.last_of_delivery(tx, delivery_id=delivery.id) if delivery.run_id is not None else None
    native = session.native_session if session.is_on(delivery.computer_id) else None
    nonce = tx.new_id("mark").removeprefix("mark_")[:12]
    is_afresh = native is None and _is_lost(tx, session=session, agent=agent, computer=computer)
    recap = _recap(tx, session=session, said=said, nonce=nonce) if native is not None or is_afresh else ""
    profile = _profile(tx, agent=agent, room=room, topic=topic)
    prompt = _prompt(
        tx,
        agent=agent,
        room=room,
        topic=topic,
        session=session,
        said=said,
        delivery=delivery,
        nonce=nonce,
        recap=recap if is_afresh else "",
    )
    slash = _slash(tx, agent=agent, said=said)
    work = {
        "agent": profile,
        "prompt": prompt,
        "content": "\n".join(without_mention(message.content, agent=agent.key) for message in said),
        "slash": slash,
        "room": room.id,
        "room_name": room.name,
        "topic": topic.id,
        "message": delivery.message_id,
        "session": session.id,
        "native_session": native,
        "recap": "" if is_afresh else recap,
        "generation": session.generation,
        "files": [file for message in said for file in message.files],
        "restart_of": None if before is None else before.id,
        "resume": before is not None and not delivery.fresh,
        "env": {},
    }
    turn = Turn(
        runtime=profile["runtime"],
        model=profile["model"],
        effort=profile["effort"],
        mode=profile["settings"]["mode"],
        is_afresh=is_afresh,
        has_recap=is_afresh and slash is None,  # a command is given to the program in place of the prompt
    )
    return Composed(work=work, turn=turn)


def _is_lost(tx: Tx, *, session: Session, agent: Agent, computer: Computer) -> bool:
    """Whether there was a conversation the agent's program would go on with, and it lies on another computer."""
    if session.seen_message == 0 or not computer.can(agent.runtime, "resume"):
        return False
    if session.native_session is not None:
        return True
    heard_on = runs.last_heard_on(tx, session_id=session.id)  # a start that failed there has begun nothing
    return heard_on not in (None, computer.id)


def _recap(tx: Tx, *, session: Session, said: list[Message], nonce: str) -> str:
    """The last of what the session was told and answered, without what the prompt has anyway."""
    mine = {message.id for message in said}
    known = messages.recap(
        tx,
        topic_id=session.topic_id,
        seen=session.seen_message,
        agent=session.agent,
        limit=RECAP_LIMIT + len(mine),
    )
    return compose_recap([message for message in known if message.id not in mine][-RECAP_LIMIT:], nonce=nonce)


def for_terminal(
    tx: Tx, *, agent: Agent, room: Room, topic: Topic, session: Session, computer_id: str
) -> dict[str, Any]:
    """What an agent's program needs to go on with a conversation in a terminal, in the same shape: nothing is said to
    it.
    """
    agent = thaw(agent, session.profile)
    return {
        "agent": _profile(tx, agent=agent, room=room, topic=topic),
        "prompt": "",
        "content": "",
        "room": room.id,
        "room_name": room.name,
        "topic": topic.id,
        "message": 0,
        "session": session.id,
        "native_session": session.native_session if session.is_on(computer_id) else None,
        "generation": session.generation,
    }


def _slash(tx: Tx, *, agent: Agent, said: list[Message]) -> str | None:
    """The program's own command that this is: one that it told of itself, said by a user and nothing beside it."""
    if len(said) != 1 or said[0].sender.kind != "user":
        return None
    content = without_mention(said[0].content, agent=agent.key).strip()
    if not content.startswith("/"):
        return None
    told = introductions.of_agent(tx, agent=agent, kind=Kind.COMMANDS)
    names = [str(command.get("name")) for command in told.data or ()] if told is not None else []
    return content if any(content == f"/{name}" or content.startswith(f"/{name} ") for name in names) else None


def burst_of(tx: Tx, delivery: Delivery) -> list[Message]:
    """The messages one run is for: the delivery's own, what joined it while it waited, and what earlier runs of it were
    told.
    """
    ids = [delivery.message_id, *deliveries.burst_messages(tx, delivery_id=delivery.id)]
    if delivery.run_id is not None:
        ids += deliveries.told_to_runs_of(tx, delivery_id=delivery.id)
    found = [messages.find(tx, workspace_id=delivery.workspace_id, id=message_id) for message_id in ids]
    return [message for message in found if message is not None and message.deleted_at is None]


def session_for(tx: Tx, *, delivery: Delivery) -> Session:
    """The agent's session in the topic, or a new generation of it when a person asked to start over."""
    begin = sessions.begin_anew if delivery.fresh else sessions.current
    return begin(tx, workspace_id=delivery.workspace_id, topic_id=delivery.topic_id, agent=delivery.agent)


def _profile(tx: Tx, *, agent: Agent, room: Room, topic: Topic) -> dict[str, Any]:
    choice = choices.find(tx, topic_id=topic.id, agent=agent.key)
    limits = [limit for limit in (agent.max_duration, room.max_duration) if limit is not None]
    account = None if agent.account is None else accounts.get(tx, agent.account, workspace_id=agent.workspace_id)
    settings: dict[str, Any] = {
        **{name: value for name, value in agent.settings.fact().items() if value},
        "mode": choice.mode or agent.mode,
        "skills": list(agent.skills),
        "servers": list(agent.servers),
        "isolation": agent.isolation,
    }
    if account is not None:
        settings |= {
            "account": {
                "id": account.id,
                "label": account.label,
                "bin": account.bin,
                "home": account.home,
                "env": dict(account.env),
                "args": list(account.args),
                "disabled": account.disabled,
            }
        }
    return {
        "key": agent.key,
        "display_name": agent.display_name,
        "runtime": agent.runtime,
        "command": agent.command,
        "command_allowed": agent.command_allowed,
        "cwd": agent.cwd,
        "model": choice.model or agent.model,
        "effort": choice.effort or agent.effort,
        "instructions": agent.instructions,
        "account": agent.account,
        "max_duration": min(limits) if limits else None,
        "settings": settings,
    }


def _prompt(
    tx: Tx,
    *,
    agent: Agent,
    room: Room,
    topic: Topic,
    session: Session,
    said: list[Message],
    delivery: Delivery,
    nonce: str,
    recap: str,
) -> str:
    mine = {message.id for message in said}
    burst = deliveries.burst_messages(tx, delivery_id=delivery.id)
    recent = (
        messages.said_between(  # what others said between the messages of a burst, too: the run is told up to there
            tx,
            topic_id=topic.id,
            after=session.seen_message,
            before=max([delivery.message_id, *burst]),
            agent=agent.key,
            limit=RECENT_LIMIT + len(mine),
        )
    )
    return compose_prompt(
        room=room,
        topic=topic,
        agent=agent.key,
        instructions=agent.instructions,
        messages=_in_words_of_bots(tx, agent=agent, said=said),
        recent=[message for message in recent if message.id not in mine][-RECENT_LIMIT:],
        nonce=nonce,
        recap=recap,
        briefing=briefings.of_room(tx, room=room, nonce=nonce),
        plan=_plan(tx, topic=topic, room=room, nonce=nonce),
    )


def _plan(tx: Tx, *, topic: Topic, room: Room, nonce: str) -> str:
    """What the topic's task asks for; empty where it is none."""
    task_id = tasks.id_of_topic(tx, topic_id=topic.id)
    task = None if task_id is None else tasks.find(tx, workspace_id=room.workspace_id, id=task_id)
    return "" if task is None else tell_plan(task, nonce=nonce)


def _in_words_of_bots(tx: Tx, *, agent: Agent, said: list[Message]) -> list[Message]:
    """Messages as the agent's bots put them, where one heard them and has a prompt of its own."""
    own = {
        bot.id: bot
        for bot in bots.all_of_agent(tx, agent.key, workspace_id=agent.workspace_id)
        if PROMPT in bot.options
    }
    if not own:
        return said
    told = []
    for message in said:
        event = inbound.of_message(tx, workspace_id=message.workspace_id, message_id=message.id)
        bot = None if event is None else own.get(event.bot_id)
        if bot is not None:
            text = prompt_text(bot, sender=message.sender.display_name or message.sender.name, text=message.content)
            message = replace(message, content=text)
        told.append(message)
    return told
