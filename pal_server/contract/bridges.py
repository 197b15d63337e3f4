"""Bots on outside chats, who may use them, and what bridges say to the server."""

from typing import Any, Literal

import msgspec

from .base import Answer, Page, Request

EventKind = Literal["said", "edited", "deleted", "action", "command"]
PostResult = Literal["sent", "later", "doubt", "anew", "refused"]


class Bot(Answer, frozen=True, kw_only=True):
    """One app on a platform, bound to one agent. Credentials are never told."""

    id: str
    platform: str
    app_id: str
    agent: str | None
    label: str
    name: str
    """As the platform calls it."""
    bot_id: str
    base_url: str | None
    options: dict[str, str] = {}
    notify_chat: str | None = None
    """A chat in which the end of each of the agent's runs is told."""
    from_file: bool
    waits_for_reload: bool
    """Something was saved without a reload."""
    state: Literal["unverified", "listening", "error", "unbound"]
    error: str | None = None
    heard_at: int | None = None
    """When something came back from the platform last."""
    deaf_since: int | None = None
    """From when on something may have been said that was not heard; null when all was."""
    created_at: int
    updated_at: int


class BotAnswer(Answer, frozen=True, kw_only=True):
    bot: Bot
    findings: list[dict[str, Any]] = []
    """What was looked at when the credentials were checked: what, ok, text, advice."""


class BotsAnswer(Answer, frozen=True, kw_only=True):
    bots: list[Bot]
    next: str | None = None


class BotsQuery(Page, frozen=True, kw_only=True):
    platform: str | None = None


class SaveBot(Request, frozen=True, kw_only=True):
    """Bind, move or change a bot. Credentials are checked with the platform before anything is saved."""

    platform: str
    app_id: str | None = None
    """May be left out where the credentials say it."""
    credentials: dict[str, str] = {}
    """By the platform's own names; empty keeps those there are."""
    agent: str | msgspec.UnsetType | None = msgspec.UNSET
    label: str | msgspec.UnsetType = msgspec.UNSET
    base_url: str | msgspec.UnsetType | None = msgspec.UNSET
    options: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    notify_chat: str | msgspec.UnsetType | None = msgspec.UNSET
    rebind: bool = False
    """Move it from the agent that has it, and the agent from the bot it had."""
    reload: bool = True
    """False: saved, and takes effect with the next reload of its platform."""
    verify: bool = True


class UnbindBots(Request, frozen=True, kw_only=True):
    agent: str
    platform: str | None = None


class ReloadedAnswer(Answer, frozen=True, kw_only=True):
    bots: list[Bot]
    file: str | None = None
    """The configuration file that was read, when there is one."""


class Identity(Answer, frozen=True, kw_only=True):
    """Somebody on a platform."""

    id: str
    platform: str
    external_id: str
    name: str
    standing: Literal["allowed", "denied", "asked"]
    level: Literal["talk", "operate", "own"]
    quota: int | None = None
    """Messages an hour."""
    user: str | None = None
    """The user of pal this is: what is said and pressed outside is that user's, with that user's rights."""
    created_at: int


class IdentityAnswer(Answer, frozen=True, kw_only=True):
    identity: Identity


class IdentitiesAnswer(Answer, frozen=True, kw_only=True):
    identities: list[Identity]
    next: str | None = None


class IdentitiesQuery(Page, frozen=True, kw_only=True):
    platform: str | None = None
    standing: str | None = None
    """`asked` lists those who were refused and may be let in."""


class PutIdentity(Request, frozen=True, kw_only=True):
    platform: str
    external_id: str
    name: str | None = None
    allowed: bool = True
    level: str | None = None
    quota: int | msgspec.UnsetType | None = msgspec.UNSET
    user: str | msgspec.UnsetType | None = msgspec.UNSET
    """The name of the user of pal this is; null for nobody."""


class RemoveIdentity(Request, frozen=True, kw_only=True):
    platform: str
    external_id: str


class PlatformEvent(Answer, frozen=True, kw_only=True):
    """Something a platform told, in its own words as far as these are kept."""

    id: int
    platform: str
    app_id: str
    bot: str
    event: str
    kind: EventKind
    chat: str
    thread: str
    person: str
    outcome: Literal["waiting", "done", "refused", "ignored"]
    message: int | None = None
    said_at: int
    received_at: int
    raw: str = ""


class PlatformEventsAnswer(Answer, frozen=True, kw_only=True):
    events: list[PlatformEvent]
    next: str | None = None


class PlatformEventsQuery(Page, frozen=True, kw_only=True):
    platform: str | None = None


class Post(Answer, frozen=True, kw_only=True):
    """One visible part outside."""

    id: int
    bot: str
    chat: str
    thread: str
    key: str
    kind: Literal["text", "card", "file", "reaction"]
    purpose: Literal["message", "turn", "ask", "notice", "working"]
    message: int | None = None
    delivery: int | None = None
    interaction: int | None = None
    part: int
    parts: int
    state: Literal["pending", "sending", "confirmed", "doubtful", "failed"]
    ref: str | None = None
    """What the platform calls it."""
    repeated: bool = False
    """It may be there twice: nobody could find out."""
    tries: int
    not_before: int
    error: str | None = None
    created_at: int
    updated_at: int


