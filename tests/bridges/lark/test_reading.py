"""What was said while nobody listened, files of people, and who people are."""

import asyncio
from typing import Any

import pytest

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.inbound import Attachment, Edited, Person, Place, PlaceKind, Said
from pal_server.bridges.platform import Dropped
from tests.bridges.lark.bot import Bot, a_bot
from tests.support.patience import AT_ONCE

Json = dict[str, Any]
MESSAGES = "/open-apis/im/v1/messages"


async def now(bot: Bot) -> int:
    """A moment of the platform after all that was said, also where that was in this very millisecond."""
    begun = told = int((await bot.lark("clock"))["now"])
    while told == begun:
        told = int((await bot.lark("clock"))["now"])
    return told


async def test_a_gap_is_read_back_in_its_order_and_as_it_would_have_been_heard(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        heard = await bot.mention("heard")
        await bot.ears.events()
        since = await now(bot)
        missed = [await bot.mention(f"missed {number}", push=False) for number in range(3)]
        await bot.lark("say", chat=bot.chat, person=bot.ann, text="to nobody")
        await bot.connection.send(bot.text("our own"))

        events = await bot.connection.read_back((bot.place,), since=since)

    said = [event for event in events if isinstance(event, Said)]
    assert [event.text for event in said] == ["missed 0", "missed 1", "missed 2", "to nobody"]
    assert [event.event for event in said[:3]] == [one["message_id"] for one in missed]
    assert heard["message_id"] not in {event.event for event in said}
    assert {event.person.id for event in said} == {bot.ann}, "the id that is the same in every app"
    assert [event.addressed for event in said] == [True, True, True, False]


async def test_topics_are_read_one_by_one(lark: LoopbackLark) -> None:
    """A listing of the chat shows only the first message of each."""
    async with a_bot(lark) as bot:
        root = await bot.mention("question")
        await bot.lark("say", chat=bot.chat, person=bot.ann, text="old", reply_to=root["message_id"], in_thread=True)
        since = await now(bot)
        await bot.mention("in the topic", reply_to=root["message_id"], push=False)
        place = Place(chat=bot.chat, thread=root["message_id"], kind=PlaceKind.GROUP)

        events = await bot.connection.read_back((place,), since=since)

    assert [event.text for event in events if isinstance(event, Said)] == ["in the topic"]
    assert events[0].place.thread == root["message_id"]


async def test_edits_and_removals_in_the_gap_are_seen(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        since = await now(bot)
        changed = await bot.mention("frist", push=False)
        gone = await bot.mention("gone", push=False)
        await bot.lark("edit", message=changed["message_id"], text="@_user_1 first")
        await bot.lark("recall", message=gone["message_id"], push=False)

        events = await bot.connection.read_back((bot.place,), since=since)

    assert [type(event) for event in events] == [Said, Edited]
    assert isinstance(events[1], Edited)
    assert (events[1].message, events[1].text) == (changed["message_id"], "first")


async def test_a_long_gap_is_read_page_by_page(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        since = await now(bot)
        for number in range(60):
            await bot.mention(str(number), push=False)

        events = await bot.connection.read_back((bot.place,), since=since)

    assert len(events) == 60


async def test_a_chat_the_bot_left_has_nothing_to_read(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        elsewhere = Place(chat="oc_elsewhere", kind=PlaceKind.GROUP)
        person = Place(chat=bot.ann, kind=PlaceKind.DIRECT)

        assert await bot.connection.read_back((elsewhere, person), since=0) == ()


async def test_a_reading_that_fails_says_so(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        await bot.lark("fault", path=MESSAGES, method="GET", do="answer", status=502, body="<html>")

        with pytest.raises(Dropped):
            await bot.connection.read_back((bot.place,), since=0)


async def a_file(bot: Bot, *, kind: str = "file", mime: str = "text/plain", name: str = "a.txt") -> Json:
    """A file Ann sends: message and key."""
    key = (await bot.lark("upload", kind=kind, name=name, mime=mime, hex=(b"x" * 200_000).hex()))["key"]
    content = {"image_key": key} if kind == "image" else {"file_key": key, "file_name": name}
    said = await bot.lark("say", chat=bot.chat, person=bot.ann, type=kind, content=content)
    return {"message": said["message_id"], "key": f"{kind}:{key}"}


async def fetched(bot: Bot, message: str, key: str) -> bytes:
    attachment = Attachment(key=key, name="a.txt")
    return b"".join([piece async for piece in bot.connection.fetch(message, attachment)])


@pytest.mark.parametrize(
    ("kind", "mime"), [("file", "text/plain"), ("image", "image/png"), ("file", "application/json")]
)
async def test_a_persons_file_is_fetched(lark: LoopbackLark, kind: str, mime: str) -> None:
    async with a_bot(lark) as bot:
        file = await a_file(bot, kind=kind, mime=mime)

        assert await fetched(bot, **file) == b"x" * 200_000


@pytest.mark.parametrize("status", [200, 400])
async def test_an_error_is_never_handed_out_as_the_file(lark: LoopbackLark, status: int) -> None:
    async with a_bot(lark) as bot:
        file = await a_file(bot)
        body = {"code": 234003, "msg": "File not in msg."}
        await bot.lark("fault", path=".*/resources/.*", do="answer", status=status, body=body)

        with pytest.raises(OSError, match="File not in msg"):
            await fetched(bot, **file)


async def test_a_file_is_fetched_with_a_new_token(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        file = await a_file(bot)
        await bot.lark("tokens", app=bot.app)

        assert len(await fetched(bot, **file)) == 200_000


async def test_names_are_asked_for_once(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        names = [await bot.connection.name_of(Person(id=bot.ann)) for _ in range(3)]
        asked = [one for one in await bot.entries("request") if "/contact/" in one["path"]]

    assert names == ["Ann"] * 3
    assert len(asked) == 1


async def test_without_the_scope_people_are_nameless(lark: LoopbackLark) -> None:
    """The code is 0 then; only the name is missing."""
    async with a_bot(lark) as bot:
        await bot.lark("app", id=bot.app, scopes=["im:message"])

        assert await bot.connection.name_of(Person(id=bot.ann)) == ""
        assert await bot.connection.name_of(Person(id="ou_nobody")) == ""
        assert await bot.connection.name_of(Person(id="")) == ""


async def test_a_name_that_does_not_come_is_not_waited_for(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        await bot.connection.name_of(Person(id=bot.ann))
        await bot.lark("fault", path=".*/contact/.*", do="hang")
        started = asyncio.get_running_loop().time()

        name = await bot.connection.name_of(Person(id="ou_slow"))

        assert name == ""
        assert asyncio.get_running_loop().time() - started < AT_ONCE


async def test_a_ping_goes_over_the_socket_and_costs_no_call(lark: LoopbackLark) -> None:
    async with a_bot(lark) as bot:
        before = len(await bot.entries("request"))

        await bot.connection.ping()

        assert len(await bot.entries("request")) == before
        assert len(await bot.entries("ping")) >= 2
