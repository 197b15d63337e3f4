"""What pal cannot show, by a defect of its own, holds up nothing that follows."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pal_server.actions import messages, posting, runs, trace
from pal_server.domain import posts as rules
from pal_server.domain import turn_cards as rules_of_cards
from pal_server.domain.inbound import Answered
from pal_server.domain.runs import Run
from pal_server.errors import Conflict
from pal_server.loops.leader import Leader
from pal_server.loops.loop import Context
from pal_server.loops.posting import APART, TRIES, Posting
from pal_server.metrics import Metrics
from pal_server.storage import links
from pal_server.storage.store import Store
from pal_server.storage.tx import Row
from pal_server.wakeups.hub import Hub
from tests.support.bus import make_bus
from tests.support.outside import Outside, hold, make_outside
from tests.support.people import daemon
from tests.support.stores import Clock


@pytest.fixture
async def outside(store: Store) -> Outside:
    return await make_outside(await make_bus(store))


async def work(outside: Outside, **more: Any) -> Run:
    await outside.hear("go", **more)
    return await outside.bus.open(await outside.bus.claim_one())


async def test_what_cannot_be_shown_is_set_aside_aloud_and_the_rest_goes_on(
    outside: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard = await outside.hear("go")
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text="what breaks")
    broken = await answer_of(outside, heard)
    await outside.bus.finish(await work(outside), text="what follows")

    def key_of(*parts: object) -> str:
        if parts[3:] == ("text", broken):
            raise ValueError("a defect of ours")
        return rules.key_of(*parts)

    monkeypatch.setattr(posting, "key_of", key_of)
    metrics = Metrics()
    loop = loop_of(outside, clock=clock, metrics=metrics)

    steps = await run(outside, loop, clock, steps=60)

    assert await outside.texts() == [f"A message here, {broken} in pal, could not be shown.", "what follows"]
    assert steps.count(False) >= TRIES  # by itself it was tried more than once, with pauses
    assert "a defect of ours" in caplog.text
    assert "pal_posting_set_aside_total 1" in metrics.render()
    assert heard.message is not None
    found = await outside.bus.store.read(trace.of_message, actor=outside.bus.people.member, id=heard.message)
    assert (found.steps[-1].what, found.steps[-1].ok) == ("shown", False)
    assert "a notice there says so" in found.steps[-1].text


async def test_two_servers_set_aside_what_is_broken_and_nothing_else(
    outside: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *_ = await say(outside, "broken", "well 1", "well 2", "well 3")
    break_texts(monkeypatch, lambda id: id == broken)
    metrics = Metrics()
    loops = [loop_of(outside, clock=clock, metrics=metrics) for _ in range(2)]

    for _ in range(30):
        await asyncio.gather(*(loop.step() for loop in loops))
        clock.advance(APART / 1000)
    outside.bot = await hold(outside.bus)

    assert [text.rpartition(": ")[2] for text in await outside.texts()] == [
        f"A message here, {broken} in pal, could not be shown.",
        *("well 1", "well 2", "well 3"),
    ]
    assert "pal_posting_set_aside_total 1" in metrics.render()


async def test_only_the_event_that_was_tried_is_set_aside(outside: Outside) -> None:
    await say(outside, "one", "two")
    standing = await outside.bus.store.read(posting.standing, workspace_id="w")
    assert standing.next_at is not None
    await outside.show()

    with pytest.raises(Conflict, match="another event"):
        await outside.bus.store.write(posting.set_aside, workspace_id="w", position=standing.next_at)

    assert [text.rpartition(": ")[2] for text in await outside.texts()] == ["one", "two"]


@pytest.mark.parametrize("defect", [ValueError("a defect of ours"), Conflict("each time")])
async def test_tries_are_spaced_by_time_whatever_fails_and_what_lasts_a_moment_costs_nothing(
    outside: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch, defect: Exception
) -> None:
    (broken,) = await say(outside, "well after a moment")
    is_broken = [True]
    break_texts(monkeypatch, lambda id: id == broken and is_broken[0], defect=defect)
    loop = loop_of(outside, clock=clock, metrics=Metrics())

    steps = [await loop.step() for _ in range(20)]
    is_broken[0] = False
    assert not any(steps[2:])  # together, by itself, and then it waits
    clock.advance(APART / 1000)
    await loop.step()

    assert [text.rpartition(": ")[2] for text in await outside.texts()] == ["well after a moment"]


async def test_what_a_notice_cannot_be_made_of_is_passed_all_the_same(
    outside: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await say(outside, "broken", "well")
    real = links._link

    def link(row: Row) -> links.Link:
        if is_broken[0]:
            raise ValueError("no JSON")
        return real(row)

    is_broken = [True]
    monkeypatch.setattr(links, "_link", link)
    metrics = Metrics()
    loop = loop_of(outside, clock=clock, metrics=metrics)

    while "pal_posting_set_aside_total 1" not in metrics.render():
        await loop.step()
        clock.advance(APART / 1000)
    is_broken[0] = False

    assert [text.rpartition(": ")[2] for text in await outside.texts()] == ["well"]
    assert "no notice says what is missing" in caplog.text


async def test_a_card_that_cannot_be_shown_leaves_the_steps_of_others_alone(
    outside: Outside, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, well = [await work(outside, thread=thread) for thread in ("t1", "t2")]
    await outside.deliver()
    for run in (broken, well):
        event = {"seq": 1, "kind": "tool_call", "text": None, "data": {"id": "1", "title": "Look"}, "at": None}
        lease = {"id": run.id, "lease_id": run.lease_id, "fence": run.fence}
        events = [{**event, "lane": "main", "source": None}]
        await outside.bus.store.write(runs.add_events, actor=daemon(outside.bus.box), **lease, events=events)

    def steps_of(events: list[tuple[str, str, dict[str, Any]]]) -> Any:
        if next(looked) == 0:
            raise ValueError("a defect of ours")
        return rules_of_cards.steps_of(events)

    looked = itertools.cycle([0, 0, 1])  # of both, of the first, of the second
    monkeypatch.setattr(posting, "steps_of", steps_of)
    loop = loop_of(outside, clock=clock, metrics=Metrics())

    await loop.step()

    (card,) = await outside.cards("turn")
    assert [step["text"] for step in card["steps"]] == ["Look"]
    assert caplog.text.count("steps cannot be shown") == 2  # together, and the one by itself
    assert not await loop.step()


async def run(outside: Outside, loop: Posting, clock: Clock, *, steps: int) -> list[bool]:
    """What each step says; between two of them there is time for another try."""
    said = []
    for _ in range(steps):
        said.append(await loop.step())
        clock.advance(APART / 1000)
    outside.bot = await hold(outside.bus)
    return said


async def say(outside: Outside, *texts: str) -> list[int]:
    """The owner says these in pal, in a topic that is shown outside and where all else is shown already."""
    heard = await outside.hear("go")
    await outside.deliver()
    owner, store = outside.bus.people.owner, outside.bus.store
    sent = [await store.write(messages.send, actor=owner, parent=heard.message, content=text) for text in texts]
    return [one.message.id for one in sent]


def break_texts(
    monkeypatch: pytest.MonkeyPatch, is_broken: Callable[[object], bool], *, defect: Exception | None = None
) -> None:
    def key_of(*parts: object) -> str:
        if parts[3] == "text" and is_broken(parts[4]):
            raise defect or ValueError("a defect of ours")
        return rules.key_of(*parts)

    monkeypatch.setattr(posting, "key_of", key_of)


def loop_of(outside: Outside, *, clock: Clock, metrics: Metrics) -> Posting:
    store = outside.bus.store
    leader = Leader(store=store, holder="server", is_alone=True)
    context = Context(store=store, hub=Hub(), clock=clock, metrics=metrics, leader=leader, workspace_id="w")
    return Posting(context, url=lambda: "")


async def answer_of(outside: Outside, heard: Answered) -> int:
    page = await outside.bus.store.read(
        messages.list_page, actor=outside.bus.people.owner, parent=heard.message, limit=10
    )
    (answer,) = page.items
    return answer.id
