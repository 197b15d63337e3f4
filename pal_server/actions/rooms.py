"""Rooms, their members and topics."""

from dataclasses import dataclass, replace

from pal_server.actions import access, audit, client_ids, runs
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.chains import HOP_MAX
from pal_server.domain.files import expiry_of
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.rooms import (
    PLACEHOLDER,
    Member,
    Mode,
    Room,
    Topic,
    parse_mode,
    parse_name,
    parse_rules,
    parse_title,
)
from pal_server.domain.runs import Run, Wanted
from pal_server.domain.steering import parse_busy
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import agents as agent_rows
from pal_server.storage import projects, rooms, tasks
from pal_server.storage import users as user_rows
from pal_server.storage.tx import Tx

DEFAULT_TOPIC = "General"
DEBOUNCE_MAX = 60_000  # milliseconds; longer would look like a loss
DIGEST_MIN = 1_000  # milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentionable:
    name: str
    kind: str
    display_name: str
    mode: Mode | None


def create(
    tx: Tx,
    *,
    actor: Actor,
    name: str,
    title: str = "",
    rules: str = "",
    visibility: str = "workspace",
    ttl: int | None = None,
    project: str | None = None,
    client_id: str | None = None,
) -> Room:
    """A new room with its default topic. A private room begins with its maker as the only member; one with a `ttl`, in
    seconds, disappears after it with all that was said.
    """
    access.need_writer(actor)
    if actor.kind in (ActorKind.COMPUTER, ActorKind.RUN):
        raise Forbidden("rooms are made by people")
    said = {"name": name, "title": title, "rules": rules, "visibility": visibility}
    if ttl is not None:
        said["ttl"] = str(ttl)
    if project is not None:
        said["project"] = project
    if (target := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="rooms.create", said=said)) is not None:
        return access.room(tx, actor, target)
    name = parse_name(name)
    about = None if project is None else access.open_project(tx, actor, project)
    if rooms.find(tx, workspace_id=actor.workspace_id, ref=name) is not None:
        raise AlreadyExists(f"a room is already called {name}", room=name)
    room_id = tx.new_id("room")
    rooms.add(
        tx,
        id=room_id,
        workspace_id=actor.workspace_id,
        name=name,
        title=parse_title(title or name),
        rules=parse_rules(rules),
        visibility=visibility,
        created_by=actor.key,
        expires_at=expiry_of(ttl, now=tx.now),
    )
    topic_id = rooms.add_topic(tx, room_id=room_id, title=DEFAULT_TOPIC, is_default=True, created_by=actor.key)
    rooms.set_default_topic(tx, room_id=room_id, topic_id=topic_id)
    if about is not None:
        projects.set_room(tx, room_id=room_id, project_id=about.id)
    if actor.kind is ActorKind.USER:
        rooms.set_member(tx, room_id=room_id, kind="user", principal=actor.id, mode=None)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="rooms.create", said=said, target=room_id)
    room = _reread(tx, actor, room_id)
    tx.emit("room.created", workspace_id=actor.workspace_id, room_id=room_id, data=room.fact())
    general = access.topic(tx, actor, topic_id)
    tx.emit("topic.created", workspace_id=actor.workspace_id, room_id=room_id, data=general.fact())
    if actor.kind is ActorKind.USER:
        maker = rooms.member(tx, room_id=room_id, kind="user", principal=actor.id)
        assert maker is not None, "it was written in this transaction"
        data = {"room": room_id, **maker.fact()}
        tx.emit("member.joined", workspace_id=actor.workspace_id, room_id=room_id, data=data)
    return room


