"""One try, one answer: what a send says of itself whatever Lark does, and that a repeat posts once."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pal_cli.chaos.platforms.lark.lark import LoopbackLark
from pal_server.bridges.cards import Button, Card, Tone
from pal_server.bridges.inbound import Person, Place, PlaceKind
from pal_server.bridges.lark.connection import LarkConnection
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
    React,
    Refused,
    Sent,
    Unreact,
    Unsent,
    Why,
    Withdraw,
)
from pal_server.bridges.platform import Dropped
from tests.bridges.lark.bot import Bot, a_bot, settings
from tests.support.patience import PATIENCE

Json = dict[str, Any]
CARD = Card(title="Fix it", tone=Tone.WORKING, state="working")
CREATE = {"path": "/open-apis/im/v1/messages", "method": "POST"}
KEY = "k" * 32


def shown(message: Json) -> str:
    """The Markdown of a rich text that was posted."""
    lines = json.loads(message["content"])["zh_cn"]["content"]
    return "\n".join(element["text"] for line in lines for element in line if element["tag"] == "md")


async def sent(bot: Bot, **more: Any) -> Sent:
    outcome = await bot.connection.send(bot.text("hello", **more))
    assert isinstance(outcome, Sent), outcome
    return outcome


async def test_a_post_is_there_and_named(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        outcome = await sent(bot)

        (message,) = await bot.posted()

    assert outcome == Sent(ref=message["message_id"], whole=True)
    assert (message["type"], shown(message)) == ("post", "hello")


async def test_an_answer_goes_below_its_question_as_a_topic(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        asked = (await bot.mention("?"))["message_id"]
        place = Place(chat=bot.chat, thread=asked, kind=PlaceKind.GROUP)

        first = await sent(bot, place=place, reply_to=asked)
        await sent(bot, place=place)

        messages = {message["message_id"]: message for message in await bot.posted()}
    assert {message["root_id"] for message in messages.values()} == {asked}
    assert len({message["thread_id"] for message in messages.values()}) == 1
    assert messages[first.ref]["thread_id"]


async def test_groups_may_quote_instead(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        asked = (await bot.mention("?"))["message_id"]
        bot.connection = LarkConnection(settings(lark, bot.app, replies="quote"))

        await sent(bot, reply_to=asked)

        (message,) = await bot.posted()
    assert (message["root_id"], message["thread_id"]) == (asked, "")


async def test_a_question_that_is_gone_is_answered_all_the_same(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        asked = (await bot.mention("?"))["message_id"]
        await bot.lark("recall", message=asked)

        await sent(bot, reply_to=asked)

        (message,) = await bot.posted()
    assert message["root_id"] == ""


async def test_the_one_who_asked_is_called_where_nothing_else_ties_the_answer(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await sent(bot, mention=Person(id=bot.ann))

        (message,) = await bot.posted()
    assert json.loads(message["content"])["zh_cn"]["content"][0] == [{"tag": "at", "user_id": bot.ann}]


LOST: list[Json] = [
    {"do": "cut", "when": "after"},
    {"do": "answer", "when": "after", "status": 502, "body": "<html>"},
    {"do": "answer", "when": "after", "status": 500, "body": {"code": 2200, "msg": "internal"}},
    {"do": "answer", "status": 503, "body": "<html>"},
    {"do": "cut"},
]


@pytest.mark.parametrize("fault", LOST)
async def test_after_a_lost_answer_the_same_key_posts_once(lark: LoopbackLark, fault: Json) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.connection.ping()
        await bot.lark("fault", **CREATE, **fault)
        out = bot.text("once")

        doubtful = await bot.connection.send(out)
        again = await bot.connection.send(out)

        messages = await bot.posted()
    assert isinstance(doubtful, Doubtful)
    assert isinstance(again, Sent)
    assert len(messages) == 1


async def test_a_socket_is_no_sign_that_things_can_be_sent(lark: LoopbackLark) -> None:
    """What may be a repeat is sent to a platform that answers, and the socket's is another one."""
    async with a_bot(lark) as bot:
        await bot.ears.until(lambda: "up" in bot.ears.states, "the socket is open")
        await bot.connection.answers()
        await bot.lark("fault", path="/open-apis/bot/.*", do="answer", status=502, body="<html>")

        await bot.connection.ping()
        with pytest.raises(Dropped):
            await bot.connection.answers()


