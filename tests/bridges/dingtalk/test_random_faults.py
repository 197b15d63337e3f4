"""Faults at random on both sides of the connection: no card is there twice, no message without its doubt, no word lost.

The test plays the core: what is in doubt is looked up, and what cannot be looked up is sent once more and counted as
marked. `PAL_CHAOS_SEED` chooses another order and `PAL_CHAOS_ROUNDS` a longer one; a failure names the seed.
"""

import os
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from pal_cli.chaos.platforms.dingtalk.loopback import LoopbackDingTalk
from pal_server.bridges.cards import Card, Tone
from pal_server.bridges.dingtalk import search
from pal_server.bridges.inbound import Said
from pal_server.bridges.outbound import CannotTell, Doubtful, Limited, NotThere, PostCard, PostText, Sent, Unsent
from tests.bridges.dingtalk.bots import QUICK, Bot, a_bot
from tests.bridges.dingtalk.outgoing import CREATE, GROUP_SEND, SESSION, TOKEN, UPDATE

Json = dict[str, Any]

SEED = int(os.environ.get("PAL_CHAOS_SEED", "7"))
ROUNDS = int(os.environ.get("PAL_CHAOS_ROUNDS", "30"))
SPOILT: tuple[Json, ...] = (
    {"kind": "cut"},
    {"kind": "cut_after"},
    {"kind": "http"},
    {"kind": "http_after"},
    {"kind": "html", "status": 502},
    {"kind": "html_after", "status": 503},
    {"kind": "limited", "seconds": 0},
    {"kind": "error", "code": "system.busy", "status": 500},
)


@pytest.fixture(autouse=True)
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback does what it does at once."""
    monkeypatch.setattr(search, "SETTLE", 0.0)


async def post(bot: Bot, out: PostText | PostCard) -> bool:
    """As the outbox does; whether it had to be sent once more, marked."""
    is_doubted = False
    while True:
        if is_doubted:
            found = await bot.connection.find(out, since=0)
            if isinstance(found, Sent):
                return False
            if isinstance(found, CannotTell) and not found.again:
                return True
            if isinstance(found, CannotTell):
                continue
            assert found == NotThere()
        outcome = await bot.connection.send(out)
        if isinstance(outcome, Sent):
            return False
        assert isinstance(outcome, Doubtful | Limited | Unsent), outcome
        is_doubted = isinstance(outcome, Doubtful)


async def test_random_faults_double_no_card_and_no_message_that_is_not_in_doubt(dingtalk: LoopbackDingTalk) -> None:
    chance = random.Random(SEED)
    await dingtalk.do("limits", is_on=False)
    async with a_bot(dingtalk, is_listening=False) as bot:
        asked = await bot.mention("go")
        marked = set()
        for number in range(ROUNDS):
            for path in chance.choices((CREATE, UPDATE, SESSION, GROUP_SEND, TOKEN), k=chance.randrange(4)):
                await dingtalk.fault(path, app=bot.app, **chance.choice(SPOILT))
            if chance.random() < 0.2:
                await dingtalk.do("expire_tokens", app=bot.app)
            place = bot.place(asked if chance.random() < 0.5 else None)
            key = f"{number:032d}"
            if number % 2:
                out: PostText | PostCard = PostText(key=key, place=place, text=f"text {number}")
            else:
                out = PostCard(key=key, place=place, card=Card(title="t", tone=Tone.DONE, state=f"card {number}"))
            if await post(bot, out):
                marked.add(number)
            await dingtalk.do("no_faults")

        seen = Counter(message["text"] for message in await dingtalk.messages(bot.room) if message["via"] != "card")
        cards = await dingtalk.cards(bot.app)

    assert marked == {number for number in marked if number % 2}, f"only messages are ever in doubt, seed {SEED}"
    assert [card["deliveries"] for card in cards] == [1] * len(range(0, ROUNDS, 2)), f"seed {SEED}"
    assert set(seen.values()) <= {1}, f"seed {SEED}"
    assert {f"text {n}" for n in range(1, ROUNDS, 2) if n not in marked} <= set(seen), f"seed {SEED}"


async def test_random_breaks_of_the_socket_lose_nothing_that_was_pushed(dingtalk: LoopbackDingTalk) -> None:
    """What was pushed while no socket was open is gone on DingTalk's side; all else is heard, and under one name."""
    chance = random.Random(SEED)
    async with a_bot(dingtalk, patience=replace(QUICK, drain=60.0)) as bot:
        for number in range(ROUNDS):
            match chance.randrange(6):
                case 0:
                    await dingtalk.do("sockets", app=bot.app, do=chance.choice(("cut", "close")))
                    await dingtalk.connected(bot.app, sockets=1)
                case 1:
                    await dingtalk.do("sockets", app=bot.app, do="disconnect")
                case 2:
                    bot.ears.refuses += 1
                case 3:
                    await dingtalk.do("repeat", app=bot.app, count=2)
            await bot.mention(f"words {number}")

        pushes = await dingtalk.pushes(bot.app)
        lost = {push["data"]["text"]["content"].strip() for push in pushes if push["state"] == "lost"}
        expected = {f"words {number}" for number in range(ROUNDS)} - lost

        def heard() -> dict[str, str]:
            return {event.event: event.text for event in bot.ears.heard if isinstance(event, Said)}

        await bot.ears.until(lambda: set(heard().values()) >= expected, f"all that was pushed, seed {SEED}")
        assert len(heard()) == len(set(heard().values())), f"each has one name, seed {SEED}"
        assert len(lost) < ROUNDS / 3, f"seed {SEED}"
