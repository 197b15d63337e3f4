"""The loopback Slack does to the real SDK what the real Slack does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from tests.support.patience import PATIENCE

Json = dict[str, Any]


class Bot:
    """The SDK as its makers show it, with a list of what its listeners heard."""

    def __init__(self, slack: LoopbackSlack, given: Json) -> None:
        self.id = given["app"]
        self.user = given["bot_user"]
        self.client = AsyncWebClient(token=given["bot_token"], base_url=slack.api_url)
        self.heard: asyncio.Queue[Json] = asyncio.Queue()
        self.app = AsyncApp(client=self.client, process_before_response=True)
        self.handler = AsyncSocketModeHandler(self.app, given["app_token"], ping_interval=1)

    async def next(self) -> Json:
        return await asyncio.wait_for(self.heard.get(), PATIENCE)


@asynccontextmanager
async def running(slack: LoopbackSlack, **more: Any) -> AsyncIterator[Bot]:
    bot = Bot(slack, await slack.app(**more))

    async def hear(event: Json, body: Json) -> None:
        await bot.heard.put(body)

    for kind in ("app_mention", "message", "reaction_added"):
        bot.app.event(kind)(hear)
    await bot.handler.connect_async()
    try:
        yield bot
    finally:
        await bot.handler.close_async()


async def test_a_mention_is_told_twice_under_two_ids(slack: LoopbackSlack) -> None:
    async with running(slack) as bot:
        alice = await slack.person("Alice")
        room = await slack.channel("general", members=[alice, bot.user])

        said = await slack.say(room, alice, f"<@{bot.user}> hello")

        one, two = await bot.next(), await bot.next()
        assert {one["event"]["type"], two["event"]["type"]} == {"app_mention", "message"}
        assert one["event_id"] != two["event_id"]
        assert one["event"]["ts"] == two["event"]["ts"] == said["ts"]
        assert [e["state"] for e in await slack.acked(bot.id, count=2)] == ["acked", "acked"]


async def test_what_nobody_acknowledges_comes_three_times_more(slack: LoopbackSlack) -> None:
    async with running(slack, events="message.im") as bot:
        alice = await slack.person("Alice")
        direct = (await slack.do("direct", between=[alice, bot.user]))["channel"]
        await slack.do("sockets", app=bot.id, do="lose_acks", count=9)

        await slack.say(direct, alice, "hello")
        heard = [await bot.next()]
        for seconds in (0.2, 60, 300):
            await slack.do("advance", seconds=3.1 + seconds)
            heard.append(await bot.next())
        await slack.do("advance", seconds=4)

        async def lost() -> bool:
            return (await slack.envelopes(bot.id))[0]["state"] == "lost"

        await slack.until(lost, what="given up")
        [envelope] = await slack.envelopes(bot.id)
        assert len({body["event_id"] for body in heard}) == 1
        assert len(set(envelope["ids"])) == 4


async def test_an_answer_lost_after_the_effect_makes_the_usual_client_post_twice(slack: LoopbackSlack) -> None:
    bot = await slack.app()
    room = await slack.channel("general", members=[bot["bot_user"]])
    await slack.fault("chat.postMessage", "cut_after", app=bot["app"])

    await AsyncWebClient(token=bot["bot_token"], base_url=slack.api_url).chat_postMessage(channel=room, text="once?")

    assert [m["text"] for m in await slack.messages(room)] == ["once?", "once?"]


async def test_metadata_comes_only_when_asked_for(slack: LoopbackSlack) -> None:
    bot = await slack.app()
    room = await slack.channel("general", members=[bot["bot_user"]])
    client = AsyncWebClient(token=bot["bot_token"], base_url=slack.api_url)
    metadata = {"event_type": "pal_post", "event_payload": {"key": "k1"}}
    posted = await client.chat_postMessage(channel=room, text="hi", metadata=metadata)

    without = await client.conversations_replies(channel=room, ts=posted["ts"])
    with_it = await client.conversations_replies(channel=room, ts=posted["ts"], include_all_metadata=True)

    assert "metadata" not in without["messages"][0]
    assert with_it["messages"][0]["metadata"] == metadata


async def test_a_cut_socket_and_an_announced_end_are_both_survived(slack: LoopbackSlack) -> None:
    async with running(slack) as bot:
        alice = await slack.person("Alice")
        room = await slack.channel("general", members=[alice, bot.user])
        await slack.connected(bot.id)

        await slack.do("sockets", app=bot.id, do="cut")
        await slack.connected(bot.id, opened=2)
        await slack.do("sockets", app=bot.id, do="disconnect", reason="refresh_requested")
        await slack.connected(bot.id, opened=3)
        await slack.say(room, alice, "still there?")

        assert (await bot.next())["event"]["text"] == "still there?"


async def test_a_file_goes_up_in_three_steps_and_needs_the_token_down(slack: LoopbackSlack) -> None:
    bot = await slack.app()
    room = await slack.channel("general", members=[bot["bot_user"]])
    client = AsyncWebClient(token=bot["bot_token"], base_url=slack.api_url)

    sent = await client.files_upload_v2(channel=room, filename="a.txt", content="hello", title="A")

    [message] = await slack.messages(room)
    url = message["files"][0]["url_private"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as page:
            assert page.content_type == "text/html"
        async with session.get(url, headers={"Authorization": f"Bearer {bot['bot_token']}"}) as page:
            assert await page.text() == "hello"
    assert sent["files"][0]["id"] == message["files"][0]["id"]


@pytest.mark.filterwarnings("ignore:The top-level")
@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"text": ""}, "no_text"),
        (
            {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "y" * 3001}}]},
            "invalid_blocks",
        ),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
        ({"markdown_text": "y" * 12_001}, "msg_too_long"),
    ],
)
async def test_what_is_too_much_is_refused_by_name(slack: LoopbackSlack, said: Json, error: str) -> None:
    bot = await slack.app()
    room = await slack.channel("general", members=[bot["bot_user"]])

    with pytest.raises(SlackApiError) as refused:
        await AsyncWebClient(token=bot["bot_token"], base_url=slack.api_url).chat_postMessage(channel=room, **said)

    assert refused.value.response["error"] == error


async def test_another_workspace_s_channel_is_not_there(slack: LoopbackSlack) -> None:
    bot = await slack.app(team="T1")
    room = await slack.channel("general", team="T2", members=[bot["bot_user"]])

    with pytest.raises(SlackApiError, match="channel_not_found"):
        await AsyncWebClient(token=bot["bot_token"], base_url=slack.api_url).chat_postMessage(channel=room, text="hi")
