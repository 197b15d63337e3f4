"""What people say on Slack reaches the bridge once stored, with the real SDK in between."""

import asyncio

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges.inbound import CardAction, Command, Deleted, Edited, Heard, PlaceKind, Said
from tests.bridges.slack.ears import a_bot


async def test_a_mention_is_heard_under_one_name_and_acknowledged(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        said = await bot.mention("look at *this* &lt;thing&gt;")

        one, two = await bot.ears.events(2)
        assert isinstance(one, Said)
        assert isinstance(two, Said)
        assert one.event == two.event == f"m:T1:{bot.room}:{said['ts']}"
        assert (one.text, one.addressed, one.person.name) == ("look at **this** <thing>", True, "Alice")
        assert (one.place.chat, one.place.thread, one.place.kind) == (bot.room, said["ts"], PlaceKind.GROUP)
        assert one.place.title == "#general"
        assert len(await slack.acked(bot.app, count=2)) == 2


async def test_what_is_not_stored_is_not_acknowledged_and_comes_again(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.im") as bot:
        bot.ears.refuses = 1
        direct = await bot.direct()

        await slack.say(direct, bot.alice, "hello")
        await slack.until(lambda: _sent_times(slack, bot.app, 1), what="the first try")
        await slack.do("advance", seconds=3.3)

        [heard] = await bot.ears.events()
        [envelope] = await slack.acked(bot.app)
        assert isinstance(heard, Said)
        assert heard.place.kind is PlaceKind.DIRECT
        assert heard.place.thread == ""
        assert envelope["attempts"] == 2


async def _sent_times(slack: LoopbackSlack, app: str, times: int) -> bool:
    return [len(e["ids"]) for e in await slack.envelopes(app)][:1] == [times]


async def test_the_acknowledgement_waits_for_the_store(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.im") as bot:
        bot.ears.hold = asyncio.Event()
        await slack.say(await bot.direct(), bot.alice, "hello")
        await slack.until(lambda: _sent_times(slack, bot.app, 1), what="the event")
        [before] = await slack.envelopes(bot.app)

        bot.ears.hold.set()

        [after] = await slack.acked(bot.app)
        assert before["state"] == "sent"
        assert after["state"] == "acked"


async def test_events_that_are_nothing_for_pal_are_acknowledged_too(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.channels reaction_added member_joined_channel app_home_opened") as bot:
        said = await slack.say(bot.room, bot.alice, "not for the bot")
        await slack.do("react", channel=bot.room, ts=said["ts"], user=bot.alice, name="thumbsup")
        await slack.do("join", channel=bot.room, user=await slack.person("Bob"))
        await slack.do("event", app=bot.app, subscription="app_home_opened", event={"type": "app_home_opened"})

        acked = await slack.acked(bot.app, count=4)

        [heard] = bot.ears.heard
        assert isinstance(heard, Said)
        assert not heard.addressed
        assert {e["attempts"] for e in acked} == {1}


async def test_the_bot_s_own_posts_come_back_and_are_nobody_s_words(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        await bot.connection._web.call("chat.postMessage", channel=bot.room, text="mine")
        await bot.mention("yours")

        await slack.acked(bot.app, count=3)

        assert {event.person.id for event in bot.ears.heard} == {bot.alice}


async def test_edits_and_deletions_of_people_are_heard(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.channels") as bot:
        said = await bot.mention("one")
        await slack.do("edit", channel=bot.room, ts=said["ts"], user=bot.alice, text=f"<@{bot.user}> two")
        await slack.do("delete", channel=bot.room, ts=said["ts"])

        first, second, third = await bot.ears.events(3)

        assert isinstance(first, Said)
        assert isinstance(second, Edited)
        assert isinstance(third, Deleted)
        assert (second.message, second.text, second.place) == (said["ts"], "two", first.place)
        assert (third.message, third.place, third.person.id) == (said["ts"], first.place, bot.alice)


async def test_a_press_is_told_with_its_token_and_answered_to_the_one_who_pressed(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        bot.ears.answer = Heard(text="Thanks, **approved**.")
        button = {
            "type": "button",
            "action_id": "pal:press:0",
            "value": "yes.1",
            "text": {"type": "plain_text", "text": "Yes"},
        }
        blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
        posted = await bot.connection._web.call("chat.postMessage", channel=bot.room, text="?", blocks=blocks)
        state = {"pal:field:why": {"value": {"type": "plain_text_input", "value": "because"}}}

        await slack.do(
            "click",
            app=bot.app,
            channel=bot.room,
            ts=posted["ts"],
            user=bot.alice,
            action_id="pal:press:0",
            state=state,
        )

        [press] = await bot.ears.events()
        assert isinstance(press, CardAction)
        assert (press.token, press.message, press.values) == ("yes.1", posted["ts"], {"why": "because"})

        async def whispered() -> list[dict[str, str]]:
            return list((await slack.do("responses"))["bodies"])

        [body] = await slack.until(whispered, what="words for the one who pressed")
        assert (body["text"], body["response_type"]) == ("Thanks, *approved*.", "ephemeral")


async def test_a_command_is_answered_with_its_acknowledgement(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        bot.ears.answer = Heard(text="Stopped.")

        await slack.do("command", app=bot.app, channel=bot.room, user=bot.alice, command="/helper", text="stop it now")

        [heard] = await bot.ears.events()
        [envelope] = await slack.acked(bot.app)
        assert isinstance(heard, Command)
        assert (heard.name, heard.text, heard.place.chat) == ("helper", "stop it now", bot.room)
        assert envelope["answer"] == {"response_type": "ephemeral", "text": "Stopped."}


async def test_a_repeat_after_six_hours_has_the_same_name(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.channels") as bot:
        await bot.mention("once")
        await slack.acked(bot.app)
        await slack.do("advance", seconds=6 * 3600)

        await slack.do("repeat", app=bot.app)

        first, again = await bot.ears.events(2)
        assert first.event == again.event


async def test_events_out_of_order_keep_their_moments(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.channels") as bot:
        await slack.do("sockets", app=bot.app, do="hold")
        await bot.mention("one")
        await bot.mention("two")
        await slack.do("sockets", app=bot.app, do="release", is_reversed=True)

        heard = await bot.ears.events(2)

        assert [event.text for event in heard if isinstance(event, Said)] == ["two", "one"]
        assert heard[0].event > heard[1].event


async def test_an_event_of_another_workspace_is_acknowledged_and_left(slack: LoopbackSlack) -> None:
    async with a_bot(slack, events="message.channels") as bot:
        other = await slack.app(team="T2", id=bot.app, name="elsewhere")
        bob = await slack.person("Bob", team="T2")
        there = await slack.channel("general", team="T2", members=[bob, other["bot_user"]])

        await slack.say(there, bob, f"<@{other['bot_user']}> hello")

        await slack.acked(bot.app)
        assert bot.ears.heard == []
