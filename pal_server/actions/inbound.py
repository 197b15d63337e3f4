"""What people say outside becomes messages: each thing once, however often the platform tells it.

The event's id is stored in the same transaction as what follows from it; only then the platform is told that it was
heard. The same event again gets the same answer and adds nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pal_server.actions import access, bots, buttons, deliveries, messages, notices, places, speakers
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.bots import Bot, Identity, Level, Standing
from pal_server.domain.inbound import HELP, LEVELS, RAW_LIMIT, Answered, Incoming, command_of, refusal, tidy
from pal_server.domain.messages import CONTENT_LIMIT, FILES_LIMIT, Message, mentions_in
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.runs import clip
from pal_server.errors import AlreadyExists, Conflict, Invalid, NotFound, PalError
from pal_server.storage import identities, inbound, links
from pal_server.storage import messages as message_rows
from pal_server.storage.inbound import InboundEvent
from pal_server.storage.links import Link
from pal_server.storage.tx import Tx

HOUR = 3_600_000  # milliseconds
ELSEWHERE = ("stop", "status")  # commands that are about what goes on in a chat, whichever thread it is in
_KEPT = tuple(name for name in Incoming.__dataclass_fields__ if name not in ("raw", "token", "values"))


def hear(tx: Tx, *, actor: Actor, bot: str, lease_id: str, incoming: Incoming) -> Answered:
    """Take in one event of a bot the bridge holds. `LeaseLost` when it does not hold it any more."""
    held = bots.held(tx, actor=actor, id=bot, lease_id=lease_id)
    incoming = tidy(incoming)
    known = inbound.find(tx, bot_id=held.id, event=incoming.event)
    if known is not None and not _may_press_again(known):
        return _again(known)
    person = _person(tx, bot=held, incoming=incoming)
    answered = _take(tx, actor=actor, bot=held, person=person, incoming=incoming)
    answer = {"text": answered.text, "tone": answered.tone, "card": answered.card}
    if known is not None:
        inbound.press_again(tx, id=known.id, outcome=answered.outcome, answer=answer)
        return replace(answered, id=known.id)
    stored = inbound.add(
        tx,
        workspace_id=held.workspace_id,
        bot_id=held.id,
        event=incoming.event,
        kind=incoming.kind,
        chat=incoming.chat,
        thread=incoming.thread,
        person=incoming.person[: speakers.WORDS_KEPT],
        identity_id=None if person is None else person.id,
        ref=incoming.ref,
        outcome=answered.outcome,
        message_id=answered.message,
        answer=answer,
        held=_held(incoming, room=answered.room) if answered.outcome == "waiting" else None,
        raw=incoming.raw[:RAW_LIMIT],
        said_at=incoming.at,
    )
    if stored is None:
        raise Conflict("this event is being stored at this moment: say it again", event=incoming.event)
    return replace(answered, id=stored)


def with_files(
    tx: Tx, *, actor: Actor, bot: str, lease_id: str, id: int, files: Sequence[str], missing: Sequence[str] = ()
) -> Answered:
    """The files of a message are here, or cannot be had: now it is said. Said again it answers the same."""
    held = bots.held(tx, actor=actor, id=bot, lease_id=lease_id)
    event = inbound.by_id(tx, id, workspace_id=held.workspace_id)
    if event is None or event.bot_id != held.id:
        raise NotFound("there is no such event", event=id)
    if event.held is None:
        return _again(event)
    if held.agent is None:
        raise Conflict("this bot is connected to no agent now: what was said waits until it is", bot=held.id)
    kept = event.held["incoming"]
    incoming = Incoming(**{**kept, "others": tuple(kept["others"]), "files": tuple(kept["files"])})
    person = (
        None if event.identity_id is None else identities.by_id(tx, event.identity_id, workspace_id=held.workspace_id)
    )
    if person is None or not speakers.may_come_in(tx, person):
        answered = Answered(id=id, outcome="refused")
    else:
        there = [id for id in files if _is_there(tx, actor=actor, file=id)]
        notes = [incoming.text, *(f"[the file {name} could not be fetched]" for name in missing)]
        if len(there) < len(files):
            notes.append(f"[{len(files) - len(there)} of its files are not here any more]")
        if (over := len(incoming.files) - FILES_LIMIT) > 0:
            notes.append(f"[{over} more files are left out: a message has at most {FILES_LIMIT}]")
        said = replace(incoming, text="\n\n".join(notes).strip(), files=())
        answered = _say(tx, actor=actor, bot=held, person=person, incoming=said, files=there[:FILES_LIMIT])
    inbound.finish(tx, id=id, outcome=answered.outcome, message_id=answered.message, answer={"text": answered.text})
    return replace(answered, id=id)


def list_events(tx: Tx, *, actor: Actor, platform: str | None, after: str | None, limit: int) -> Page[InboundEvent]:
    """What platforms told, newest first, in their own words as far as these are kept."""
    access.need(actor, Role.ADMIN)
    count = parse_limit(limit)
    before = parse_after(after)
    found = inbound.list_page(
        tx,
        workspace_id=actor.workspace_id,
        platform=platform or "",
        before=2**62 if before is None else before,
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda event: str(event.id))


def forget_words(tx: Tx, *, before: int, keep: int) -> int:
    """Drop platforms' own words that are older or beyond the newest `keep`; what they led to stays."""
    return inbound.clear_raw(tx, before=before, keep=keep)