def change(
    tx: Tx,
    *,
    actor: Actor,
    room: str,
    title: str | None = None,
    rules: str | None = None,
    debounce_for: int | None = None,
    digest_every: int | None = None,
    max_duration: int | None = None,
    clear_max_duration: bool = False,
    busy: str | None = None,
    deny_after: int | Keep | None = KEEP,
    approvers: int | None = None,
    fresh: bool | None = None,
    hop_limit: int | None = None,
    project: str | Keep | None = KEEP,
) -> Room:
    """Change what is given; None leaves a thing as it is. How many have to approve is an admin's to say, and how far
    agents go on by themselves a person's.
    """
    access.need(actor, Role.MEMBER)
    found = access.room(tx, actor, room)
    if debounce_for is not None and not 0 <= debounce_for <= DEBOUNCE_MAX:
        raise Invalid(f"debounce_for lies between 0 and {DEBOUNCE_MAX} milliseconds", field="debounce_for")
    if digest_every is not None and digest_every < DIGEST_MIN:
        raise Invalid(f"digest_every is at least {DIGEST_MIN} milliseconds", field="digest_every")
    if max_duration is not None and max_duration < 1000:
        raise Invalid("max_duration is at least 1000 milliseconds, or null", field="max_duration")
    if deny_after is not KEEP and deny_after is not None and deny_after < 1000:
        raise Invalid("deny_after is at least 1000 milliseconds, or null", field="deny_after")
    if hop_limit is not None:
        access.need_person(actor)
        if not 1 <= hop_limit <= HOP_MAX:
            raise Invalid(f"hop_limit lies between 1 and {HOP_MAX}", field="hop_limit", value=hop_limit)
    if approvers not in (None, 1, 2):
        raise Invalid("approvers is 1 or 2", field="approvers", value=approvers)
    if approvers not in (None, found.approvers):
        access.need(actor, Role.ADMIN)
        audit.record(
            tx, actor=actor, action="room.approvers_set", target=f"room:{found.id}", detail={"approvers": approvers}
        )
    if project is not KEEP:
        _move(tx, actor=actor, room=found, project=project)
    rooms.change(
        tx,
        room=replace(
            found,
            title=found.title if title is None else parse_title(title),
            rules=found.rules if rules is None else parse_rules(rules),
            debounce_for=found.debounce_for if debounce_for is None else debounce_for,
            digest_every=found.digest_every if digest_every is None else digest_every,
            max_duration=None if clear_max_duration else max_duration or found.max_duration,
            busy=found.busy if busy is None else parse_busy(busy),
            deny_after=found.deny_after if deny_after is KEEP else deny_after,
            approvers=found.approvers if approvers is None else approvers,
            fresh=found.fresh if fresh is None else fresh,
            hop_limit=found.hop_limit if hop_limit is None else hop_limit,
        ),
    )
    changed = _reread(tx, actor, found.id)
    tx.emit("room.changed", workspace_id=actor.workspace_id, room_id=found.id, data=changed.fact())
    return changed


def get(tx: Tx, *, actor: Actor, room: str) -> Room:
    return access.room(tx, actor, room)


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Room]:
    """By name."""
    limit = parse_limit(limit)
    found = rooms.page(tx, actor=actor, after=after or "", limit=limit + 1)
    return page_of(found, limit=limit, cursor=lambda room: room.name)


def visible_ids(tx: Tx, *, actor: Actor) -> frozenset[str]:
    return rooms.visible_ids(tx, actor=actor)


def members(tx: Tx, *, actor: Actor, room: str, after: str | None, limit: int) -> Page[Member]:
    """By kind and name."""
    found = access.room(tx, actor, room)
    limit = parse_limit(limit)
    kind, _, principal = (after or "").partition(":")
    rows = rooms.members(tx, room_id=found.id, after=(kind, principal), limit=limit + 1)
    page = page_of(rows, limit=limit, cursor=lambda row: f"{row[0].kind}:{row[1]}")
    return Page(items=tuple(member for member, _ in page.items), next=page.next)


def mentionables(tx: Tx, *, actor: Actor, room: str, after: str | None, limit: int) -> Page[Mentionable]:
    """Exactly the names that resolve when they stand after an @ in this room: agents, then people, each by name."""
    found = access.room(tx, actor, room)
    limit = parse_limit(limit)
    agents = [
        Mentionable(name=agent.key, kind="agent", display_name=agent.display_name, mode=agent.mode)
        for agent in rooms.agents_in(tx, room_id=found.id)
        if agent.mode is not Mode.OFF
    ]
    people = [
        Mentionable(name=person.username, kind="user", display_name=person.display_name, mode=None)
        for person in rooms.people_in(tx, room_id=found.id)
    ]
    kind, _, name = (after or "").partition(":")
    following = [one for one in sorted(agents + people, key=_place) if _place(one) > (kind, name)]
    return page_of(following[: limit + 1], limit=limit, cursor=lambda one: f"{one.kind}:{one.name}")


def invite_agent(tx: Tx, *, actor: Actor, room: str, agent: str, mode: str) -> Member:
    """Let an agent in, or change its mode. A run may invite only into rooms its agent is in, and changes no mode: who
    hears what is for people to say.
    """
    access.need_writer(actor)
    found = access.room(tx, actor, room)
    new_mode = parse_mode(mode)
    if agent_rows.get(tx, agent, workspace_id=actor.workspace_id) is None:
        raise NotFound("there is no such agent", agent=agent)
    if actor.kind is ActorKind.COMPUTER and not access.is_assigned(tx, actor, agent):
        raise NotFound("there is no such agent", agent=agent)
    was = rooms.member(tx, room_id=found.id, kind="agent", principal=agent)
    if was is not None and was.mode is not new_mode and actor.kind is ActorKind.RUN:
        raise Forbidden(
            f"{agent} is in {found.name} already, as {was.mode}: a person or the operator of a computer changes that",
            agent=agent,
            mode=was.mode,
        )
    rooms.set_member(tx, room_id=found.id, kind="agent", principal=agent, mode=new_mode)
    member = rooms.member(tx, room_id=found.id, kind="agent", principal=agent)
    assert member is not None, "it was written in this transaction"
    kind = "member.joined" if was is None else "member.changed"
    tx.emit(kind, workspace_id=actor.workspace_id, room_id=found.id, data={"room": found.id, **member.fact()})
    return member


