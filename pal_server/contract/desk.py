"""One person's desk: everything a client begins with, and what the person keeps: reads, drafts, saved, preferences."""

from typing import Literal

import msgspec

from .agents import Agent, Computer
from .base import Answer, Request
from .deliveries import Delivery
from .messages import Sender
from .people import Me, User
from .projects import Project
from .rooms import Room, Topic
from .runs import Interaction, Run
from .terminals import Terminal
from .words import RunStatus

Theme = Literal["system", "light", "dark"]
Language = Literal["system", "en", "zh"]


class LastWords(Answer, frozen=True, kw_only=True):
    """The newest message of a topic, in one line."""

    message: int
    sender: Sender
    text: str
    """Its first 200 characters."""
    at: int


class LastRun(Answer, frozen=True, kw_only=True):
    id: int
    agent: str
    status: RunStatus


class Glance(Answer, frozen=True, kw_only=True):
    """A topic as a list shows it."""

    topic: Topic
    last: LastWords | None = None
    run: LastRun | None = None
    agents: list[str] = []
    """Who has worked there."""
    read: int = 0
    """Up to which message the person has read."""
    unread: int = 0
    """Messages of others after it; counted up to 100."""


class Draft(Answer, frozen=True, kw_only=True):
    topic: int
    content: str
    updated_at: int


class Saved(Answer, frozen=True, kw_only=True):
    """A message to be sent later."""

    id: int
    topic: int
    content: str
    place: int
    """Its place in the person's list, from 0."""
    created_at: int


class SavedPrompt(Answer, frozen=True, kw_only=True):
    """What a person says again and again, under a name of their own."""

    name: str
    content: str
    updated_at: int


class Preferences(Answer, frozen=True, kw_only=True):
    theme: Theme = "system"
    font_size: int = 15
    """Pixels of a message's text, 13 to 20."""
    language: Language = "system"
    enter_sends: bool = False
    single_keys: bool = True
    """Keys such as J and K act outside of text fields."""
    notify_needs: bool = True
    notify_mentions: bool = True
    notify_runs: bool = True
    quiet_from: int | None = None
    """Minutes after midnight, in the person's own time; no notifications from then ..."""
    quiet_until: int | None = None
    """... until then."""


class Snapshot(Answer, frozen=True, kw_only=True):
    """What one sees, at one position of the log: with the events after it a client stays up to date."""

    position: int
    now: int
    me: Me
    users: list[User]
    present: list[str]
    """Names of the users who are here now."""
    projects: list[Project] = []
    rooms: list[Room]
    topics: list[Glance]
    """The 1000 topics in which something was said last."""
    agents: list[Agent]
    computers: list[Computer]
    runs: list[Run]
    """Those that live."""
    interactions: list[Interaction]
    """Those that wait for a person."""
    deliveries: list[Delivery]
    """Those that are open, and the newest of those that ended badly."""
    terminals: list[Terminal] = []
    """Those that live."""
    drafts: list[Draft]
    saved: list[Saved]
    saved_prompts: list[SavedPrompt] = []
    preferences: Preferences


class SnapshotAnswer(Answer, frozen=True, kw_only=True):
    snapshot: Snapshot


class MarkRead(Request, frozen=True, kw_only=True):
    """Read up to and including this message; an earlier one than before marks what follows as unread. 0: nothing."""

    message: int


class ReadMark(Answer, frozen=True, kw_only=True):
    topic: int
    message: int


class ReadAnswer(Answer, frozen=True, kw_only=True):
    read: ReadMark


class WriteDraft(Request, frozen=True, kw_only=True):
    """Empty: there is no draft any more."""

    content: str


class DraftAnswer(Answer, frozen=True, kw_only=True):
    draft: Draft


class SaveForLater(Request, frozen=True, kw_only=True):
    topic: int
    content: str
    client_id: str | None = None


class ChangeSaved(Request, frozen=True, kw_only=True):
    content: str | msgspec.UnsetType = msgspec.UNSET
    place: int | msgspec.UnsetType = msgspec.UNSET


