"""The outbox: every visible part once, in order, whatever a bridge dies of."""

from dataclasses import replace
from typing import Any

import pytest

from pal_server.actions import bots, computers, interactions, messages, posting, posts, runs, trace
from pal_server.actions.posts import Claimed
from pal_server.domain.questions import load_questions
from pal_server.domain.runs import Run
from pal_server.errors import Conflict, LeaseLost
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.outside import BRIDGE, PLATFORM, Outside, bind, hold, listening, make_outside
from tests.support.people import daemon
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


@pytest.fixture
async def outside(bus: Bus) -> Outside:
    return await make_outside(bus)


async def at_work(outside: Outside, **more: Any) -> Run:
    await outside.hear("go", **more)
    return await outside.bus.open(await outside.bus.claim_one())


async def claim_text(outside: Outside) -> Claimed:
    """What is to be sent first of a finished run's answer."""
    return next(claimed for claimed in await outside.claim() if claimed.post.purpose == "message")


def split_of(claimed: Claimed, *parts: str, **more: Any) -> dict[str, Any]:
    post = claimed.post
    return {
        "actor": BRIDGE,
        "id": post.id,
        "lease_id": post.lease_id,
        "fence": post.fence,
        "version": post.wanted,
        "parts": parts,
        **more,
    }


# CB-3: what is shown