def _is_there(tx: Tx, *, actor: Actor, file: str) -> bool:
    try:
        return access.file(tx, actor, file).is_live(now=tx.now)
    except NotFound:
        return False


def _may_press_again(known: InboundEvent) -> bool:
    """A press that did nothing may do something later. Where a press has no id, the next one has the same name."""
    return known.kind == "action" and known.outcome == "refused"


def _again(known: InboundEvent) -> Answered:
    held = known.held or {"incoming": {"files": ()}, "room": ""}
    return Answered(
        id=known.id,
        outcome=known.outcome,
        text=known.answer.get("text", ""),
        tone=known.answer.get("tone", "info"),
        message=known.message_id,
        files=tuple(held["incoming"]["files"])[:FILES_LIMIT],
        room=held["room"],
        card=known.answer.get("card"),
    )


def _held(incoming: Incoming, *, room: str) -> dict[str, Any]:
    kept = {name: getattr(incoming, name) for name in _KEPT}
    return {"incoming": kept, "room": room}


def _person(tx: Tx, *, bot: Bot, incoming: Incoming) -> Identity | None:
    """By any of the person's ids; one that somebody decided about counts before one that only asked.

    Platforms that tell that a message was taken back, and not by whom: it counts as done by who said it.
    """
    if incoming.kind == "deleted" and not incoming.person:
        said = _heard_as(tx, bot=bot, incoming=incoming)
        id = None if said is None else said.identity_id
        return None if id is None else identities.by_id(tx, id, workspace_id=bot.workspace_id)
    found = [
        known
        for external_id in dict.fromkeys((incoming.person, *incoming.others))
        if (known := identities.get(tx, external_id, workspace_id=bot.workspace_id, platform=bot.platform)) is not None
    ]
    return min(found, key=lambda known: known.standing is Standing.ASKED, default=None)


def _take(tx: Tx, *, actor: Actor, bot: Bot, person: Identity | None, incoming: Incoming) -> Answered:
    is_press = incoming.kind == "action"
    is_called = incoming.addressed or _answers_agent(tx, bot=bot, incoming=incoming)
    if incoming.kind == "said" and not is_called and not _is_linked(tx, bot=bot, incoming=incoming):
        return Answered(id=0, outcome="ignored")
    if person is None or not speakers.may_come_in(tx, person):
        return _refuse(tx, bot=bot, person=person, incoming=incoming, is_called=is_called)
    if bot.agent is None:
        return Answered(id=0, outcome="ignored", text="This bot is connected to no agent now.", tone="warning")
    match incoming.kind:
        case "said" | "command":
            return _heard(tx, actor=actor, bot=bot, person=person, incoming=incoming)
        case "edited" | "deleted":
            return _changed(tx, actor=actor, bot=bot, person=person, incoming=incoming)
        case _ if is_press:
            speaker = speakers.speaker(tx, actor=actor, person=person, bot=bot)
            places.let_in_user(tx, bot=bot, incoming=incoming, user=person.user_id)
            return buttons.press(tx, actor=speaker, bot=bot, person=person, incoming=incoming)
        case _:
            raise Invalid("kind is one of said, edited, deleted, action, command", field="kind", value=incoming.kind)


