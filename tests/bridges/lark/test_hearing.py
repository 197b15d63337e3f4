"""The socket: store, then ack; what goes wrong with it, and that it leaves nothing behind."""

import asyncio
import threading
from typing import Any

import pytest

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.inbound import CardAction, Heard, Said, ToastKind
from pal_server.bridges.lark.connection import LarkConnection
from pal_server.bridges.outbound import Sent
from pal_server.bridges.platform import BadCredentials, Dropped
from tests.bridges.lark.bot import Bot, KeepingEars, a_bot, settings
from tests.support.patience import AT_ONCE

Json = dict[str, Any]
SOON = {"ReconnectCount": -1, "ReconnectInterval": 1, "ReconnectNonce": 0, "PingInterval": 1}


async def test_a_mention_is_heard_once_and_acked(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        said = await bot.mention("hello")

        (heard,) = await bot.ears.events()
        (ack,) = await bot.wait_for("ack", event=said["events"][0])

    assert isinstance(heard, Said)
    assert (heard.text, heard.message, heard.person.id) == ("hello", said["message_id"], bot.ann)
    assert heard.addressed
    assert (ack["code"], ack["counted"], ack["data"]) == (200, True, None)
    assert ack["biz_rt"] is not None


async def test_the_ack_waits_for_the_store_and_for_nothing_else(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        other = await asyncio.to_thread(lark.chat, apps=[bot.app], people=[bot.ann])
        bot.ears.hold = asyncio.Event()
        slow = await bot.mention("slow")
        await bot.ears.until(lambda: bot.ears.asked, "it is told")
        held, bot.ears.hold = bot.ears.hold, None

        quick = await bot.mention("quick", chat=other)
        await bot.wait_for("ack", event=quick["events"][0])
        early = await bot.entries("ack", event=slow["events"][0])
        held.set()

        assert early == []
        assert (await bot.wait_for("ack", event=slow["events"][0]))[0]["code"] == 200


async def test_what_is_said_in_a_chat_is_stored_in_its_order(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        bot.ears.hold = asyncio.Event()
        for number in range(5):
            await bot.mention(str(number))
        bot.ears.hold.set()

        await bot.ears.events(5)

    assert bot.ears.texts() == ["0", "1", "2", "3", "4"]


async def test_a_group_has_its_name_and_is_asked_for_it_once(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        for number in range(3):
            await bot.mention(str(number))
        heard = await bot.ears.events(3)

        asked = [one for one in await bot.entries("request") if "/chats/" in one["path"]]

    assert {event.place.title for event in heard} == {"Team"}
    assert len(asked) == 1


async def test_a_name_that_does_not_come_holds_up_no_ack(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        await bot.lark("fault", path=".*/chats/.*", do="hang")
        said = await bot.mention("hello")

        (ack,) = await bot.wait_for("ack", event=said["events"][0])

    assert (ack["counted"], bot.ears.heard[0].place.title) == (True, "")


async def test_what_is_not_stored_comes_again(lark: LoopbackLark) -> None:
    await asyncio.to_thread(lark.do, "schedule", after=[200, 200, 200])
    async with a_bot(lark) as bot:
        bot.ears.refuses = 2
        said = await bot.mention("hello")

        acks = await bot.wait_for("ack", event=said["events"][0], count=3)

    assert [ack["code"] for ack in acks] == [500, 500, 200]
    assert bot.ears.texts() == ["hello"]


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_repeat_names_the_same_thing(lark: LoopbackLark, renamed: bool) -> None:
    """Six hours later, under the same event id or another one: the message id is what counts."""
    async with a_bot(lark) as bot:
        said = await bot.mention("hello")
        await bot.ears.events()
        await bot.lark("clock", ahead=6 * 3_600_000)
        await bot.lark("again", events=said["events"], renamed=renamed)

        first, second = await bot.ears.events(2)

    assert first.event == second.event == said["message_id"]


async def test_an_event_in_parts_is_one(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        said = await bot.mention("long " * 2000, parts=7)
        await bot.ears.events()
        await bot.wait_for("ack", event=said["events"][0])
        await bot.lark("again", events=said["events"])  # and its repeat is read from its first part again
        await bot.wait_for("ack", event=said["events"][0], count=2)

    assert bot.ears.texts() == [("long " * 2000).strip()] * 2
    assert len(await bot.entries("ack", event=said["events"][0])) == 2


async def test_what_nobody_reads_is_acked(lark: LoopbackLark) -> None:
    """An event without a handler is answered 500 by the SDK and pushed again and again."""
    async with a_bot(lark) as bot:
        sent = [
            await bot.lark("event", app=bot.app, type="im.message.message_read_v1", event={"reader": {}}),
            await bot.lark("event", app=bot.app, type="made.up_v7", event={"a": [1]}),
            await bot.lark("event", app=bot.app, type="im.message.receive_v1", event={"message": "not one"}),
            await bot.lark("react", message=(await bot.mention("x"))["message_id"], person=bot.app, emoji="Typing"),
        ]
        acks = [(await bot.wait_for("ack", event=one["events"][0]))[0]["code"] for one in sent]

    assert acks == [200] * 4
    assert bot.ears.texts() == ["x"]


async def test_frames_of_no_known_shape_end_nothing(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        await bot.lark("raw", app=bot.app, headers={"type": "card", "message_id": "m"}, payload="{}")
        await bot.lark("raw", app=bot.app, headers={}, payload="")
        await bot.lark("raw", app=bot.app, headers={"type": "event", "message_id": "m", "sum": "1"}, payload="no json")
        await bot.mention("still here")

        await bot.ears.events()

    assert bot.ears.states == ["up"]


async def card_of(bot: Bot) -> str:
    """A message of the bot that can be pressed."""
    sent = await bot.connection.send(bot.text("press me"))
    assert isinstance(sent, Sent)
    return sent.ref


async def test_a_press_is_answered_with_words(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        bot.ears.answer = Heard(text="Approved", kind=ToastKind.SUCCESS)

        answer = await bot.lark("click", message=await card_of(bot), person=bot.ann, value={"pal": "i.1.ok"})

        (pressed,) = await bot.ears.events()
    assert isinstance(pressed, CardAction)
    assert (pressed.token, pressed.person.id, pressed.place.chat) == ("i.1.ok", bot.ann, bot.chat)
    assert answer["data"] == {"toast": {"type": "success", "content": "Approved"}}


async def test_a_press_that_is_not_stored_says_so(lark: LoopbackLark) -> None:
    """It is not pushed again, so somebody must press again."""
    async with a_bot(lark) as bot:
        bot.ears.refuses = 1

        answer = await bot.lark("click", message=await card_of(bot), person=bot.ann, value='{"pal": "i.1.ok"}')

    assert answer["code"] == 200
    assert answer["data"]["toast"]["type"] == "error"


@pytest.mark.parametrize("how", ["cut", "close"])
async def test_a_lost_socket_is_dropped_aloud(lark: LoopbackLark, how: str) -> None:
    async with a_bot(lark) as bot:
        await bot.lark("sockets", app=bot.app, do=how)

        await bot.wait_for("connected", count=2)
        await bot.mention("after")
        await bot.ears.events()

    assert bot.ears.states[:3] == ["up", "down", "up"]


async def test_a_socket_that_answers_no_pings_is_dropped(lark: LoopbackLark, monkeypatch: pytest.MonkeyPatch) -> None:
    from pal_server.bridges.lark import socket

    monkeypatch.setattr(socket, "PONG_WITHIN", 0.3)
    async with a_bot(lark, config=SOON) as bot:
        await bot.lark("sockets", app=bot.app, do="frozen")

        await bot.ears.until(lambda: bot.ears.states.count("up") == 2, "up again")

    assert bot.ears.states[:3] == ["up", "down", "up"]


async def test_a_socket_that_delivers_nothing_is_replaced_without_a_gap(lark: LoopbackLark) -> None:
    """It answers pings, so nothing but its silence tells it from one in a quiet chat."""
    await asyncio.to_thread(lark.do, "schedule", after=[400, 1500, 3000, 6000])
    async with a_bot(lark, quiet_for=1.0) as bot:
        await bot.lark("sockets", app=bot.app, do="deaf")
        await bot.mention("into the void")

        await bot.ears.events()

    assert bot.ears.texts()[0] == "into the void"
    assert bot.ears.states == ["up"], "the new socket was there before the old one went"


async def test_pings_go_out_as_often_as_the_platform_says(lark: LoopbackLark) -> None:
    async with a_bot(lark, config={"PingInterval": 1}) as bot:
        pings = await bot.wait_for("ping", count=2)

    assert len(pings) >= 2, "a ClientConfig with three of its numbers missing ends nothing"
    assert bot.ears.signs >= 3


async def test_wrong_credentials_are_told_and_not_tried_for_ever(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("app", id=bot.app, secret="another")

        with pytest.raises(BadCredentials, match="10014"):
            await bot.connection.listen(bot.ears)


async def test_an_app_disabled_while_it_runs_is_told(lark: LoopbackLark) -> None:
    """The stock client dies of this in silence; here it is known, and works again when the app does."""
    async with a_bot(lark, is_listening=False) as bot:
        listening = asyncio.create_task(bot.connection.listen(bot.ears))
        await bot.ears.until(lambda: bot.ears.states, "up")
        await bot.lark("app", id=bot.app, is_active=False)
        await bot.lark("sockets", app=bot.app, do="cut")
        with pytest.raises(Dropped):
            await listening

        with pytest.raises(BadCredentials):
            await bot.connection.listen(bot.ears)

        await bot.lark("app", id=bot.app, is_active=True)
        bot.listening = asyncio.create_task(bot.listen())
        await bot.ears.until(lambda: bot.ears.states.count("up") == 2, "up again")


LOOK_UP = {"path": "/callback/ws/endpoint"}


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "answer", "status": 500, "body": {"code": 500, "msg": "x"}},
        {"do": "answer", "status": 502, "body": "<html>bad gateway</html>"},
        {"do": "answer", "status": 200, "body": {"code": 1, "msg": "busy"}},
        {"do": "answer", "status": 200, "body": {"code": 1000040343, "msg": "internal"}},
        {"do": "cut"},
    ],
)
async def test_a_look_up_that_fails_is_tried_again(lark: LoopbackLark, fault: Json) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("fault", **LOOK_UP, **fault)

        with pytest.raises(Dropped):
            await bot.connection.listen(bot.ears)


async def test_a_look_up_that_hangs_ends_and_holds_up_nobody(
    lark: LoopbackLark, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pal_server.bridges.lark import connection

    async with a_bot(lark, is_listening=False) as hanging, a_bot(lark) as other:
        monkeypatch.setattr(connection, "LOOK_UP_WITHIN", 1.0)
        await hanging.connection.ping()
        await hanging.lark("fault", **LOOK_UP, do="hang")
        listening = asyncio.create_task(hanging.connection.listen(hanging.ears))
        await other.mention("meanwhile")
        await other.ears.events()

        assert not listening.done()
        with pytest.raises(Dropped, match="in time"):
            await listening
        await hanging.lark("calm")


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (403, {"Handshake-Status": "403", "Handshake-Msg": "forbidden"}, BadCredentials),
        (403, {"Handshake-Status": "514", "Handshake-Msg": "x", "Handshake-Autherrcode": "1000040350"}, Dropped),
        (403, {"Handshake-Status": "514", "Handshake-Msg": "x", "Handshake-Autherrcode": "1"}, Dropped),
        (500, {}, Dropped),
    ],
)
async def test_a_refused_handshake(lark: LoopbackLark, status: int, headers: Json, kind: type[Exception]) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("refuse", status=status, headers=headers)

        with pytest.raises(kind) as raised:
            await bot.connection.listen(bot.ears)

        assert "ticket" not in str(raised.value), "the address is a secret"


async def test_many_bots_share_a_loop_and_each_hears_its_own(lark: LoopbackLark) -> None:
    """The stock client runs one bot per process, or none inside a running loop."""
    async with a_bot(lark) as one, a_bot(lark) as two, a_bot(lark) as three:
        bots = [one, two, three]
        for number, bot in enumerate(bots):
            await bot.mention(f"for {number}")
        for bot in bots:
            await bot.ears.events()

    assert [bot.ears.texts() for bot in bots] == [["for 0"], ["for 1"], ["for 2"]]


async def test_the_end_leaves_nothing_behind(lark: LoopbackLark) -> None:
    tasks, threads = asyncio.all_tasks(), threading.active_count()
    async with a_bot(lark, is_listening=False) as bot:
        listening = asyncio.create_task(bot.connection.listen(bot.ears))
        await bot.ears.until(lambda: bot.ears.states, "up")
        bot.ears.hold = asyncio.Event()
        await bot.mention("in work")
        await bot.ears.until(lambda: bot.ears.asked, "it is told")
        started = asyncio.get_running_loop().time()

        listening.cancel()
        await asyncio.wait([listening])

        assert asyncio.get_running_loop().time() - started < AT_ONCE
        await bot.wait_for("disconnected")
    assert listening.cancelled()
    assert {task for task in asyncio.all_tasks() if not task.done()} <= tasks
    assert threading.active_count() <= threads + 4, "only the test's own threads"


async def test_connections_that_only_failed_leave_nothing_either(lark: LoopbackLark) -> None:
    tasks = asyncio.all_tasks()
    bad = LarkConnection(settings(lark, "cli_nobody"))
    ears = KeepingEars()
    for _ in range(3):
        with pytest.raises(BadCredentials):
            await bad.listen(ears)
    await bad.close()
    await bad.close()

    assert {task for task in asyncio.all_tasks() if not task.done()} <= tasks
