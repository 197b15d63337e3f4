"""What the conformance suite must know of a program: how it is installed, how its model is scripted, what it can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.models.server import Call, Dialect, Refuse, Step

if TYPE_CHECKING:
    from tests.runtimes.desk import Desk
    from tests.support.fake_bus import FakeRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver(ABC):
    """One runtime with its real program. Each helper that scripts the model returns what the model answers.

    Subclass it and override what the program does in a way of its own; what returns None the program cannot do, and
    the suite then checks that pal says so.
    """

    runtime: str  # its name in the registry
    dialects: tuple[Dialect, ...]
    model: str | None = "small"  # one the program takes; None where there is no choice
    efforts: tuple[str, ...] = ()  # one that is known, if any
    hears_reasons: bool = False  # a refusal's reason reaches the model
    asks_edits: bool = True  # editing a file in the folder needs a permission
    rate_limit: tuple[Refuse, ...] = field(
        default=(Refuse(status=429, message="slow down", retry_after=1),) * 20
    )  # enough of them to give up
    patience: float = (
        140.0  # seconds for one run: a real program needs several of CPU; two runs fit into a test's limit
    )
    is_looked_for: bool = True  # the runtime knows its program by name; else each agent brings its own
    words: str = "message"  # the kind of event in which its words come
    streams: bool = True  # they come while it speaks, not all at its end
    fault: str | None = "error"  # the kind of event in which its model's refusal is told; None: nothing refuses it
    answer_limit: int | None = None  # bytes of an answer that it takes, where there is such a limit
    is_a_question: bool = False  # what it asks is its work itself
    remedy: str = "install"  # a word of what to do without its program

    @abstractmethod
    def program(self) -> Path | None:
        """The installed program; skips the test where it cannot be had. None: nothing has to be installed."""

    @abstractmethod
    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        """`settings.account` of an agent whose model is at `url` and whose home is thrown away."""

    def agent(self) -> dict[str, Any]:
        """More of the agent's profile."""
        return {}

    def agent_at(self, url: str) -> dict[str, Any]:
        """The same, where it depends on the model's address."""
        return {}

    def missing(self, folder: Path) -> dict[str, Any] | None:
        """What makes an agent's program one that is not there, where that is not its account's."""
        return None

    async def attend(self, desk: Desk, run: FakeRun) -> None:
        """Whatever else has to be done for the run to go on; ends with the test. Most need nothing."""
        return

    @abstractmethod
    def command(self, command: str) -> Call | None:
        """The model runs a shell command."""

    @abstractmethod
    def write(self, path: Path, content: str) -> Call | None:
        """The model writes a file."""

    def question(self, text: str, options: tuple[str, ...]) -> Call | None:
        """The model asks the person."""
        return None

    def asking_agent(self) -> dict[str, Any]:
        """What makes an agent ask, where it does not always."""
        return {}

    def plan_agent(self) -> dict[str, Any] | None:
        """What makes an agent plan first."""
        return None

    def plan(self, text: str) -> tuple[Step | Call, ...] | None:
        """The model hands in a plan."""
        return None

    def old_program(self, folder: Path) -> Path | None:
        """A program that calls itself a version which is too old."""
        return None

    def effort_in(self, question: dict[str, Any]) -> object:
        """The effort in a request to the model."""
        return None


def write_program(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
