"""What every runtime is: a declaration, a way to start its program, and a pure reader of what the program says.

A runtime knows neither server nor daemon and does no I/O but looking at its program. Records of the spool go in,
`Out`s come out; intents go in, bytes for the program's stdin come out. A reader must give the same outs for the same
records whenever it reads them, because after a daemon's crash the next daemon reads the spool again from its first
byte. What a reader must know of the work is in the memo its runtime launched with: the first record it is fed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable
from urllib.parse import quote

from pal_daemon.spool import Record
from pal_server.contract.deliveries import Work
from pal_server.contract.runs import Usage

EVENT_KINDS = frozenset(
    (
        "message",  # what the agent says to people
        "reasoning",
        "tool_call",
        "tool_result",
        "command",  # a command line the agent ran
        "file_change",
        "web_search",
        "todo",
        "plan",
        "usage",
        "error",
        "status",
        "subagent",
        "output",  # a program's standard output, as it came
        "log",  # its standard error
    )
)
InteractionKind = Literal["approval", "question", "plan"]
UNSPOKEN = "the program ended without"  # how a reader begins to say that it heard nothing of use
STOP = "stop"  # the name of the input record of what `Stoppable.render_stop` gave
KEY_CHARS = 80  # of a key in the name of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a runtime can do; what is False is hidden from people instead of failing."""

    resume: bool = False  # a later run continues the same native session
    live_input: bool = False  # `steer`: text into a running turn
    interrupt: bool = False
    permissions: bool = False
    questions: bool = False
    plan: bool = False
    images: bool = False
    tool_events: bool = False
    usage: bool = False
    effort: bool = False
    sandbox: bool = False
    skills: bool = False  # those of the agent's profile are given to the program
    servers: bool = False  # the same for servers of tools (MCP)
    terminal: bool = False  # its program can be used in a terminal, going on with a session; it is `Interactive` then

    def as_flags(self) -> dict[str, bool]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Whether this computer can run it. `note` tells a person what to do when it cannot."""

    is_available: bool
    version: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a runtime may know of the computer."""

    env: Mapping[str, str]
    python: str
    which: Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a runtime may know of the run it starts. `env` is what the program will get, `folder` where it works.

    `scratch` is a folder of the agent's account, mode 0700, for its TMPDIR.
    """

    run: int
    folder: Path
    env: Mapping[str, str]
    python: str
    scratch: Path
    skills: Path | None = None  # holds `.claude/skills/<name>` with the skills of the agent's profile
    servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of tools (MCP): name → command line
    missing: tuple[str, ...] = ()  # what the profile names and this computer has not


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """What to start. `env` is added to the run's own, or is all the program gets when `is_env_whole`; `cwd` replaces
    the run's folder; `input` is what stdin begins with.

    `memo` is what the reader is to know, JSON all through: it lies in the run's folder on disk, so no secrets.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    is_env_whole: bool = False
    cwd: Path | None = None
    input: bytes | None = None
    close_input: bool = False
    memo: Mapping[str, object] = field(default_factory=dict)


NOT_HERE = "Not on this computer, and therefore left out: {}."  # of what the profile names


