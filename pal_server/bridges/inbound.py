"""What comes in from a platform, in words of pal: messages, edits, presses of buttons, commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .cards import Card


class PlaceKind(StrEnum):
    DIRECT = "direct"  # one person and the bot
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was said. `chat` and `thread` are the platform's to shape, stable for ever, compared as they are.

    `thread` is the id of the thread a message belongs to, or would begin (on Slack `thread_ts or ts`); empty where the
    platform has no threads and in direct chats that are one conversation.
    """

    chat: str
    thread: str = ""
    kind: PlaceKind
    title: str = ""  # of the chat, where it is known without asking
    memo: str = ""  # ≤ 2,000 characters on how to reach it (a session webhook): the newest is given back with each post


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who said it: `id` is what an allow-list entry names, `others` are more ids of the same person (union, staff)."""

    id: str
    name: str = ""  # display name; empty when it must be asked for (`Connection.name_of`)
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that is still on the platform; `Connection.fetch` gets its bytes."""

    key: str  # whatever `fetch` needs beside the message
    name: str
    mime: str = "application/octet-stream"
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What all inbound things have.

    `event` is what makes it one thing for ever: the same for every repeat, however it comes again (by message id for
    messages, not by event id: platforms tell one message under several). Unique within the app.
    """

    event: str
    place: Place
    person: Person
    at: int  # UTC milliseconds, when it was said
    raw: str = ""  # the platform's JSON with secrets taken out, for the event log; cut by the core


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Inbound):
    """A message for the bot: a mention, or any message in a direct chat or a thread the bot is in.

    `text` is Markdown, the bot's own mention cut out, other people's mentions as `@Name`.
    """

    message: str  # its ref, as `Sent.ref` would name it: what reactions and replies point at
    text: str
    # The bot is mentioned, or it is a direct chat. Others count in linked threads, and as answers to the agent's words.
    addressed: bool = True
    reply_to: str = ""  # ref of the message it answers
    files: tuple[Attachment, ...] = ()
    unsupported: str = ""  # a kind pal cannot read, in words for a person: "a location"; then text may be empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited(Inbound):
    """A person changed a message. `event` names this edit (message and version)."""

    message: str
    text: str
    addressed: bool = True  # as of `Said`, now


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted(Inbound):
    """A message was taken back. A `person` without an id is whoever said it: some platforms do not tell."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardAction(Inbound):
    """Somebody pressed a button or sent a form. `message` is the card's ref, empty if the platform does not say."""

    message: str
    token: str
    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Inbound):
    """A command of the platform's own (Slack's /name): `name` without the slash. Written as text it comes as `Said`."""

    name: str
    text: str = ""


Event = Said | Edited | Deleted | CardAction | Command


class ToastKind(StrEnum):
    SUCCESS = "success"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of an event, after it is stored: the platform acks, and shows what it can show at once.

    `text` is for the one person (a toast on a card, the ephemeral answer of a command); everything for the room comes
    as a post. `card` is the card's new state, to be put in place with the ack where the platform can; the edit comes as
    a post in any case.
    """

    text: str = ""
    kind: ToastKind = ToastKind.INFO
    card: Card | None = None
