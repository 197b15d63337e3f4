"""Cards on DingTalk: made, changed whole, gone."""

import json
from typing import Any

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.cards import Button, Tone
from pal_server.bridges.outbound import CannotTell, Doubtful, EditCard, PostCard, Refused, Why
from tests.bridges.dingtalk.bots import KEY, a_bot
from tests.bridges.dingtalk.outgoing import SESSION, UPDATE, card, post, text

Json = dict[str, Any]


async def test_a_card_is_made_edited_whole_and_keeps_nothing_old(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        sent = await bot.send(post(bot, body="old words", buttons=(Button(label="Stop", token="stop.1"),)))
        done = card(tone=Tone.DONE, state="done in 3 min", final=True)

        edited = await bot.send(EditCard(key=KEY, place=bot.place(), ref=sent.ref, card=done, number=2))

        [shown] = await dingtalk.cards(bot.app)
        [call] = await dingtalk.calls(UPDATE, app=bot.app)
        assert edited == sent
        assert "done in 3 min" in shown["params"]["msgContent"]
        assert "old words" not in json.dumps(shown["params"])
        assert "stop.1" not in json.dumps(shown["params"])
        assert call["body"]["cardUpdateOptions"] == {"updateCardDataByKey": True}


async def test_a_card_goes_to_a_person_too_and_with_a_template_of_one_s_own(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False, options={"card_template": "mine.schema"}) as bot:
        await bot.send(PostCard(key=KEY, place=bot.direct_place(), card=card()))

        [shown] = await dingtalk.cards(bot.app)
        [message] = await dingtalk.direct_messages(bot.app, bot.alice)
        assert (shown["template"], shown["outTrackId"]) == ("mine.schema", f"pal-{KEY}")
        assert message["card"] == shown["outTrackId"]


async def test_an_edit_of_a_card_that_is_gone_says_so(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        outcome = await bot.send(EditCard(key=KEY, place=bot.place(), ref="card:pal-gone", card=card(), number=2))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.GONE


async def test_without_the_permission_for_cards_they_go_as_text_and_stay_as_it_was(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        place = bot.place(await bot.mention("hello"))
        await dingtalk.do("scopes", app=bot.app, without="Card.Instance.Write")

        refused = await bot.send(PostCard(key=KEY, place=place, card=card()))
        instead = await bot.send(text(place, "in words"))
        edited = await bot.send(EditCard(key=KEY, place=place, ref=instead.ref, card=card(), number=2))

        assert isinstance(refused, Refused)
        assert refused.why is Why.CARD
        assert "Card.Instance.Write" in refused.reason
        assert edited == instead
        assert [message["text"] for message in await dingtalk.messages(bot.room)] == ["in words"]


async def test_a_card_that_went_as_text_is_not_said_to_be_missing(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        place = bot.place(await bot.mention("hello"))
        await dingtalk.fault(SESSION, "cut_after", app=bot.app)

        outcome = await bot.send(text(place, "in words"))

        assert isinstance(outcome, Doubtful)
        found = await bot.connection.find(PostCard(key=KEY, place=place, card=card()), since=0)
        assert isinstance(found, CannotTell)
