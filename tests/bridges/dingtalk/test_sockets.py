"""A bot's sockets come back from whatever happens to them, or say why they cannot; and they end at once when asked."""

import asyncio
import contextlib
import logging
import sys
import time
from dataclasses import replace

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.dingtalk.connection import DingTalkConnection
from pal_server.bridges.dingtalk.socket import Patience
from pal_server.bridges.inbound import Said
from pal_server.bridges.platform import BadCredentials, Dropped
from tests.bridges.dingtalk.bots import QUICK, Bot, a_bot, settings
from tests.bridges.ears import ListeningEars
from tests.support.patience import AT_ONCE, PATIENCE

TICKET = "/v1.0/gateway/connections/open"


async def hears(bot: Bot, text: str) -> None:
    """A message gets through now."""
    await bot.mention(text)
    await bot.ears.until(lambda: any(isinstance(e, Said) and e.text == text for e in bot.ears.heard), text)


async def ended(bot: Bot) -> BaseException | None:
    assert bot.listening is not None
    done, _ = await asyncio.wait((bot.listening,), timeout=PATIENCE)
    assert done, "it goes on"
    return bot.listening.exception()


@pytest.mark.parametrize("how", ["cut", "close"])
async def test_a_lost_socket_is_replaced_at_once_not_after_ten_deaf_seconds(
    dingtalk: LoopbackDingTalk, how: str
) -> None:
    async with a_bot(dingtalk) as bot:
        await hears(bot, "before")
        began = time.monotonic()
        await dingtalk.do("sockets", app=bot.app, do=how)
        await dingtalk.connected(bot.app, opened=2)

        await hears(bot, "after")

        assert time.monotonic() - began < AT_ONCE
        assert bot.ears.states == ["up", "down", "up"]


async def test_an_announced_end_loses_nothing_for_the_new_socket_is_there_before_the_old_one_goes(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, patience=replace(QUICK, drain=60.0)) as bot:
        await dingtalk.do("sockets", app=bot.app, do="disconnect")
        line = await dingtalk.connected(bot.app, sockets=2, opened=2)
        for n in range(6):
            await hears(bot, f"while both are there {n}")

        await dingtalk.do("advance", seconds=11)
        await dingtalk.connected(bot.app, sockets=1, opened=2)
        await hears(bot, "after")

        assert line["tickets"] == 2
        assert bot.ears.states == ["up"]


async def test_an_announced_end_while_no_new_socket_is_to_be_had_keeps_the_old_one_as_long_as_it_lasts(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk) as bot:
        await dingtalk.do("sockets", app=bot.app, do="refuse")
        await dingtalk.do("sockets", app=bot.app, do="disconnect")
        await hears(bot, "on the old one")
        await dingtalk.do("sockets", app=bot.app, do="accept")

        await dingtalk.do("advance", seconds=11)
        await dingtalk.connected(bot.app, opened=2)

        await hears(bot, "on the new one")


async def test_a_frozen_peer_is_found_out_by_pings(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, patience=replace(QUICK, ping=1.5)) as bot:
        await dingtalk.connected(bot.app)
        await dingtalk.do("sockets", app=bot.app, do="freeze")

        await dingtalk.connected(bot.app, sockets=1, opened=2)

        await hears(bot, "again")


async def test_a_socket_that_pings_and_brings_nothing_is_replaced_after_a_quiet_time(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, patience=replace(QUICK, quiet=1.0, drain=0.5)) as bot:
        await dingtalk.connected(bot.app)
        await dingtalk.do("sockets", app=bot.app, do="deafen")

        await dingtalk.connected(bot.app, opened=3)

        await hears(bot, "again")
        assert bot.ears.states == ["up"]