def _is_linked(tx: Tx, *, bot: Bot, incoming: Incoming) -> bool:
    there = links.of_place(
        tx, workspace_id=bot.workspace_id, platform=bot.platform, chat=incoming.chat, thread=incoming.thread
    )
    return bool(there) and incoming.thread != ""


def _answers_agent(tx: Tx, *, bot: Bot, incoming: Incoming) -> bool:
    """Whether it answers words of the bot's agent: then it is for the agent, whether it mentions the bot or not."""
    answered = _answered(tx, bot=bot, incoming=incoming)
    return answered is not None and (answered.sender.kind, answered.sender.name) == ("agent", bot.agent)


def _refuse(tx: Tx, *, bot: Bot, person: Identity | None, incoming: Incoming, is_called: bool) -> Answered:
    """One polite refusal for each person and bot; nothing else comes of what they say."""
    if incoming.kind not in ("said", "command", "action") or not is_called:
        return Answered(id=0, outcome="refused")
    if person is None:
        asked = Identity(
            id=tx.new_id("identity"),
            workspace_id=bot.workspace_id,
            platform=bot.platform,
            external_id=incoming.person[: speakers.WORDS_KEPT],
            name=(incoming.person_name or incoming.person)[: speakers.WORDS_KEPT],
            standing=Standing.ASKED,
            level=Level.OPERATE,
            quota=None,
            created_at=tx.now,
        )
        identities.insert(tx, asked, created_by=f"bot:{bot.id}")
    text = refusal(bot.label or bot.name or bot.agent or "this bot")
    if incoming.kind != "action":
        notices.post(tx, bot=bot, incoming=incoming, text=text, once=("refusal", incoming.person))
    shown = text if incoming.kind != "said" else ""
    return Answered(id=0, outcome="refused", text=shown, tone="warning")


