"""What the conformance suite must know of a program: how it is installed, how its model is scripted, what it can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.models.server import Call, Dialect, Refuse, Step
from tests.support.patience import LONG_PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver(ABC):
    """One runtime with its real program. Each helper that scripts the model returns what the model answers.

    Subclass it and override what the program does in a way of its own; what returns None the program cannot do, and
    the suite then checks that pal says so.
    """

    runtime: str  # its name in the registry
    dialects: tuple[Dialect, ...]
    model: str = "small"  # one the program takes
    efforts: tuple[str, ...] = ()  # one that is known, if any
    hears_reasons: bool = False  # a refusal's reason reaches the model
    asks_edits: bool = True  # editing a file in the folder needs a permission
    rate_limit: tuple[Refuse, ...] = field(
        default=(Refuse(status=429, message="slow down", retry_after=1),) * 20
    )  # enough of them to give up
    patience: float = LONG_PATIENCE  # seconds for one run
    is_looked_for: bool = True  # the runtime knows its program by name; else each agent brings its own

    @abstractmethod
    def program(self) -> Path | None:
        """The installed program; skips the test where it cannot be had. None: nothing has to be installed."""

    @abstractmethod
    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        """`settings.account` of an agent whose model is at `url` and whose home is thrown away."""

    def agent(self) -> dict[str, Any]:
        """More of the agent's profile."""
        return {}

    @abstractmethod
    def command(self, command: str) -> Call | None:
        """The model runs a shell command."""

    @abstractmethod
    def write(self, path: Path, content: str) -> Call | None:
        """The model writes a file."""

    def question(self, text: str, options: tuple[str, ...]) -> Call | None:
        """The model asks the person."""
        return None

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