def invite_user(tx: Tx, *, actor: Actor, room: str, user: str) -> Member:
    """Let a user in; matters for private rooms."""
    access.need(actor, Role.MEMBER)
    found = access.room(tx, actor, room)
    person = user_rows.get(tx, user, workspace_id=actor.workspace_id)
    if person is None:
        raise NotFound("there is no such user", user=user)
    rooms.set_member(tx, room_id=found.id, kind="user", principal=person.id, mode=None)
    member = rooms.member(tx, room_id=found.id, kind="user", principal=person.id)
    assert member is not None, "it was written in this transaction"
    tx.emit(
        "member.joined", workspace_id=actor.workspace_id, room_id=found.id, data={"room": found.id, **member.fact()}
    )
    return member


def restart_agent(tx: Tx, *, actor: Actor, room: str, agent: str) -> list[Run]:
    """Restart what this agent runs in this room, and nothing elsewhere."""
    access.need_person(actor)
    found = access.room(tx, actor, room)
    if rooms.member(tx, room_id=found.id, kind="agent", principal=agent) is None:
        raise NotFound("there is no such agent in this room", agent=agent, room=found.name)
    live = runs.live_in_room(tx, room_id=found.id, agent=agent)
    if not live:
        raise Conflict(f"{agent} runs nothing in {found.name} now", agent=agent, room=found.name)
    return [runs.order(tx, actor=actor, run=run, wanted=Wanted.RESTART) for run in live]


def create_topic(tx: Tx, *, actor: Actor, room: str, title: str | None = None, client_id: str | None = None) -> Topic:
    """A new topic. Without a title it is named after its first words once a run has succeeded in it."""
    access.need_writer(actor)
    found = access.room(tx, actor, room)
    said = {"room": found.id, "title": title}
    if (
        target := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="topics.create", said=said)
    ) is not None:
        return access.topic(tx, actor, int(target))
    topic_id = rooms.add_topic(
        tx,
        room_id=found.id,
        title=PLACEHOLDER if title is None else parse_title(title),
        is_default=False,
        created_by=actor.key,
        is_placeholder=title is None,
    )
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="topics.create", said=said, target=topic_id)
    topic = access.topic(tx, actor, topic_id)
    tx.emit("topic.created", workspace_id=actor.workspace_id, room_id=found.id, data=topic.fact())
    return topic


def list_topics(tx: Tx, *, actor: Actor, room: str, after: str | None, limit: int) -> Page[Topic]:
    """Oldest first."""
    found = access.room(tx, actor, room)
    limit = parse_limit(limit)
    topics = rooms.topics(tx, room_id=found.id, after=parse_after(after) or 0, limit=limit + 1)
    return page_of(topics, limit=limit, cursor=lambda topic: str(topic.id))


def _move(tx: Tx, *, actor: Actor, room: Room, project: str | None) -> None:
    """Make the room one of a project, or of none. The default room of a project stays in it; one that asks for several
    approvers does for the whole project, so an admin takes it out.
    """
    about = None if project is None else access.open_project(tx, actor, project)
    if room.project_id == (None if about is None else about.id):
        return
    if room.project_id is not None:
        before = projects.find(tx, workspace_id=actor.workspace_id, ref=room.project_id)
        if before is not None and before.default_room == room.id:
            raise Conflict(f"{room.name} is the default room of {before.key}", room=room.name, project=before.key)
        if room.approvers > 1:
            access.need(actor, Role.ADMIN)
    if tasks.any_in_room(tx, room_id=room.id):
        raise Conflict(f"{room.name} has tasks, and they are its project's: archive it instead", room=room.name)
    later = None if about is None else about.id
    detail: dict[str, object] = {"from": room.project_id, "to": later}
    audit.record(tx, actor=actor, action="room.moved", target=f"room:{room.id}", detail=detail)
    projects.set_room(tx, room_id=room.id, project_id=later)


def _place(one: Mentionable) -> tuple[str, str]:
    return one.kind, one.name


def _reread(tx: Tx, actor: Actor, room_id: str) -> Room:
    rooms.forget(tx, room_id=room_id)
    room = rooms.find(tx, workspace_id=actor.workspace_id, ref=room_id)
    assert room is not None, "it was written in this transaction"
    return room