class SavedAnswer(Answer, frozen=True, kw_only=True):
    saved: Saved


class SavePrompt(Request, frozen=True, kw_only=True):
    """The same name again gets the new words."""

    content: str


class SavedPromptAnswer(Answer, frozen=True, kw_only=True):
    saved_prompt: SavedPrompt


class ChangePreferences(Request, frozen=True, kw_only=True):
    theme: Theme | msgspec.UnsetType = msgspec.UNSET
    font_size: int | msgspec.UnsetType = msgspec.UNSET
    language: Language | msgspec.UnsetType = msgspec.UNSET
    enter_sends: bool | msgspec.UnsetType = msgspec.UNSET
    single_keys: bool | msgspec.UnsetType = msgspec.UNSET
    notify_needs: bool | msgspec.UnsetType = msgspec.UNSET
    notify_mentions: bool | msgspec.UnsetType = msgspec.UNSET
    notify_runs: bool | msgspec.UnsetType = msgspec.UNSET
    quiet_from: int | msgspec.UnsetType | None = msgspec.UNSET
    quiet_until: int | msgspec.UnsetType | None = msgspec.UNSET


class PreferencesAnswer(Answer, frozen=True, kw_only=True):
    preferences: Preferences


class Webhook(Answer, frozen=True, kw_only=True):
    """An address that is told what this person's browser would be told."""

    url: str
    needs: bool
    """Something waits for them."""
    mentions: bool
    """Somebody named them."""
    runs: bool
    """A run they asked for ended or failed."""
    created_at: int
    error: str | None = None
    """Why the newest post did not arrive; it is tried again for two days."""
    failed_at: int | None = None


class WebhookAnswer(Answer, frozen=True, kw_only=True):
    webhook: Webhook | None


class CreateWebhook(Request, frozen=True, kw_only=True):
    """Makes it, or gives it another address and secret."""

    url: str
    needs: bool = True
    mentions: bool = True
    runs: bool = True


class CreatedWebhookAnswer(Answer, frozen=True, kw_only=True):
    webhook: Webhook
    secret: str
    """Shown once: `X-Pal-Signature: t=…,v1=…` is HMAC-SHA256 with it over `t`, a dot and the body."""


class ChangeWebhook(Request, frozen=True, kw_only=True):
    needs: bool | msgspec.UnsetType = msgspec.UNSET
    mentions: bool | msgspec.UnsetType = msgspec.UNSET
    runs: bool | msgspec.UnsetType = msgspec.UNSET


class ChatPlace(Answer, frozen=True, kw_only=True):
    """A bot that can write to this person on a platform."""

    bot: str
    """Its id."""
    platform: str
    name: str
    agent: str
    identity: str
    """Id of who they are there."""
    person: str
    """Their name there."""


class ChatNotices(Answer, frozen=True, kw_only=True):
    """A chat outside in which this person is told what their browser would be told."""

    place: ChatPlace | None
    """Null when nobody knows any more who they are there."""
    needs: bool
    """Something waits for them."""
    mentions: bool
    """Somebody named them."""
    runs: bool
    """A run they asked for ended or failed."""
    created_at: int
    error: str | None = None
    """Why nothing is told now, or why the newest post did not arrive."""


class ChatNoticesAnswer(Answer, frozen=True, kw_only=True):
    notices: ChatNotices | None
    places: list[ChatPlace]
    """Those that can be chosen: where an admin has said who they are."""


class ChooseChat(Request, frozen=True, kw_only=True):
    """Be told there from now on."""

    bot: str
    identity: str
    needs: bool = True
    mentions: bool = True
    runs: bool = True


class ChangeChatNotices(Request, frozen=True, kw_only=True):
    needs: bool | msgspec.UnsetType = msgspec.UNSET
    mentions: bool | msgspec.UnsetType = msgspec.UNSET
    runs: bool | msgspec.UnsetType = msgspec.UNSET
