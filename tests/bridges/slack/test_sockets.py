"""A bot's socket comes back from whatever happens to it, or says why it cannot."""

import asyncio
import contextlib
import json
from dataclasses import replace

import pytest

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges.inbound import Place, PlaceKind, Said
from pal_server.bridges.outbound import PostText
from pal_server.bridges.platform import BadCredentials, Dropped
from pal_server.bridges.slack.connection import SlackConnection
from pal_server.bridges.slack.pulse import Pulse
from pal_server.bridges.slack.socket import Patience
from tests.bridges.ears import ListeningEars
from tests.bridges.slack.ears import QUICK, Bot, a_bot, settings
from tests.support.patience import AT_ONCE, PATIENCE


async def hears(bot: Bot, text: str) -> None:
    """A message gets through now."""
    before = len(bot.ears.heard)
    await bot.mention(text)
    await bot.ears.until(lambda: any(isinstance(e, Said) and e.text == text for e in bot.ears.heard[before:]), text)


async def ended(bot: Bot) -> BaseException | None:
    assert bot.listening is not None
    done, _ = await asyncio.wait((bot.listening,), timeout=PATIENCE)
    assert done, "it goes on"
    return bot.listening.exception()


@pytest.mark.parametrize("how", ["cut", "close"])
async def test_a_lost_socket_is_replaced(slack: LoopbackSlack, how: str) -> None:
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do=how)
        await slack.connected(bot.app, opened=2)

        await hears(bot, "again")


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets"])
async def test_an_announced_end_is_followed_by_a_new_socket(slack: LoopbackSlack, reason: str) -> None:
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="disconnect", reason=reason)
        await slack.connected(bot.app, opened=2)

        await bot.ears.is_up(2)
        await hears(bot, "again")


async def test_a_frozen_peer_is_noticed(slack: LoopbackSlack) -> None:
    async with a_bot(slack, patience=replace(QUICK, ping=0.3)) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="freeze")

        await slack.connected(bot.app, sockets=1, opened=2)

        await hears(bot, "again")


async def test_a_socket_refused_until_its_ticket_dies_is_not_tried_for_ever(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="refuse")
        await slack.do("sockets", app=bot.app, do="cut")
        await bot.ears.until(lambda: "down" in bot.ears.states, "down")
        await slack.do("advance", seconds=60)  # the ticket it holds is dead now
        await slack.do("sockets", app=bot.app, do="accept")

        await bot.ears.is_up(2)

        await hears(bot, "again")


async def test_no_socket_for_long_is_given_up_for_a_new_beginning(slack: LoopbackSlack) -> None:
    async with a_bot(slack, patience=Patience(ping=0.2, look=0.1, give_up=0.5)) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="refuse")
        await slack.do("sockets", app=bot.app, do="cut")

        assert isinstance(await ended(bot), Dropped)
        assert (await slack.do("line", app=bot.app))["sockets"] == 0


async def test_a_socket_that_never_opens_is_dropped(slack: LoopbackSlack) -> None:
    given = await slack.app()
    await slack.do("sockets", app=given["app"], do="refuse")
    connection = SlackConnection(settings(slack, given), patience=Patience(ping=0.2, connect=0.5))
    try:
        with pytest.raises(Dropped):
            await asyncio.wait_for(connection.listen(ListeningEars()), PATIENCE)
    finally:
        await connection.close()


@pytest.mark.parametrize(("which", "error"), [("app_token", "invalid_auth"), ("token", "token_revoked")])
async def test_a_bad_token_ends_at_once_with_its_reason(slack: LoopbackSlack, which: str, error: str) -> None:
    given = await slack.app()
    await slack.do(which, app=given["app"], error=error)
    connection = SlackConnection(settings(slack, given), patience=QUICK)
    try:
        with pytest.raises(BadCredentials, match=error):
            await asyncio.wait_for(connection.listen(ListeningEars()), PATIENCE)
    finally:
        await connection.close()


async def test_tokens_of_two_apps_are_refused_before_they_hear_nothing(slack: LoopbackSlack) -> None:
    one, other = await slack.app(), await slack.app()
    connection = SlackConnection(settings(slack, {**one, "app_token": other["app_token"]}), patience=QUICK)
    try:
        with pytest.raises(BadCredentials, match=other["app"]):
            await asyncio.wait_for(connection.listen(ListeningEars()), PATIENCE)
    finally:
        await connection.close()


