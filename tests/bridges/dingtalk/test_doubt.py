"""A send whose answer was lost is looked up where DingTalk can tell, and never repeated blindly."""

from dataclasses import replace
from typing import Any

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.dingtalk import search
from pal_server.bridges.dingtalk.connection import DingTalkConnection
from pal_server.bridges.inbound import Person, Place, PlaceKind
from pal_server.bridges.outbound import (
    CannotTell,
    Doubtful,
    EditCard,
    EditText,
    NotThere,
    Sent,
    Unsent,
)
from tests.bridges.dingtalk.bots import KEY, a_bot, settings
from tests.bridges.dingtalk.outgoing import CREATE, GROUP_SEND, SESSION, UPDATE, card, post, text

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SETTLE", 0.0)


@pytest.mark.parametrize("fault", ["cut_after", "http_after", "html_after", "cut", "http", "html"])
@pytest.mark.parametrize("way", ["session", "robot"])
async def test_a_message_whose_answer_was_lost_is_doubtful_never_repeated_and_cannot_be_asked_for(
    dingtalk: LoopbackDingTalk, fault: str, way: str
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.mention("hello")
        out = text(bot.place(asked if way == "session" else None))
        await dingtalk.fault(SESSION if way == "session" else GROUP_SEND, fault, app=bot.app)

        outcome = await bot.send(out)

        assert isinstance(outcome, Doubtful)
        assert isinstance(await bot.connection.find(out, since=0), CannotTell)
        assert len(await dingtalk.messages(bot.room)) == int(fault.endswith("_after"))


@pytest.mark.parametrize("fault", ["cut_after", "http_after", "html_after"])
async def test_a_card_whose_answer_was_lost_is_found_by_the_name_we_gave_it(
    dingtalk: LoopbackDingTalk, fault: str
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        out = post(bot)
        await dingtalk.fault(CREATE, fault, app=bot.app)

        outcome = await bot.send(out)
        found = await bot.connection.find(out, since=0)

        [shown] = await dingtalk.cards(bot.app)
        assert isinstance(outcome, Doubtful)
        assert found == Sent(ref=f"card:pal-{KEY}")
        assert shown["deliveries"] == 1


@pytest.mark.parametrize("fault", ["cut", "http", "html"])
async def test_a_card_that_never_got_there_is_said_not_to_be_there(dingtalk: LoopbackDingTalk, fault: str) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        out = post(bot)
        await dingtalk.fault(CREATE, fault, app=bot.app)

        outcome = await bot.send(out)
        found = await bot.connection.find(out, since=0)
        again = await bot.send(out)

        [shown] = await dingtalk.cards(bot.app)
        assert isinstance(outcome, Doubtful)
        assert (found, again) == (NotThere(), Sent(ref=f"card:pal-{KEY}"))
        assert shown["deliveries"] == 1


async def test_a_card_that_cannot_be_asked_for_now_may_be_asked_for_later(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        out = post(bot)
        await dingtalk.fault(UPDATE, "http", app=bot.app)
        busy = await bot.connection.find(out, since=0)
        await dingtalk.do("scopes", app=bot.app, without="Card.Instance.Write")
        forbidden = await bot.connection.find(out, since=0)

        assert isinstance(busy, CannotTell)
        assert isinstance(forbidden, CannotTell)
        assert (busy.again, forbidden.again) == (True, False)


async def test_answers_as_cards_can_be_looked_up_changed_and_call_the_one_who_asked(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, is_listening=False, options={"answers": "card"}) as bot:
        out = text(bot.place(await bot.mention("hello")), mention=Person(id=bot.alice, name="Alice"))
        await dingtalk.fault(CREATE, "cut_after", app=bot.app)

        outcome = await bot.send(out)
        found = await bot.connection.find(out, since=0)
        await bot.send(EditText(key=KEY, place=bot.place(), ref=f"card:pal-{KEY}", text="changed"))

        [message] = await dingtalk.messages(bot.room)
        [shown] = await dingtalk.cards(bot.app)
        assert isinstance(outcome, Doubtful)
        assert found == Sent(ref=f"card:pal-{KEY}")
        assert (message["text"], message["at"]) == ("hi", [bot.alice])
        assert shown["params"]["msgContent"] == "changed"


async def test_edits_and_reactions_in_doubt_may_simply_be_repeated(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        out = EditCard(key=KEY, place=bot.place(), ref=f"card:pal-{KEY}", card=card(), number=1)
        before = await dingtalk.calls(UPDATE, app=bot.app)  # with those of nobody's token, of other tests

        assert await bot.connection.find(out, since=0) == NotThere()
        assert await dingtalk.calls(UPDATE, app=bot.app) == before


async def test_a_platform_that_is_not_there_is_no_doubt(dingtalk: LoopbackDingTalk) -> None:
    given = await dingtalk.app()
    nowhere = replace(settings(dingtalk, given), base_url="http://127.0.0.1:9")
    connection = DingTalkConnection(nowhere)
    try:
        outcome = await connection.send(text(Place(chat="cid1", kind=PlaceKind.GROUP)))
        assert isinstance(outcome, Unsent)
    finally:
        await connection.close()
