"""What a program offers before anybody speaks to it: models and commands. A runtime that can be asked is `Offers`."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Protocol, runtime_checkable

from pal_daemon.runtimes.lines import LineCutter

TALK_FOR = 40.0  # seconds a program may take to say what it offers; the slowest takes five
LEAVE_FOR = 2.0  # seconds it has for going
ENTRIES = 500  # of one list
TEXT = 2_000  # characters of one text


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    id: str
    name: str = ""
    efforts: tuple[str, ...] = ()
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`/name hint`, which the program itself understands."""

    name: str
    description: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """None: the program does not say."""

    models: tuple[Model, ...] | None = None
    commands: tuple[Command, ...] | None = None


class CannotTell(Exception):
    """Nothing was found; the sentence says why and is told to people."""


@runtime_checkable
class Offers(Protocol):
    """A runtime whose program can be asked."""

    def offer(self, program: Path | None, *, env: Mapping[str, str], folder: Path, args: Sequence[str]) -> Offer:
        """In an account's environment, with its arguments. May start the program; called in a thread. Raises
        CannotTell.
        """
        ...


class Said(Exception):
    """Raised by `react`: all that was wanted has been said."""


def talk(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    folder: Path,
    first: bytes,
    react: Callable[[bytes], bytes | None],
    wait_for: Callable[[], float] = lambda: TALK_FOR,
) -> None:
    """Speak in lines with a program of its own until `react` raises Said; then it is ended with all it started.

    `react` is given each line and answers with what is said next. `wait_for` says how many seconds the next line may
    take. Raises CannotTell when the program ends or time runs out first.
    """
    try:
        process = subprocess.Popen(
            [str(word) for word in argv],
            env=dict(env),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotTell(f"{Path(str(argv[0])).name} cannot be started: {error.strerror}") from error
    try:
        _converse(process, first=first, react=react, wait_for=wait_for)
    except Said:
        return
    finally:
        _end(process)


def clip(text: object, *, limit: int = TEXT) -> str:
    return str(text or "")[:limit]


def _converse(
    process: subprocess.Popen[bytes],
    *,
    first: bytes,
    react: Callable[[bytes], bytes | None],
    wait_for: Callable[[], float],
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    name = Path(str(process.args[0] if isinstance(process.args, list) else "")).name
    lines = LineCutter()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        _say(process, first)
        until = monotonic() + TALK_FOR
        while selector.select(min(wait_for(), max(until - monotonic(), 0))):
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                raise CannotTell(f"{name} ended without saying what it offers")
            for line in lines.feed(piece):
                if (said := react(line)) is not None:
                    _say(process, said)
    raise CannotTell(f"{name} did not say in time what it offers")


def _say(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # its end is seen on the other side
        process.stdin.write(data)
        process.stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its input closed, then its group ended: nobody has given it work, so nothing is lost."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(LEAVE_FOR)
    except subprocess.TimeoutExpired:
        pass
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
