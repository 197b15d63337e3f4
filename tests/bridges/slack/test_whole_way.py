"""From a mention on Slack to one complete answer there: real server, daemon, bridge process and SDK."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from pal_cli.chaos.platforms.slack.loopback import LoopbackSlack
from tests.bridges.slack.talk import Talk, bridge_pid
from tests.support.faults import kill
from tests.support.patience import LONG_PATIENCE
from tests.support.stack import Refused, Stack

Json = dict[str, Any]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One server for all tests of this file; each has an agent, an app and people of its own."""
    started = Stack(tmp_path_factory.mktemp("slack")).start()
    yield started
    started.close()


@pytest_asyncio.fixture
async def talk(stack: Stack, slack: LoopbackSlack) -> AsyncIterator[Talk]:
    yield Talk(stack, slack)


async def test_a_mention_is_one_delivery_one_card_and_one_complete_answer(talk: Talk) -> None:
    await talk.begin("reply")

    ts = await talk.mention("hello")

    [answer] = await talk.answers(ts)
    await talk.done(ts)
    [delivery] = talk.deliveries()
    assert answer == f"answer to {delivery['message']}"
    assert delivery["status"] == "acked"


async def test_slack_s_own_repeats_and_one_after_six_hours_add_nothing(talk: Talk) -> None:
    await talk.begin("reply")
    app = talk.given["app"]
    await talk.slack.do("sockets", app=app, do="lose_acks", count=2)  # of the mention and of its twin

    ts = await talk.mention("hello")
    await talk.answers(ts)
    await talk.slack.do("advance", seconds=3.4)
    await talk.slack.acked(app, count=2)
    await talk.slack.do("advance", seconds=6 * 3600)
    await talk.slack.do("repeat", app=app, count=2)
    await talk.slack.acked(app, count=2)

    assert len(talk.deliveries()) == 1
    assert len(await talk.answers(ts)) == 1
    assert len(await talk.cards(ts)) == 1


@pytest.mark.parametrize("fault", ["cut_after", "http"])
async def test_a_lost_answer_of_slack_doubles_nothing(talk: Talk, fault: str) -> None:
    await talk.begin("reply")
    await talk.slack.fault("chat.postMessage", fault, app=talk.given["app"])

    ts = await talk.mention("hello")
    await talk.answers(ts)
    await talk.done(ts)

    assert len(await talk.posts(ts)) == 2  # the card and the answer


async def test_too_fast_is_waited_for_and_nothing_is_lost(talk: Talk) -> None:
    await talk.begin("reply")
    await talk.slack.fault("chat.postMessage", "ratelimited", app=talk.given["app"], count=3, seconds=1)

    ts = await talk.mention("hello")

    assert len(await talk.answers(ts)) == 1
    assert len(await talk.cards(ts)) == 1


async def test_the_working_reaction_comes_and_goes(talk: Talk) -> None:
    await talk.begin("wait")

    ts = await talk.mention("hello")

    async def works() -> bool:
        return bool(await talk.reactions(ts))

    await talk.slack.until(works, what="a reaction", within=LONG_PATIENCE)
    [delivery] = talk.deliveries()
    talk.stack.let_go(delivery["message"])
    await talk.answers(ts)
    assert await talk.reactions(ts) == {}


async def test_a_direct_message_is_answered_outside_of_threads(talk: Talk) -> None:
    await talk.begin("reply")
    direct = (await talk.slack.do("direct", between=[talk.alice, talk.bot]))["channel"]

    await talk.slack.say(direct, talk.alice, "hello")

    async def answered() -> list[Json]:
        return [m for m in await talk.slack.messages(direct, by=talk.bot) if not m.get("blocks")]

    [answer] = await talk.slack.until(answered, what="an answer", within=LONG_PATIENCE)
    assert answer["text"].startswith("answer to")
    assert "thread_ts" not in answer


async def test_a_thread_below_an_answer_in_a_direct_chat_is_an_answer_to_it(talk: Talk) -> None:
    await talk.begin("reply")
    direct = (await talk.slack.do("direct", between=[talk.alice, talk.bot]))["channel"]

    async def answers(count: int) -> list[Json]:
        found = [m for m in await talk.slack.messages(direct, by=talk.bot) if not m.get("blocks")]
        return found if len(found) == count else []

    await talk.slack.say(direct, talk.alice, "hello")
    [first] = await talk.slack.until(lambda: answers(1), what="an answer", within=LONG_PATIENCE)
    await talk.slack.until(lambda: talk.all_shown(direct), what="that the answer is known here", within=LONG_PATIENCE)
    await talk.slack.say(direct, talk.alice, "why?", thread_ts=first["ts"])
    [_, second] = await talk.slack.until(lambda: answers(2), what="another", within=LONG_PATIENCE)

    later, earlier = talk.deliveries()
    why = talk.stack.api.get(f"/api/messages/{later['message']}")["message"]
    assert second["thread_ts"] == first["ts"]
    assert later["topic"] == earlier["topic"]
    assert talk.stack.api.get(f"/api/messages/{why['parent']}")["message"]["content"] == first["text"]


