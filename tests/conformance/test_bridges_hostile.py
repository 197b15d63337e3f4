"""Bad input from outside: odd names and titles, forged presses. Nothing breaks, nothing is silently gone."""

import pytest

from pal_server.actions import messages
from pal_server.domain.messages import Message
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import make_bus
from tests.support.outside import Outside, bind, hold, make_outside

NAMES = {
    "👩‍👩‍👧 Ann": "👩‍👩‍👧 Ann",
    "‮evil‬ name": "evil name",  # turns what follows around
    "\x1b[2J\x07Ann\r\nroot": "[2J Ann root",
    "عائشة": "عائشة",
    "پارسی‌زبان": "پارسی‌زبان",
    "@everyone <b>": "@everyone <b>",
    "x" * 5000: "x" * 200,
    "\u200b\u2066": "Ann",
    "": "Ann",
}


@pytest.fixture
async def outside(store: Store) -> Outside:
    return await make_outside(await make_bus(store))


async def said(outside: Outside, message: int | None) -> Message:
    assert message is not None
    return await outside.bus.store.read(messages.get, actor=outside.bus.people.owner, id=message)


async def test_any_name_is_shown_as_far_as_it_can_be(outside: Outside) -> None:
    for number, (name, shown) in enumerate(NAMES.items()):
        answered = await outside.hear("hi", person_name=name, thread=f"t{number}")

        assert (await said(outside, answered.message)).sender.display_name == shown


async def test_any_title_makes_a_room(outside: Outside) -> None:
    for number, title in enumerate(NAMES):
        answered = await outside.hear("hi", title=title, chat=f"g{number}", thread=f"t{number}")

        assert answered.outcome == "done", title

    assert len(await outside.bus.deliveries()) == len(NAMES)
    assert await outside.bus.store.read(find_broken) == []


async def test_a_stranger_with_any_name_is_refused(outside: Outside) -> None:
    for number, name in enumerate(NAMES):
        answered = await outside.hear("hi", person=f"eve{number}", person_name=name)

        assert answered.outcome == "refused"


async def test_a_very_long_message_is_taken_and_says_that_it_was_cut(outside: Outside) -> None:
    answered = await outside.hear("long " * 400_000)

    content = (await said(outside, answered.message)).content
    assert content.endswith("send the rest as a file]")


@pytest.mark.parametrize(
    "token", ["", "approve", "approve.1.0.forged", "stop.99999999999999999999.0.x", "💥.1.0.x", "x" * 5000, "a.b.c.d.e"]
)
async def test_a_forged_press_does_nothing_and_says_so(outside: Outside, token: str) -> None:
    answered = await outside.press(token)

    assert (answered.outcome, bool(answered.text)) == ("refused", True)


async def test_each_failure_has_buttons_of_its_own(outside: Outside) -> None:
    """Some platforms give a press no id: card, person and button are its name, and the same again is nothing new."""
    await outside.hear("go")
    tokens = []
    for _ in range(2):
        run = await outside.bus.open(await outside.bus.claim_one())
        await outside.bus.finish(run, status="failed", error="no such model", exit_code=2)
        card = (await outside.cards("turn"))[-1]
        tokens += [button["token"] for button in card["buttons"] if button["label"] == "Go on"]

        answered = await outside.press(tokens[-1], event=f"ann pressed {tokens[-1]}")
        assert (answered.outcome, answered.text) == ("done", "It goes on.")

    late = await outside.press(tokens[0], event="ann pressed an older one")
    assert (late.outcome, len(set(tokens))) == ("refused", 2)


async def test_a_press_that_was_refused_counts_once_it_may(outside: Outside) -> None:
    await outside.hear("go")
    run = await outside.bus.open(await outside.bus.claim_one())
    stop = next(one for one in (await outside.cards("turn"))[-1]["buttons"] if one["label"] == "Stop")
    await outside.allow("ann", level="talk")
    refused = await outside.press(stop["token"], event="ann pressed stop")

    await outside.allow("ann", level="operate")
    stopped = [await outside.press(stop["token"], event="ann pressed stop") for _ in range(2)]

    assert refused.outcome == "refused"
    assert [answered.outcome for answered in stopped] == ["done", "done"]
    assert (await outside.bus.run(run.id)).wanted == "stop"


async def test_a_press_of_another_chat_s_button_does_nothing(outside: Outside) -> None:
    await outside.hear("go")
    (card,) = await outside.cards("turn")
    drop = next(button for button in card["buttons"] if button["label"] == "Drop")

    elsewhere = await outside.press(drop["token"], chat="g2")
    here = await outside.press(drop["token"])

    assert [answered.outcome for answered in (elsewhere, here)] == ["refused", "done"]


async def test_a_bot_that_was_taken_from_its_agent_says_so_and_creates_nothing(outside: Outside) -> None:
    await outside.hear("before")
    await outside.bus.agent("other")
    await bind(outside.bus, agent="other", rebind=True)
    outside.bot = await hold(outside.bus)

    await outside.hear("after", thread="t2")

    assert [delivery.agent for delivery in await outside.bus.deliveries()] == ["bot", "other"]
