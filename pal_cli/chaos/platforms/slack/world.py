"""What exists on the platform: workspaces, people, channels, messages, files, and apps with their tokens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pal_cli.chaos.platforms.changes import Changes
from pal_cli.chaos.platforms.clock import Clock

Json = dict[str, Any]

SCOPES = (
    "app_mentions:read channels:history groups:history im:history mpim:history chat:write reactions:read "
    "reactions:write files:read files:write users:read channels:read groups:read im:read mpim:read im:write commands "
    "assistant:write metadata.message:read"
)
EVENTS = (
    "app_mention message.im message.channels message.groups message.mpim reaction_added reaction_removed "
    "member_joined_channel app_home_opened assistant_thread_started tokens_revoked app_uninstalled"
)
KINDS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
LETTERS = {"channel": "C", "group": "C", "im": "D", "mpim": "G"}


@dataclass(kw_only=True)
class Person:
    id: str
    team: str
    name: str
    real_name: str
    app: str | None = None  # of a bot user

    def shown(self) -> Json:
        profile = {"display_name": self.name, "real_name": self.real_name, "image_72": ""}
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower(),
            "real_name": self.real_name,
            "is_bot": self.app is not None,
            "deleted": False,
            "profile": profile,
        }


@dataclass(kw_only=True)
class Channel:
    id: str
    team: str
    name: str
    kind: str  # channel | group | im | mpim
    members: set[str] = field(default_factory=set)
    messages: dict[str, Json] = field(default_factory=dict)  # by ts, in the order they were posted
    is_archived: bool = False

    def thread(self, ts: str) -> Iterator[Json]:
        return (m for m in self.messages.values() if m["ts"] == ts or m.get("thread_ts") == ts)

    def shown(self, *, to: str) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": self.kind == "im",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_member": to in self.members,
            "is_archived": self.is_archived,
        }


@dataclass(kw_only=True)
class Install:
    """One app in one workspace."""

    app: str
    team: str
    token: str
    bot_id: str
    bot_user: str
    scopes: set[str]
    error: str | None = None  # why the token is refused: token_revoked, token_expired, account_inactive, invalid_auth


@dataclass(kw_only=True)
class App:
    id: str
    name: str
    app_token: str
    events: set[str]
    installs: dict[str, Install] = field(default_factory=dict)  # by workspace
    app_token_error: str | None = None
    has_socket_mode: bool = True


@dataclass(kw_only=True)
class File:
    id: str
    team: str
    name: str
    title: str
    data: bytes
    mimetype: str
    user: str = ""
    is_complete: bool = False
    channels: list[str] = field(default_factory=list)


class World(Changes):
    """All of it."""

    def __init__(self, clock: Clock, *, url: str = "") -> None:
        super().__init__()
        self.clock = clock
        self.url = url
        self.apps: dict[str, App] = {}
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.calls: list[Json] = []
        self._numbers = itertools.count(1)
        self._last_ts = 0

    def is_at(self, url: str) -> None:
        self.url = url

    def new_id(self, letter: str) -> str:
        return f"{letter}0{next(self._numbers):07d}"

    def new_ts(self) -> str:
        """Unique and growing; microseconds of the platform's clock."""
        self._last_ts = max(self._last_ts + 100, int(self.clock.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # Who there is

    def add_app(self, *, name: str, team: str, scopes: str = SCOPES, events: str = EVENTS, id: str = "") -> Install:
        """A new app, or the same in another workspace when `id` is one that exists."""
        app = self.apps.get(id)
        if app is None:
            app = App(id=id or self.new_id("A"), name=name, app_token="", events=set(events.split()))
            app.app_token = f"xapp-1-{app.id}"
            self.apps[app.id] = app
        user = self.add_person(name=name, team=team, app=app.id)
        install = Install(
            app=app.id,
            team=team,
            token=f"xoxb-{user.id}",
            bot_id=self.new_id("B"),
            bot_user=user.id,
            scopes=set(scopes.split()),
        )
        app.installs[team] = install
        return install

    def add_person(self, *, name: str, team: str, real_name: str = "", app: str | None = None) -> Person:
        person = Person(id=self.new_id("U"), team=team, name=name, real_name=real_name or name, app=app)
        self.people[person.id] = person
        return person

    def add_channel(self, *, name: str, team: str, kind: str = "channel", members: set[str] | None = None) -> Channel:
        channel = Channel(id=self.new_id(LETTERS[kind]), team=team, name=name, kind=kind, members=set(members or ()))
        self.channels[channel.id] = channel
        return channel

    def direct(self, one: str, other: str) -> Channel:
        """The conversation of two; it is made when there is none."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == {one, other}:
                return channel
        return self.add_channel(name="", team=self.people[one].team, kind="im", members={one, other})

    def install_of(self, token: str) -> Install | None:
        return next((i for app in self.apps.values() for i in app.installs.values() if i.token == token), None)

    def app_of(self, app_token: str) -> App | None:
        return next((app for app in self.apps.values() if app.app_token == app_token), None)

    def install_by_bot(self, user: str) -> Install | None:
        return next((i for app in self.apps.values() for i in app.installs.values() if i.bot_user == user), None)
