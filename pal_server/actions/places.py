"""Outside places and what they are here: a chat is a room for ever, a thread is a topic until `/new` begins another."""

import re
import unicodedata
from typing import Any

from pal_server.actions import access, rooms, steering
from pal_server.domain.actors import Actor
from pal_server.domain.bots import Bot
from pal_server.domain.inbound import Incoming
from pal_server.domain.messages import Message
from pal_server.domain.posts import key_of
from pal_server.domain.rooms import TITLE_LIMIT, Room, Topic
from pal_server.storage import events, links, posts
from pal_server.storage import rooms as room_rows
from pal_server.storage.links import Link
from pal_server.storage.tx import Tx

MEANT_FOR = 7 * 24 * 3_600_000  # milliseconds since somebody spoke in a thread that a command may be about
MEANT_AMONG = 50  # threads of a chat that are looked at for it
SLUG_LIMIT = 40  # characters of a chat's title in its room's name


def link(
    tx: Tx,
    *,
    actor: Actor,
    bot: Bot,
    incoming: Incoming,
    asker: dict[str, Any],
    user: str | None = None,
    below: Message | None = None,
) -> Link:
    """The bot's link of the place, made when it is not there yet; what was heard there last is noted, but for commands
    of the platform's own, which are heard nowhere. `user` is the id of the user of pal who speaks, `below` the message
    with whose topic a new place goes on.
    """
    found = links.find(tx, bot_id=bot.id, chat=incoming.chat, thread=incoming.thread)
    if found is None:
        found = _make(tx, actor=actor, bot=bot, incoming=incoming, asker=asker, below=below)
    if incoming.kind != "command":
        memo = incoming.memo[:2_000]
        links.heard(tx, id=found.id, title=incoming.title, memo=memo, answer_to=incoming.ref, asker=asker)
    if bot.agent is not None:
        _let_in(tx, actor=actor, room_id=found.room_id, agent=bot.agent)
    let_in_user(tx, bot=bot, incoming=incoming, user=user)
    return found


def let_in_user(tx: Tx, *, bot: Bot, incoming: Incoming, user: str | None) -> None:
    """A user of pal sees the private room of their own talk with a bot; a group's room is for its members to open."""
    if user is None:
        return
    found = links.find(tx, bot_id=bot.id, chat=incoming.chat, thread=incoming.thread)
    if found is None or found.kind != "direct":
        return
    if room_rows.member(tx, room_id=found.room_id, kind="user", principal=user) is not None:
        return
    room_rows.set_member(tx, room_id=found.room_id, kind="user", principal=user, mode=None)
    member = room_rows.member(tx, room_id=found.room_id, kind="user", principal=user)
    assert member is not None, "it was written in this transaction"
    data = {"room": found.room_id, **member.fact()}
    tx.emit("member.joined", workspace_id=bot.workspace_id, room_id=found.room_id, data=data)


def meant(tx: Tx, *, bot: Bot, incoming: Incoming) -> str | None:
    """The thread, or the chat itself, that a command of the platform's own is about, which it cannot name: where the
    agent is at work in that chat, else where somebody spoke to it last; the asker's own before others'. None when it
    is at work in several and none of them is the asker's.
    """
    if incoming.thread or bot.agent is None:
        return incoming.thread
    there = links.of_chat(tx, bot_id=bot.id, chat=incoming.chat, since=tx.now - MEANT_FOR, limit=MEANT_AMONG)
    agent = bot.agent
    busy = [one for one in there if steering.live_run(tx, topic_id=one.topic_id, agent=agent) is not None]
    own = [one for one in busy or there if one.asker.get("id") == incoming.person]
    if len(busy) > 1 and not own:
        return None
    return next(iter(own or busy or there)).thread if there else incoming.thread


def open_topic(tx: Tx, *, actor: Actor, link: Link, older: int | None = None) -> tuple[Room, Topic]:
    """Where something is said now; another topic when the place's own one is archived. The room's row is locked.

    `older` goes before the place's topic, if that topic is open and shown there too.
    """
    room = access.room(tx, actor, link.room_id)
    room_rows.lock(tx, room_id=room.id)
    if older is not None and any(one.id == link.id for one in links.of_topic(tx, topic_id=older)):
        before = room_rows.speak_in_topic(tx, room_id=room.id, id=older)
        if before is not None:
            return room, before
    topic = room_rows.speak_in_topic(tx, room_id=room.id, id=link.topic_id)
    if topic is None:
        topic = begin_topic(tx, actor=actor, link=link, title="")
    return room, topic


def begin_topic(tx: Tx, *, actor: Actor, link: Link, title: str) -> Topic:
    """From now on the place is a new topic."""
    room = access.room(tx, actor, link.room_id)
    topic = rooms.create_topic(tx, actor=actor, room=room.id, title=title[:TITLE_LIMIT] or None)
    links.lead_to(tx, link=link, topic_id=topic.id)
    return topic


def _make(tx: Tx, *, actor: Actor, bot: Bot, incoming: Incoming, asker: dict[str, Any], below: Message | None) -> Link:
    """Another bot that is in the place already leads to its topic; a known chat gives its room."""
    if not links.any_there(tx, workspace_id=bot.workspace_id):
        newest = events.newest(tx, workspace_id=bot.workspace_id)
        posts.set_position(tx, workspace_id=bot.workspace_id, position=newest)
        tx.wake("links")
    there = links.of_place(
        tx, workspace_id=bot.workspace_id, platform=bot.platform, chat=incoming.chat, thread=incoming.thread
    )
    if there:
        room_id, topic_id = there[0].room_id, there[0].topic_id
    else:
        known = links.room_of_chat(tx, workspace_id=bot.workspace_id, platform=bot.platform, chat=incoming.chat)
        room_id = known or _make_room(tx, actor=actor, bot=bot, incoming=incoming, asker=asker).id
        if below is not None and below.room_id == room_id:
            topic_id = below.topic_id
        elif incoming.thread:
            topic_id = rooms.create_topic(tx, actor=actor, room=room_id).id
        else:
            topic_id = access.room(tx, actor, room_id).default_topic
    return links.add(
        tx,
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        platform=bot.platform,
        chat=incoming.chat,
        thread=incoming.thread,
        kind=incoming.place,
        title=incoming.title,
        memo=incoming.memo[:2_000],
        room_id=room_id,
        topic_id=topic_id,
        answer_to=incoming.ref,
        asker=asker,
    )


def _make_room(tx: Tx, *, actor: Actor, bot: Bot, incoming: Incoming, asker: dict[str, Any]) -> Room:
    """A group's room is open to the workspace; what is said to a bot alone is for the people who run it."""
    is_direct = incoming.place == "direct"
    who = str(asker.get("name") or incoming.person)
    title = f"{bot.label or bot.name or bot.agent} with {who}" if is_direct else incoming.title or "a group"
    digest = key_of(bot.platform, incoming.chat)[:6]
    name = "-".join(part for part in (bot.platform, _slug(who if is_direct else incoming.title), digest) if part)
    return rooms.create(
        tx,
        actor=actor,
        name=name,
        title=f"{title} ({bot.platform})"[:TITLE_LIMIT],
        visibility="private" if is_direct else "workspace",
    )


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LIMIT].strip("-")


def _let_in(tx: Tx, *, actor: Actor, room_id: str, agent: str) -> None:
    if room_rows.member(tx, room_id=room_id, kind="agent", principal=agent) is None:
        rooms.invite_agent(tx, actor=actor, room=room_id, agent=agent, mode="mentions")
