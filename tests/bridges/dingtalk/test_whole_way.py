"""From a person on DingTalk to the agent and back: server, bridge process, the real SDK and the loopback platform."""

import os
import signal

from tests.bridges.core.scene import poll
from tests.bridges.dingtalk.stage import Stage, button, stage, stage_with_a_process
from tests.support.server import expect

__all__ = ["stage", "stage_with_a_process"]

SESSION = "/robot/sendBySession"
LEASES_OVER = 120.0  # seconds after which a post that a dead bridge was sending is asked about
CREATE = "/v1.0/card/instances/createAndDeliver"


async def test_a_mention_is_one_delivery_one_card_and_one_answer_however_often_it_is_told(stage: Stage) -> None:
    asked = await stage.mention("review this")
    card = await stage.card("")
    await stage.answer("**All good.**")
    await stage.said("All good")
    for _ in range(2):
        await stage.dingtalk.do("repeat", app=stage.app)
    await stage.dingtalk.answered(stage.app)
    await stage.dingtalk.do("advance", seconds=6 * 3600)
    await stage.dingtalk.do("repeat", app=stage.app)

    done = await stage.card("done")
    posts = await stage.settled()

    [push] = await stage.dingtalk.pushes(stage.app)
    [delivery] = await stage.deliveries()
    assert (push["state"], len(push["ids"]), delivery["agent"]) == ("acked", 4, "reviewer")
    assert await stage.texts() == [f"@{stage.alice}  \n**All good.**"]
    assert (card["outTrackId"], done["deliveries"]) == (done["outTrackId"], 1)
    assert (await stage.dingtalk.do("reactions", message=asked["msgId"]))["reactions"] == []
    assert {post["state"] for post in posts} == {"confirmed"}


async def test_a_lost_answer_doubles_no_card_and_marks_the_message_that_may_be_a_repeat(stage: Stage) -> None:
    await stage.dingtalk.fault(CREATE, "cut_after", app=stage.app)
    await stage.mention("review this")
    await stage.card("")
    await stage.dingtalk.fault(SESSION, "cut_after", app=stage.app)
    await stage.answer("All good.")

    await stage.said("may be a repeat")

    await stage.card("done")
    first, second = await stage.texts()
    [card] = await stage.dingtalk.cards(stage.app)
    assert ("may be a repeat" in first, "may be a repeat" in second) == (False, True)
    assert card["deliveries"] == 1


async def test_a_killed_bridge_comes_back_and_nothing_is_there_twice(stage_with_a_process: Stage) -> None:
    stage = stage_with_a_process
    await stage.mention("review this")
    await stage.card("")
    claimed, run = await stage.claim()
    bridges = next(loop for loop in stage.server.app.loops if loop.name == "bridges")

    async def pids() -> dict[str, int]:
        return dict(bridges.pids)  # type: ignore[attr-defined]  # only this loop has them

    dead = (await pids())["dingtalk"]
    os.kill(dead, signal.SIGKILL)
    await poll(pids, lambda now: now.get("dingtalk") != dead)
    expect(await stage.server.finish(stage.computer, claimed, run, text="All good."), 200)

    await stage.said("All good.")
    stage.server.clock.advance(LEASES_OVER)
    await stage.card("done")
    await stage.mention("and this")
    await stage.claim()

    assert await stage.texts() == [f"@{stage.alice}  \nAll good."]
    assert len(await stage.deliveries()) == 2


async def test_a_press_stops_the_run_and_the_card_says_who_did(stage: Stage) -> None:
    await stage.mention("take your time")
    await stage.card("")
    claimed, run = await stage.claim()
    card = await stage.card("Stop")

    await stage.dingtalk.do("press", app=stage.app, card=card["outTrackId"], user=stage.alice, id=button(card, "Stop"))

    async def wanted() -> str | None:
        [found] = expect(await stage.server.get("/api/runs"), 200)["runs"]
        return str(found["wanted"] or "")

    assert await poll(wanted, bool) == "stop"
    expect(await stage.server.finish(stage.computer, claimed, run, status="cancelled"), 200)
    await stage.card("stopped")
    pushes = await stage.dingtalk.answered(stage.app, count=2)
    assert [push["state"] for push in pushes] == ["acked", "acked"]


async def test_an_approval_is_given_by_a_press_and_the_card_says_by_whom(stage: Stage) -> None:
    eve = await stage.dingtalk.person("Eve")
    await stage.mention("clean up")
    claimed, run = await stage.claim()
    asked = await stage.asks(run, claimed, kind="approval", title="rm -rf build", body="in `/work`")
    card = await stage.card_of("rm -rf build", "Approve")
    press = {"app": stage.app, "card": card["outTrackId"], "id": button(card, "Approve")}

    await stage.dingtalk.do("press", **press, user=eve)
    await stage.dingtalk.answered(stage.app, count=2)
    assert (await stage.interaction(asked["id"]))["status"] == "pending"
    for _ in range(2):
        await stage.dingtalk.do("press", **press, user=stage.alice)

    done = await stage.card_of("rm -rf build", "approved by Alice")
    answered = await stage.interaction(asked["id"])
    assert (answered["answer"], answered["answered_by"]) == ({"decision": "approve"}, "Alice (dingtalk)")
    assert "Approve" not in done["params"]["sys_full_json_obj"]
    assert (done["outTrackId"], done["deliveries"]) == (card["outTrackId"], 1)


