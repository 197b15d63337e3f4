"""What pal says gets to Slack once, or says how unsure it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges.cards import Button, Card, Tone
from pal_server.bridges.inbound import Place, PlaceKind
from pal_server.bridges.outbound import (
    CannotTell,
    Doubtful,
    EditCard,
    EditText,
    FileOut,
    Limited,
    NotThere,
    PostCard,
    PostFile,
    PostText,
    React,
    Refused,
    Sent,
    Unreact,
    Unsent,
    Why,
    Withdraw,
)
from pal_server.bridges.slack import search
from pal_server.bridges.slack.connection import SlackConnection
from tests.bridges.slack.ears import Bot, a_bot, settings

KEY = "k" * 32


def in_thread(bot: Bot, thread: str = "") -> Place:
    return Place(chat=bot.room, thread=thread, kind=PlaceKind.GROUP)


def text(bot: Bot, said: str, *, thread: str = "", key: str = KEY) -> PostText:
    return PostText(key=key, place=in_thread(bot, thread), text=said)


def card(**more: Any) -> Card:
    return Card(**{"title": "Reviewer", "tone": Tone.WORKING, "state": "working", **more})


async def test_a_text_goes_into_its_thread_with_its_key(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        asked = await bot.mention("hello")

        sent = await bot.send(text(bot, "**Hi** <!channel> & co", thread=asked["ts"]))

        [message] = await slack.messages(bot.room, by=bot.user)
        assert sent == Sent(ref=message["ts"])
        assert message["thread_ts"] == asked["ts"]
        assert message["text"] == "*Hi* &lt;!channel&gt; &amp; co"
        assert message["metadata"] == {"event_type": "pal_post", "event_payload": {"key": KEY}}


async def test_a_direct_chat_is_answered_outside_of_threads(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        direct = await bot.direct()
        asked = await slack.say(direct, bot.alice, "hello")
        place = Place(chat=direct, kind=PlaceKind.DIRECT)

        sent = await bot.send(PostText(key=KEY, place=place, text="hi", reply_to=asked["ts"]))

        [message] = await slack.messages(direct, by=bot.user)
        assert sent == Sent(ref=message["ts"])
        assert "thread_ts" not in message


async def test_a_person_is_written_to_by_their_id_and_the_post_is_known_from_then_on(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        place = Place(chat=bot.alice, kind=PlaceKind.DIRECT)
        out = PostText(key=KEY, place=place, text="hi")

        sent = await bot.send(out)
        found = await bot.connection.find(out, since=0)
        edited = await bot.send(EditText(key=KEY, place=place, ref=sent.ref, text="hello"))
        [message] = await slack.messages(await bot.direct())
        gone = await bot.send(Withdraw(key=KEY, place=place, ref=sent.ref))

        assert sent == found == edited == gone
        assert message["text"] == "hello"
        assert await slack.messages(await bot.direct()) == []


@pytest.mark.parametrize("fault", ["cut_after", "http_after", "text_after"])
async def test_an_answer_lost_after_the_effect_is_doubtful_and_found_not_repeated(
    slack: LoopbackSlack, fault: str
) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        out = text(bot, "once")
        await slack.fault("chat.postMessage", fault, app=bot.app)

        outcome = await bot.send(out)
        found = await bot.connection.find(out, since=0)

        [message] = await slack.messages(bot.room)
        assert isinstance(outcome, Doubtful)
        assert found == Sent(ref=message["ts"])


@pytest.mark.parametrize("fault", ["cut", "http", "text", "html"])
async def test_an_answer_lost_before_the_effect_is_doubtful_and_not_there(
    slack: LoopbackSlack, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SETTLE", 0.0)
    async with a_bot(slack, is_listening=False) as bot:
        out = text(bot, "once")
        await slack.fault("chat.postMessage", fault, app=bot.app)

        outcome = await bot.send(out)
        found = await bot.connection.find(out, since=0)

        assert isinstance(outcome, Doubtful)
        assert found == NotThere()
        assert await slack.messages(bot.room) == []


async def test_a_key_is_found_in_a_thread_among_others(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        asked = await bot.mention("hello")
        await bot.send(text(bot, "same words", thread=asked["ts"], key="a" * 32))
        mine = await bot.send(text(bot, "same words", thread=asked["ts"], key="b" * 32))

        assert await bot.connection.find(text(bot, "same words", thread=asked["ts"], key="b" * 32), since=0) == mine


async def test_without_the_scope_for_metadata_nothing_is_claimed(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        out = text(bot, "once")
        await bot.send(out)
        await slack.do("scopes", app=bot.app, without="metadata.message:read")

        found = await bot.connection.find(out, since=0)

        assert isinstance(found, CannotTell)
        assert "metadata.message:read" in found.reason


async def test_a_search_that_is_too_fast_may_be_asked_again(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        await slack.fault("conversations.history", "ratelimited", app=bot.app)

        assert await bot.connection.find(text(bot, "once"), since=0) == CannotTell(
            reason="Slack says too fast, wait 1 s", again=True
        )


async def test_too_fast_is_no_doubt_and_says_how_long(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        await slack.fault("chat.postMessage", "ratelimited", app=bot.app, seconds=7)

        assert await bot.send(text(bot, "once")) == Limited(after=7.0)
        assert [call["error"] for call in await slack.calls("chat.postMessage", app=bot.app)] == ["ratelimited"]


async def test_a_platform_that_is_not_there_is_no_doubt(slack: LoopbackSlack) -> None:
    given = await slack.app()
    nowhere = settings(slack, given)
    connection = SlackConnection(type(nowhere)(**{**_fields(nowhere), "base_url": "http://127.0.0.1:9/api/"}))
    place = Place(chat="C1", kind=PlaceKind.GROUP)
    try:
        assert isinstance(await connection.send(PostText(key=KEY, place=place, text="x")), Unsent)
    finally:
        await connection.close()


def _fields(bot: Any) -> dict[str, Any]:
    return {name: getattr(bot, name) for name in type(bot).__slots__}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ("token_revoked", Why.CREDENTIALS),
        ("token_expired", Why.CREDENTIALS),
        ("account_inactive", Why.CREDENTIALS),
        ("channel_not_found", Why.CLOSED),
        ("not_in_channel", Why.CLOSED),
        ("is_archived", Why.CLOSED),
        ("msg_too_long", Why.TOO_LONG),
        ("msg_blocks_too_long", Why.CARD),
        ("invalid_blocks", Why.CARD),
        ("thread_not_found", Why.GONE),
        ("edit_window_closed", Why.TOO_LATE),
        ("something_new", Why.INVALID),
    ],
)
async def test_what_slack_refuses_is_refused_by_reason(slack: LoopbackSlack, error: str, why: Why) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        await slack.fault("chat.postMessage", "error", app=bot.app, code=error)

        outcome = await bot.send(text(bot, "x"))

        assert isinstance(outcome, Refused)
        assert outcome.why is why
        assert error in outcome.reason


async def test_a_scope_lost_while_running_is_named(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        await slack.do("scopes", app=bot.app, without="chat:write")

        outcome = await bot.send(text(bot, "x"))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.SCOPE
        assert "chat:write" in outcome.reason


async def test_an_edit_of_a_message_that_is_gone_says_so(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        sent = await bot.send(PostCard(key=KEY, place=in_thread(bot), card=card()))
        await slack.do("delete", channel=bot.room, ts=sent.ref)

        outcome = await bot.send(EditCard(key=KEY, place=in_thread(bot), ref=sent.ref, card=card(), number=2))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.GONE


async def test_a_card_is_edited_whole_with_text_and_blocks(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        first = card(buttons=(Button(label="Stop", token="stop.1"),))
        sent = await bot.send(PostCard(key=KEY, place=in_thread(bot), card=first))
        done = card(state="done in 3 min", tone=Tone.DONE, final=True)

        await bot.send(EditCard(key=KEY, place=in_thread(bot), ref=sent.ref, card=done, number=2))

        [message] = await slack.messages(bot.room)
        [call] = await slack.calls("chat.update", app=bot.app)
        assert "done in 3 min" in message["text"]
        assert "Stop" not in json.dumps(message["blocks"])
        assert {"text", "blocks"} <= set(call["args"])


async def test_a_text_too_long_to_edit_is_refused_here(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        outcome = await bot.send(EditText(key=KEY, place=in_thread(bot), ref="1.0", text="x" * 4001))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.TOO_LONG
        assert await slack.calls("chat.update", app=bot.app) == []


async def test_reactions_are_put_and_taken_and_twice_is_as_once(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        asked = await bot.mention("hello")
        react = React(key=KEY, place=in_thread(bot), message=asked["ts"], emoji="eyes")

        outcomes = [await bot.send(react), await bot.send(react)]
        [seen] = await slack.messages(bot.room)
        unreact = Unreact(key=KEY, place=in_thread(bot), message=asked["ts"], emoji="eyes", ref=outcomes[0].ref)
        outcomes += [await bot.send(unreact), await bot.send(unreact)]
        [after] = await slack.messages(bot.room)

        assert outcomes == [Sent(ref="eyes")] * 4
        assert seen["reactions"] == {"eyes": [bot.user]}
        assert after["reactions"] == {}


async def test_a_post_is_withdrawn_and_twice_is_as_once(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        sent = await bot.send(text(bot, "oh"))
        gone = Withdraw(key=KEY, place=in_thread(bot), ref=sent.ref)

        assert [await bot.send(gone), await bot.send(gone)] == [Sent(ref=sent.ref)] * 2
        assert await slack.messages(bot.room) == []


def a_file(tmp_path: Path, name: str = "report.txt", data: bytes = b"hello") -> FileOut:
    path = tmp_path / name
    path.write_bytes(data)
    return FileOut(path=path, name=name, mime="text/plain", size=len(data))


async def test_a_file_is_shown_in_its_thread_and_found_again(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        asked = await bot.mention("a file please")
        out = PostFile(key=KEY, place=in_thread(bot, asked["ts"]), file=a_file(tmp_path))
        await slack.fault("files.completeUploadExternal", "cut_after", app=bot.app)

        outcome = await bot.send(out)
        found = await bot.connection.find(out, since=0)

        [message] = await slack.messages(bot.room, by=bot.user)
        assert isinstance(outcome, Doubtful)
        assert found == Sent(ref=f"file:{message['files'][0]['id']}")
        assert message["thread_ts"] == asked["ts"]
        assert (await slack.do("file", file=message["files"][0]["id"]))["data"] == "aGVsbG8="


async def test_a_file_is_withdrawn_and_twice_is_as_once(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        sent = await bot.send(PostFile(key=KEY, place=in_thread(bot), file=a_file(tmp_path)))
        gone = Withdraw(key=KEY, place=in_thread(bot), ref=sent.ref)

        assert [await bot.send(gone), await bot.send(gone)] == [sent, sent]
        assert await slack.messages(bot.room) == []


async def test_a_file_that_did_not_get_up_is_no_doubt(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        await slack.fault("files.getUploadURLExternal", "cut_after", app=bot.app)

        outcome = await bot.send(PostFile(key=KEY, place=in_thread(bot), file=a_file(tmp_path)))

        assert isinstance(outcome, Unsent)
        assert await slack.messages(bot.room) == []


async def test_an_empty_file_is_refused_without_asking(slack: LoopbackSlack, tmp_path: Path) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        outcome = await bot.send(PostFile(key=KEY, place=in_thread(bot), file=a_file(tmp_path, data=b"")))

        assert isinstance(outcome, Refused)


async def test_edits_and_reactions_in_doubt_may_simply_be_repeated(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        out = EditCard(key=KEY, place=in_thread(bot), ref="1.0", card=card(), number=1)

        assert await bot.connection.find(out, since=0) == NotThere()
        assert await slack.calls("conversations.history", app=bot.app) == []


async def test_the_limits_of_one_channel_and_of_all_are_separate_buckets(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        here = {charge.bucket for charge in bot.connection.charges(text(bot, "x"))}
        there = {
            charge.bucket
            for charge in bot.connection.charges(
                PostText(key=KEY, place=Place(chat="C9", kind=PlaceKind.GROUP), text="x")
            )
        }
        edit = bot.connection.charges(EditText(key=KEY, place=in_thread(bot), ref="1.0", text="x"))

        assert here & there == {f"post:{bot.app}"}
        assert [round(charge.per_second * 60) for charge in edit] == [50]
        assert not here & {charge.bucket for charge in edit}