async def test_an_answer_is_shown_where_it_was_asked_for_and_the_question_is_not(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.bus.finish(run, text="here it is")

    sent = await outside.deliver()

    texts = [(post.chat, post.thread, post.body["text"]) for post in sent if post.kind == "text"]
    assert texts == [("g1", "t1", "here it is")]
    assert await outside.deliver() == []
    assert await outside.bus.store.read(find_broken) == []


async def test_people_and_other_agents_in_the_topic_are_shown_with_their_names(outside: Outside) -> None:
    await outside.bus.agent("other")
    run = await at_work(outside)
    room = (await outside.bus.run(run.id)).room_id
    await outside.bus.say("from the web", room=room, topic=run.topic_id)

    texts = await outside.texts()

    assert texts == ["**member**: from the web"]


async def test_each_agents_own_bot_speaks_for_it(outside: Outside) -> None:
    await outside.bus.agent("other")
    second = await outside.second_bot("other")
    await outside.hear("both", event="a", ref="m-both")
    await outside.hear("both", event="b", ref="m-both", bot=second)
    for claimed in await outside.bus.claim():
        run = await outside.bus.open(claimed)
        await outside.bus.finish(run, text=f"I am {claimed.delivery.agent}")

    first, other = await outside.deliver(), await outside.deliver(bot=second)

    assert [post.body["text"] for post in first if post.kind == "text"] == ["I am bot"]
    assert [post.body["text"] for post in other if post.kind == "text"] == ["I am other"]


async def test_an_edit_changes_the_post_and_a_deletion_takes_it_away(outside: Outside) -> None:
    run = await at_work(outside)
    said = await outside.bus.say("first", room=(await outside.bus.run(run.id)).room_id, topic=run.topic_id)
    await outside.deliver()

    await outside.bus.store.write(messages.edit, actor=outside.bus.people.member, id=said.message.id, content="second")
    (changed,) = [post for post in await outside.deliver() if post.kind == "text"]
    assert (changed.body["text"], changed.ref is not None, changed.gone) == ("**member**: second", True, False)

    await outside.bus.store.write(messages.delete, actor=outside.bus.people.member, id=said.message.id)
    (gone,) = [post for post in await outside.deliver() if post.kind == "text"]
    assert gone.gone
    assert (await outside.post(gone.id)).ref is None


# CB-4 and the turn's card


async def test_a_turn_has_one_card_from_waiting_to_done(outside: Outside) -> None:
    await outside.hear("go")
    (card,) = [claimed for claimed in await outside.claim() if claimed.post.purpose == "turn"]
    assert card.post.body["card"]["tone"] == "waiting"
    await outside.settle(card)

    run = await outside.bus.open(await outside.bus.claim_one())
    await outside.show()
    await outside.bus.finish(run, text="done", usage={"input_tokens": 1_000, "output_tokens": 200, "cost_usd": 0.02})

    turns = [post for post in await outside.deliver() if post.purpose == "turn"]
    assert [post.ref for post in turns] == [f"out-{card.post.id}"]  # changed in place, straight to its newest state
    shown = turns[0].body["card"]
    assert (shown["tone"], shown["final"], shown["cost"]) == ("done", True, "1k tokens, $0.02")
    assert (await outside.post(card.post.id)).is_open is False


async def test_a_card_leads_to_its_topic_in_the_workbench(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.bus.store.write(posting.step, workspace_id="w", url="http://pal.example")

    (card,) = await outside.cards("turn")

    links = {button["label"]: button["url"] for button in card["buttons"] if button.get("url")}
    assert links == {"Open": f"http://pal.example/r/{run.room_id}/{run.topic_id}"}


async def test_the_working_reaction_goes_when_the_turn_is_over(outside: Outside) -> None:
    run = await at_work(outside, ref="m-asked")
    (reaction,) = [post for post in await outside.deliver() if post.kind == "reaction"]
    assert (reaction.body["message"], reaction.gone) == ("m-asked", False)

    await outside.bus.finish(run, text="done")

    (taken,) = [post for post in await outside.deliver() if post.kind == "reaction"]
    assert (taken.gone, taken.ref) == (True, f"out-{reaction.id}")


async def test_a_reaction_that_was_never_shown_is_not_taken_away(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.bus.finish(run, text="done")

    assert [post for post in await outside.deliver() if post.kind == "reaction"] == []


async def test_steps_and_plan_of_a_live_run_are_on_its_card(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.deliver()
    events = [
        {"seq": 1, "kind": "tool_call", "text": None, "data": {"id": "1", "title": "Run the tests"}},
        {"seq": 2, "kind": "tool_result", "text": "", "data": {"id": "1", "status": "failed"}},
        {"seq": 3, "kind": "todo", "text": None, "data": {"entries": [{"text": "fix it", "status": "in_progress"}]}},
    ]
    await outside.bus.store.write(
        runs.add_events,
        actor=daemon(outside.bus.box),
        id=run.id,
        lease_id=run.lease_id,
        fence=run.fence,
        events=[{**event, "at": None, "lane": "main", "source": None} for event in events],
    )

    behind = await outside.bus.store.read(posting.turns_behind, workspace_id="w")
    assert behind == [run.delivery_id]
    assert await outside.bus.store.write(posting.refresh, workspace_id="w", deliveries=behind) == 1
    assert await outside.bus.store.read(posting.turns_behind, workspace_id="w") == []
    (card,) = await outside.cards("turn")
    assert card["steps"] == [{"text": "Run the tests", "mark": "failed"}]
    assert card["plan"] == [{"text": "fix it", "mark": "now"}]


# CB-6: questions


async def asked(outside: Outside, **more: Any) -> tuple[Run, Any]:
    await outside.hear("go")
    claimed = await outside.bus.claim_one()
    run = await outside.bus.open(claimed)
    given: dict[str, Any] = {"key": "k1", "kind": "approval", "title": "rm -rf build", **more}
    question = await outside.bus.store.write(
        interactions.open_for_run, actor=daemon(outside.bus.box), run=run.id, **lease(claimed), **given
    )
    return run, question


async def test_an_approval_is_given_by_a_button_and_the_card_says_so(outside: Outside) -> None:
    _, question = await asked(outside)
    (card,) = await outside.cards("ask")
    approve, deny = card["buttons"]
    assert (card["tone"], approve["label"], deny["label"]) == ("asking", "Approve", "Deny")

    answered = await outside.press(approve["token"])

    assert (answered.outcome, answered.text) == ("done", "Approved.")
    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert (now.status, now.answered_by) == ("answered", "Ann (chatter)")
    (after,) = await outside.cards("ask")
    assert (after["tone"], after["buttons"], after["state"]) == ("done", [], "approved by Ann (chatter)")


async def test_a_second_press_does_nothing_and_says_why(outside: Outside) -> None:
    _, question = await asked(outside)
    (card,) = await outside.cards("ask")
    await outside.press(card["buttons"][0]["token"])

    again = await outside.press(card["buttons"][1]["token"])

    assert again.outcome == "refused"
    assert "answered already by Ann" in again.text
    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert now.answer == {"decision": "approve"}


async def test_options_are_buttons(outside: Outside) -> None:
    _, question = await asked(outside, kind="question", title="Which?", options=("red", "blue"))
    (card,) = await outside.cards("ask")

    await outside.press(card["buttons"][1]["token"])

    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert now.answer == {"answer": "blue"}


async def test_free_words_come_from_a_form(outside: Outside) -> None:
    _, question = await asked(outside, kind="question", title="What name?")
    (card,) = await outside.cards("ask")

    await outside.press(card["form"]["submit"]["token"], values={"answer_text": "pal"})

    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert now.answer == {"answer": "pal"}


async def test_several_questions_are_one_form(outside: Outside) -> None:
    questions = load_questions(
        [
            {"text": "Which colours?", "options": [{"label": "red"}, {"label": "blue"}], "multiple": True},
            {"text": "What name?"},
        ]
    )
    _, question = await asked(outside, kind="question", title="Two things", questions=questions)
    (card,) = await outside.cards("ask")
    assert [(field["name"], field["many"]) for field in card["form"]["fields"]] == [("q1", True), ("q2", False)]

    await outside.press(card["form"]["submit"]["token"], values={"q1": ["red", "blue"], "q2": "pal"})

    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert now.answer["answers"] == [{"chosen": ["red", "blue"], "text": ""}, {"chosen": [], "text": "pal"}]


@pytest.mark.parametrize(
    ("words", "answer"),
    [("/approve {id}", {"decision": "approve"}), ("/deny {id} no", {"decision": "deny", "reason": "no"})],
)
async def test_words_answer_where_there_are_no_buttons(outside: Outside, words: str, answer: dict[str, str]) -> None:
    _, question = await asked(outside)

    await outside.hear(words.format(id=question.id))

    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert now.answer == answer


@pytest.mark.parametrize("spoil", ["forged", "other target", "other chat", "level", "stranger"])
async def test_a_press_that_does_not_count_changes_nothing(outside: Outside, spoil: str) -> None:
    run, question = await asked(outside)
    (card,) = await outside.cards("ask")
    token, more = card["buttons"][0]["token"], {}
    if spoil == "forged":
        token = token[:-4] + "0000"
    elif spoil == "other target":
        token = token.replace(f".{question.id}.", f".{question.id + 1}.")
    elif spoil == "other chat":
        more = {"chat": "g2"}
    elif spoil == "level":
        await outside.allow("ann", level="talk")
    else:
        more = {"person": "eve"}

    answered = await outside.press(token, **more)

    assert answered.outcome == "refused"
    assert answered.text
    now = await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)
    assert now.status == "pending"
    assert (await outside.bus.run(run.id)).status == "waiting"


async def test_a_run_is_stopped_by_the_button_of_its_card(outside: Outside) -> None:
    run = await at_work(outside)
    (card,) = await outside.cards("turn")
    stop = next(button for button in card["buttons"] if button["label"] == "Stop")

    await outside.press(stop["token"])

    assert (await outside.bus.run(run.id)).wanted == "stop"


# CB-13, CB-18: how it ended


async def test_a_failure_is_said_and_can_be_tried_again(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.bus.finish(run, status="failed", error="no such model", exit_code=2)

    sent = await outside.deliver()
    (text,) = [post.body["text"] for post in sent if post.kind == "text"]
    assert "failed with exit code 2" in text
    (card,) = [post.body["card"] for post in sent if post.purpose == "turn"]
    again = next(button for button in card["buttons"] if button["label"] == "Go on")

    assert (await outside.press(again["token"])).text == "It goes on."
    assert (await outside.bus.claim_one()).delivery.id == run.delivery_id
    cards = [post for post in await outside.deliver() if post.purpose == "turn"]
    assert cards[-1].is_open


async def test_an_offline_computer_is_named_on_the_card(outside: Outside, clock: Clock) -> None:
    await outside.hear("go")
    await outside.deliver()
    clock.advance(3600)
    outside.bot = await hold(outside.bus)
    await outside.bus.store.write(computers.mark_offline)

    (card,) = await outside.cards("turn")

    assert card["state"] == "waits: box is offline"


async def test_the_end_of_a_run_is_told_in_the_chosen_chat(outside: Outside) -> None:
    await bind(outside.bus, agent="bot", notify_chat="ops")
    outside.bot = await hold(outside.bus)
    await outside.hear("elsewhere")
    await outside.bus.claim_one()
    await outside.deliver()
    claimed, run = await outside.bus.start("@bot quietly")
    await outside.bus.finish(run, text="done")

    told = [post for post in await outside.deliver() if post.chat == "ops"]

    assert [post.body["text"] for post in told] == [f"**bot** is done after 1 s in {outside.bus.room.title}"]
    assert claimed.delivery.agent == "bot"


# CB-12: leases, order, doubt


async def test_of_two_parts_in_one_place_the_later_one_waits_for_the_first(outside: Outside) -> None:
    run = await at_work(outside)
    room = (await outside.bus.run(run.id)).room_id
    await outside.deliver()
    for words in ("one", "two"):
        await outside.bus.say(words, room=room, topic=run.topic_id)

    first = await outside.claim()
    assert [claimed.post.body["text"] for claimed in first] == ["**member**: one"]
    assert await outside.claim() == []
    await outside.settle(first[0])
    assert [claimed.post.body["text"] for claimed in await outside.claim()] == ["**member**: two"]


async def test_who_waits_is_told_when_something_is_due_and_takes_nothing_by_it(outside: Outside, clock: Clock) -> None:
    async def outlook() -> posts.Claims:
        held = [(outside.bot.id, outside.bot.lease_id or "")]
        return await outside.bus.store.read(posts.outlook, actor=BRIDGE, platform=PLATFORM, held=held)

    nothing = await outlook()
    await outside.hear("go")
    await outside.show()
    due = await outlook()
    for claimed in await outside.claim():
        await outside.settle(claimed, "later", after=7_000)
    later = await outlook()
    clock.advance(7)

    assert (nothing.next_at, due.next_at, later.next_at) == (None, due.now, later.now + 7_000)
    assert (later.claimed, later.revision, (await outlook()).next_at) == ((), due.revision, clock.now)


async def test_a_lost_lease_is_refused_and_the_next_bridge_asks_first(outside: Outside, clock: Clock) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="the answer")
    stalled = await claim_text(outside)
    clock.advance(50)
    outside.bot = await hold(outside.bus, holder="bridge-2")

    taken = await claim_text(outside)

    assert (taken.post.key, taken.post.doubt, taken.post.since) == (stalled.post.key, True, stalled.post.since)
    with pytest.raises(LeaseLost):
        await outside.settle(stalled)
    assert (await outside.settle(taken)).state == "confirmed"


async def test_of_a_bridge_that_is_known_to_be_dead_no_lease_is_waited_for(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="the answer")
    died_with = await claim_text(outside)

    freed = await outside.bus.store.write(bots.free_of, workspace_id="w", platform=PLATFORM, holder="bridge-1")
    outside.bot = await hold(outside.bus, holder="bridge-2")
    taken = await claim_text(outside)

    assert freed == 1
    assert (taken.post.id, taken.post.doubt, taken.post.since) == (died_with.post.id, True, died_with.post.since)
    with pytest.raises(LeaseLost):
        await outside.settle(died_with)


async def test_what_cannot_be_found_out_is_sent_again_and_marked(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="the answer")
    claimed = await claim_text(outside)

    await outside.settle(claimed, "doubt", reason="the answer was lost", after=1)
    waiting = await outside.post(claimed.post.id)

    assert (waiting.state, waiting.doubt, waiting.since) == ("pending", True, claimed.post.since)


async def test_a_repeat_ends_as_doubtful(outside: Outside, clock: Clock) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="the answer")
    await outside.settle(await claim_text(outside), "doubt")
    clock.advance(5)

    again = await claim_text(outside)
    done = await outside.settle(again, repeated=True)

    assert (done.state, done.repeated) == ("doubtful", True)
    assert [post.id for post in await outside.posts(state="doubtful")] == [done.id]


async def test_a_limit_makes_it_wait_as_long_as_it_says(outside: Outside, clock: Clock) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="the answer")
    await outside.settle(await claim_text(outside), "later", after=7_000, reason="too fast")

    clock.advance(6)
    assert [claimed for claimed in await outside.claim() if claimed.post.purpose == "message"] == []
    clock.advance(2)
    again = await claim_text(outside)
    assert (again.post.tries, again.post.doubt) == (0, False)  # its turn is no failed try


async def test_what_is_refused_fails_visibly_and_can_be_tried_again(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="the answer")
    failed = await outside.settle(await claim_text(outside), "refused", reason="the bot is not in the chat")
    assert (failed.state, failed.error) == ("failed", "the bot is not in the chat")

    await outside.bus.store.write(posts.retry, actor=outside.bus.people.member, id=failed.id)

    assert (await outside.settle(await claim_text(outside))).state == "confirmed"
    with pytest.raises(Conflict):
        await outside.bus.store.write(posts.retry, actor=outside.bus.people.member, id=failed.id)


async def test_a_newer_state_than_the_one_being_sent_is_sent_after_it(outside: Outside) -> None:
    await outside.hear("go")
    (card,) = [claimed for claimed in await outside.claim() if claimed.post.purpose == "turn"]
    run = await outside.bus.open(await outside.bus.claim_one())
    await outside.bus.finish(run, text="done")
    await outside.show()

    settled = await outside.settle(card, version=card.post.wanted)

    assert (settled.state, settled.shown < settled.wanted) == ("pending", True)
    turns = [post.body["card"]["tone"] for post in await outside.deliver() if post.purpose == "turn"]
    assert turns == ["done"]


async def test_what_can_no_longer_be_changed_is_posted_anew(outside: Outside) -> None:
    run = await at_work(outside)
    (card,) = [post for post in await outside.deliver() if post.purpose == "turn"]
    await outside.bus.finish(run, text="done")
    (late,) = [claimed for claimed in await outside.claim() if claimed.post.purpose == "turn"]

    await outside.settle(late, "anew", reason="too old to be changed")

    (anew,) = [claimed for claimed in await outside.claim() if claimed.post.purpose == "turn"]
    assert anew.post.ref is None
    assert anew.post.key != card.key


# long texts


async def test_a_long_text_is_split_once_and_keeps_its_order(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.deliver()
    await outside.bus.finish(run, text="one two three")
    await outside.bus.say("after it", room=(await outside.bus.run(run.id)).room_id, topic=run.topic_id)
    whole = await claim_text(outside)

    for _ in range(2):
        first = await outside.bus.store.write(posts.split, **split_of(whole, "one", "two", "three", as_file=True))
    assert first.parts == 4
    await outside.settle(whole)

    sent = [post for post in await outside.deliver() if post.purpose == "message"]
    shown = [post.body.get("text") or post.body["name"] for post in sent]
    assert shown == ["two", "three", "whole.md", "**member**: after it"]
    assert sent[2].body["content"] == "one two three"


async def test_a_changed_long_text_changes_its_parts(outside: Outside) -> None:
    run = await at_work(outside)
    await outside.deliver()
    said = await outside.bus.say("aa bb cc", room=(await outside.bus.run(run.id)).room_id, topic=run.topic_id)
    whole = await claim_text(outside)
    await outside.bus.store.write(posts.split, **split_of(whole, "aa", "bb", "cc"))
    await outside.settle(whole)
    await outside.deliver()

    await outside.bus.store.write(messages.edit, actor=outside.bus.people.member, id=said.message.id, content="aa dd")
    again = await claim_text(outside)
    assert again.post.body["text"] == "**member**: aa dd"
    await outside.bus.store.write(posts.split, **split_of(again, "aa", "dd"))
    await outside.settle(again)

    changed = [(post.body["text"], post.gone) for post in await outside.deliver() if post.purpose == "message"]
    assert changed == [("dd", False), ("cc", True)]


# BX-2: why, to the platform's id


async def why(outside: Outside, message: int) -> list[tuple[str, bool | None, str]]:
    found = await outside.bus.store.read(trace.of_message, actor=outside.bus.people.member, id=message)
    return [(step.what, step.ok, step.text) for step in found.steps]


async def test_why_goes_from_the_platforms_event_to_the_platforms_id(outside: Outside) -> None:
    heard = await outside.hear("go", ref="m-asked")
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text="the answer")
    sent = [post for post in await outside.deliver() if post.purpose == "message"]
    assert heard.message is not None

    steps = await why(outside, heard.message)

    assert steps[0] == (
        "received",
        True,
        "received from chatter, chat g1, as m-asked" + steps[0][2].partition("m-asked")[2],
    )
    assert steps[-1] == ("shown", True, f"shown on chatter, chat g1, as out-{sent[0].id}")


@pytest.mark.parametrize("broken", ["refused", "no bridge", "bot in error", "on its way"])
async def test_why_names_the_broken_link_outside(outside: Outside, clock: Clock, broken: str) -> None:
    heard = await outside.hear("go")
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text="the answer")
    if broken == "refused":
        while (claimed := await outside.claim()) and claimed[0].post.purpose != "message":
            await outside.settle(claimed[0])
        await outside.settle(claimed[0], "refused", reason="the bot is not in the chat")
    await outside.show()
    if broken == "no bridge":
        clock.advance(60)
    if broken == "bot in error":
        report = replace(listening(outside.bot), listening=False, error="wrong secret")
        await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="bridge-1", reports=[report])
    assert heard.message is not None

    (*_, last) = await why(outside, heard.message)

    words = {"refused": "not in the chat", "no bridge": "no bridge holds", "bot in error": "wrong secret"}
    assert last[:2] == ("shown", None if broken == "on its way" else False)
    assert words.get(broken, "on its way") in last[2]
