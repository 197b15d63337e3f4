"""What pal cannot show, by a defect of its own, holds up nothing that follows."""

import itertools
from typing import Any

import pytest

from pal_server.actions import messages, posting, runs, trace
from pal_server.domain import posts as rules
from pal_server.domain import turn_cards as rules_of_cards
from pal_server.domain.inbound import Answered
from pal_server.domain.runs import Run
from pal_server.loops.leader import Leader
from pal_server.loops.loop import Context
from pal_server.loops.posting import TRIES, Posting
from pal_server.metrics import Metrics
from pal_server.storage.store import Store
from pal_server.wakeups.hub import Hub
from tests.support.bus import make_bus
from tests.support.outside import Outside, make_outside
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

    steps = [await loop.step() for _ in range(60)]

    assert await outside.texts() == [f"A message here, {broken} in pal, could not be shown.", "what follows"]
    assert steps.count(False) >= TRIES  # by itself it was tried more than once, with pauses
    assert "a defect of ours" in caplog.text
    assert "pal_posting_set_aside_total 1" in metrics.render()
    assert heard.message is not None
    found = await outside.bus.store.read(trace.of_message, actor=outside.bus.people.member, id=heard.message)
    assert (found.steps[-1].what, found.steps[-1].ok) == ("shown", False)
    assert "a notice there says so" in found.steps[-1].text


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