async def test_a_platform_that_closes_what_it_opens_is_not_asked_for_twenty_tickets_a_second(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk, patience=replace(QUICK, lived=30.0)) as bot:
        await dingtalk.do("sockets", app=bot.app, do="slam")
        await dingtalk.do("sockets", app=bot.app, do="close")

        assert isinstance(await ended(bot), Dropped)
        assert (await dingtalk.do("line", app=bot.app))["tickets"] == 1


@pytest.mark.parametrize("fault", ["http", "html", "cut", "limited"])
async def test_no_ticket_is_a_drop_that_the_core_backs_off_from(dingtalk: LoopbackDingTalk, fault: str) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.fault(TICKET, fault, app=bot.app)

        with pytest.raises(Dropped):
            await asyncio.wait_for(bot.connection.listen(bot.ears), PATIENCE)


async def test_a_ticket_refused_is_a_drop_and_in_no_message(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, is_listening=False) as bot:
        await dingtalk.do("sockets", app=bot.app, do="refuse")

        with pytest.raises(Dropped) as dropped:
            await asyncio.wait_for(bot.connection.listen(bot.ears), PATIENCE)

        assert "ticket" not in str(dropped.value)


async def test_a_hanging_platform_blocks_nothing_else_on_the_loop(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as well, a_bot(dingtalk, is_listening=False) as hanging:
        await dingtalk.fault(TICKET, "delay", app=hanging.app, seconds=60)
        task = asyncio.create_task(hanging.connection.listen(hanging.ears))

        await hears(well, "meanwhile")

        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("what", ["secret", "revoked"])
async def test_bad_credentials_end_it_with_their_reason_and_without_the_secret(
    dingtalk: LoopbackDingTalk, what: str
) -> None:
    given = await dingtalk.app()
    if what == "secret":
        given["secret"] = "not-this-one"
    else:
        await dingtalk.do("revoke", app=given["app"])
    connection = DingTalkConnection(settings(dingtalk, given), patience=QUICK)
    try:
        with pytest.raises(BadCredentials, match="authFailed") as bad:
            await asyncio.wait_for(connection.listen(ListeningEars()), PATIENCE)
        assert given["secret"] not in str(bad.value)
    finally:
        await connection.close()


async def test_an_app_revoked_while_it_runs_ends_with_its_reason_when_its_socket_goes(
    dingtalk: LoopbackDingTalk,
) -> None:
    async with a_bot(dingtalk) as bot:
        await dingtalk.do("revoke", app=bot.app)
        with pytest.raises(BadCredentials):
            await bot.connection.ping()
        await dingtalk.do("sockets", app=bot.app, do="cut")

        assert isinstance(await ended(bot), BadCredentials)


async def test_a_ping_proves_the_app_without_a_socket(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        lives = bot.ears.lives

        await bot.connection.ping()

        assert bot.ears.lives > lives
        assert (await dingtalk.do("line", app=bot.app))["opened"] == 1


async def test_pongs_and_the_platform_s_own_pings_are_signs_of_life(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk, patience=QUICK) as bot:
        lives = bot.ears.lives
        await dingtalk.do("sockets", app=bot.app, do="ping")

        async def answered() -> bool:
            pushes = (await dingtalk.do("line", app=bot.app))["pushes"]
            return any(push["topic"] == "ping" and push["answer"] for push in pushes)

        await dingtalk.until(answered, what="an answer to the ping")
        assert bot.ears.lives > lives


async def test_one_cancellation_ends_it_at_once_and_leaves_no_task(dingtalk: LoopbackDingTalk) -> None:
    before = asyncio.all_tasks()
    async with a_bot(dingtalk) as bot:
        await dingtalk.connected(bot.app)
        assert bot.listening is not None
        began = time.monotonic()
        bot.listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await bot.listening
        took = time.monotonic() - began
        await dingtalk.connected(bot.app, sockets=0)

    assert took < AT_ONCE
    assert {task.get_name() for task in asyncio.all_tasks() - before} == set()


async def test_an_end_while_two_sockets_are_open_leaves_none(dingtalk: LoopbackDingTalk) -> None:
    before = asyncio.all_tasks()
    async with a_bot(dingtalk, patience=replace(QUICK, drain=60.0)) as bot:
        await dingtalk.do("sockets", app=bot.app, do="disconnect")
        await dingtalk.connected(bot.app, sockets=2)

    await dingtalk.connected(bot.app, sockets=0)
    assert {task.get_name() for task in asyncio.all_tasks() - before} == set()


async def test_what_is_being_stored_when_it_ends_is_stored_and_acknowledged(dingtalk: LoopbackDingTalk) -> None:
    async with a_bot(dingtalk) as bot:
        bot.ears.hold = asyncio.Event()
        await bot.mention("in time")
        await asyncio.wait_for(bot.ears.began.wait(), PATIENCE)

        assert bot.listening is not None
        bot.listening.cancel()
        bot.ears.hold.set()
        with contextlib.suppress(asyncio.CancelledError):
            await bot.listening

        assert len(bot.ears.heard) == 1
        assert len(await dingtalk.answered(bot.app)) == 1


async def test_what_could_not_be_stored_before_the_end_is_said_to_be_lost(
    dingtalk: LoopbackDingTalk, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_bot(dingtalk, patience=replace(QUICK, finish=0.1)) as bot:
        bot.ears.hold = asyncio.Event()
        await bot.mention("too late")
        await asyncio.wait_for(bot.ears.began.wait(), PATIENCE)

    assert "1 messages are lost" in caplog.text


async def test_secrets_and_words_are_in_no_log_and_the_sdk_prints_nothing(
    dingtalk: LoopbackDingTalk, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    async with a_bot(dingtalk) as bot:
        await hears(bot, "a secret of alice")
        await dingtalk.do("sockets", app=bot.app, do="ping")
        await dingtalk.do("sockets", app=bot.app, do="cut")
        await bot.ears.is_up(2)
        await hears(bot, "another secret of alice")
        logging.getLogger(f"pal.bridge.dingtalk.bot_{bot.app}").warning(
            "%s", f"{bot.secret} wss://x/connect?ticket=abc {{'ticket': 'abc', 'accessToken': \"def\"}}"
        )

        said = caplog.text + "".join(capfd.readouterr())
        for secret in (bot.secret, "ticket=abc", "'abc'", '"def"', "secret of alice", "sendBySession?"):
            assert secret not in said


async def test_a_proxy_of_the_environment_is_not_used_for_this_computer(
    dingtalk: LoopbackDingTalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with a_bot(dingtalk) as bot:
        await hears(bot, "through")


async def test_fifty_bots_share_a_loop_and_none_waits_for_another(dingtalk: LoopbackDingTalk) -> None:
    given = [await dingtalk.app(name=f"bot{n}") for n in range(50)]
    connections = [DingTalkConnection(settings(dingtalk, one)) for one in given]
    ears = [ListeningEars() for _ in given]
    tasks = [asyncio.create_task(c.listen(e)) for c, e in zip(connections, ears, strict=True)]
    try:
        await asyncio.gather(*(e.is_up() for e in ears))
        await dingtalk.do("sockets", app=given[0]["app"], do="freeze")
        alice = await dingtalk.person("Alice")

        await dingtalk.say(given[49]["app"], alice, "hello")

        await ears[49].events()
        assert [len(e.heard) for e in ears] == [0] * 49 + [1]
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(connection.close() for connection in connections))


async def test_the_platform_s_package_is_loaded_without_its_sdk() -> None:
    code = "import sys, pal_server.bridges.dingtalk as d; print(d.PLATFORM.name, 'dingtalk_stream' in sys.modules)"

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()

    assert said.decode().split() == ["dingtalk", "False"]


def test_patience_is_within_what_a_bridge_may_take() -> None:
    patience = Patience()

    assert patience.finish < 1.0
    assert patience.drain <= 10.0