class PostAnswer(Answer, frozen=True, kw_only=True):
    post: Post


class PostsAnswer(Answer, frozen=True, kw_only=True):
    posts: list[Post]
    next: str | None = None


class PostsQuery(Page, frozen=True, kw_only=True):
    platform: str | None = None
    state: str | None = None


class SendPost(Request, frozen=True, kw_only=True):
    """Say something through a bot."""

    platform: str
    app_id: str
    to: str
    """As the platform names it: `oc_…`, `ou_…`, `C…`, `user:…`."""
    text: str
    client_id: str | None = None


class BotReport(Request, frozen=True, kw_only=True):
    id: str
    lease_id: str
    revision: int
    listening: bool
    error: str | None = None
    heard_at: int | None = None
    deaf_since: int | None = None


class BridgeBeat(Request, frozen=True, kw_only=True):
    """A bridge lives: its bots stay its own, and those nobody holds become so."""

    platform: str
    holder: str
    """Made by the bridge at its start."""
    bots: list[BotReport] = []


class OutsidePlace(Answer, frozen=True, kw_only=True):
    chat: str
    thread: str
    kind: Literal["direct", "group"]
    title: str = ""
    memo: str = ""


class WaitingEvent(Answer, frozen=True, kw_only=True):
    """A message whose files were not fetched yet when the bridge before this one ended."""

    id: int
    ref: str
    files: list[dict[str, Any]]
    room: str


class HeldBot(Answer, frozen=True, kw_only=True):
    id: str
    app_id: str
    lease_id: str
    revision: int
    credentials: dict[str, str] | None = None
    """Only when the bridge does not have this revision."""
    base_url: str | None = None
    options: dict[str, str] = {}
    bot_id: str = ""
    deaf_since: int | None = None
    waiting: list[WaitingEvent] = []
    places: list[OutsidePlace] = []


class BeatAnswer(Answer, frozen=True, kw_only=True):
    bots: list[HeldBot]
    """All the bridge holds now; what it has beside them it closes."""
    now: int


class LetGo(Request, frozen=True, kw_only=True):
    platform: str
    holder: str


class FileOffer(Request, frozen=True, kw_only=True):
    key: str
    name: str
    mime: str = "application/octet-stream"
    size: int | None = None


class HearEvent(Request, frozen=True, kw_only=True):
    """One thing the platform told. `event` is the same for every repeat of it."""

    bot: str
    lease_id: str
    event: str
    kind: EventKind
    chat: str
    thread: str = ""
    place: Literal["direct", "group"]
    title: str = ""
    memo: str = ""
    person: str
    person_name: str = ""
    others: list[str] = []
    at: int
    raw: str = ""
    ref: str = ""
    text: str = ""
    addressed: bool = True
    reply_to: str = ""
    files: list[FileOffer] = []
    unsupported: str = ""
    token: str = ""
    values: dict[str, str | list[str]] = {}
    name: str = ""


class HeardAnswer(Answer, frozen=True, kw_only=True):
    """`text` is for the one person; `files` is what is fetched next, and then handed in."""

    id: int
    outcome: Literal["waiting", "done", "refused", "ignored"]
    text: str = ""
    tone: Literal["success", "info", "warning", "error"] = "info"
    message: int | None = None
    files: list[dict[str, Any]] = []
    room: str = ""
    """Where fetched files belong."""
    card: dict[str, Any] | None = None


class HandInFiles(Request, frozen=True, kw_only=True):
    bot: str
    lease_id: str
    files: list[str]
    """Ids of what was uploaded."""
    missing: list[str] = []
    """Names of what could not be had."""


class HeldLease(Request, frozen=True, kw_only=True):
    bot: str
    lease_id: str


class ClaimPosts(Request, frozen=True, kw_only=True):
    platform: str
    held: list[HeldLease]
    limit: int = 20
    revision: int = 0
    """What the last claim answered; another one ends the wait."""
    wait: int = 0
    """Milliseconds to wait for something, at most 30,000."""


class ClaimedPost(Answer, frozen=True, kw_only=True):
    """A post under its lease."""

    id: int
    bot: str
    key: str
    kind: Literal["text", "card", "file", "reaction"]
    purpose: Literal["message", "turn", "ask", "notice", "working"]
    chat: str
    thread: str
    part: int
    parts: int
    body: dict[str, Any]
    version: int
    gone: bool
    ref: str | None
    doubt: bool
    """A try before this one may have happened: ask the platform first."""
    since: int | None
    """When the first such try began."""
    repeated: bool
    tries: int
    lease_id: str
    fence: int
    place: Literal["direct", "group"]
    title: str = ""
    memo: str = ""


class ClaimedPostsAnswer(Answer, frozen=True, kw_only=True):
    posts: list[ClaimedPost]
    revision: int
    next_at: int | None
    now: int


class UnderPostLease(Request, frozen=True, kw_only=True):
    lease_id: str
    fence: int


class SettlePost(UnderPostLease, frozen=True, kw_only=True):
    result: PostResult
    ref: str | None = None
    version: int | None = None
    after: int = 0
    """Milliseconds until it may be tried again."""
    reason: str = ""
    repeated: bool = False
    shown_hash: str | None = None


class SplitPost(UnderPostLease, frozen=True, kw_only=True):
    version: int
    parts: list[str]
    as_file: bool = False
