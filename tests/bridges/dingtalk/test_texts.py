"""Texts get to DingTalk once, or say how unsure it is; tokens are renewed on the way."""

from dataclasses import replace
from typing import Any

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.inbound import Person, Place, PlaceKind
from pal_server.bridges.outbound import (
    EditText,
    PostCard,
    React,
    Refused,
    Sent,
    Unreact,
    Why,
    Withdraw,
)
from tests.bridges.dingtalk.bots import KEY, a_bot
from tests.bridges.dingtalk.outgoing import TOKEN, card, post, text

Json = dict[str, Any]


async def test_an_answer_goes_to_the_session_webhook_and_needs_no_token(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False, scopes="") as bot:
        asked = await bot.mention("hello")

        sent = await bot.send(text(bot.place(asked), "**Hi** <b>"))

        [message] = await dingtalk.messages(bot.room)
        assert sent == Sent(ref=f"session:{KEY}")
        assert (message["via"], message["kind"], message["text"]) == ("session", "markdown", "**Hi** <\u200bb>")
        assert message["title"] == "Hi <b"
        assert await dingtalk.calls(TOKEN, app=bot.app) == []


async def test_in_a_group_the_one_who_asked_is_called_in_the_text_and_beside_it(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.mention("hello")

        await bot.send(text(bot.place(asked), mention=Person(id=bot.alice, name="Alice")))

        [message] = await dingtalk.messages(bot.room)
        assert message["text"] == f"@{bot.alice}  \nhi"
        assert message["at"] == [bot.alice]


async def test_nobody_is_called_in_a_direct_chat_or_from_outside(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked, directly = await bot.mention("hello"), await bot.direct("hello")

        await bot.send(text(bot.place(asked), mention=Person(id="$:LWCP_v1:$x", name="Eve")))
        await bot.send(text(bot.direct_place(directly), mention=Person(id=bot.alice, name="Alice")))

        [outside] = await dingtalk.messages(bot.room)
        [direct] = await dingtalk.direct_messages(bot.app, bot.alice)
        assert (outside["text"], outside["at"]) == ("hi", [])
        assert (direct["text"], direct["at"], direct["via"]) == ("hi", [], "session")


@pytest.mark.parametrize("expired", ["by its time", "sooner"])
async def test_when_the_session_has_ended_the_robot_s_own_way_is_taken(
    dingtalk: LoopbackDingTalk, expired: str
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.mention("hello")
        if expired == "sooner":
            await dingtalk.do("expire_sessions", app=bot.app)
        else:
            asked["sessionWebhookExpiredTime"] = 1

        sent = await bot.send(text(bot.place(asked), "late", mention=Person(id=bot.alice, name="Alice")))

        [message] = await dingtalk.messages(bot.room)
        assert (message["via"], message["text"]) == ("robot", "@Alice  \nlate")
        assert sent == Sent(ref=f"query:{message['key']}")


async def test_a_person_can_be_written_to_at_any_time(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        sent = await bot.send(text(bot.direct_place(), "news"))

        [message] = await dingtalk.direct_messages(bot.app, bot.alice)
        assert sent == Sent(ref=f"query:{message['key']}")


async def test_a_person_who_is_no_more_is_closed(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        outcome = await bot.send(text(Place(chat="user:nobody", kind=PlaceKind.DIRECT)))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.CLOSED


async def test_somebody_outside_is_answered_while_the_session_lasts_and_not_afterwards(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk) as bot:
        eve = await dingtalk.person("Eve", is_outside=True)
        await dingtalk.say(bot.app, eve, "hello")
        [said] = await bot.ears.events()

        in_time = await bot.send(text(said.place))
        late = await bot.send(text(replace(said.place, memo="")))
        as_card = await bot.send(PostCard(key=KEY, place=said.place, card=card()))

        assert isinstance(in_time, Sent)
        assert isinstance(late, Refused)
        assert (late.why, as_card.why) == (Why.CLOSED, Why.CARD)


async def test_a_robot_that_is_no_longer_in_the_group_is_closed_out(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.do("leave", app=bot.app, conversation=bot.room)

        outcomes = [await bot.send(text(bot.place())), await bot.send(post(bot))]

        assert [outcome.why for outcome in outcomes] == [Why.CLOSED, Why.CLOSED]


async def test_an_address_an_event_names_gets_nothing_unless_it_is_the_platform_s(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.mention("hello")
        asked["sessionWebhook"] = "http://127.0.0.1:9/robot/sendBySession?session=x"

        outcome = await bot.send(text(bot.place(asked)))

        assert isinstance(outcome, Refused)
        assert await dingtalk.messages(bot.room) == []


async def test_a_text_too_long_is_refused_here_by_the_size_it_has_on_the_wire(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        fits = await bot.send(text(bot.place(), "\n\n".join(["张" * 10] * 450)))
        outcome = await bot.send(text(bot.place(), "张" * 6_100))

        assert isinstance(fits, Sent)
        assert isinstance(outcome, Refused)
        assert outcome.why is Why.TOO_LONG


async def test_what_a_webhook_sent_can_be_neither_changed_nor_taken_back(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        sent = await bot.send(text(bot.place(await bot.mention("hello"))))

        edited = await bot.send(EditText(key=KEY, place=bot.place(), ref=sent.ref, text="other"))
        gone = await bot.send(Withdraw(key=KEY, place=bot.place(), ref=sent.ref))

        assert (edited.why, gone.why) == (Why.UNABLE, Why.UNABLE)


async def test_what_the_robot_sent_is_taken_back_by_the_name_it_got(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        for place in (bot.place(), bot.direct_place()):
            sent = await bot.send(text(place))
            gone = await bot.send(Withdraw(key=KEY, place=place, ref=sent.ref))
            assert gone == sent
        again = await bot.send(Withdraw(key=KEY, place=bot.place(), ref="query:unknown"))

        assert await dingtalk.messages(bot.room) == []
        assert isinstance(again, Refused)


@pytest.mark.parametrize("where", ["group", "direct"])
async def test_a_reaction_is_put_and_taken_and_twice_is_as_once(dingtalk: LoopbackDingTalk, where: str) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await (bot.mention("hello") if where == "group" else bot.direct("hello"))
        place = bot.place(asked) if where == "group" else bot.direct_place(asked)
        react = React(key=KEY, place=place, message=asked["msgId"], emoji="🤔Thinking")
        unreact = Unreact(key=KEY, place=place, message=asked["msgId"], emoji="🤔Thinking", ref="🤔Thinking")

        put = [await bot.send(react), await bot.send(react)]
        seen = (await dingtalk.do("reactions", message=asked["msgId"]))["reactions"]
        taken = [await bot.send(unreact), await bot.send(unreact)]
        after = (await dingtalk.do("reactions", message=asked["msgId"]))["reactions"]

        assert put + taken == [Sent(ref="🤔Thinking")] * 4
        assert (seen, after) == (["🤔Thinking"], [])


async def test_a_reaction_that_the_platform_does_not_know_is_said_to_be_impossible(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.direct("hello")
        react = React(key=KEY, place=bot.direct_place(asked), message=asked["msgId"], emoji="🤔")
        await dingtalk.fault("/v1.0/robot/emotion/reply", "error", app=bot.app, code="InvalidAction", status=404)

        outcomes = [await bot.send(react), await bot.send(replace(react, place=bot.direct_place()))]

        assert [outcome.why for outcome in outcomes] == [Why.UNABLE, Why.UNABLE]
