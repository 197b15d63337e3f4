"""How people log in to a program, and how this computer sees that somebody did.

A runtime whose program has logins declares one `WayIn` under that name. What it looks at is the program's own files
and its own word; nothing of it tries a key, so a key that is no good counts as one until a run says otherwise.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

LOOK_FOR = 8.0  # seconds a program may take to say whether somebody is logged in


class Login(StrEnum):
    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"  # the program is not here, or does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Whether somebody is logged in, and by what: `api key`, `subscription`, or the program's own word."""

    login: Login
    method: str = ""


UNKNOWN = Seen(login=Login.UNKNOWN)
OUT = Seen(login=Login.OUT)
BY_KEY = Seen(login=Login.IN, method="api key")


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """Arguments stand without the program before them; an empty tuple is a thing the program cannot do."""

    programs: tuple[str, ...]  # commands to look for, the best first; none: it needs no program
    home: Callable[[str], dict[str, str]]  # the variables that say where an account lives
    look: Callable[[Path | None, Mapping[str, str]], Seen]  # in that environment; may start the program, never raises
    key: str | None = None  # the variable it takes an API key from
    keep_key: tuple[str, ...] = ()  # with these it reads a key from its stdin and keeps it in the account's home
    begin: tuple[str, ...] | None = None  # its own log-in, in a terminal; () when it asks by itself
    end: tuple[str, ...] = ()  # its own log-out
    quiet: Mapping[str, str] | None = None  # no telemetry, no updates
    reads: tuple[str, ...] = ()  # what it reads of the user's own environment when the login is the usual one


@runtime_checkable
class LogsIn(Protocol):
    """A runtime whose program has logins."""

    @property
    def way_in(self) -> WayIn: ...


def key_in(env: Mapping[str, str], *names: str) -> bool:
    return any(env.get(name) for name in names)


def ask_program(program: Path, *arguments: str, env: Mapping[str, str]) -> tuple[int, str] | None:
    """Exit code and standard output; None when it cannot be started or says nothing in time."""
    try:
        done = subprocess.run(
            (program, *arguments),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOOK_FOR,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.returncode, done.stdout


def read_json(path: Path) -> dict[str, object]:
    """An object in a file of a program; empty when there is none or it cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
