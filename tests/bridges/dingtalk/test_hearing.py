"""What people say on DingTalk reaches the bridge once stored, with the real SDK in between."""

import asyncio
import base64

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.cards import Card, Tone
from pal_server.bridges.inbound import CardAction, Heard, PlaceKind, Said, ToastKind
from pal_server.bridges.outbound import PostCard
from tests.bridges.dingtalk.bots import KEY, a_bot
from tests.support.patience import PATIENCE


async def test_a_mention_is_heard_and_acknowledged(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        asked = await bot.mention("look at this")

        [said] = await bot.ears.events()
        [push] = await dingtalk.answered(bot.app)
        assert isinstance(said, Said)
        assert (said.event, said.text, said.person.id) == (f"m:{asked['msgId']}", "look at this", bot.alice)
        assert (said.place.chat, said.place.kind, said.place.title) == (bot.room, PlaceKind.GROUP, "general")
        assert (push["state"], push["answer"]["data"]) == ("acked", {"response": None})


async def test_the_acknowledgement_waits_for_the_store(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.hold = asyncio.Event()
        await bot.mention("hello")
        await asyncio.wait_for(bot.ears.began.wait(), PATIENCE)
        [before] = await dingtalk.pushes(bot.app)

        bot.ears.hold.set()

        [after] = await dingtalk.answered(bot.app)
        assert (before["state"], after["state"]) == ("pushed", "acked")


async def test_what_was_not_stored_is_kept_and_tried_again_for_it_is_never_told_again(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.refuses = 3
        await bot.mention("one")
        await bot.mention("two")

        heard = await bot.ears.events(2)

        pushes = await dingtalk.answered(bot.app, count=2)
        assert [said.text for said in heard if isinstance(said, Said)] == ["one", "two"]
        assert [(push["state"], len(push["ids"])) for push in pushes] == [("acked", 1)] * 2


async def test_what_was_not_stored_outlives_the_socket_that_brought_it(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.refuses = 4
        await bot.mention("hello")
        await asyncio.wait_for(bot.ears.began.wait(), PATIENCE)

        await dingtalk.do("sockets", app=bot.app, do="cut")
        await dingtalk.connected(bot.app, opened=2)

        [said] = await bot.ears.events()
        assert isinstance(said, Said)
        assert said.text == "hello"


async def test_what_the_server_will_not_have_holds_up_its_chat_no_longer_than_a_press(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.unwanted = "never"
        await bot.mention("never")
        await bot.mention("next")

        [said] = await bot.ears.events()

        assert isinstance(said, Said)
        assert said.text == "next"
        assert bot.ears.losses == ["something that was said could not be stored and is lost: not this one"]


async def test_a_press_that_cannot_be_stored_in_time_is_refused_and_said(
    dingtalk: LoopbackDingTalk, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.refuses = 1000

        await dingtalk.do("press", app=bot.app, card="pal-x", user=bot.alice, id="stop.1.0.a")

        [push] = await dingtalk.answered(bot.app)
        assert (push["state"], push["answer"]["code"]) == ("refused", 500)
        assert "is lost" in caplog.text


async def test_the_same_message_again_has_the_same_name_six_hours_later_too(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        await bot.mention("once")
        await dingtalk.answered(bot.app)
        await dingtalk.do("advance", seconds=6 * 3600)

        await dingtalk.do("repeat", app=bot.app)

        first, again = await bot.ears.events(2)
        assert first.event == again.event


async def test_messages_out_of_order_keep_their_moments(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        await dingtalk.do("sockets", app=bot.app, do="hold")
        await bot.mention("one")
        await dingtalk.do("advance", seconds=1)
        await bot.mention("two")
        await dingtalk.do("sockets", app=bot.app, do="release", is_reversed=True)

        heard = await bot.ears.events(2)

        assert [said.text for said in heard if isinstance(said, Said)] == ["two", "one"]
        assert heard[0].at > heard[1].at


async def test_a_chat_whose_store_is_slow_holds_up_no_other(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.refuses = 1
        await bot.mention("slow")
        await asyncio.wait_for(bot.ears.began.wait(), PATIENCE)

        await bot.direct("quick")

        heard = await bot.ears.events(2)
        assert {said.text for said in heard if isinstance(said, Said)} == {"quick", "slow"}
        assert {said.place.chat for said in heard} == {bot.room, f"user:{bot.alice}"}


async def test_a_message_of_no_known_shape_is_acknowledged_and_logged_without_its_words(
    dingtalk: LoopbackDingTalk, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_bot(dingtalk) as bot:
        await bot.mention("secret words", more={"msgtype": "file", "content": {}})
        await bot.mention("after")

        [said] = await bot.ears.events()

        assert isinstance(said, Said)
        assert said.text == "after"
        assert "no shape that is known" in caplog.text
        assert bot.ears.losses == ["something that was said cannot be read: the bridge's log has why"]
        assert "secret words" not in caplog.text


async def test_unsupported_and_empty_messages_are_told_not_dropped(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        await bot.mention(kind="location")
        await bot.mention("")

        one, two = await bot.ears.events(2)

        assert isinstance(one, Said)
        assert isinstance(two, Said)
        assert one.unsupported == "a location"
        assert (two.text, two.unsupported) == ("", "")


async def test_a_file_is_fetched_by_its_code_and_no_token_goes_to_where_it_lies(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        await bot.direct(kind="file", name="a.pdf", data=b"%PDF" * 100_000)
        [said] = await bot.ears.events()
        assert isinstance(said, Said)

        pieces = [piece async for piece in bot.connection.fetch(said.message, said.files[0])]

        assert b"".join(pieces) == b"%PDF" * 100_000
        assert [call["has_token"] for call in await dingtalk.calls("/download")][-1:] == [False]


async def test_a_picture_within_text_is_fetched(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        picture = base64.b64encode(b"jpeg").decode()
        await bot.mention(kind="richText", parts=[{"text": "look"}, {"data": picture}])
        [said] = await bot.ears.events()
        assert isinstance(said, Said)

        pieces = [piece async for piece in bot.connection.fetch(said.message, said.files[0])]

        assert (said.text, pieces) == ("look\n[picture.jpg]", [b"jpeg"])


@pytest.mark.parametrize("fault", ["http", "cut", "error"])
async def test_a_file_that_cannot_be_had_says_so(dingtalk: LoopbackDingTalk, fault: str) -> None:
    async with a_bot(dingtalk) as bot:
        await bot.direct(kind="file", name="a.pdf", data=b"x")
        [said] = await bot.ears.events()
        assert isinstance(said, Said)
        await dingtalk.fault("/v1.0/robot/messageFiles/download", fault, app=bot.app)

        with pytest.raises(OSError, match=r"a\.pdf"):
            [piece async for piece in bot.connection.fetch(said.message, said.files[0])]


# Presses


def card(state: str) -> Card:
    return Card(title="Reviewer", tone=Tone.ASKING, state=state)


async def test_a_press_is_told_with_its_person_s_name_and_answered_with_the_card_s_new_state(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk) as bot:
        await bot.send(PostCard(key=KEY, place=bot.place(), card=card("asking")))
        bot.ears.answer = Heard(text="Thanks", card=card("approved by Alice"))

        await dingtalk.do("press", app=bot.app, card=f"pal-{KEY}", user=bot.alice, id="approve.1.0.x")

        [press] = await bot.ears.events()
        assert isinstance(press, CardAction)
        assert (press.token, press.message) == ("approve.1.0.x", f"card:pal-{KEY}")
        assert (press.person.id, press.person.name) == (bot.alice, "Alice")
        await dingtalk.answered(bot.app)
        [shown] = await dingtalk.cards(bot.app)
        assert "approved by Alice" in shown["params"]["msgContent"]


async def test_a_press_that_may_not_be_is_explained_to_the_one_who_pressed(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.answer = Heard(text="Only **owners** may.", kind=ToastKind.WARNING)

        await dingtalk.do("press", app=bot.app, card="pal-forged", user=bot.alice, id="approve.1.0.x")

        async def told() -> list[str]:
            return [message["text"] for message in await dingtalk.direct_messages(bot.app, bot.alice)]

        assert await dingtalk.until(told, what="a word to the one who pressed") == ["Only **owners** may."]


async def test_a_press_that_is_none_of_ours_is_acknowledged_and_left(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        await dingtalk.do("press", app=bot.app, card="pal-x", user=bot.alice, id="not a token")

        [push] = await dingtalk.answered(bot.app)

        assert push["state"] == "acked"
        assert bot.ears.heard == []


async def test_a_name_that_cannot_be_asked_for_holds_no_press_up(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, scopes="Card.Instance.Write") as bot:
        await dingtalk.do("press", app=bot.app, card="pal-x", user=bot.alice, id="stop.1.0.a")

        [press] = await bot.ears.events()

        assert press.person.name == ""
