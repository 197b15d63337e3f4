"""What DingTalk will not do, by its reason: tokens, limits, permissions."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.inbound import Person, Place, PlaceKind
from pal_server.bridges.outbound import (
    Limited,
    PostFile,
    Refused,
    Sent,
    Unsent,
    Why,
)
from tests.bridges.dingtalk.bots import KEY, a_bot
from tests.bridges.dingtalk.outgoing import CREATE, GROUP_SEND, SESSION, TOKEN, a_file, post, text

Json = dict[str, Any]


async def test_many_sends_at_once_ask_for_one_token(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await asyncio.gather(*(bot.send(text(bot.place(), f"{n}")) for n in range(5)))

        assert len(await dingtalk.calls(TOKEN, app=bot.app)) == 1
        assert len(await dingtalk.messages(bot.room)) == 5


async def test_a_token_revoked_before_its_time_is_renewed_at_once_and_nothing_is_lost(
    dingtalk: LoopbackDingTalk, tmp_path: Path
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await bot.send(text(bot.place(), "before"))
        await dingtalk.do("expire_tokens", app=bot.app)
        new_dialect = await bot.send(text(bot.place(), "after"))
        await dingtalk.do("expire_tokens", app=bot.app)
        old_dialect = await bot.send(PostFile(key=KEY, place=bot.place(), file=a_file(tmp_path, "a.pdf")))

        assert isinstance(new_dialect, Sent)
        assert isinstance(old_dialect, Sent)
        assert [m["kind"] for m in await dingtalk.messages(bot.room)] == ["sampleMarkdown"] * 2 + ["sampleFile"]


async def test_an_app_that_was_switched_off_is_refused_for_its_credentials(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await bot.send(text(bot.place()))
        await dingtalk.do("revoke", app=bot.app)

        outcome = await bot.send(text(bot.place()))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.CREDENTIALS
        assert bot.secret not in outcome.reason


@pytest.mark.parametrize("fault", ["http", "cut_after", "html"])
async def test_a_token_that_is_not_to_be_had_is_no_doubt(dingtalk: LoopbackDingTalk, fault: str) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.fault(TOKEN, fault, app=bot.app)

        assert isinstance(await bot.send(text(bot.place())), Unsent)


async def test_a_token_that_hangs_is_given_up_before_the_send_is(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pal_server.bridges.dingtalk.web.TOKEN_WITHIN", 0.2)
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.fault(TOKEN, "delay", app=bot.app, seconds=5)

        assert isinstance(await bot.send(text(bot.place())), Unsent)


async def test_too_many_answers_close_the_webhook_so_the_robot_s_own_way_is_taken(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.mention("hello")
        for n in range(20):
            await bot.send(text(bot.place(asked), f"{n}"))

        outcome = await bot.send(text(bot.place(asked), "one more"))

        assert isinstance(outcome, Sent)
        assert [m["via"] for m in await dingtalk.messages(bot.room)] == ["session"] * 20 + ["robot"]


async def test_a_closed_webhook_and_no_other_way_is_a_limit_of_that_conversation(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False, scopes="") as bot:
        asked = await bot.mention("hello")
        await dingtalk.fault(SESSION, "old_error", app=bot.app, code="130101")

        outcome = await bot.send(text(bot.place(asked)))

        assert outcome == Limited(after=600.0, bucket=f"session:{bot.app}:{bot.room}")


@pytest.mark.parametrize(("seconds", "after"), [(7, 7.0), (0, 2.0)])
async def test_too_fast_is_no_doubt_and_waits_as_long_as_is_said(
    dingtalk: LoopbackDingTalk, seconds: int, after: float
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.fault(GROUP_SEND, "limited", app=bot.app, seconds=seconds)

        assert await bot.send(text(bot.place())) == Limited(after=after)
        assert await dingtalk.messages(bot.room) == []


async def test_too_many_calls_of_one_api_are_a_limit_too(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
        await dingtalk.fault(GROUP_SEND, "error", app=bot.app, code=code, status=403)

        assert isinstance(await bot.send(text(bot.place())), Limited)


@pytest.mark.parametrize(
    ("code", "status", "why"),
    [
        ("param.templateUnpublished", 400, Why.CARD),
        ("param.cardTemplateIdEmpty", 400, Why.CARD),
        ("param.contentUnsafe", 400, Why.INVALID),
        ("robotNotInGroup", 400, Why.CLOSED),
        ("something.new", 400, Why.INVALID),
        ("Forbidden.AccessDenied.IpNotInWhiteList", 403, Why.CREDENTIALS),
    ],
)
async def test_what_is_refused_is_refused_by_reason(
    dingtalk: LoopbackDingTalk, code: str, status: int, why: Why
) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.fault(CREATE, "error", app=bot.app, code=code, status=status)

        outcome = await bot.send(post(bot))

        assert isinstance(outcome, Refused)
        assert outcome.why is why
        assert code in outcome.reason


async def test_a_permission_lost_while_running_is_named(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.do("scopes", app=bot.app, without="qyapi_robot_sendmsg")

        outcome = await bot.send(text(bot.place()))

        assert isinstance(outcome, Refused)
        assert outcome.why is Why.SCOPE
        assert "qyapi_robot_sendmsg" in outcome.reason


async def test_each_limit_has_a_bucket_of_its_own(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        here = bot.connection.charges(text(bot.place()))
        there = bot.connection.charges(text(Place(chat="cid9", kind=PlaceKind.GROUP)))
        cards = bot.connection.charges(post(bot))

        session, send = here
        assert session.per_second * 60 + session.burst <= 20
        assert {charge.bucket for charge in here} & {charge.bucket for charge in there} == {send.bucket}
        assert not {charge.bucket for charge in here} & {charge.bucket for charge in cards}
        assert all(bot.app in charge.bucket for charge in (*here, *there, *cards))


async def test_nothing_is_read_back_for_there_is_no_history(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        assert await bot.connection.read_back((bot.place(),), since=0) == ()


async def test_a_name_is_asked_for_once_and_known_from_what_was_said(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        bob = await dingtalk.person("Bob")
        await bot.mention("hello")
        await bot.ears.events()

        names = [await bot.connection.name_of(Person(id=one)) for one in (bob, bob, bot.alice, "$:LWCP_v1:$x", "who")]

        assert names == ["Bob", "Bob", "Alice", "", ""]
        asked = [call["body"]["userid"] for call in await dingtalk.calls("/topapi/v2/user/get", app=bot.app)]
        assert asked == [bob, "who"]