class CannotStart(Exception):
    """The run ends here, with a word for the machine and a sentence for the person."""

    def __init__(self, kind: Literal["missing_program", "old_program", "spawn", "auth"], message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing the agent did or said; `kind` is one of EVENT_KINDS.

    With `is_piece` the text goes on in the next event of this kind and lane, and the two may be joined.
    """

    kind: str
    text: str | None = None
    lane: str = "main"
    is_piece: bool = False
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One of the questions of a card. `descriptions` and `previews` are of the options, in order; may be fewer."""

    text: str
    header: str = ""
    options: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    previews: tuple[str, ...] = ()
    is_multiple: bool = False
    is_free: bool = True  # words of one's own are an answer too


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer to one question: the options chosen, as they are written, and what else was said."""

    chosen: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The program waits for a person. `key` is its own name for this; the same key is the same interaction."""

    key: str
    kind: InteractionKind
    title: str
    body: str = ""
    options: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()  # where there are several, or one of several choices
    whole: str = ""  # a digest of all that is asked for, where title and body leave some of it out


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The program no longer waits for an answer to the Ask of this key."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSession:
    """The program's own id of the conversation; a later run resumes it."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Bytes the program's protocol wants on stdin now. `name` makes a second reading of the spool harmless."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The program has done what it was asked; stdin is closed so that it ends.

    `stays`: this one is known not to end by that, and is ended soon.
    """

    stays: bool = False


Out = Event | Ask | Withdrawn | NativeSession | Reply | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the reader knows once the program has ended. `error` says the run failed although the exit was 0."""

    text: str | None = None
    usage: Usage | None = None
    error: str | None = None
    error_kind: str | None = None
    resume_at: int | None = None  # UTC milliseconds; when the limit that ended it (rate_limit) has passed
    is_done: bool = False  # all was said; how the process ends after it changes nothing
    is_interrupted: bool = False  # the program says that it ended its turn because it was told to


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said to an Ask."""

    key: str
    kind: InteractionKind
    answer: str | None = None
    decision: Literal["approve", "deny"] | None = None
    reason: str | None = None
    answers: tuple[Given, ...] = ()  # one for each question of the card

    @property
    def has_words(self) -> bool:
        """It says more than yes or no, or than what was asked for: why, or another wording of a plan."""
        return bool(self.reason) or (self.kind == "plan" and bool(self.answer))


def name_answer(key: str, *, decision: str | None, has_words: bool = False) -> str:
    """The name of the input record an answer leaves in the spool: from it a reader knows what was decided.

    The same for the same decision, so writing it twice writes it once; printable ASCII of at most 128 characters.
    """
    word = f"{decision or 'said'}{'-words' if has_words else ''}"
    name = quote(key, safe="")
    return f"answer-{word}-{name if len(name) <= KEY_CHARS else hashlib.sha256(key.encode()).hexdigest()}"


class Reader(Protocol):
    """Reads one run and knows how to speak to it. Pure: no clock, no chance, no I/O; the same records give the same
    outs, and the same bytes for the same intent.
    """

    def feed(self, record: Record) -> list[Out]:
        """What this record completes, in order. Never raises for what a program said; what is odd becomes a plain
        event.
        """
        ...

    def outcome(self) -> Outcome:
        """What is known now; asked once the program has ended."""
        ...

    def render_answer(self, answer: Answer) -> bytes | None:
        """Bytes for stdin; None when the program cannot be told, or does not wait for this.

        Asked when everything the program has said so far was fed. May come twice; the bytes are written once.
        """
        ...

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        """Bytes that bring `text` into the running turn; None when this program, or this turn, takes none.

        `key` names the bytes: the spool has an input record with it once they are in the program's pipe, and
        `Event("status", data={"state": "read", "input": key})` says that the program has read them.
        """
        ...


@runtime_checkable
class Stoppable(Protocol):
    """A reader whose program can be told to end its turn; the others are only sent signals."""

    def render_stop(self) -> bytes | None:
        """Bytes that end the running turn, written under the name STOP; None when now only signals help.

        What the program then says must lead to Finished, and its outcome is interrupted.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """An event as the program's own transcript tells it. `at` is UTC milliseconds."""

    at: int
    event: Event


@runtime_checkable
class KeepsTranscripts(Protocol):
    """A runtime whose program writes down its conversations, so that a run can be told again without its spool."""

    def retell(self, session: str, *, env: Mapping[str, str], since: int, until: int) -> Iterator[Retold]:
        """What happened in a session in that time, in order; nothing when its transcript is not on this computer.

        `env` says where the program keeps it. Blocks. It has less than the spool: no usage, no states.
        """
        ...


@runtime_checkable
class Interactive(Protocol):
    """A runtime whose program people can use in a terminal, in a session of the agent's. Runs go on with it later."""

    def interactive(self, work: Work, context: Context) -> LaunchSpec:
        """The program as people start it, resuming `work.native_session`; nothing of pal's protocol with it, no input
        and no memo. Raises CannotStart, also when the session is not on this computer any more.
        """
        ...


@runtime_checkable
class Runtime(Protocol):
    """One kind of program."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def discover(self, surroundings: Surroundings) -> Discovery:
        """May look at files and start the program for its version; called in a thread."""
        ...

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        """Raises CannotStart."""
        ...

    def reader(self) -> Reader: ...
