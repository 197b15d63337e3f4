"""What is behind a share link: read with the eyes of who made it, and of that only what the link shows.

Whatever is wrong with a link (unknown, ended, its maker gone or shut out, the thing gone) is the same `NotFound`.
Visitors are guests: they are shown with the link they came through and can do nothing here but read and comment.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from pal_server.actions import access, client_ids, log, messages, rooms, runs, topics
from pal_server.actions.messages import Sent
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.files import File
from pal_server.domain.messages import Message, Sender, parse_content, parse_guest
from pal_server.domain.pages import Page
from pal_server.domain.rooms import Room, Topic
from pal_server.domain.runs import Run, RunEvent
from pal_server.domain.shares import Rights, Share, ShareKind
from pal_server.domain.summaries import Summary
from pal_server.domain.tasks import Task
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import events, files, shares, tasks, users
from pal_server.storage import messages as message_rows
from pal_server.storage import rooms as room_rows
from pal_server.storage.tx import Event, Tx

SHOWN = frozenset({"message.created", "message.edited", "message.deleted", "topic.created", "topic.changed"})
_TALK = (ShareKind.TOPIC, ShareKind.ROOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A good link, and who lends their eyes to it."""

    share: Share
    giver: Actor

    @property
    def guest(self) -> Actor:
        """Who comes through it."""
        share = self.share
        return Actor(
            kind=ActorKind.GUEST, workspace_id=share.workspace_id, id=share.id, name=f"link of {self.giver.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a link shows, by its kind: the others are None."""

    share: Share
    giver: Actor
    room: Room | None = None
    topic: Topic | None = None
    task: Task | None = None  # the topic's plan, if it has one
    run: Run | None = None
    summary: Summary | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened behind a link after a position, and the position it reaches to."""

    events: tuple[Event, ...]
    position: int
    is_all: bool


def open_link(tx: Tx, *, secret_hash: str) -> Opened:
    """The link of this token, while it is good."""
    share = shares.by_hash(tx, secret_hash)
    if share is None or not share.is_live(now=tx.now):
        raise _no_link()
    user = users.get(tx, share.created_by, workspace_id=share.workspace_id)
    if user is None or user.disabled:
        raise _no_link()
    giver = Actor(
        kind=ActorKind.USER,
        workspace_id=share.workspace_id,
        id=user.id,
        name=user.username,
        display_name=user.display_name,
        role=user.role,
    )
    return Opened(share=share, giver=giver)


def note_use(tx: Tx, *, secret_hash: str) -> None:
    """Somebody opened it."""
    opened = open_link(tx, secret_hash=secret_hash)
    shares.note_use(tx, opened.share.id)


def look(tx: Tx, *, secret_hash: str) -> Look:
    """What the link shows, at a glance."""
    opened = open_link(tx, secret_hash=secret_hash)
    share, giver = opened.share, opened.giver
    match share.kind:
        case ShareKind.TOPIC:
            topic = access.topic(tx, giver, int(share.target))
            planned = tasks.id_of_topic(tx, topic_id=topic.id)
            task = None if planned is None else tasks.find(tx, workspace_id=share.workspace_id, id=planned)
            room = access.room(tx, giver, topic.room_id)
            return Look(share=share, giver=giver, room=room, topic=topic, task=task)
        case ShareKind.ROOM:
            return Look(share=share, giver=giver, room=access.room(tx, giver, share.target))
        case ShareKind.RUN:
            run, summary = runs.summary(tx, actor=giver, id=int(share.target))
            return Look(share=share, giver=giver, run=run, summary=summary)
        case ShareKind.FILE:
            return Look(share=share, giver=giver, file=_live_file(tx, giver, share.target))


def list_topics(tx: Tx, *, secret_hash: str, after: str | None, limit: int) -> Page[Topic]:
    """Of a shared room, oldest first."""
    opened = _need_kind(open_link(tx, secret_hash=secret_hash), ShareKind.ROOM)
    return rooms.list_topics(tx, actor=opened.giver, room=opened.share.target, after=after, limit=limit)


def list_messages(
    tx: Tx, *, secret_hash: str, topic: int | None, after: int | None, before: int | None, limit: int
) -> Page[Message]:
    """Of a shared topic or room, as people read them."""
    opened = _need_kind(open_link(tx, secret_hash=secret_hash), *_TALK)
    room, in_topic = _place(tx, opened, topic)
    return messages.list_page(
        tx,
        actor=opened.giver,
        room=room.id,
        topic=None if in_topic is None else in_topic.id,
        after=after,
        before=before,
        limit=limit,
    )


def run_events(tx: Tx, *, secret_hash: str, after: int, limit: int) -> tuple[Page[RunEvent], str | None]:
    """What a shared run did after a number, and how it ended if it has."""
    opened = _need_kind(open_link(tx, secret_hash=secret_hash), ShareKind.RUN)
    run = runs.get(tx, actor=opened.giver, id=int(opened.share.target))
    page = runs.events(tx, actor=opened.giver, id=run.id, after=after, limit=limit)
    return page, None if run.is_live else run.status.value


def file(tx: Tx, *, secret_hash: str, ref: str) -> File:
    """A file that belongs to what is shown: the file itself, what a run made, what was attached there."""
    opened = open_link(tx, secret_hash=secret_hash)
    share, giver = opened.share, opened.giver
    found = _live_file(tx, giver, ref)
    match share.kind:
        case ShareKind.FILE:
            is_shown = found.id == share.target
        case ShareKind.RUN:
            is_shown = found.run == int(share.target)
        case ShareKind.ROOM:
            is_shown = found.room == share.target or message_rows.carries(tx, file_id=found.id, room_id=share.target)
        case ShareKind.TOPIC:
            is_shown = message_rows.carries(tx, file_id=found.id, topic_id=int(share.target))
    if not is_shown:
        raise NotFound(f"there is no file {ref}", file=ref)
    return found


def comment(
    tx: Tx,
    *,
    secret_hash: str,
    name: str,
    content: str,
    topic: int | None = None,
    parent: int | None = None,
    client_id: str | None = None,
) -> Sent:
    """Say something as a guest. Agents hear of it only where the link says so, and commands to pal are plain words."""
    opened = _need_kind(open_link(tx, secret_hash=secret_hash), *_TALK)
    if opened.share.rights is not Rights.COMMENT or not opened.giver.is_at_least(Role.MEMBER):
        raise Forbidden("this link is for reading only", rights=Rights.VIEW)
    guest = opened.guest
    said = {"name": name, "content": content, "topic": topic, "parent": parent}
    earlier = client_ids.earlier(tx, actor=guest, client_id=client_id, verb="shared.comment", said=said)
    if earlier is not None:
        return Sent(message=_said_before(tx, opened, int(earlier)), deliveries=(), unresolved_mentions=(), receipts=())
    text = parse_content(content)
    sender = _sender(tx, opened, name)
    room, in_topic = _place(tx, opened, topic)
    answered = None
    if parent is not None:
        answered = message_rows.find(tx, workspace_id=room.workspace_id, id=parent)
        if answered is None or answered.room_id != room.id or (in_topic and in_topic.id != answered.topic_id):
            raise Invalid("parent is no message of what is shown here", field="parent", parent=parent)
    place = in_topic.id if in_topic is not None else answered.topic_id if answered is not None else room.default_topic
    if room.archived_at is not None:
        raise Conflict("the room is archived", room=room.name)
    room_rows.lock(tx, room_id=room.id)
    speaking_in = room_rows.speak_in_topic(tx, room_id=room.id, id=place)
    if speaking_in is None:
        raise Conflict("the topic is archived", topic=place)
    sent = messages.say(
        tx,
        workspace_id=room.workspace_id,
        room=room,
        topic=speaking_in,
        parent=answered,
        sender=sender,
        content=text,
        client_id=client_id,
        is_heard=opened.share.may_trigger,
    )
    client_ids.remember(tx, actor=guest, client_id=client_id, verb="shared.comment", said=said, target=sent.message.id)
    return sent


def news(tx: Tx, *, secret_hash: str, position: int, limit: int) -> News:
    """What was said behind the link after `position`, of `limit` events of its room."""
    opened = _need_kind(open_link(tx, secret_hash=secret_hash), *_TALK)
    room, in_topic = _place(tx, opened, None)
    newest = log.newest_position(tx, workspace_id=room.workspace_id)
    found = events.of_room_after(tx, workspace_id=room.workspace_id, room_id=room.id, position=position, limit=limit)
    is_all = len(found) < limit
    return News(
        events=tuple(event for event in found if event.kind in SHOWN and _is_in(event, in_topic)),
        position=max(position, newest) if is_all else found[-1].position,
        is_all=is_all,
    )


def _place(tx: Tx, opened: Opened, topic: int | None) -> tuple[Room, Topic | None]:
    """The room, and the topic that is meant: a shared topic is always its own."""
    share, giver = opened.share, opened.giver
    if share.kind is ShareKind.TOPIC:
        if topic not in (None, int(share.target)):
            raise NotFound(f"there is no topic {topic}", topic=topic)
        found = topics.get(tx, actor=giver, id=int(share.target))
        return access.room(tx, giver, found.room_id), found
    room = access.room(tx, giver, share.target)
    if topic is None:
        return room, None
    found = access.topic(tx, giver, topic)
    if found.room_id != room.id:
        raise NotFound(f"there is no topic {topic}", topic=topic)
    return room, found


def _sender(tx: Tx, opened: Opened, name: str) -> Sender:
    guest = parse_guest(name)
    if room_rows.name_is_taken(tx, workspace_id=opened.share.workspace_id, name=guest):
        raise Forbidden(f"{guest} is the name of somebody here: choose another", field="name", name=guest)
    return Sender(
        kind="guest",
        name=guest,
        display_name=guest,
        origin=f"share link of {opened.giver.name}",
        key=opened.guest.key,
    )


def _said_before(tx: Tx, opened: Opened, id: int) -> Message:
    return access.message(tx, opened.giver, id)


def _live_file(tx: Tx, giver: Actor, ref: str) -> File:
    found = files.get(tx, ref)
    if found is None or found.workspace_id != giver.workspace_id or not found.is_live(now=tx.now):
        raise NotFound(f"there is no file {ref}", file=ref)
    return access.file(tx, giver, found.id)


def _is_in(event: Event, topic: Topic | None) -> bool:
    if topic is None:
        return True
    data: dict[str, Any] = msgspec.json.decode(event.data)
    return topic.id == (data.get("id") if event.kind.startswith("topic.") else data.get("topic"))


def _need_kind(opened: Opened, *kinds: ShareKind) -> Opened:
    if opened.share.kind not in kinds:
        raise NotFound("the link does not show that", kind=opened.share.kind)
    return opened


def _no_link() -> NotFound:
    return NotFound("this link is not valid, or not any more")
