"""Rooms, their members and topics."""

from typing import Literal

import msgspec

from .base import Answer, Page, Request
from .words import Busy, Mode, Role


class Room(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    title: str
    rules: str
    visibility: Literal["workspace", "private"]
    seq: int
    """The number of the newest message; grows by one per message."""
    default_topic: int
    busy: Busy = "queue"
    """What a message does to an agent that is at work in its topic, unless the message says."""
    deny_after: int | None = None
    """Milliseconds after which an approval that nobody gave counts as denied."""
    approvers: int = 1
    """How many people have to approve what an agent asks for."""
    fresh: bool = False
    """An agent's answer is held as a draft when something newer was said in the topic that its run has not read."""
    hop_limit: int = 8
    """How often agents pass a message of a person on before a card asks people. For chains that begin from now on."""
    project: str | None = None
    """The id of the project it is about."""
    created_at: int
    archived_at: int | None = None
    expires_at: int | None = None
    """When it disappears, with all that was said in it."""


class RoomAnswer(Answer, frozen=True, kw_only=True):
    room: Room


class RoomsAnswer(Answer, frozen=True, kw_only=True):
    rooms: list[Room]
    next: str | None = None


class CreateRoom(Request, frozen=True, kw_only=True):
    name: str
    """Letters, digits, dash, underscore and dot; unique in the workspace."""
    title: str = ""
    rules: str = ""
    visibility: Literal["workspace", "private"] = "workspace"
    ttl: int | None = None
    """Seconds until it disappears, with all that was said in it."""
    project: str | None = None
    """Id or key of the project it is about."""
    client_id: str | None = None


class ChangeRoom(Request, frozen=True, kw_only=True):
    title: str | msgspec.UnsetType = msgspec.UNSET
    rules: str | msgspec.UnsetType = msgspec.UNSET
    debounce_for: int | msgspec.UnsetType = msgspec.UNSET
    """Milliseconds an unmentioned message waits for more of the same burst; 0 turns it off."""
    digest_every: int | msgspec.UnsetType = msgspec.UNSET
    """Milliseconds between digests of `periodic` members."""
    max_duration: int | msgspec.UnsetType | None = msgspec.UNSET
    """Milliseconds a run in this room may take; null for no limit."""
    busy: Busy | msgspec.UnsetType = msgspec.UNSET
    deny_after: int | msgspec.UnsetType | None = msgspec.UNSET
    approvers: int | msgspec.UnsetType = msgspec.UNSET
    """1 or 2; an admin's to change."""
    fresh: bool | msgspec.UnsetType = msgspec.UNSET
    hop_limit: int | msgspec.UnsetType = msgspec.UNSET
    """1 to 100; a person's to change."""
    project: str | msgspec.UnsetType | None = msgspec.UNSET
    """Id or key; null for none. The default room of a project stays in it."""


class Member(Answer, frozen=True, kw_only=True):
    kind: Literal["user", "agent", "guest"]
    name: str
    """A user's name, an agent's key or a guest's name."""
    display_name: str
    mode: Mode | None = None
    role: Role | None = None
    runtime: str | None = None
    joined_at: int


class MembersAnswer(Answer, frozen=True, kw_only=True):
    members: list[Member]
    next: str | None = None


class Mentionable(Answer, frozen=True, kw_only=True):
    name: str
    kind: Literal["user", "agent"]
    display_name: str
    mode: Mode | None = None


class MentionablesAnswer(Answer, frozen=True, kw_only=True):
    mentionables: list[Mentionable]
    next: str | None = None


class InviteAgent(Request, frozen=True, kw_only=True):
    agent: str
    mode: Mode = "mentions"
    client_id: str | None = None
    """Accepted as everywhere; said again, an invitation changes nothing."""


class InviteUser(Request, frozen=True, kw_only=True):
    user: str
    client_id: str | None = None
    """Accepted as everywhere; said again, an invitation changes nothing."""


class MemberAnswer(Answer, frozen=True, kw_only=True):
    member: Member


class Topic(Answer, frozen=True, kw_only=True):
    id: int
    room: str
    title: str
    is_placeholder: bool = False
    """Nobody has named it yet: the first run that succeeds in it does."""
    is_default: bool
    created_at: int
    last_message_at: int | None = None
    archived_at: int | None = None


class TopicAnswer(Answer, frozen=True, kw_only=True):
    topic: Topic


class TopicsAnswer(Answer, frozen=True, kw_only=True):
    topics: list[Topic]
    next: str | None = None


class CreateTopic(Request, frozen=True, kw_only=True):
    title: str | None = None
    """Without one it is named after its first words, once a run has succeeded in it."""
    client_id: str | None = None


class ChangeTopic(Request, frozen=True, kw_only=True):
    title: str | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET
    """True: nothing is said in it any more; false: open again."""


class StartDebate(Request, frozen=True, kw_only=True):
    """Two agents take turns in a new topic; `a` begins. `turns` counts the agents' messages."""

    room: str
    a: str
    b: str
    subject: str
    turns: int = 6
    client_id: str | None = None


class Debate(Answer, frozen=True, kw_only=True):
    id: str
    topic: int
    a: str
    b: str
    turns: int
    taken: int
    status: Literal["running", "finished", "stopped"]


class DebateAnswer(Answer, frozen=True, kw_only=True):
    debate: Debate


class RoomsQuery(Page, frozen=True, kw_only=True):
    q: str | None = None


class TopicsQuery(Page, frozen=True, kw_only=True):
    q: str | None = None
