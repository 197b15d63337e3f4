"""The `manual` runtime: the person who does the work is scripted. They read the file and say on the card what came of
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.runtimes.driver import Driver
from tests.support.models.server import Asked, Refuse, Text, Wait

if TYPE_CHECKING:
    from tests.runtimes.desk import Desk
    from tests.support.fake_bus import FakeRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual(Driver):
    def program(self) -> None:
        return None

    def account(self, *, url: str, home: Path) -> dict[str, Any]:
        return {"label": "test", "bin": None, "home": None, "env": {}, "args": []}

    def command(self, command: str) -> None:
        return None

    def write(self, path: Path, content: str) -> None:
        return None

    async def attend(self, desk: Desk, run: FakeRun) -> None:
        ask = await desk.asked(run)
        file = desk.folder / f"pal-run-{run.id}.md"
        step = await desk.model.next_step(Asked(path=str(file), headers={}, body={"text": file.read_text()}))
        assert not isinstance(step, Refuse), "a person's service has no errors"
        words = []
        for part in step.parts:
            match part:
                case Wait():
                    await part.until.wait()
                case Text():
                    words.append(part.text)
        await desk.answer(run, ask, answer="".join(words))


DRIVER = Manual(
    runtime="manual",
    dialects=(),
    streams=False,
    fault=None,
    model=None,
    rate_limit=(),
    answer_limit=50_000,
    is_a_question=True,
)
