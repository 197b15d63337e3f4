"""What pal cannot show, by a defect of its own, holds up nothing that follows."""

import pytest

from pal_server.actions import messages, posting, trace
from pal_server.domain import posts as rules
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
from tests.support.stores import Clock


@pytest.fixture
async def outside(store: Store) -> Outside:
    return await make_outside(await make_bus(store))


async def work(outside: Outside) -> Run:
    await outside.hear("go")
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
    store, metrics, hub = outside.bus.store, Metrics(), Hub()
    leader = Leader(store=store, holder="server", is_alone=True)
    context = Context(store=store, hub=hub, clock=clock, metrics=metrics, leader=leader, workspace_id="w")
    loop = Posting(context, url=lambda: "")

    steps = [await loop.step() for _ in range(60)]

    assert await outside.texts() == [f"A message here, {broken} in pal, could not be shown.", "what follows"]
    assert steps.count(False) >= TRIES  # by itself it was tried more than once, with pauses
    assert "a defect of ours" in caplog.text
    assert "pal_posting_set_aside_total 1" in metrics.render()
    assert heard.message is not None
    found = await outside.bus.store.read(trace.of_message, actor=outside.bus.people.member, id=heard.message)
    assert (found.steps[-1].what, found.steps[-1].ok) == ("shown", False)
    assert "a notice there says so" in found.steps[-1].text


async def answer_of(outside: Outside, heard: Answered) -> int:
    page = await outside.bus.store.read(
        messages.list_page, actor=outside.bus.people.owner, parent=heard.message, limit=10
    )
    (answer,) = page.items
    return answer.id
