"""What exists on the platform: organisations' people, groups, robots, messages, cards, files, tokens."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from pal_cli.chaos.platforms.changes import Changes
from pal_cli.chaos.platforms.clock import Clock

Json = dict[str, Any]

SCOPES = "qyapi_robot_sendmsg Card.Instance.Write Card.Streaming.Write qyapi_get_member"
TOKEN_LIVES = 7200.0  # seconds
SESSION_LIVES = 5400.0
CORP = "ding0corp"


@dataclass(kw_only=True)
class App:
    """One robot."""

    id: str  # clientId, appKey and robotCode in one
    secret: str
    name: str
    scopes: set[str]
    is_disabled: bool = False
    has_stream: bool = True


@dataclass(kw_only=True)
class Person:
    sender_id: str  # as this platform encrypts it
    staff_id: str  # empty for people outside the organisation
    nick: str

    @property
    def key(self) -> str:
        return self.staff_id or self.sender_id


@dataclass(kw_only=True)
class Conversation:
    id: str
    title: str = ""
    is_group: bool = True
    robots: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)


@dataclass(kw_only=True)
class Card:
    app: str
    template: str
    params: dict[str, str]
    conversation: str
    space: str  # IM_GROUP or IM_ROBOT
    space_id: str
    deliveries: int = 1  # how often it is seen
    versions: list[dict[str, str]] = field(default_factory=list)

    def shown(self, track: str) -> Json:
        return {
            "outTrackId": track,
            "app": self.app,
            "template": self.template,
            "params": self.params,
            "conversation": self.conversation,
            "deliveries": self.deliveries,
            "versions": self.versions,
        }


@dataclass(kw_only=True)
class Media:
    id: str
    kind: str
    name: str
    data: bytes


class World(Changes):
    """All of it."""

    def __init__(self, clock: Clock, *, url: str = "") -> None:
        super().__init__()
        self.clock = clock
        self.url = url
        self.apps: dict[str, App] = {}
        self.people: dict[str, Person] = {}  # by key
        self.conversations: dict[str, Conversation] = {}
        self.messages: list[Json] = []  # what robots posted, cards among it
        self.said: dict[str, Json] = {}  # what people said, by msgId
        self.cards: dict[tuple[str, str], Card] = {}  # by app and outTrackId
        self.media: dict[str, Media] = {}
        self.codes: dict[str, Media] = {}  # by downloadCode
        self.tokens: dict[str, tuple[str, float]] = {}  # app, good until
        self.sessions: dict[str, tuple[str, str, float]] = {}  # app, conversation, good until
        self.calls: list[Json] = []
        self._numbers = itertools.count(1)

    def is_at(self, url: str) -> None:
        self.url = url

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):06d}"

    # Who there is

    def add_app(self, *, name: str = "helper", scopes: str = SCOPES) -> App:
        app = App(id=self.new_id("ding"), secret=f"secret-{uuid.uuid4().hex}", name=name, scopes=set(scopes.split()))
        self.apps[app.id] = app
        return app

    def add_person(self, *, nick: str, is_outside: bool = False) -> Person:
        staff = "" if is_outside else self.new_id("manager")
        person = Person(sender_id=f"$:LWCP_v1:${self.new_id('x')}", staff_id=staff, nick=nick)
        self.people[person.key] = person
        return person

    def add_group(self, *, title: str, robots: set[str], people: set[str]) -> Conversation:
        group = Conversation(id=self.new_id("cid") + "==", title=title, robots=robots, people=people)
        self.conversations[group.id] = group
        return group

    def direct(self, app: str, person: str) -> Conversation:
        """The conversation of a person and a robot; it is made when there is none."""
        for conversation in self.conversations.values():
            if not conversation.is_group and conversation.robots == {app} and conversation.people == {person}:
                return conversation
        direct = Conversation(id=self.new_id("cid") + "==", is_group=False, robots={app}, people={person})
        self.conversations[direct.id] = direct
        return direct

    # What lets in

    def new_token(self, app: str) -> str:
        token = uuid.uuid4().hex
        self.tokens[token] = (app, self.clock.now() + TOKEN_LIVES)
        return token

    def app_of(self, token: str) -> App | None:
        app, until = self.tokens.get(token, ("", 0.0))
        return self.apps[app] if until > self.clock.now() else None

    def new_session(self, app: str, conversation: str) -> tuple[str, int]:
        """An address to answer at, and until when (ms)."""
        session = uuid.uuid4().hex
        until = self.clock.now() + SESSION_LIVES
        self.sessions[session] = (app, conversation, until)
        return f"{self.url}/robot/sendBySession?session={session}", int(until * 1000)

    # What was posted

    def post(self, app: str, conversation: str, **more: Any) -> Json:
        message = {"app": app, "conversation": conversation, "key": f"pqk{uuid.uuid4().hex}", **more}
        self.messages.append(message)
        self.note()
        return message
