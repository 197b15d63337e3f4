"""Whatever breaks between the bridge and Slack: nothing that was said is lost, nothing that is posted is doubled."""

import random
import time
from dataclasses import replace
from typing import Any

import pytest

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from pal_server.bridges.inbound import Place, PlaceKind, Said
from pal_server.bridges.outbound import CannotTell, Doubtful, Limited, NotThere, Outcome, PostText, Sent, Unsent
from pal_server.bridges.platform import Dropped
from pal_server.bridges.slack import connection, search, web
from pal_server.bridges.slack.socket import Patience
from tests.bridges.slack.ears import QUICK, Bot, a_bot

POSTS = 60
SAID = 40
SEED = 7
SPOILT: tuple[dict[str, Any], ...] = (
    {"kind": "cut"},
    {"kind": "cut_after"},
    {"kind": "http"},
    {"kind": "http_after"},
    {"kind": "text", "status": 502},
    {"kind": "text_after", "status": 503},
    {"kind": "html", "status": 500},
    {"kind": "ratelimited", "seconds": 0},
    {"kind": "error", "code": "internal_error"},
    {"kind": "error", "code": "service_unavailable"},
)
BREAKS = ("cut", "close", "freeze", "disconnect", "lose_acks", "hold")


@pytest.fixture(autouse=True)
def no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback does what it does at once."""
    monkeypatch.setattr(search, "SETTLE", 0.0)


async def post_once(bot: Bot, out: PostText) -> Sent:
    """As the outbox does: what may have happened is looked for before it is tried again."""
    is_doubted = False
    while True:
        if is_doubted:
            found = await bot.connection.find(out, since=0)
            if isinstance(found, Sent):
                return found
            if isinstance(found, CannotTell):
                assert found.again, found.reason
                continue
            assert found == NotThere()
            is_doubted = False
        outcome: Outcome = await bot.connection.send(out)
        if isinstance(outcome, Sent):
            return outcome
        assert isinstance(outcome, Doubtful | Limited | Unsent), outcome
        is_doubted = isinstance(outcome, Doubtful)


async def test_random_faults_double_and_lose_no_post(slack: LoopbackSlack) -> None:
    chance = random.Random(SEED)
    await slack.do("limits", is_on=False)
    async with a_bot(slack, is_listening=False) as bot:
        root = await bot.mention("go")
        place = Place(chat=bot.room, thread=root["ts"], kind=PlaceKind.GROUP)
        for number in range(POSTS):
            for _ in range(chance.randrange(3)):
                await slack.fault("chat.postMessage", app=bot.app, **chance.choice(SPOILT))
            if chance.random() < 0.2:
                await slack.fault("conversations.replies", app=bot.app, **chance.choice(SPOILT))
            await post_once(bot, PostText(key=f"{number:032d}", place=place, text=f"post {number}"))

        posted = await slack.messages(bot.room, by=bot.user)

        assert [message["text"] for message in posted] == [f"post {number}" for number in range(POSTS)]


async def test_a_post_that_is_carried_out_after_we_gave_up_is_found(
    slack: LoopbackSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SETTLE", 1.0)
    monkeypatch.setattr(web, "TIMEOUT", 0.3)
    async with a_bot(slack, is_listening=False) as bot:
        await slack.fault("chat.postMessage", "delay", app=bot.app, seconds=0.7)
        out = PostText(key="k" * 32, place=Place(chat=bot.room, kind=PlaceKind.GROUP), text="late")

        sent = await post_once(bot, out)

        [message] = await slack.messages(bot.room)
        assert sent.ref == message["ts"]


async def test_random_breaks_of_the_socket_lose_nothing_that_was_said(slack: LoopbackSlack) -> None:
    """What is stored twice has one name, as the bridge's inbox knows it."""
    chance = random.Random(SEED)
    async with a_bot(slack, patience=Patience(ping=0.2, look=0.1), events="message.channels app_mention") as bot:
        await slack.connected(bot.app)
        for number in range(SAID):
            how = chance.choice(BREAKS)
            if chance.random() < 0.4:
                await slack.do("sockets", app=bot.app, do=how, count=chance.randrange(1, 4))
            await bot.mention(f"words {number}")
            if chance.random() < 0.3:
                await slack.do("repeat", app=bot.app, count=3)
            if how == "hold":
                await slack.do("sockets", app=bot.app, do="release", is_reversed=True)
        await _settle(slack, bot)

        heard = {event.event: event for event in bot.ears.heard if isinstance(event, Said)}
        assert sorted(event.text for event in heard.values()) == sorted(f"words {number}" for number in range(SAID))


async def _settle(slack: LoopbackSlack, bot: Bot) -> None:
    """The socket works again, and Slack tells again what it thinks was not heard: time moves when nothing else does."""
    await slack.do("sockets", app=bot.app, do="release")
    await slack.do("sockets", app=bot.app, do="mend")
    await slack.connected(bot.app)
    for _ in range(100):
        line = await slack.do("line", app=bot.app)
        if not [envelope for envelope in line["envelopes"] if envelope["state"] == "sent"]:
            return
        seen = await slack.do("changed", after=line["changes"], within=0.2)
        if seen["changes"] == line["changes"]:
            await slack.do("advance", seconds=100)
    raise AssertionError("it does not settle")


async def test_one_bot_whose_slack_hangs_does_not_delay_another(
    slack: LoopbackSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "NAMES_WITHIN", 60.0)
    async with a_bot(slack) as slow, a_bot(slack) as quick:
        await slack.fault("users.info", "delay", app=slow.app, seconds=60, count=9)
        await slow.mention("slow")

        await quick.mention("quick")

        await quick.ears.events(2)
        assert slow.ears.heard == []


async def test_a_name_that_takes_long_is_not_waited_for(slack: LoopbackSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "NAMES_WITHIN", 0.05)
    async with a_bot(slack) as bot:
        await slack.fault("users.info", "delay", app=bot.app, seconds=60, count=9)

        await bot.mention("hello")

        [said, *_] = await bot.ears.events()
        assert isinstance(said, Said)
        assert (said.person.id, said.person.name) == (bot.alice, "")


async def test_a_gap_is_read_back_after_a_deaf_time(slack: LoopbackSlack) -> None:
    """Its pings were answered to the last, so whoever asks for the gap thinks that it begins now."""
    async with a_bot(slack, patience=replace(QUICK, quiet=0.5, fresh=0.1)) as bot:
        await bot.mention("before")
        heard = await bot.ears.events()
        await slack.do("sockets", app=bot.app, do="deafen")
        await bot.mention("meanwhile")
        assert bot.listening is not None
        with pytest.raises(Dropped):
            await bot.listening

        now = int(time.time() * 1000) + 3_600_000
        events = await bot.connection.read_back((heard[0].place,), since=now)

        assert "meanwhile" in [event.text for event in events if isinstance(event, Said)]
