"""Bridge killed, sockets cut, answers lost, events repeated: each mention still has one card and one answer."""

import asyncio
import random
from typing import Any

import pytest

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from tests.bridges.slack.talk import Talk, bridge_pid
from tests.support.faults import kill
from tests.support.stack import Stack

MENTIONS = 8
SEED = 5
SPOILT: tuple[dict[str, Any], ...] = (
    {"kind": "cut_after"},
    {"kind": "http_after"},
    {"kind": "text_after"},
    {"kind": "http"},
    {"kind": "ratelimited", "seconds": 1},
)
SETTLE = 480.0  # seconds; what fails often pauses for up to five minutes
KILL_AT = (2, 5)  # mentions after which the bridge is killed


@pytest.mark.timeout(600)
async def test_each_mention_has_one_card_and_one_answer_whatever_is_killed(
    slack: LoopbackSlack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(SEED)
    stack = Stack(tmp_path_factory.mktemp("kills"))
    try:
        talk = await Talk(stack.start(), slack).begin("reply")
        talk.patience = SETTLE
        app = str(talk.given["app"])
        threads = []
        for number in range(MENTIONS):
            if chance.random() < 0.4:
                method = chance.choice(("chat.postMessage", "chat.update", "conversations.replies"))
                await slack.fault(method, app=app, **chance.choice(SPOILT))
            if chance.random() < 0.3:
                await slack.do("sockets", app=app, do=chance.choice(("cut", "close", "lose_acks")))
            threads.append(await talk.mention(f"words {number}"))
            if number in KILL_AT:
                await slack.connected(app, opened=0)
                await asyncio.to_thread(kill, bridge_pid(stack))
            if chance.random() < 0.3:
                await slack.do("repeat", app=app, count=2)
        answers = [await talk.answers(ts) for ts in threads]
        cards = [await talk.done(ts) for ts in threads]
        await slack.do("repeat", app=app, count=6)
        await slack.acked(app, count=6)

        said = [len(await talk.posts(ts)) for ts in threads]
    finally:
        stack.close()

    assert [len(one) for one in answers] == [1] * MENTIONS
    assert len(cards) == MENTIONS
    assert said == [2] * MENTIONS  # the card and the answer
    assert "repeat" not in str(answers)
