"""The end of a topic in one read: what somebody sees who opens it, however long it is. Earlier pages come on demand."""

from dataclasses import dataclass

from pal_server.actions import access
from pal_server.domain.actors import Actor
from pal_server.domain.messages import Message
from pal_server.domain.pages import parse_limit
from pal_server.domain.runs import Run, RunEvent
from pal_server.domain.summaries import Summary, summary_of
from pal_server.storage import files, messages, runs
from pal_server.storage.tx import Tx

RUNS = 5  # newest runs of the topic that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Oldest first, all of it. `before` and `events_before` lead to the pages before; None when there are none."""

    messages: tuple[Message, ...]
    before: int | None
    last_said: Message | None  # the newest words of a person, when they are not among the messages
    runs: tuple[tuple[Run, Summary], ...]
    events: tuple[RunEvent, ...]  # of the newest run
    events_before: int | None


def read(tx: Tx, *, actor: Actor, topic: int, limit: int, events: int) -> Tail:
    found = access.topic(tx, actor, topic)
    limit, wanted = parse_limit(limit), parse_limit(events)
    page = messages.page_of_topic(tx, topic_id=found.id, after=None, before=2**62, limit=limit + 1)
    shown = page[-limit:]
    last_said = messages.last_of_people(tx, topic_id=found.id)
    newest = runs.newest_of_topic(tx, actor=actor, topic_id=found.id, limit=RUNS)
    log: list[RunEvent] = []
    if newest:
        log = runs.events_before(tx, run_id=newest[0].id, before=2**62, limit=wanted + 1)
    told = log[-wanted:]
    return Tail(
        messages=tuple(shown),
        before=shown[0].id if len(page) > limit else None,
        last_said=None if last_said is None or any(one.id == last_said.id for one in shown) else last_said,
        runs=tuple((run, _summary(tx, run)) for run in reversed(newest)),
        events=tuple(told),
        events_before=told[0].seq if len(log) > wanted else None,
    )


def _summary(tx: Tx, run: Run) -> Summary:
    todo, plan = runs.summary_rows(tx, run_id=run.id)
    return summary_of(run, todo=todo, plan=plan, files=files.of_run(tx, run=run))
