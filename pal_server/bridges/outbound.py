"""What goes out to a platform, and what can become of it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .cards import Card
from .inbound import Person, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOut:
    """A file on disk, already whole."""

    path: Path
    name: str
    mime: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """What all outgoing things have. `key` (32 characters a-z 0-9) is made once per post and the same in each try."""

    key: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class PostText(Outbound):
    text: str  # Markdown, within Limits.text
    reply_to: str = ""  # ref to answer; gone meanwhile: send without
    mention: Person | None = None  # who asked: for platforms where nothing else ties the answer to the question


@dataclass(frozen=True, slots=True, kw_only=True)
class EditText(Outbound):
    ref: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCard(Outbound):
    card: Card
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCard(Outbound):
    """The whole card in its newest state. `number` grows with each edit of this card, across restarts."""

    ref: str
    card: Card
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostFile(Outbound):
    file: FileOut
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class React(Outbound):
    """Put the bot's reaction on a message. `emoji` is the platform's own name for it. Already there is `Sent`."""

    message: str
    emoji: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreact(Outbound):
    """Take it away again. `ref` is what `Sent.ref` said of the `React`. Already gone is `Sent`."""

    message: str
    emoji: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Outbound):
    ref: str


Outgoing = PostText | EditText | PostCard | EditCard | PostFile | React | Unreact | Withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """It is there. `ref` is how it is named from now on (of a reaction: what takes it away).

    `whole` is false when the platform's answer shows less than was given: the core then sends the whole as a file.
    """

    ref: str
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """Too fast: nothing happened. `after` seconds until it may be tried, as the platform said, else a guess."""

    after: float
    bucket: str = ""  # the `Charge` it was about, if known: everything that counts against it waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Certainly nothing happened, and it may work later: not connected, refused before the effect, token renewed."""

    reason: str


class Why(StrEnum):
    """Why a send will never work as it is; the core knows a way on for some."""

    GONE = "gone"  # the message to edit, answer or react to is no more
    CARD = "card"  # the card as such is refused: goes as text
    TOO_LONG = "too_long"  # goes as a file
    TOO_LATE = "too_late"  # can no longer be edited: a new post
    CLOSED = "closed"  # the bot is not, or no longer, in this chat
    SCOPE = "scope"  # the app lacks a permission; the reason names it
    CREDENTIALS = "credentials"  # the bot as a whole is refused
    INVALID = "invalid"  # anything else that repeating does not cure
    UNABLE = "unable"  # the platform has no such thing


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Certainly nothing happened, and the same again would be refused again."""

    why: Why
    reason: str  # for a person, with the platform's code, without secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """It may have happened, or may still: the answer was lost."""

    reason: str


Outcome = Sent | Limited | Unsent | Refused | Doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class NotThere:
    """The platform was asked and the key is certainly not posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotTell:
    """The platform keeps no such record, or could not be asked; `again` says that asking later may help."""

    reason: str
    again: bool = False


Found = Sent | NotThere | CannotTell
