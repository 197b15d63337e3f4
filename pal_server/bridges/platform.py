"""What a chat platform does for a bridge, and the values that pass between them.

A platform is a package `pal_server/bridges/<name>/` whose `__init__` exports `PLATFORM: Platform`. It is imported by
name and only inside the bridge process, so a heavy SDK costs the server nothing; the SDK itself is imported in `open`
or `check`, not at the top.

The platform translates and decides nothing: no allow-list, no queue, no retry of a send, no memory of what was posted,
no deduplication. All of that is the core's (`bridge.py`, `inbox.py`, `outbox.py`) and the server's. What passes between
them is in `inbound.py`, `outbound.py` and `cards.py`.

Three rules every platform keeps:

1. **Store, then ack.** The platform's ack goes out after `Ears.hear` has returned; when it raises, the event is refused
   in the platform's own way, so that it comes again.
2. **A send that may have happened is `Doubtful`.** A lost or late answer, a 5xx after the request left: never repeated
   inside `send`. What certainly did not happen is `Limited`, `Unsent` or `Refused`.
3. **Never block the loop**, always with a timeout, and end on cancellation within a second, leaving no task, thread or
   socket.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .inbound import Attachment, Event, Heard, Person, Place
from .outbound import Found, Outcome, Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class BotSettings:
    """One app on the platform, bound to one agent."""

    id: str  # pal's
    app_id: str
    secrets: Mapping[str, str] = field(repr=False)  # by the names of `Platform.credentials`
    base_url: str | None = None  # another origin than the platform's own
    options: Mapping[str, str] = field(default_factory=dict)  # what else a platform wants set, as "card_template"
    bot_id: str = ""  # the bot's own id on the platform, as `Checked.bot_id` said


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One thing that must be known to connect; `name` is its name in `secrets` and in a config file."""

    name: str  # "app_secret"; the command line's flag is --<platform>-<name with dashes>
    label: str
    secret: bool = True
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at, for a person."""

    what: str
    ok: bool
    text: str
    advice: str = ""  # what to do about it


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a real round trip with these credentials said."""

    ok: bool  # the bot can connect and talk; missing extras are findings only
    bot_id: str = ""
    app_id: str = ""
    name: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    buttons: bool = True  # cards with buttons
    forms: bool = False  # cards with fields
    edit_text: bool = True  # a sent text can be changed
    edit_card: bool = True  # a sent card can be changed
    reactions: bool = True
    delete: bool = True  # a post can be withdrawn
    threads: bool = True
    find: bool = False  # `Connection.find` can tell whether a key was posted
    same_key: bool = False  # sending again with the same key cannot post twice: no question is needed
    same_key_for: float = 0.0  # seconds for which that holds
    read_back: bool = False  # `Connection.read_back` gives what was said while nobody listened
    files: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    text: int  # the longest text, as `Platform.measure` counts
    edit_every: float = 1.0  # seconds between two changes of one card
    file_bytes: int = 20_000_000


@dataclass(frozen=True, slots=True)
class Charge:
    """One limit that a send counts against. The core waits until every bucket has room, then takes from all at once.

    `bucket` names it within the platform's process; two bots that share a limit give the same name
    ("chat:oc_…"), others put their app id in. `per_second` fills it, `burst` is its size.
    """

    bucket: str
    per_second: float
    burst: float = 1.0


class Ears(Protocol):
    """What the core gives a connection to tell it things."""

    async def hear(self, event: Event) -> Heard:
        """Stored when this returns: ack now. Raises `NotStored`: do not ack. Many may run at once; at most 2.5 s."""

    def up(self, *, detail: str = "") -> None:
        """The socket is open and the platform has said so."""

    def alive(self) -> None:
        """Something came back from the platform just now: a pong, an event, an answer. Cheap; call it each time."""

    def down(self, reason: str) -> None:
        """The socket is gone and this connection is itself at work to get another."""

    def lost(self, what: str) -> None:
        """Something was said that is not stored and will not come again: named, in these words, where the bot is."""