async def test_a_question_is_answered_by_a_press_or_in_words(stage: Stage) -> None:
    await stage.mention("paint it")
    claimed, run = await stage.claim()
    colour = await stage.asks(run, claimed, kind="question", title="Which colour?", options=["red", "blue"])
    name = await stage.asks(run, claimed, key="k2", kind="question", title="What name?")
    card = await stage.card_of("Which colour?", "blue")
    await stage.card_of("What name?", f"/answer {name['id']}")

    await stage.dingtalk.do("press", app=stage.app, card=card["outTrackId"], user=stage.alice, id=button(card, "blue"))
    await stage.mention(f"/answer {name['id']} Pal 🐕")

    await stage.card_of("Which colour?", "answered by Alice")
    await stage.card_of("What name?", "answered by Alice")
    assert (await stage.interaction(colour["id"]))["answer"] == {"answer": "blue"}
    assert (await stage.interaction(name["id"]))["answer"] == {"answer": "Pal 🐕"}
    assert len(await stage.deliveries()) == 1


async def test_a_stranger_gets_one_refusal_and_a_forged_press_nothing(stage: Stage) -> None:
    eve = await stage.dingtalk.person("Eve")
    for _ in range(2):
        await stage.dingtalk.say(stage.app, eve, "let me in", conversation=stage.room)
    await stage.dingtalk.do("press", app=stage.app, card="pal-forged", user=eve, id="approve.1.0.abc")

    await stage.dingtalk.answered(stage.app, count=3)
    await stage.settled()

    assert len(await stage.texts()) == 1
    assert await stage.deliveries() == []


async def test_files_come_in_and_the_check_of_the_doctor_finds_all_well(stage: Stage) -> None:
    await stage.mention(kind="file", name="plan.pdf", data=b"%PDF plan")
    claimed, _ = await stage.claim()
    bot = await stage.bot()

    found = expect(await stage.server.post(f"/api/bots/{bot['id']}/check"), 200)

    message = expect(await stage.server.get(f"/api/messages/{claimed['message']}"), 200)["message"]
    assert [file["name"] for file in message["files"]] == ["plan.pdf"]
    assert [finding["what"] for finding in found["findings"] if not finding["ok"]] == []
    assert stage.secret not in str([found, bot])


async def test_an_answer_to_what_the_robot_sent_is_an_answer_to_the_agent_s_words(stage: Stage) -> None:
    await stage.mention("what is it?")
    await stage.dingtalk.do("advance", seconds=2 * 3600)  # the webhook has ended: what is sent now has a key
    await stage.answer("It is a tree.")
    await stage.said("a tree")
    [shown] = [one for one in await stage.dingtalk.messages(stage.room) if one["via"] == "robot"]
    await stage.settled()

    await stage.mention("which one?", reply_to_robot=shown["key"])
    await stage.claim()

    messages = expect(await stage.server.get("/api/messages", q="which"), 200)["messages"]
    answered = expect(await stage.server.get(f"/api/messages/{messages[0]['parent']}"), 200)["message"]
    assert (answered["content"], answered["sender"]["name"]) == ("It is a tree.", "reviewer")


async def test_words_are_sent_by_hand_and_the_end_of_a_run_told_to_whoever_is_named(stage: Stage) -> None:
    watchers = await stage.dingtalk.group("Watchers", robots=[stage.app], people=[stage.alice])
    chosen = {"platform": "dingtalk", "app_id": stage.app, "notify_chat": f"user:{stage.alice}", "verify": False}
    expect(await stage.server.post("/api/bots", chosen), 200)
    await stage.dingtalk.connected(stage.app, opened=2)  # what is said before is told to nobody
    for to in (watchers, f"user:{stage.alice}"):
        body = {"platform": "dingtalk", "app_id": stage.app, "to": to, "text": "by hand"}
        expect(await stage.server.post("/api/posts", body), 201)
    await stage.mention("work")
    await stage.answer("done")

    async def of_alice() -> list[str]:
        return [message["text"] for message in await stage.dingtalk.direct_messages(stage.app, stage.alice)]

    ended, by_hand = sorted(await poll(of_alice, lambda texts: len(texts) == 2))
    [in_the_group] = await stage.dingtalk.said(watchers)

    assert by_hand == in_the_group["text"] == "by hand"
    assert ended.startswith("**reviewer** is done")