def _heard(tx: Tx, *, actor: Actor, bot: Bot, person: Identity, incoming: Incoming) -> Answered:
    speaker = speakers.speaker(tx, actor=actor, person=person, bot=bot)
    if speaker.kind is ActorKind.USER and not speaker.is_at_least(Role.MEMBER):
        text = "Your account in pal may read and not speak. Whoever runs it can change that."
        return _notice(tx, bot=bot, incoming=incoming, text=text, tone="warning")
    command = command_of(incoming)
    if command is not None:
        name, rest = command
        if not person.may(LEVELS[name]):
            return _notice(tx, bot=bot, incoming=incoming, text=f"You may not use /{name} here.", tone="warning")
        if name == "help":
            return _notice(tx, bot=bot, incoming=incoming, text=HELP)
        if name == "new":
            return _begin_anew(tx, actor=actor, bot=bot, person=person, incoming=incoming, words=rest)
        if name in ("answer", "approve", "deny"):
            places.let_in_user(tx, bot=bot, incoming=incoming, user=person.user_id)
            said = buttons.say_answer(tx, actor=speaker, bot=bot, incoming=incoming, verb=name, words=rest)
            return _notice(tx, bot=bot, incoming=incoming, text=said.text, tone=said.tone)
        incoming = replace(incoming, text=f"/{name} {rest}".strip(), files=())
        if incoming.kind == "command":
            thread = places.meant(tx, bot=bot, incoming=incoming) if name in ELSEWHERE else incoming.thread
            if thread is None:
                text = (
                    f"I am at work in several conversations here, none of them yours: say /{name} in the one you mean."
                )
                return _notice(tx, bot=bot, incoming=incoming, text=text, tone="warning")
            done = _say(tx, actor=actor, bot=bot, person=person, incoming=replace(incoming, thread=thread))
            return replace(done, text="The answer is in the conversation it is about.")
    if incoming.unsupported and not incoming.text.strip() and not incoming.files:
        text = f"I cannot read {incoming.unsupported} yet. Say it in words, or send a picture or a file."
        return _notice(tx, bot=bot, incoming=incoming, text=text, tone="warning")
    if not incoming.text.strip() and not incoming.files:
        return _notice(tx, bot=bot, incoming=incoming, text="I am here. What shall be done?")
    if (over := _over_quota(tx, person=person, incoming=incoming)) is not None:
        text = f"That is more than {over} messages in an hour, so this one was not taken. Say it again later."
        once = ("quota", person.id, tx.now // HOUR)
        notices.post(tx, bot=bot, incoming=incoming, text=text, once=once)
        return Answered(id=0, outcome="refused", tone="warning")
    if incoming.files:
        link = _link(tx, actor=actor, bot=bot, person=person, incoming=incoming)
        return Answered(id=0, outcome="waiting", files=incoming.files[:FILES_LIMIT], room=link.room_id)
    return _say(tx, actor=actor, bot=bot, person=person, incoming=incoming)


def _over_quota(tx: Tx, *, person: Identity, incoming: Incoming) -> int | None:
    if person.quota is None or incoming.kind != "said":
        return None
    said = inbound.said_since(tx, identity_id=person.id, since=tx.now - HOUR)
    return person.quota if said >= person.quota else None


def _notice(tx: Tx, *, bot: Bot, incoming: Incoming, text: str, tone: str = "info") -> Answered:
    """Pal's own words, to the person alone where the platform can, else in the place."""
    if incoming.kind == "command":
        return Answered(id=0, outcome="done", text=text, tone=tone)
    notices.post(tx, bot=bot, incoming=incoming, text=text, once=("event", incoming.event))
    return Answered(id=0, outcome="done", tone=tone)


def _begin_anew(tx: Tx, *, actor: Actor, bot: Bot, person: Identity, incoming: Incoming, words: str) -> Answered:
    """The place is another topic from now on; the old one stays, and its late answers still come here."""
    link = places.link(tx, actor=actor, bot=bot, incoming=incoming, asker=_asker(person), user=person.user_id)
    places.begin_topic(tx, actor=actor, link=link, title=" ".join(words.split()))
    if not words:
        return _notice(tx, bot=bot, incoming=incoming, text="A new conversation begins here.")
    return _say(tx, actor=actor, bot=bot, person=person, incoming=replace(incoming, text=words))


def _say(
    tx: Tx, *, actor: Actor, bot: Bot, person: Identity, incoming: Incoming, files: Sequence[str] = ()
) -> Answered:
    assert bot.agent is not None, "the caller has looked"
    link = _link(tx, actor=actor, bot=bot, person=person, incoming=incoming)
    answered = _answered(tx, bot=bot, incoming=incoming)
    is_quoted = incoming.reply_to != incoming.thread  # else it is what the thread began with, as every word there is
    older = answered.topic_id if answered is not None and is_quoted else None
    room, topic = places.open_topic(tx, actor=actor, link=link, older=older)
    parent = answered if answered is not None and answered.topic_id == topic.id else None
    is_called = incoming.addressed
    if parent is None:  # the agent's words are in a topic that is over: an answer to them is for it all the same
        is_for_agent = not mentions_in(incoming.text) and _answers_agent(tx, bot=bot, incoming=incoming)
        is_called = is_called or is_for_agent
    if (known := _told_to_another(tx, bot=bot, incoming=incoming)) is not None:
        if is_called and not _is_taken_back(tx, message=known, bot=bot):
            _deliver_too(tx, actor=actor, agent=bot.agent, message=known)
        return Answered(id=0, outcome="done", message=known)
    speaker = speakers.speaker(tx, actor=actor, person=person, bot=bot)
    note = f"[cut here: a message has at most {CONTENT_LIMIT} characters, send the rest as a file]"
    sent = messages.say(
        tx,
        workspace_id=bot.workspace_id,
        room=room,
        topic=topic,
        parent=parent,
        sender=speakers.sender(tx, speaker=speaker, person=person, bot=bot, incoming=incoming),
        content=clip(incoming.text, limit=CONTENT_LIMIT - len(note) - 2, note=note),
        called=(bot.agent,) if is_called else (),
        files=messages.files_of(tx, actor=actor, room=room, ids=list(files)),
        by=speaker,
    )
    if incoming.ref:
        links.remember_ref(
            tx,
            workspace_id=bot.workspace_id,
            platform=bot.platform,
            chat=incoming.chat,
            ref=incoming.ref,
            message_id=sent.message.id,
            bot_id=bot.id,
            incoming=True,
        )
    return Answered(id=0, outcome="done", message=sent.message.id)


def _told_to_another(tx: Tx, *, bot: Bot, incoming: Incoming) -> int | None:
    """The message, when another of our bots has heard it: one message that calls two bots is one message."""
    if not incoming.ref:
        return None
    return links.message_of_ref(
        tx, workspace_id=bot.workspace_id, platform=bot.platform, chat=incoming.chat, ref=incoming.ref
    )


def _is_taken_back(tx: Tx, *, message: int, bot: Bot) -> bool:
    said = message_rows.find(tx, workspace_id=bot.workspace_id, id=message)
    return said is None or said.deleted_at is not None


def _deliver_too(tx: Tx, *, actor: Actor, agent: str, message: int) -> None:
    try:
        with tx.savepoint():
            deliveries.create_by_hand(tx, actor=actor, message=message, agent=agent)
    except AlreadyExists:
        return  # its own name was called in the words


def _changed(tx: Tx, *, actor: Actor, bot: Bot, person: Identity, incoming: Incoming) -> Answered:
    """A person changed or took back what they said: waiting work follows."""
    known = _told_to_another(tx, bot=bot, incoming=incoming)
    if known is None:
        return _changed_while_waiting(tx, bot=bot, person=person, incoming=incoming)
    said = message_rows.find(tx, workspace_id=bot.workspace_id, id=known)
    assert said is not None, "a message is never removed"
    was_user = said.sender.kind == "user"
    as_then = person if was_user else replace(person, user_id=None)  # said before somebody told which user this is
    speaker = speakers.speaker(tx, actor=actor, person=as_then, bot=bot)
    try:
        with tx.savepoint():
            if incoming.kind == "deleted":
                messages.delete(tx, actor=speaker, id=known)
            else:
                called = None  # whom it called stays called
                if incoming.addressed and bot.agent is not None and bot.agent not in said.mentions:
                    called = [*said.mentions, bot.agent]
                messages.edit(tx, actor=speaker, id=known, content=incoming.text, mentions=called)
    except PalError as error:
        return Answered(id=0, outcome="ignored", text=error.message, message=known)
    return Answered(id=0, outcome="done", message=known)


def _changed_while_waiting(tx: Tx, *, bot: Bot, person: Identity, incoming: Incoming) -> Answered:
    """The same for what is not said yet, since its files are being fetched."""
    event = _heard_as(tx, bot=bot, incoming=incoming)
    if event is None or event.held is None or event.identity_id != person.id:
        return Answered(id=0, outcome="ignored")
    if incoming.kind == "deleted":
        inbound.finish(tx, id=event.id, outcome="ignored", message_id=None, answer={})
    else:
        said = {**event.held["incoming"], "text": incoming.text}
        inbound.reword(tx, id=event.id, held={**event.held, "incoming": said})
    return Answered(id=0, outcome="done")


def _heard_as(tx: Tx, *, bot: Bot, incoming: Incoming) -> InboundEvent | None:
    """As what the message that is changed or taken back was heard."""
    if not incoming.ref:
        return None
    known = _told_to_another(tx, bot=bot, incoming=incoming)
    if known is not None:
        return inbound.of_message(tx, workspace_id=bot.workspace_id, message_id=known)
    return inbound.waiting_as(tx, bot_id=bot.id, chat=incoming.chat, ref=incoming.ref)


def _answered(tx: Tx, *, bot: Bot, incoming: Incoming) -> Message | None:
    """The message of ours that it answers, where the platform says which one that is."""
    if not incoming.reply_to:
        return None
    found = links.message_of_ref(
        tx, workspace_id=bot.workspace_id, platform=bot.platform, chat=incoming.chat, ref=incoming.reply_to
    )
    return None if found is None else message_rows.find(tx, workspace_id=bot.workspace_id, id=found)


def _link(tx: Tx, *, actor: Actor, bot: Bot, person: Identity, incoming: Incoming) -> Link:
    """The link of the place. A thread that begins below words of the agent goes on with their topic."""
    below = None
    if incoming.reply_to == incoming.thread and _answers_agent(tx, bot=bot, incoming=incoming):
        below = _answered(tx, bot=bot, incoming=incoming)
    return places.link(
        tx, actor=actor, bot=bot, incoming=incoming, asker=_asker(person), user=person.user_id, below=below
    )


def _asker(person: Identity) -> dict[str, Any]:
    return {"id": person.external_id, "name": person.name}