class NotStored(Exception):
    """The server could not be reached or did not store: the platform must tell it again."""


class NotTaken(NotStored):
    """The server is there and will not have this event as things are: told again soon it gets the same answer."""


class Dropped(Exception):
    """The socket is gone. `listen` raises it; the core backs off (1 s doubling to 60 s, jittered) and listens again."""


class ReadInPart(Exception):
    """`events` is what could be read back; the sentence says what is left out."""

    def __init__(self, left_out: str, *, events: tuple[Event, ...]) -> None:
        super().__init__(left_out)
        self.events = events


class BadCredentials(Exception):
    """The platform will not have this bot: wrong secret, app disabled, scope gone. Shown, and tried every 5 minutes."""


class CannotCreate(Exception):
    """Apps of this platform are made by a person, as `Platform.guide` says."""


class Connection(Protocol):
    """One bot, connected. Made by `Platform.open` inside the running loop; everything it starts ends with `close`."""

    async def listen(self, ears: Ears) -> None:
        """Hold the socket and tell `ears` everything, until cancelled. Never returns; `Dropped`, `BadCredentials`."""

    def charges(self, out: Outgoing) -> tuple[Charge, ...]:
        """The limits this send counts against. Pure."""

    async def send(self, out: Outgoing) -> Outcome:
        """One try, one answer; raises nothing but cancellation. Works while `listen` does not. Gives up after 15 s."""

    async def find(self, out: Outgoing, *, since: int) -> Found:
        """Was `out.key` posted at or after `since` (UTC ms)? Asked after `Doubtful` and after a crash while sending."""

    def fetch(self, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a person's file. Raises `OSError` with a sentence when it cannot be had."""

    async def name_of(self, person: Person) -> str:
        """The display name, or empty. At most 1 s; remembers what it learnt."""

    async def read_back(self, places: tuple[Place, ...], *, since: int) -> tuple[Event, ...]:
        """What was said there since then, oldest first; repeats do no harm. Only with `Capabilities.read_back`.

        `ReadInPart` when a limit of ours or of the platform's leaves something out.
        """

    async def ping(self) -> None:
        """One real round trip, to tell a quiet chat from a dead one. Raises as `listen` does."""

    async def answers(self) -> None:
        """One round trip the way `send` goes, which may be dead while the socket is not. Raises as `listen` does."""

    async def close(self) -> None:
        """End everything. Within a second; a second call does nothing."""


class Shown(Protocol):
    """Shows a link to whoever is setting up, as text and as a QR code."""

    def __call__(self, link: str, note: str) -> None: ...


class Platform(Protocol):
    """The platform as such: stateless, made at import, knows no bot."""

    name: str  # "lark"; also the folder, the route, the command
    label: str  # "Lark/Feishu"
    credentials: tuple[Credential, ...]
    options: tuple[Credential, ...]  # `BotSettings.options`, never secret
    capabilities: Capabilities
    limits: Limits
    working: str  # the reaction while an agent works, unless a setting says otherwise: "Typing"

    def measure(self, text: str) -> int:
        """How much of `Limits.text` this Markdown takes once rendered and encoded."""

    def app_id(self, secrets: Mapping[str, str]) -> str:
        """The app these credentials are of, when they say so themselves; else empty (`Checked.app_id` has it)."""

    async def check(self, bot: BotSettings) -> Checked:
        """Real round trips that prove the credentials and look at scopes and events. Never raises for a bad answer."""

    async def open(self, bot: BotSettings) -> Connection:
        """Nothing is connected yet. Raises `BadCredentials` when they are of no possible shape."""

    def guide(self) -> str:
        """How a person makes the app, step by step, ready to paste where the platform takes a manifest (Markdown)."""

    async def create_app(self, name: str, *, base_url: str | None, show: Shown) -> Mapping[str, str]:
        """Make an app by scanning a code: its credentials. Raises `CannotCreate` where that is impossible."""
