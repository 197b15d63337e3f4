"""The `command` runtime: any program, the prompt on its stdin, its stdout the answer. Only for agents an administrator
allowed it for.
"""

from __future__ import annotations

import shlex

from pal_daemon.runtimes.base import (
    Answer,
    CannotStart,
    Capabilities,
    Context,
    Discovery,
    Event,
    LaunchSpec,
    Out,
    Outcome,
    Reader,
    Surroundings,
)
from pal_daemon.runtimes.lines import TextDecoder
from pal_daemon.spool import Record, Stream
from pal_server.contract.deliveries import Work

LONGEST_ANSWER = 100_000  # characters of the final text; the events keep all of it


class CommandRuntime:
    name = "command"
    capabilities = Capabilities()

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=True)

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        agent = work.agent
        if not agent.command_allowed:
            raise CannotStart(
                "spawn", f"{agent.key} may not run commands: an administrator has to allow it for this agent"
            )
        return LaunchSpec(
            argv=_split(agent.command, agent.key), input=work.prompt.encode("utf-8", "replace"), close_input=True
        )

    def reader(self) -> Reader:
        return CommandReader()


class CommandReader:
    """stdout → `output`, stderr → `log`. The outputs joined in order are the program's stdout."""

    def __init__(self) -> None:
        self._decoders = {Stream.STDOUT: TextDecoder(), Stream.STDERR: TextDecoder()}
        self._kept: list[str] = []
        self._length = 0  # characters kept
        self._dropped = 0  # characters of stdout past the limit that are more than blanks
        self._blank = ""  # trailing blanks seen last, dropped with the end

    def feed(self, record: Record) -> list[Out]:
        if record.stream is Stream.EXIT:
            return [*self._out(Stream.STDOUT, b"", is_end=True), *self._out(Stream.STDERR, b"", is_end=True)]
        if record.stream in self._decoders:
            return self._out(record.stream, record.data)
        return []

    def outcome(self) -> Outcome:
        text = "".join(self._kept).strip()
        if self._dropped:
            text += f"\n\n[cut off here: {self._dropped:,} characters more are in the run's output]"
        return Outcome(text=text or None)

    def render_answer(self, answer: Answer) -> bytes | None:
        return None

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        return None

    def _out(self, stream: Stream, data: bytes, *, is_end: bool = False) -> list[Out]:
        decoder = self._decoders[stream]
        text = decoder.end() if is_end else decoder.feed(data)
        if not text:
            return []
        if stream is Stream.STDOUT:
            self._keep(text)
            return [Event(kind="output", text=text, is_piece=True)]
        return [Event(kind="log", text=text, is_piece=True)]

    def _keep(self, text: str) -> None:
        """Remember the beginning of what will be the answer, and how much followed."""
        if not self._kept:
            text = text.lstrip()
        if self._length < LONGEST_ANSWER:
            kept = text[: LONGEST_ANSWER - self._length]
            if kept:
                self._kept.append(kept)
            self._length += len(kept)
            text = text[len(kept) :]
        if not text:
            return
        solid = (self._blank + text).rstrip()
        self._blank = (self._blank + text)[len(solid) :][-LONGEST_ANSWER:]
        self._dropped += len(solid)


def _split(command: str | None, key: str) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(command or ""))
    except ValueError as error:
        raise CannotStart("spawn", f"the command of {key} cannot be split into words: {error}") from error
    if not argv or not argv[0]:
        raise CannotStart(
            "missing_program", f"{key} has no command: give it one with `pal console agents update --command`"
        )
    if any("\0" in word for word in argv):
        raise CannotStart("spawn", f"the command of {key} has a NUL character")
    return argv
