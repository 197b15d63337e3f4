"""Follows one run's spool from its first byte to its end, and hands on what the runtime's reader makes of it.

Promise: what is read is reported in order; the end is known for certain: an exit record, or no keeper and nothing
left of the tree.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

import msgspec

from pal_daemon import endings, keeper_client
from pal_daemon.bus import ApiProblem, Bus, is_worth_repeating
from pal_daemon.endings import End
from pal_daemon.journal import Ending
from pal_daemon.keeper_client import Keeper
from pal_daemon.leases import HeldLease
from pal_daemon.losses import losses_in
from pal_daemon.process_tree import sweep
from pal_daemon.redaction import Redactor
from pal_daemon.reports import Reports
from pal_daemon.runtimes.base import (
    Answer,
    Ask,
    Event,
    Finished,
    NativeSession,
    Out,
    Outcome,
    Question,
    Reader,
    Reply,
    Stoppable,
    Withdrawn,
    name_answer,
)
from pal_daemon.runtimes.capping import cap_text
from pal_daemon.spool import Exit, Record, Stream, follow, parse_exit
from pal_server.contract import runs as contract
from pal_server.contract.runs import BindNativeSession, InteractionApplied, OpenInteraction

LOOK_AGAIN = 0.2  # seconds between looks at a keeper that lives and does not talk
QUESTIONS = 20  # of a card
PREVIEWS_CHARS = 100_000  # of a card
QUESTION_CHARS = 5_000
PREVIEW_CHARS = 20_000
OPTIONS = 50  # of a question
CHANGED = "refused, because it asks for something else under the name of an earlier request"
UNASKABLE = frozenset(("invalid", "too_large"))  # codes of a server that has no card for what is asked
CHECK_CHARS = 32  # hex digits
BODY_CHARS = 49_800  # of an interaction; the server takes 50,000 with what is put behind it
TITLE_CHARS = 300  # of an interaction, as the server takes it

log = logging.getLogger(__name__)


class Following:
    """One task reads; `heard_at` and `exit` are for others to look at."""

    def __init__(
        self,
        *,
        run: int,
        session: str | None,
        folder: Path,
        works_in: str,
        reader: Reader | None,
        bus: Bus,
        lease: HeldLease,
        reports: Reports,
        say: Callable[[str, bytes], Awaitable[bool]],
        close_input: Callable[[bool], Awaitable[None]],
        redactor: Redactor,
        seal: str,
    ) -> None:
        """`reader` is None when the runtime is not installed any more. `say` hands the program bytes under a name.
        `seal` is the key of checks, the same for every daemon of this home.
        """
        self.heard_at = monotonic()  # seconds; the program's last byte
        self.exit: Exit | None = None
        self.has_ended = asyncio.Event()  # `exit` is there
        self._has_caught_up = asyncio.Event()  # everything an earlier daemon may have acted on has been read
        self._behind = _size(folder / "spool")  # bytes there were when we began
        self._run = run
        self._session = session
        self._works_in = works_in
        self._keeper = Keeper(run_dir=folder, pid=0, agent=None)
        self._reader = reader
        self._bus = bus
        self._lease = lease
        self._reports = reports
        self._say = say
        self._close_input = close_input
        self._redactor = redactor
        self._seal = seal
        self._offset = 0
        self._asked: dict[str, Ask] = {}  # by key, as it was asked first
        self._changed: set[str] = set()  # keys under which something else was asked later: nothing answers them
        self._interactions: dict[str, int] = {}  # by the program's key; written by the steps of the reports
        self._exit_at: int | None = None
        self._stderr = b""

    async def to_the_end(self) -> None:
        """Return with the exit record read, or with nothing of the run alive any more."""
        folder = self._keeper.run_dir
        while self.exit is None:
            before = self._offset
            await self._read()
            if self.exit is not None or keeper_client.living_keeper(folder) is None:
                break
            if self._offset == before:  # alive but not talking, or its spool is damaged
                await asyncio.sleep(LOOK_AGAIN)
        if self.exit is None:
            await self._read()  # what it wrote between our last look and its end
        if self.exit is None:
            swept = await asyncio.to_thread(sweep, folder)
            log.warning(
                "the keeper of run %s is gone", self._run, extra={"action": "sweep", "run": self._run, "pids": swept}
            )

    def end(self, *, ending: Ending | None, agent: str, now: int) -> End:
        """How it ended, once it has. `now` is UTC ms, for an end nobody noted."""
        return endings.end_of_process(
            self.exit,
            at=self._exit_at or now,
            ending=ending,
            outcome=self._redactor.outcome(self._reader.outcome() if self._reader is not None else Outcome()),
            stderr=endings.stderr_tail(self._redactor.text(self._stderr.decode("utf-8", "replace"))),
            agent=agent,
        )

    async def render_answer(self, answer: Answer) -> bytes | None:
        """What to write for a person's answer; waits until what was asked before our time has been read."""
        await self._has_caught_up.wait()
        if self._reader is None or answer.key in self._changed:
            return None
        return self._reader.render_answer(answer)

    async def render_steer(self, text: str, *, key: str) -> bytes | None:
        await self._has_caught_up.wait()
        return None if self._reader is None else self._reader.render_steer(text, key=key)

    async def render_stop(self) -> bytes | None:
        await self._has_caught_up.wait()
        return self._reader.render_stop() if isinstance(self._reader, Stoppable) else None

    async def _read(self) -> None:
        """Take records until the exit, or the keeper's silence."""
        self._note_progress()
        async with self._keeper.watch() as growth:
            try:
                async for record in follow(self._keeper.spool, offset=self._offset, growth=growth):
                    self._offset = record.end
                    await self._take(record)
                    self._note_progress()
                    await self._reports.room()
            except FileNotFoundError:
                pass
        self._has_caught_up.set()

    def _note_progress(self) -> None:
        if self._offset >= self._behind:
            self._has_caught_up.set()

    async def _take(self, record: Record) -> None:
        match record.stream:
            case Stream.STDOUT:
                self.heard_at = monotonic()
            case Stream.STDERR:
                self.heard_at = monotonic()
                self._stderr = (self._stderr + record.data)[-endings.STDERR_CHARS * 4 :]
            case Stream.EXIT:
                self.exit, self._exit_at = parse_exit(record), record.at
                self.has_ended.set()
            case _:
                pass
        for out in (*losses_in(record), *self._understand(record)):
            await self._hand_on(out, record)
        if record.stream is Stream.EXIT:
            self._tell(self._redactor.rest(), record)

    def _understand(self, record: Record) -> list[Out]:
        if self._reader is None:
            return []
        try:
            return self._reader.feed(record)
        except Exception as error:  # an edge: a plugin's code must not cost the run its end
            log.exception("a runtime could not read its program", extra={"action": "read", "run": self._run})
            return [Event(kind="error", text=f"this part of the output could not be read: {error}")]

    async def _hand_on(self, out: Out, record: Record) -> None:
        match out:
            case Event():
                self._tell(self._redactor.events(out), record)
            case Ask() if self._asked.setdefault(out.key, out) != out or out.key in self._changed:
                await self._refuse(out, record)
            case Ask():
                ask = self._shown(out)
                self._reports.step(lambda: self._open_interaction(ask))
            case Withdrawn():
                self._reports.step(lambda: self._withdraw(out.key))
            case NativeSession():
                self._reports.step(lambda: self._bind(out.id))
            case Reply():
                await self._say(out.name, out.data)
            case Finished():
                await self._close_input(out.stays)

    def _tell(self, events: list[Event], record: Record) -> None:
        for event in events:
            self._reports.event(event, at=record.at, source=record.end)

    def _shown(self, ask: Ask) -> Ask:
        """What people see of it. Where that is not all of it, because it is long or has a secret, it ends with a check
        of the whole: a yes, and a rule made of one, is never one to something that only looks the same. Nobody can
        learn the secret from the check, as its key never leaves this computer.
        """
        shown = self._redactor.ask(ask)
        body = shown.body if len(shown.title) <= TITLE_CHARS else f"{shown.title}\n\n{shown.body}"
        is_all = not ask.whole and shown == ask and len(body) <= BODY_CHARS
        shown = replace(shown, body=cap_text(body, limit=BODY_CHARS))
        if ask.kind != "approval" or is_all:
            return shown
        whole = msgspec.json.encode([ask.title, ask.body, ask.options, ask.whole])
        check = hmac.new(self._seal.encode(), whole, "sha256").hexdigest()[:CHECK_CHARS]
        return replace(shown, body=f"{shown.body}\n\n[not all of it is shown; check {check}]")

    async def _refuse(self, ask: Ask, record: Record) -> None:
        """Something else under the name of an earlier request: a yes to that one must never be a yes to this."""
        self._changed.add(ask.key)
        self._tell([Event(kind="error", text=f"{CHANGED}: {self._redactor.text(ask.title)}")], record)
        self._reports.step(lambda: self._withdraw(ask.key))
        await self._deny(ask, CHANGED)

    async def _deny(self, ask: Ask, reason: str) -> None:
        answer = Answer(key=ask.key, kind=ask.kind, decision="deny", reason=reason)
        data = None if self._reader is None else self._reader.render_answer(answer)
        if data is not None:
            await self._say(name_answer(ask.key, decision="deny", has_words=True), data)

    async def _open_interaction(self, ask: Ask) -> None:
        request = OpenInteraction(
            lease_id=self._lease.id,
            fence=self._lease.fence,
            key=ask.key,
            kind=ask.kind,
            title=_clip(ask.title),
            body=ask.body,
            options=list(ask.options),
            folder=self._works_in,
            questions=_questions(ask.questions),
        )
        try:
            opened = await self._bus.open_interaction(self._run, request)
        except ApiProblem as problem:
            if problem.code not in UNASKABLE or is_worth_repeating(problem):
                raise
            log.error("this cannot be asked: %s", problem, extra={"action": "ask", "run": self._run})
            await self._deny(ask, f"nobody could be asked: {problem.message}")
            return
        self._interactions[ask.key] = opened.interaction.id

    async def _withdraw(self, key: str) -> None:
        """Take the card away; an answer that came before stays."""
        interaction = self._interactions.get(key)
        if interaction is None:
            return
        request = InteractionApplied(lease_id=self._lease.id, fence=self._lease.fence, applied=False)
        await self._bus.interaction_applied(interaction, request)

    async def _bind(self, native: str) -> None:
        if self._session is None:
            return
        request = BindNativeSession(
            lease_id=self._lease.id, fence=self._lease.fence, native_session=native, run=self._run
        )
        await self._bus.bind_session(self._session, request)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _questions(asked: tuple[Question, ...]) -> list[contract.Question]:
    """As the server takes them: what is too long is cut. Of too many there are none, and one text answers the card."""
    rendered = [_question(question) for question in asked]
    if len(rendered) > QUESTIONS:
        return []
    shown = sum(len(option.preview) for question in rendered for option in question.options)
    return rendered if shown <= PREVIEWS_CHARS else [_question(replace(question, previews=())) for question in asked]


def _question(question: Question) -> contract.Question:

    def part(texts: tuple[str, ...], place: int) -> str:
        return texts[place] if place < len(texts) else ""

    labels = dict.fromkeys(label[:TITLE_CHARS] for label in question.options if label)
    return contract.Question(
        text=question.text[:QUESTION_CHARS] or "?",
        header=question.header[:QUESTION_CHARS],
        options=[
            contract.Option(
                label=label,
                description=part(question.descriptions, place)[:QUESTION_CHARS],
                preview=part(question.previews, place)[:PREVIEW_CHARS],
            )
            for place, label in enumerate(labels)
        ][:OPTIONS],
        multiple=question.is_multiple,
        free=question.is_free or not labels,
    )


def _clip(title: str) -> str:
    """A title on one line; what is cut off stays in the body."""
    line = " ".join(title.split()) or "The agent waits for an answer"
    return line if len(line) <= TITLE_CHARS else line[: TITLE_CHARS - 1] + "…"