async def test_words_are_sent_by_hand_and_the_end_of_a_run_told_to_whoever_is_named(talk: Talk) -> None:
    await talk.begin("reply")
    watchers = await talk.slack.channel("watchers", members=[talk.alice, talk.bot])
    direct = (await talk.slack.do("direct", between=[talk.alice, talk.bot]))["channel"]
    app = str(talk.given["app"])
    for to, where in ((watchers, watchers), (talk.alice, direct)):
        talk.stack.api.post("/api/posts", {"platform": "slack", "app_id": app, "to": to, "text": "by hand"})
        talk.stack.api.post("/api/bots", {"platform": "slack", "app_id": app, "notify_chat": to, "verify": False})
        await talk.answers(await talk.mention("work"))

        async def told(where: str = where) -> list[str]:
            found = [message["text"] for message in await talk.slack.messages(where, by=talk.bot)]
            return sorted(found) if len(found) == 2 else []

        ended, by_hand = await talk.slack.until(told, what="both", within=LONG_PATIENCE)
        assert by_hand == "by hand"
        assert "is done" in ended


async def test_a_stranger_is_refused_once_and_creates_nothing(talk: Talk) -> None:
    await talk.begin("reply")
    bob = await talk.slack.person("Bob")
    await talk.slack.do("join", channel=talk.channel, user=bob)

    one = await talk.slack.say(talk.channel, bob, f"<@{talk.bot}> hello")
    await talk.answers(str(one["ts"]))
    two = await talk.slack.say(talk.channel, bob, f"<@{talk.bot}> hello?")
    await talk.slack.acked(str(talk.given["app"]), count=4)
    mine = await talk.mention("hello")
    await talk.answers(mine)

    [refusal] = await talk.posts(str(one["ts"]))
    assert "may not talk" in refusal["text"]
    assert await talk.posts(str(two["ts"])) == []
    assert len(talk.deliveries()) == 1


async def test_a_question_is_answered_in_its_card_and_a_forged_press_is_not(talk: Talk) -> None:
    await talk.begin(runtime="demo")

    ts = await talk.mention("/ask which colour?")
    card, action_id = await talk.button(ts, "Send")
    forged = {"app": talk.given["app"], "channel": talk.channel, "ts": card, "user": talk.alice}
    await talk.slack.do("click", **forged, action_id=action_id, value="forged.1")
    await talk.slack.acked(str(talk.given["app"]), count=3)
    [pending] = talk.stack.api.get("/api/interactions", status="pending")["interactions"]
    written = {"pal:field:answer": {"value": {"type": "plain_text_input", "value": "green"}}}
    await talk.press(ts, "Send", state=written)

    async def is_closed() -> bool:
        [shown] = [m for m in await talk.cards(ts) if m["ts"] == card]
        return "pal:press" not in str(shown["blocks"])

    await talk.slack.until(is_closed, what="the card without buttons", within=LONG_PATIENCE)
    answered = talk.stack.api.get(f"/api/interactions/{pending['id']}")["interaction"]
    assert answered["answer"] == {"answer": "green"}
    assert "green" in (await talk.answers(ts))[0]


async def test_files_go_both_ways(talk: Talk) -> None:
    await talk.begin(runtime="demo")

    said = await talk.slack.say_with_file(
        talk.channel, talk.alice, f"<@{talk.bot}> /files", name="notes.txt", data=b"hello file"
    )

    ts = str(said["ts"])
    await talk.answers(ts)
    [delivery] = talk.deliveries()
    message = talk.stack.api.get(f"/api/messages/{delivery['message']}")["message"]
    assert [file["name"] for file in message["files"]] == ["notes.txt"]


async def test_a_dead_bridge_reads_back_what_it_missed(talk: Talk) -> None:
    """The bridge is dead while something is said, and Slack has given up telling it."""
    await talk.begin("reply")
    ts = await talk.mention("hello")
    await talk.answers(ts)
    pid = bridge_pid(talk.stack)
    os.kill(pid, signal.SIGSTOP)
    later = await talk.mention("meanwhile")
    for seconds in (4, 61, 301, 4):
        await talk.slack.do("advance", seconds=seconds)
    kill(pid)

    assert len(await talk.answers(later)) == 1


async def test_a_long_answer_comes_whole_in_parts(talk: Talk) -> None:
    await talk.begin("count", "2500", "0")

    ts = await talk.mention("count")
    await talk.done(ts)
    parts = await talk.answers(ts, count=3)

    assert all(len(part) <= 4000 for part in parts)
    assert "\n".join(parts).split() == [str(number) for number in range(2500)]


async def test_a_very_long_answer_is_a_file(talk: Talk) -> None:
    await talk.begin("count", "9000", "0")

    ts = await talk.mention("count")

    async def shown() -> list[Json]:
        return [file for message in await talk.posts(ts) for file in message.get("files", ())]

    [file] = await talk.slack.until(shown, what="a file", within=LONG_PATIENCE)
    content = base64.b64decode((await talk.slack.do("file", file=file["id"]))["data"]).decode()
    assert content.split() == [str(number) for number in range(9000)]


