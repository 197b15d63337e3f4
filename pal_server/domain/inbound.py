"""What people outside say to bots, and what pal says to them at once."""

from dataclasses import dataclass, field, replace
from typing import Any

from pal_server.domain.bots import Level

NAME_LIMIT = 200  # characters of a name of a person or chat
_JOINERS = "\u200c\u200d"  # nothing by themselves: letters of Persian and parts of one emoji
RAW_LIMIT = 20_000  # characters of a platform's own words that are kept for people to look at
HELP = """**What you can say here**

- Mention me: the agent gets it, in a thread too. In a direct chat everything you write is for it.
- `/new` begins a new conversation in this place; what you write after it is its first message.
- `/stop` stops what the agent does now.
- `/answer N …`, `/approve N`, `/deny N …` answer what a card with that number asks.
- `/status` tells what it does, with which model.
- `/model NAME` chooses a model here, `/model default` goes back.
- `/help` shows this."""

# Which level each command needs; all others are words for the agent.
LEVELS = {
    "help": Level.TALK,
    "new": Level.TALK,
    "status": Level.TALK,
    "clear": Level.TALK,
    "answer": Level.TALK,
    "stop": Level.OPERATE,
    "approve": Level.OPERATE,
    "deny": Level.OPERATE,
    "model": Level.OWN,
    "effort": Level.OWN,
    "plan": Level.OWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One thing a bridge has heard. `event` is the same for every repeat of it."""

    event: str
    kind: str  # said, edited, deleted, action, command
    chat: str
    thread: str
    place: str  # direct, group
    title: str = ""
    memo: str = ""
    person: str
    person_name: str = ""
    others: tuple[str, ...] = ()
    at: int
    raw: str = ""
    ref: str = ""  # the message it is, or is about
    text: str = ""
    addressed: bool = True
    reply_to: str = ""
    files: tuple[dict[str, Any], ...] = ()
    unsupported: str = ""
    token: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    name: str = ""  # of a command


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of it: `text` is for the one person, `files` what the bridge fetches next."""

    id: int
    outcome: str  # done, waiting, refused, ignored
    text: str = ""
    tone: str = "info"  # success, info, warning, error
    message: int | None = None
    files: tuple[dict[str, Any], ...] = ()
    room: str = ""  # the files belong there
    card: dict[str, Any] | None = None

    def fact(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "outcome": self.outcome,
            "text": self.text,
            "tone": self.tone,
            "message": self.message,
            "files": list(self.files),
            "room": self.room,
            "card": self.card,
        }


def tidy(incoming: Incoming) -> Incoming:
    """With names that can be shown on one line: without what turns writing around, moves a terminal's cursor or is
    nothing. Emoji and right-to-left letters stay.
    """
    return replace(incoming, person_name=_line(incoming.person_name), title=_line(incoming.title))


def _line(text: str) -> str:
    shown = "".join(char if char.isprintable() or char in _JOINERS else " " for char in text[: 4 * NAME_LIMIT])
    return " ".join(shown.split())[:NAME_LIMIT]


def command_of(incoming: Incoming) -> tuple[str, str] | None:
    """The command to pal that this is, and what stands after it; None for words to the agent.

    A platform's own command with another name than ours is ours by its first word: `/pal stop`.
    """
    if incoming.kind == "command":
        word, _, rest = incoming.text.strip().partition(" ")
        if incoming.name in LEVELS:
            return incoming.name, incoming.text.strip()
        return (word.lstrip("/").lower(), rest.strip()) if word.lstrip("/").lower() in LEVELS else None
    text = incoming.text.strip()
    if not text.startswith("/"):
        return None
    word, _, rest = text[1:].partition(" ")
    word, _, more = word.partition("\n")
    return (word.lower(), f"{more} {rest}".strip()) if word.lower() in LEVELS else None


def refusal(name: str) -> str:
    return f"Sorry, I may not talk with you yet. Whoever runs {name} can let you in, then say it again."
