"""A runtime as another package would bring it: says in capitals what it was told."""

from __future__ import annotations

from pal_daemon.runtimes.base import (
    Answer,
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
from pal_daemon.spool import Record, Stream
from pal_server.contract.deliveries import Work


class ShoutingRuntime:
    name = "shouting"
    capabilities = Capabilities()

    def discover(self, surroundings: Surroundings) -> Discovery:
        return Discovery(is_available=surroundings.which("tr") is not None)

    def launch(self, work: Work, context: Context) -> LaunchSpec:
        return LaunchSpec(argv=("tr", "a-z", "A-Z"), input=work.content.encode(), close_input=True)

    def reader(self) -> Reader:
        return ShoutingReader()


class ShoutingReader:
    def __init__(self) -> None:
        self._said = ""

    def feed(self, record: Record) -> list[Out]:
        if record.stream is not Stream.STDOUT:
            return []
        self._said += record.data.decode("ascii", "replace")
        return [Event(kind="message", text=self._said)]

    def outcome(self) -> Outcome:
        return Outcome(text=self._said)

    def render_answer(self, answer: Answer) -> bytes | None:
        return None

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        return None