async def test_an_answer_that_never_comes_is_doubt(lark: LoopbackLark, monkeypatch: pytest.MonkeyPatch) -> None:
    from pal_server.bridges.lark import sending

    async with a_bot(lark, is_listening=False) as bot:
        await bot.connection.ping()
        monkeypatch.setattr(sending, "SEND_FOR", 0.5)
        await bot.lark("fault", **CREATE, do="hang", when="after")

        outcome = await bot.connection.send(bot.text("x"))

        assert isinstance(outcome, Doubtful)
        assert len(await bot.posted()) == 1


async def test_a_platform_that_cannot_be_reached_has_certainly_nothing(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        bot.connection = LarkConnection(replace(settings(lark, bot.app), base_url="http://127.0.0.1:9"))

        assert isinstance(await bot.connection.send(bot.text("x")), Unsent)


async def test_no_proxy_is_asked_for_what_runs_here(lark: LoopbackLark, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with a_bot(lark) as bot:
        await sent(bot)
        await bot.mention("hello")

        await bot.ears.events()


async def test_no_token_is_certainly_nothing(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("fault", path="/open-apis/auth/.*", do="answer", status=502, body="<html>")

        assert isinstance(await bot.connection.send(bot.text("x")), Unsent)


async def test_too_fast_waits_as_long_as_lark_says(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        headers = {"x-ogw-ratelimit-limit": "50", "x-ogw-ratelimit-reset": "17"}
        body = {"code": 99991400, "msg": "request trigger frequency limit"}
        await bot.lark("fault", **CREATE, do="answer", status=429, body=body, headers=headers)

        outcome = await bot.connection.send(bot.text("x"))

    assert outcome == Limited(after=17.0, bucket=f"app:{bot.app}")


async def test_lark_itself_limits_a_chat(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.connection.ping()
        limited, outcomes = Limited(after=1.0, bucket=f"chat:{bot.chat}"), []
        async with asyncio.timeout(PATIENCE):  # on a busy machine one round may be slow enough for Lark
            while limited not in outcomes:
                outcomes += await asyncio.gather(*(bot.connection.send(bot.text(str(n))) for n in range(8)))

    assert len(await bot.posted()) == sum(isinstance(outcome, Sent) for outcome in outcomes)


# --- tokens


async def test_a_token_taken_back_is_replaced_once_and_nothing_is_lost(lark: LoopbackLark) -> None:
    """In the SDK it stays in the cache until its time is up."""
    async with a_bot(lark, is_listening=False) as bot:
        await sent(bot)
        await bot.lark("tokens", app=bot.app)

        await sent(bot)

        assert len(await bot.entries("token")) == 2


async def test_a_short_life_is_used(lark: LoopbackLark) -> None:
    """The SDK fetches a token for each call when it lives less than ten minutes."""
    async with a_bot(lark, is_listening=False, token_life=60) as bot:
        for _ in range(3):
            await bot.connection.ping()

        assert len(await bot.entries("token")) == 1


async def test_many_calls_at_once_fetch_one_token(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await asyncio.gather(*(bot.connection.ping() for _ in range(10)))

        assert len(await bot.entries("token")) == 1


async def test_calls_share_a_connection(lark: LoopbackLark) -> None:
    """The SDK builds a client and a TLS context for each, which holds its loop for 20 ms."""
    async with a_bot(lark, is_listening=False) as bot:
        for _ in range(5):
            await bot.connection.ping()

        assert len({request["port"] for request in await bot.entries("request")}) == 1


async def test_two_apps_never_share_a_token(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as one, a_bot(lark, is_listening=False) as two:
        await asyncio.gather(*(bot.connection.ping() for bot in [one, two] * 5))

        assert {request["app"] for request in await one.entries("request")} == {one.app}
        assert {request["app"] for request in await two.entries("request")} == {two.app}


async def test_a_refused_app_is_a_refused_send(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("app", id=bot.app, is_active=False)

        outcome = await bot.connection.send(bot.text("x"))

    assert isinstance(outcome, Refused)
    assert outcome.why is Why.CREDENTIALS
    assert "secret-" not in outcome.reason


async def test_a_scope_that_is_taken_away_is_named(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("app", id=bot.app, scopes=[])

        outcome = await bot.connection.send(bot.text("x"))

    assert isinstance(outcome, Refused)
    assert outcome.why is Why.SCOPE
    assert "im:message:send_as_bot" in outcome.reason


# --- changing


async def test_a_card_is_changed_in_place(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        card = PostCard(key=KEY, place=bot.place, card=CARD)
        posted = await bot.connection.send(card)
        assert isinstance(posted, Sent)
        done = Card(title="Fix it", tone=Tone.DONE, state="done", buttons=(Button(label="Open", url="https://a.b"),))

        changed = await bot.connection.send(
            EditCard(key="e" * 32, place=bot.place, ref=posted.ref, card=done, number=1)
        )

        (message,) = await bot.posted()
    assert changed == Sent(ref=posted.ref)
    assert [json.loads(one)["header"]["template"] for one in message["versions"]] == ["blue", "green"]


async def test_a_text_is_changed_and_taken_back(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        ref = (await sent(bot)).ref
        edit = EditText(key=KEY, place=bot.place, ref=ref, text="better")
        take = Withdraw(key=KEY, place=bot.place, ref=ref)

        outcomes = [await bot.connection.send(out) for out in (edit, take, take)]
        late = await bot.connection.send(edit)

        (message,) = await bot.posted()
    assert outcomes == [Sent(ref=ref)] * 3
    assert shown(message) == "better"
    assert message["deleted"]
    assert isinstance(late, Refused)
    assert late.why is Why.GONE


async def test_a_text_changed_too_often_needs_a_new_post(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        ref = (await sent(bot)).ref
        outcomes = [
            await bot.connection.send(EditText(key=KEY, place=bot.place, ref=ref, text=str(number)))
            for number in range(21)
        ]

    assert all(isinstance(outcome, Sent) for outcome in outcomes[:20])
    assert isinstance(outcomes[20], Refused)
    assert outcomes[20].why is Why.TOO_LATE


async def test_a_chat_the_bot_left_is_closed(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("join", chat=bot.chat, app=bot.app, person=bot.ann, leaves=True)

        outcome = await bot.connection.send(bot.text("x"))

    assert isinstance(outcome, Refused)
    assert outcome.why is Why.CLOSED


REFUSED_CARD = {
    "code": 230099,
    "msg": "Failed to create card content, ext=ErrCode: 11310; ErrMsg: table number over limit",
}


async def test_a_card_lark_will_not_have_is_shown_bare_with_its_buttons(lark: LoopbackLark) -> None:
    card = replace(CARD, body="**odd**", buttons=(Button(label="Stop", token="r.1.stop"),))
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("fault", **CREATE, do="answer", status=400, body=REFUSED_CARD)
        there = await bot.connection.send(PostCard(key=KEY, place=bot.place, card=card))
        assert isinstance(there, Sent)
        await bot.lark("fault", path=".*/messages/.*", method="PATCH", do="answer", status=400, body=REFUSED_CARD)

        changed = await bot.connection.send(EditCard(key="e" * 32, place=bot.place, ref=there.ref, card=card, number=1))

        (message,) = await bot.posted()
    assert changed == Sent(ref=there.ref)
    for version in message["versions"]:
        words, buttons = json.loads(version)["body"]["elements"]
        assert words == {"tag": "div", "text": {"tag": "plain_text", "content": "**odd**"}}
        assert buttons["tag"] == "column_set"


async def test_a_card_that_is_refused_bare_as_well_is_told_so(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("fault", **CREATE, do="answer", status=400, body=REFUSED_CARD, times=2)

        outcome = await bot.connection.send(PostCard(key=KEY, place=bot.place, card=CARD))

    assert isinstance(outcome, Refused)
    assert outcome.why is Why.CARD
    assert "11310" in outcome.reason


async def test_many_tables_fit_in_a_card(lark: LoopbackLark) -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    async with a_bot(lark, is_listening=False) as bot:
        body = "\n\n".join([table] * 8)
        card = Card(title="t", tone=Tone.NOTE, state="s", body=body)

        outcome = await bot.connection.send(PostCard(key=KEY, place=bot.place, card=card))

    assert isinstance(outcome, Sent)


async def test_a_text_of_the_greatest_length_is_taken(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        text = '中"\n' * 2500

        whole = await bot.connection.send(bot.text(text))
        longer = await bot.connection.send(bot.text("中" * 12_000))

    assert isinstance(whole, Sent)
    assert whole.whole
    assert isinstance(longer, Refused)
    assert longer.why is Why.TOO_LONG


# --- reactions


async def test_a_reaction_comes_and_goes(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        asked = (await bot.mention("?"))["message_id"]
        react = React(key=KEY, place=bot.place, message=asked, emoji="Typing")
        there = await bot.connection.send(react)
        assert isinstance(there, Sent)
        unreact = Unreact(key=KEY, place=bot.place, message=asked, emoji="Typing", ref=there.ref)

        gone = [await bot.connection.send(unreact) for _ in range(2)]

    assert gone == [Sent(ref=there.ref)] * 2


async def test_a_reaction_whose_answer_was_lost_is_found_and_removed(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        asked = (await bot.mention("?"))["message_id"]
        react = React(key=KEY, place=bot.place, message=asked, emoji="Typing")
        absent = await bot.connection.find(react, since=0)
        await bot.lark("fault", path=".*/reactions", method="POST", do="cut", when="after")

        doubtful = await bot.connection.send(react)
        found = await bot.connection.find(react, since=0)
        gone = await bot.connection.send(Unreact(key=KEY, place=bot.place, message=asked, emoji="Typing", ref=""))

        assert (absent, type(doubtful)) == (NotThere(), Doubtful)
        assert isinstance(found, Sent)
        assert gone == found
        assert await bot.connection.find(react, since=0) == NotThere()


async def test_a_reaction_lark_does_not_know_is_named(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        asked = (await bot.mention("?"))["message_id"]

        outcome = await bot.connection.send(React(key=KEY, place=bot.place, message=asked, emoji="typing"))

    assert isinstance(outcome, Refused)
    assert "case-sensitive" in outcome.reason


# --- files


def a_file(tmp_path: Path, name: str, content: bytes, mime: str) -> FileOut:
    path = tmp_path / name
    path.write_bytes(content)
    return FileOut(path=path, name=name, mime=mime, size=len(content))


@pytest.mark.parametrize(
    ("name", "mime", "kind"),
    [("a.png", "image/png", "image"), ("a.pdf", "application/pdf", "file"), ("häß.txt", "text/plain", "file")],
)
async def test_files_are_sent(lark: LoopbackLark, tmp_path: Path, name: str, mime: str, kind: str) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        out = PostFile(key=KEY, place=bot.place, file=a_file(tmp_path, name, b"bytes", mime))

        outcomes = [await bot.connection.send(out) for _ in range(2)]

        (message,) = await bot.posted()
        uploads = await bot.entries("uploaded")
    assert isinstance(outcomes[0], Sent)
    assert outcomes[0].ref == message["message_id"]
    assert message["type"] == kind
    assert uploads[0]["size"] == 5


async def test_what_lark_does_not_take_is_not_tried(lark: LoopbackLark, tmp_path: Path) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        empty = PostFile(key=KEY, place=bot.place, file=a_file(tmp_path, "e", b"", "text/plain"))
        huge = a_file(tmp_path, "h", b"x", "text/plain")
        huge = FileOut(path=huge.path, name="h", mime=huge.mime, size=30_000_001)

        outcomes = [
            await bot.connection.send(empty),
            await bot.connection.send(PostFile(key=KEY, place=bot.place, file=huge)),
        ]

    assert [(type(one), getattr(one, "why", None)) for one in outcomes] == [
        (Refused, Why.INVALID),
        (Refused, Why.TOO_LONG),
    ]


async def test_an_upload_without_an_answer_is_no_doubt(lark: LoopbackLark, tmp_path: Path) -> None:
    """Nobody sees an upload, so it may simply be made again."""
    async with a_bot(lark, is_listening=False) as bot:
        await bot.connection.ping()
        out = PostFile(key=KEY, place=bot.place, file=a_file(tmp_path, "a.txt", b"x", "text/plain"))
        await bot.lark("fault", path="/open-apis/im/v1/files", do="cut", when="after")

        first = await bot.connection.send(out)
        second = await bot.connection.send(out)

    assert isinstance(first, Unsent)
    assert isinstance(second, Sent)


# --- looking for a post


async def test_a_post_is_found_by_what_it_says(lark: LoopbackLark) -> None:
    """For when the key no longer helps: Lark keeps it for an hour."""
    async with a_bot(lark, is_listening=False) as bot:
        text = "The tests **pass**; see [the run](https://ci.example/1).\n\n- one\n- two"
        out, other = bot.text(text), bot.text("Something else entirely was said here")
        before = await bot.connection.find(out, since=0)
        there = await bot.connection.send(out)

        found = await bot.connection.find(out, since=0)
        missing = await bot.connection.find(other, since=0)

    assert (before, missing) == (NotThere(), NotThere())
    assert isinstance(there, Sent)
    assert isinstance(found, Sent)
    assert found.ref == there.ref


async def test_a_card_among_cards_cannot_be_told(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        out = PostCard(key=KEY, place=bot.place, card=CARD)
        before = await bot.connection.find(out, since=0)
        await bot.connection.send(out)

        found = await bot.connection.find(out, since=0)

    assert before == NotThere()
    assert isinstance(found, CannotTell)


async def test_a_search_that_gets_no_answer_may_be_made_again(lark: LoopbackLark) -> None:
    async with a_bot(lark, is_listening=False) as bot:
        await bot.lark("fault", path="/open-apis/im/v1/messages", method="GET", do="answer", status=502, body="x")

        found = await bot.connection.find(bot.text("x"), since=0)

    assert isinstance(found, CannotTell)
    assert found.again