async def test_socket_mode_switched_off_ends_it_with_its_reason(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("switch_off", app=bot.app)

        wrong = await ended(bot)

        assert isinstance(wrong, BadCredentials)
        assert "switched off" in str(wrong)


async def test_an_app_taken_out_of_the_workspace_ends_it(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("uninstall", app=bot.app)

        assert isinstance(await ended(bot), BadCredentials)


async def test_a_socket_that_pings_and_brings_nothing_is_found_out_by_an_echo(slack: LoopbackSlack) -> None:
    async with a_bot(slack, pulse=Pulse(echo_within=0.3)) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="deafen")

        await bot.send(PostText(key="k" * 32, place=Place(chat=bot.room, kind=PlaceKind.GROUP), text="hello?"))

        wrong = await ended(bot)
        assert isinstance(wrong, Dropped)
        assert "brings no events" in str(wrong)


async def test_a_deaf_socket_is_found_out_without_a_post_too(slack: LoopbackSlack) -> None:
    async with a_bot(slack, patience=replace(QUICK, quiet=0.6, fresh=0.2)) as bot:
        await hears(bot, "before")
        await slack.do("sockets", app=bot.app, do="deafen")

        await bot.mention("after")

        wrong = await ended(bot)
        assert isinstance(wrong, Dropped)
        assert "did not bring" in str(wrong)


async def test_a_quiet_socket_is_not_taken_for_a_deaf_one(slack: LoopbackSlack) -> None:
    async with a_bot(slack, patience=replace(QUICK, ping=30.0, quiet=0.3, fresh=0.0)) as bot:
        await hears(bot, "before")

        async def asked() -> bool:
            return len(await slack.calls("conversations.history", app=bot.app)) >= 2

        await slack.until(asked, what="two questions whether anything was missed")

        await hears(bot, "after")
        assert bot.ears.states == ["up"]


async def test_what_was_said_while_nobody_listened_is_read_back(slack: LoopbackSlack) -> None:
    async with a_bot(slack, is_listening=False) as bot:
        root = await bot.mention("first")
        await slack.say(bot.room, bot.alice, "in the thread", thread_ts=root["ts"])
        direct = await bot.direct()
        await slack.say(direct, bot.alice, "directly")
        known = Place(chat=bot.room, thread=root["ts"], kind=PlaceKind.GROUP)

        events = await bot.connection.read_back((known,), since=0)

        said = [event for event in events if isinstance(event, Said)]
        assert [event.text for event in said] == ["first", "in the thread", "directly"]
        assert [event.place.thread for event in said] == [root["ts"], root["ts"], ""]


async def test_what_is_read_back_has_the_name_it_had_when_heard(slack: LoopbackSlack) -> None:
    async with a_bot(slack) as bot:
        await bot.mention("once")
        heard = await bot.ears.events()

        [event] = await bot.connection.read_back((heard[0].place,), since=0)

        assert event.event == heard[0].event
        assert event.person == heard[0].person
        assert json.loads(event.raw)["ts"] == heard[0].message  # for the log of what came, as when it is told
        assert (event.place.chat, event.place.thread) == (heard[0].place.chat, heard[0].place.thread)


async def test_an_end_leaves_no_task_and_no_socket(slack: LoopbackSlack) -> None:
    before = asyncio.all_tasks()
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        assert bot.listening is not None
        loop = asyncio.get_running_loop()
        began = loop.time()
        bot.listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await bot.listening
        took = loop.time() - began
        await slack.connected(bot.app, sockets=0)

    assert took < AT_ONCE
    assert {task.get_name() for task in asyncio.all_tasks() - before} == set()


async def test_an_end_while_reconnecting_leaves_no_task_either(slack: LoopbackSlack) -> None:
    before = asyncio.all_tasks()
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="refuse")
        await slack.do("sockets", app=bot.app, do="disconnect", reason="refresh_requested")
        await slack.connected(bot.app, sockets=0)

    assert {task.get_name() for task in asyncio.all_tasks() - before} == set()


async def test_what_is_being_stored_when_the_socket_ends_is_stored_and_acknowledged(slack: LoopbackSlack) -> None:
    async with a_bot(slack, patience=replace(QUICK, finish=PATIENCE), events="message.channels") as bot:
        bot.ears.hold = asyncio.Event()
        await bot.mention("in time")

        assert bot.listening is not None
        await asyncio.wait_for(bot.ears.began.wait(), PATIENCE)
        bot.listening.cancel()
        bot.ears.hold.set()
        with contextlib.suppress(asyncio.CancelledError):
            await bot.listening

        assert len(bot.ears.heard) == 1
        assert len(await slack.acked(bot.app)) == 1


async def test_the_tokens_are_in_no_log(slack: LoopbackSlack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with a_bot(slack) as bot:
        await slack.connected(bot.app)
        await slack.do("sockets", app=bot.app, do="refuse")
        await slack.do("sockets", app=bot.app, do="cut")
        await bot.ears.until(lambda: "down" in bot.ears.states, "down")
        await slack.do("sockets", app=bot.app, do="accept")
        await bot.ears.is_up(2)
        await hears(bot, "a secret of alice")

        said = caplog.text
        assert "session" in said
        for secret in (bot.given["bot_token"], bot.given["app_token"], "ticket=", "a secret of alice"):
            assert secret not in said


async def test_a_proxy_of_the_environment_is_not_used_for_this_computer(
    slack: LoopbackSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "x")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-other")

    async with a_bot(slack) as bot:
        await hears(bot, "through")


async def test_fifty_bots_share_a_loop_and_none_waits_for_another(slack: LoopbackSlack) -> None:
    given = [await slack.app(name=f"bot{n}") for n in range(50)]
    connections = [SlackConnection(settings(slack, one)) for one in given]
    ears = [ListeningEars() for _ in given]
    tasks = [asyncio.create_task(c.listen(e)) for c, e in zip(connections, ears, strict=True)]
    try:
        await asyncio.gather(*(e.is_up() for e in ears))
        await slack.do("sockets", app=given[0]["app"], do="freeze")
        alice = await slack.person("Alice")
        room = await slack.channel("all", members=[alice, given[49]["bot_user"]])

        await slack.say(room, alice, f"<@{given[49]['bot_user']}> hello")

        await ears[49].events()
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in connections))