async def test_stop_in_the_card_stops_the_work(talk: Talk) -> None:
    await talk.begin("wait")

    ts = await talk.mention("work")
    await talk.press(ts, "Stop")

    async def is_stopped() -> bool:
        return [":black_square_for_stop:" in str(card["blocks"]) for card in await talk.cards(ts)] == [True]

    await talk.slack.until(is_stopped, what="the card says stopped", within=LONG_PATIENCE)
    [delivery] = talk.deliveries()
    assert talk.stack.run(delivery["run"])["status"] == "cancelled"


async def test_a_message_changed_or_taken_back_changes_what_waits(talk: Talk) -> None:
    await talk.begin("reply", computer=None)
    ts = await talk.mention("one")
    other = await talk.mention("two")
    waiting = await talk.waiting(2)

    await talk.slack.do("edit", channel=talk.channel, ts=ts, user=talk.alice, text=f"<@{talk.bot}> three")
    await talk.slack.do("delete", channel=talk.channel, ts=other)

    async def followed() -> bool:
        kept = [talk.stack.api.get(f"/api/deliveries/{one['id']}")["delivery"]["status"] for one in waiting]
        return sorted(kept) == ["cancelled", "pending"]

    await talk.slack.until(followed, what="one waits, one is dropped", within=LONG_PATIENCE)
    [left] = [one for one in talk.deliveries() if one["status"] == "pending"]
    assert "three" in talk.stack.api.get(f"/api/messages/{left['message']}")["message"]["content"]
    assert "no computer" in str((await talk.cards(ts))[0]["blocks"])


async def test_a_command_is_answered_to_the_one_who_gave_it(talk: Talk) -> None:
    await talk.begin("reply")
    app = str(talk.given["app"])

    await talk.slack.do("command", app=app, channel=talk.channel, user=talk.alice, command="/pal", text="help")

    [envelope] = await talk.slack.acked(app)
    assert envelope["answer"]["response_type"] == "ephemeral"
    assert "/new" in envelope["answer"]["text"]
    assert await talk.slack.messages(talk.channel, by=talk.bot) == []


async def test_words_for_a_new_conversation_begin_another_topic(talk: Talk) -> None:
    await talk.begin("reply")
    ts = await talk.mention("one")
    await talk.answers(ts)

    await talk.mention("/new two", thread_ts=ts)

    await talk.answers(ts, count=2)
    assert len({delivery["topic"] for delivery in talk.deliveries()}) == 2


async def test_an_app_taken_out_of_the_workspace_is_shown_with_its_reason(talk: Talk) -> None:
    await talk.begin("reply")

    await talk.slack.do("uninstall", app=talk.given["app"])

    async def standing() -> Json:
        [bot] = [one for one in talk.stack.api.get("/api/bots")["bots"] if one["app_id"] == talk.given["app"]]
        return bot if bot["state"] == "error" else {}

    bot = await talk.slack.until(standing, what="the bot's error", within=LONG_PATIENCE)
    assert "taken out of the workspace" in bot["error"]


async def test_a_post_into_a_closed_channel_fails_where_people_see_it(talk: Talk) -> None:
    await talk.begin("wait")
    ts = await talk.mention("hello")
    await talk.button(ts, "Stop")
    await talk.slack.do("archive", channel=talk.channel)
    [delivery] = talk.deliveries()

    talk.stack.let_go(delivery["message"])

    async def failed() -> list[Json]:
        found = talk.stack.api.get("/api/posts", platform="slack", state="failed")["posts"]
        return [post for post in found if post["chat"] == talk.channel]

    [post] = await talk.slack.until(failed, what="a failed post", within=LONG_PATIENCE)
    assert "is_archived" in post["error"]


async def test_credentials_are_checked_before_they_are_kept_and_shown_to_nobody(talk: Talk) -> None:
    await talk.begin("reply")
    other = await talk.slack.app()
    mixed = {"bot_token": other["bot_token"], "app_token": talk.given["app_token"]}

    with pytest.raises(Refused) as refused:
        talk.save(credentials=mixed, rebind=True)

    shown = talk.stack.pal("console", "slack", "list", "--json").stdout
    assert "the app token is of" in refused.value.message
    assert talk.agent in shown
    assert "xoxb-" not in shown
    assert "xapp-" not in shown


async def test_doctor_makes_the_round_trips_and_says_what_to_fix(
    slack: LoopbackSlack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone = Stack(tmp_path_factory.mktemp("doctor"))
    try:
        alone.server.start()
        talk = await Talk(alone, slack).begin(runtime="demo", computer=None)
        await slack.do("scopes", app=talk.given["app"], without="files:read")

        done = alone.pal("doctor", "slack")
        guide = alone.pal("bridge", "guide", "slack")
    finally:
        alone.close()

    assert "files:read" in done.stdout + done.stderr
    assert "Slack greets" in done.stdout + done.stderr
    assert '"socket_mode_enabled": true' in guide.stdout
