"""Terminals: shells and agents' own interactive programs on a computer, seen and typed into from anywhere.

`GET /api/terminals/{id}/ws` is the way in for people, `GET /api/daemon/terminals/{id}/ws` for the daemon that has it.
On both, binary frames are bytes of the terminal and text frames are the structs below that have a `type`. A position
counts the bytes the terminal has printed since it was opened.
"""

from typing import Literal

from .base import Answer, Request

TerminalKind = Literal["shell", "agent"]
TerminalState = Literal["opening", "open", "closing", "closed", "failed"]
RENAMED = {"from_": "from"}  # a word of Python's own


class Terminal(Answer, frozen=True, kw_only=True):
    id: str
    kind: TerminalKind
    room: str
    topic: int
    computer: str
    agent: str | None = None
    """Whose program it is; for a shell, in whose folder it was opened."""
    folder: str | None = None
    """Where it works, once it is open."""
    cols: int
    rows: int
    state: TerminalState
    reason: str | None = None
    """Why it failed or closed."""
    exit: int | None = None
    """As a shell tells it: the exit code, or 128 and the number of the signal."""
    opened_by: str
    created_at: int
    opened_at: int | None = None
    closed_at: int | None = None
    last_used: int
    """When somebody last watched or typed, or it printed something; exact to a minute."""


class TerminalAnswer(Answer, frozen=True, kw_only=True):
    terminal: Terminal


class TerminalsAnswer(Answer, frozen=True, kw_only=True):
    terminals: list[Terminal]
    next: str | None = None


class OpenTerminal(Request, frozen=True, kw_only=True):
    """A shell, or with kind `agent` the agent's program in its interactive form, going on with its conversation.

    Without `topic` it belongs to the room's default one. Without `computer` a shell is opened where the agent lives,
    else where work in the topic was done last, else on the only computer that is there.
    """

    room: str
    topic: int | None = None
    kind: TerminalKind = "shell"
    agent: str | None = None
    computer: str | None = None
    folder: str | None = None
    """An absolute path on that computer; without it the agent's folder, else the home of the daemon's user."""
    cols: int = 80
    rows: int = 24
    client_id: str | None = None


class TerminalsQuery(Request, frozen=True, kw_only=True):
    """Newest first. Only those that live, unless `all`."""

    room: str | None = None
    topic: int | None = None
    all: bool = False
    after: str | None = None
    limit: int = 50


class TerminalWatchQuery(Request, frozen=True, kw_only=True, rename=RENAMED):
    """`from`: the position of the first byte one does not have yet.

    `typist`: a name that who types makes up at random and keeps over reconnections, so that what was on its way when a
    connection broke can be said again and is typed once. Who comes with it ends the one who came before with it.
    """

    from_: int | None = None
    typist: str | None = None


class TerminalHello(Answer, frozen=True, kw_only=True, rename=RENAMED, tag="hello", tag_field="type"):
    """The first frame; output follows from position `from` on.

    Comes again when bytes between what was sent and what is kept are gone: the screen starts anew with what follows.
    """

    terminal: Terminal
    may_type: bool
    cols: int
    rows: int
    from_: int
    typed: int | None = None
    """How many bytes of this typist were taken before; null when none of that name is known here."""


class TerminalTyped(Answer, frozen=True, kw_only=True, tag="typed", tag_field="type"):
    """To a viewer who named a typist: so many bytes of theirs have been taken, all that they ever typed counted."""

    bytes: int


class TerminalSize(Answer, frozen=True, kw_only=True, tag="size", tag_field="type"):
    """Its size is another now. Whoever changed it last decides for all."""

    cols: int
    rows: int


class TerminalStateChange(Answer, frozen=True, kw_only=True, tag="state", tag_field="type"):
    state: TerminalState
    reason: str | None = None
    """Also why what is typed waits at the moment, or was not kept: its computer is away."""


class TerminalClosed(Answer, frozen=True, kw_only=True, tag="closed", tag_field="type"):
    """The last frame, after the last byte of output."""

    reason: str | None = None
    exit: int | None = None


class TerminalResize(Request, frozen=True, kw_only=True, tag="resize", tag_field="type"):
    """From a viewer who may type; on to the daemon as it is."""

    cols: int
    rows: int


class TerminalBegin(Answer, frozen=True, kw_only=True, rename=RENAMED, tag="begin", tag_field="type"):
    """To the daemon: say what follows position `from`, or without it as much as you have kept."""

    from_: int | None = None


class TerminalReplay(Request, frozen=True, kw_only=True, rename=RENAMED, tag="replay", tag_field="type"):
    """From the daemon, first of all and wherever it left bytes out: the position of those that follow.

    The first one is answered by `resize`: the server knows what size people want.
    """

    from_: int
    folder: str = ""


class TerminalEnd(Request, frozen=True, kw_only=True, tag="end", tag_field="type"):
    """From the daemon, after the last byte: the program is gone."""

    exit: int | None = None
    reason: str = ""


class TerminalNoted(Answer, frozen=True, kw_only=True, tag="noted", tag_field="type"):
    """To the daemon: its end is stored. Nothing more has to be kept of it."""
