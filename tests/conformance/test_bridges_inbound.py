"""What people say outside: each thing once, for the right agent in the right topic, and nothing for strangers."""

from collections.abc import Sequence

import pytest

from pal_server.actions import bots, identities, inbound, messages, places
from pal_server.domain.inbound import Answered, Incoming
from pal_server.domain.messages import FILES_LIMIT
from pal_server.errors import Conflict, Invalid, LeaseLost
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.outside import BRIDGE, PLATFORM, Outside, bind, hold, make_outside
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


@pytest.fixture
async def outside(bus: Bus) -> Outside:
    return await make_outside(bus)


async def topics(outside: Outside) -> list[int]:
    return [delivery.topic_id for delivery in await outside.bus.deliveries()]


# CB-1: one message, one delivery


async def test_a_mention_is_one_message_and_one_delivery(outside: Outside) -> None:
    answered = await outside.hear("do it")

    (delivery,) = await outside.bus.deliveries()
    assert (answered.outcome, delivery.agent, delivery.message_id) == ("done", "bot", answered.message)
    claimed = await outside.bus.claim_one()
    assert claimed.work["content"] == "do it"
    assert "Ann" in claimed.work["prompt"]


async def test_the_same_event_again_adds_nothing_and_answers_the_same(outside: Outside) -> None:
    first = await outside.hear("do it", event="again", ref="m-again")
    second = await outside.hear("do it", event="again", ref="m-again")

    assert second == first
    assert len(await outside.bus.deliveries()) == 1


async def test_the_same_event_hours_later_adds_nothing(outside: Outside, clock: Clock) -> None:
    first = await outside.hear("do it", event="again")
    clock.advance(6 * 3600)
    outside.bot = await hold(outside.bus)

    assert await outside.hear("do it", event="again") == first
    assert len(await outside.bus.deliveries()) == 1


async def test_a_bridge_without_the_lease_is_refused(outside: Outside) -> None:
    incoming = Incoming(event="x", kind="said", chat="g1", thread="t1", place="group", person="ann", at=1, text="hi")

    with pytest.raises(LeaseLost):
        await outside.bus.store.write(
            inbound.hear, actor=BRIDGE, bot=outside.bot.id, lease_id="another", incoming=incoming
        )

    assert await outside.bus.deliveries() == []


async def test_two_bots_in_one_message_are_one_message_with_two_deliveries(outside: Outside) -> None:
    await outside.bus.agent("other")
    second = await outside.second_bot("other")

    one = await outside.hear("both of you", event="e-a", ref="m-both")
    two = await outside.hear("both of you", event="e-b", ref="m-both", bot=second)

    assert one.message == two.message
    assert sorted(delivery.agent for delivery in await outside.bus.deliveries()) == ["bot", "other"]


# CB-2: places


async def test_a_thread_is_a_topic_and_a_chat_is_a_room(outside: Outside) -> None:
    await outside.hear("one", thread="t1")
    await outside.hear("two", thread="t1")
    await outside.hear("three", thread="t2")

    first, second, third = await outside.bus.deliveries()
    assert first.topic_id == second.topic_id != third.topic_id
    assert first.room_id == third.room_id
    assert await outside.bus.store.read(find_broken) == []


async def test_a_direct_chat_is_one_topic_in_a_private_room(outside: Outside) -> None:
    await outside.hear("one", chat="d1", thread="", place="direct", title="")
    await outside.hear("two", chat="d1", thread="", place="direct", title="")

    assert len(set(await topics(outside))) == 1
    assert [name for name in await outside.rooms() if name.startswith("chatter-ann-")]


async def test_new_begins_another_topic_and_late_answers_of_the_old_one_still_come(outside: Outside) -> None:
    await outside.hear("first", chat="d1", thread="", place="direct")
    claimed = await outside.bus.claim_one()
    run = await outside.bus.open(claimed)

    await outside.hear("/new second", chat="d1", thread="", place="direct")

    first, second = await topics(outside)
    assert first != second
    await outside.bus.finish(run, text="the late answer")
    assert "the late answer" in await outside.texts()


async def test_new_alone_says_so(outside: Outside) -> None:
    answered = await outside.hear("/new")

    assert answered.outcome == "done"
    assert await outside.bus.deliveries() == []
    assert await outside.texts() == ["A new conversation begins here."]


async def test_an_answer_to_a_post_is_a_reply_to_its_message(outside: Outside) -> None:
    await outside.hear("go")
    claimed = await outside.bus.claim_one()
    await outside.bus.finish(await outside.bus.open(claimed), text="my answer")
    shown = next(post for post in await outside.deliver() if post.purpose == "message")

    answered = await outside.hear("thanks", reply_to=f"out-{shown.id}")

    (said,) = [d for d in await outside.bus.deliveries() if d.message_id == answered.message]
    assert said.agent == "bot"


async def test_what_is_not_for_the_bot_is_no_message_but_in_a_thread_it_is_in(outside: Outside) -> None:
    ignored = await outside.hear("chatter", addressed=False)
    await outside.hear("go")
    heard = await outside.hear("by the way", addressed=False)

    assert (ignored.outcome, heard.outcome) == ("ignored", "done")
    assert len(await outside.bus.deliveries()) == 1


# CB-7: who may


async def test_a_stranger_gets_one_refusal_and_creates_nothing(outside: Outside) -> None:
    before = await outside.rooms()

    answers = [await outside.hear("let me in", person="eve", person_name="Eve") for _ in range(3)]

    assert {answered.outcome for answered in answers} == {"refused"}
    texts = await outside.texts()
    assert len(texts) == 1
    assert "may not talk" in texts[0]
    assert (await outside.bus.deliveries(), await outside.rooms()) == ([], before)
    page = await outside.bus.store.read(
        identities.list_page,
        actor=outside.bus.people.admin,
        platform=PLATFORM,
        standing="asked",
        after=None,
        limit=10,
    )
    assert [identity.external_id for identity in page.items] == ["eve"]


async def test_who_is_let_in_talks_by_any_of_their_ids(outside: Outside) -> None:
    await outside.hear("let me in", person="open-eve", others=("union-eve",))
    await outside.allow("union-eve", name="Eve")

    answered = await outside.hear("now?", person="open-eve", others=("union-eve",))

    assert answered.outcome == "done"


async def test_who_is_shut_out_is_refused(outside: Outside) -> None:
    await outside.allow("ann", allowed=False)

    assert (await outside.hear("go")).outcome == "refused"
    assert await outside.bus.deliveries() == []


async def test_a_quota_counts_messages_of_an_hour(outside: Outside, clock: Clock) -> None:
    await outside.allow("ann", quota=2)

    outcomes = [(await outside.hear(f"go {number}", thread=f"q{number}")).outcome for number in range(4)]

    assert outcomes == ["done", "done", "refused", "refused"]
    assert len([text for text in await outside.texts() if "more than 2 messages" in text]) == 1


@pytest.mark.parametrize(("level", "may"), [("talk", False), ("operate", True)])
async def test_stopping_needs_a_level(outside: Outside, level: str, may: bool) -> None:
    await outside.hear("go")
    run = await outside.bus.open(await outside.bus.claim_one())
    await outside.allow("ann", level=level)

    await outside.hear("/stop")

    assert ((await outside.bus.run(run.id)).wanted == "stop") is may


# CB-14: commands


async def test_commands_are_answered_in_the_place(outside: Outside) -> None:
    await outside.hear("go")
    await outside.hear("/help")
    await outside.hear("/status")

    texts = await outside.texts()

    assert any("What you can say here" in text for text in texts)
    assert any(text.startswith("bot: demo on box") for text in texts)


async def test_a_command_of_the_platform_is_answered_to_the_person_alone(outside: Outside) -> None:
    answered = await outside.hear("help", kind="command", name="pal")

    assert "What you can say here" in answered.text


async def test_a_command_that_can_name_no_thread_is_about_the_one_at_work(outside: Outside, clock: Clock) -> None:
    await outside.hear("go", thread="t1")
    run = await outside.bus.open(await outside.bus.claim_one())
    await outside.hear("hello", thread="t2")
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text="done there")
    for number in range(places.MEANT_AMONG + 1):
        clock.advance(0.001)
        await outside.hear("by the way", chat="another", thread=f"t{number}")
    await outside.deliver()

    answered = await outside.hear("stop", kind="command", name="pal", thread="", ref="")

    assert (await outside.bus.run(run.id)).wanted == "stop"
    assert "in the conversation" in answered.text
    told = [post for post in await outside.deliver() if post.kind == "text"]
    assert [post.thread for post in told if "asked to stop" in post.body["text"]] == ["t1"]


async def test_a_command_of_the_platform_leaves_what_others_asked_for_alone(outside: Outside, clock: Clock) -> None:
    """Bea may stop one of several by its thread alone; to clear is about the chat itself."""
    await outside.allow("bea", name="Bea", level="operate")
    runs = []
    for thread in ("t1", "t2"):
        await outside.hear("go", thread=thread)
        runs.append(await outside.bus.open(await outside.bus.claim_one()))
        clock.advance(1)
    command = {"kind": "command", "name": "pal", "thread": "", "ref": ""}

    cleared = await outside.hear("clear", person="bea", person_name="Bea", **command)
    refused = await outside.hear("stop", person="bea", person_name="Bea", **command)

    assert [(await outside.bus.run(run.id)).wanted for run in runs] == [None, None]
    assert (cleared.outcome, "several conversations" in refused.text) == ("done", True)
    assert {(await topic_of(outside, cleared))}.isdisjoint(await topics(outside))
    await outside.hear("stop", **command)
    assert [(await outside.bus.run(run.id)).wanted for run in runs] == [None, "stop"]
    shown = [post for post in await outside.deliver() if post.thread in ("t1", "t2") and "mention" in post.body]
    assert {post.body["mention"]["id"] for post in shown} == {"ann"}


async def test_a_command_in_a_direct_chat_is_about_the_chat_itself_when_that_is_at_work(outside: Outside) -> None:
    direct = {"chat": "d1", "place": "direct"}
    await outside.hear("an aside", thread="aside", **direct)
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text="done there")
    await outside.hear("long work", thread="", **direct)
    run = await outside.bus.open(await outside.bus.claim_one())

    await outside.hear("stop", kind="command", name="pal", thread="", ref="", **direct)

    assert (await outside.bus.run(run.id)).wanted == "stop"


async def topic_of(outside: Outside, answered: Answered) -> int:
    assert answered.message is not None
    found = await outside.bus.store.read(messages.get, actor=outside.bus.people.owner, id=answered.message)
    return found.topic_id


# bad input


@pytest.mark.parametrize("unsupported", ["a location", "a sticker"])
async def test_what_cannot_be_read_is_said_so(outside: Outside, unsupported: str) -> None:
    answered = await outside.hear("", unsupported=unsupported)

    assert answered.outcome == "done"
    assert unsupported in (await outside.texts())[0]
    assert await outside.bus.deliveries() == []


async def test_an_empty_message_is_answered_and_is_no_work(outside: Outside) -> None:
    await outside.hear("  ")

    assert await outside.texts() == ["I am here. What shall be done?"]
    assert await outside.bus.deliveries() == []


async def test_a_huge_message_is_cut_and_says_so(outside: Outside) -> None:
    await outside.hear("x" * 300_000)

    content = (await outside.bus.claim_one()).work["content"]
    assert "cut here" in content
    assert len(content) <= 200_000


@pytest.mark.parametrize("name", ["🦊 Ann", "مرحبا", "bot", "owner", "a@b", "", "x" * 500, "<script>"])
async def test_any_name_can_speak(outside: Outside, name: str) -> None:
    answered = await outside.hear("go", person_name=name)

    assert answered.outcome == "done"
    assert len(await outside.bus.deliveries()) == 1


# edits and deletions of people (BX-16)


async def test_an_edit_changes_what_waits_and_a_deletion_drops_it(outside: Outside) -> None:
    first = await outside.hear("befor", ref="m-edit")
    await outside.hear("before", kind="edited", ref="m-edit", event="edit-1")

    assert (await outside.bus.deliveries())[0].status == "pending"
    claimed = await outside.bus.claim_one()
    assert (claimed.work["content"], claimed.delivery.message_id) == ("before", first.message)

    gone = await outside.hear("and this", ref="m-gone")
    await outside.hear("", kind="deleted", ref="m-gone", event="gone-1")
    assert [d.status for d in await outside.bus.deliveries() if d.message_id == gone.message] == ["cancelled"]


async def test_what_several_bots_hear_calls_whom_it_calls_also_once_it_is_changed(outside: Outside) -> None:
    """Every bot of a thread hears all of it, and tells of each edit."""
    await outside.bus.agent("other")
    second = await outside.second_bot("other")
    await outside.hear("the other one", bot=second)  # in the thread as well
    for bot, is_called in ((outside.bot, True), (second, False)):
        await outside.hear("fix it", ref="m-fix", bot=bot, addressed=is_called)
        await outside.hear("by the way", ref="m-way", bot=bot, addressed=False)

    for bot, is_called in ((outside.bot, True), (second, False)):
        await outside.hear("fix that", kind="edited", ref="m-fix", bot=bot, addressed=is_called)
        await outside.hear("by the way!", kind="edited", ref="m-way", bot=bot, addressed=False)

    assert [(one.agent, one.status) for one in await outside.bus.deliveries()] == [
        ("other", "pending"),
        ("bot", "pending"),
    ]


async def test_an_edit_that_calls_the_bot_calls_it(outside: Outside) -> None:
    await outside.hear("hello")
    await outside.hear("by the way", ref="m-way", addressed=False)

    await outside.hear("by the way, fix it", kind="edited", ref="m-way")

    assert [one.status for one in await outside.bus.deliveries()] == ["pending", "pending"]


async def test_what_is_taken_back_is_dropped_where_nobody_says_who_took_it_back(outside: Outside) -> None:
    gone = await outside.hear("do it", ref="m-gone")
    await outside.hear("look", ref="m-look", files=({"key": "k", "name": "a.png", "mime": "image/png", "size": 3},))

    taken = [
        await outside.hear("", kind="deleted", person="", person_name="", thread="", ref=ref)
        for ref in ("m-gone", "m-look", "m-unknown")
    ]

    assert [answered.outcome for answered in taken] == ["done", "done", "refused"]
    assert [(one.message_id, one.status) for one in await outside.bus.deliveries()] == [(gone.message, "cancelled")]


async def test_what_is_changed_while_its_files_are_fetched_is_said_as_it_is_now(outside: Outside) -> None:
    files = ({"key": "k", "name": "a.png", "mime": "image/png", "size": 3},)
    changed = await outside.hear("befor", ref="m-edit", files=files)
    gone = await outside.hear("and this", ref="m-gone", files=files)

    await outside.hear("before", kind="edited", ref="m-edit", event="edit-1")
    await outside.hear("", kind="deleted", ref="m-gone", event="gone-1")
    said = [await hand_in(outside, waiting.id) for waiting in (changed, gone)]

    assert [answered.outcome for answered in said] == ["done", "ignored"]
    assert [delivery.message_id for delivery in await outside.bus.deliveries()] == [said[0].message]
    assert (await outside.bus.claim_one()).work["content"].startswith("before\n")


async def test_what_was_taken_back_before_the_second_bot_heard_it_is_done_with(outside: Outside) -> None:
    """A platform tells it again, perhaps from its history: refused, it would stand in the way of all after it."""
    await outside.bus.agent("other")
    second = await outside.second_bot("other")
    said = await outside.hear("both of you", ref="m-both")
    await outside.hear("", kind="deleted", ref="m-both", event="gone-1")

    answered = await outside.hear("both of you", ref="m-both", bot=second)

    assert (answered.outcome, answered.message) == ("done", said.message)
    assert [(one.agent, one.status) for one in await outside.bus.deliveries()] == [("bot", "cancelled")]


async def test_another_person_cannot_change_it(outside: Outside) -> None:
    await outside.hear("mine", ref="m-mine")
    await outside.allow("bob", name="Bob")

    answered = await outside.hear("his", kind="edited", ref="m-mine", person="bob", event="edit-2")

    assert answered.outcome == "ignored"
    assert (await outside.bus.claim_one()).work["content"] == "mine"


# files


async def test_a_message_with_files_is_said_when_they_are_there(outside: Outside) -> None:
    waiting = await outside.hear("look", files=({"key": "k", "name": "a.png", "mime": "image/png", "size": 3},))
    assert (waiting.outcome, waiting.message, len(waiting.files)) == ("waiting", None, 1)
    assert await outside.bus.deliveries() == []

    for _ in range(2):
        said = await hand_in(outside, waiting.id)
        assert (said.outcome, said.id) == ("done", waiting.id)

    assert len(await outside.bus.deliveries()) == 1
    assert "a.png could not be fetched" in (await outside.bus.claim_one()).work["content"]


async def test_a_message_is_said_though_its_files_have_ended_or_are_too_many(outside: Outside) -> None:
    """A bridge that begins fetches all there are; one that could not hand them in would never be heard."""
    many = tuple({"key": f"k{n}", "name": f"{n}.png", "mime": "image/png", "size": 3} for n in range(FILES_LIMIT + 2))
    waiting = await outside.hear("look", files=many)

    said = await hand_in(outside, waiting.id, files=[f"file_{n}" for n in range(FILES_LIMIT + 2)], missing=[])

    assert (said.outcome, len(waiting.files)) == ("done", FILES_LIMIT)
    assert (await outside.bus.claim_one()).work["content"].splitlines() == [
        "look",
        "",
        "[22 of its files are not here any more]",
        "",
        "[2 more files are left out: a message has at most 20]",
    ]


async def test_files_wait_while_the_bot_is_connected_to_no_agent(outside: Outside) -> None:
    waiting = await outside.hear("look", files=({"key": "k", "name": "a.png", "mime": "image/png", "size": 3},))
    await outside.bus.store.write(bots.unbind, actor=outside.bus.people.admin, ref=outside.bot.id)

    with pytest.raises(Conflict):
        await hand_in(outside, waiting.id)

    await bind(outside.bus, agent="bot")
    assert (await hand_in(outside, waiting.id)).outcome == "done"


async def hand_in(
    outside: Outside, event: int, *, files: Sequence[str] = (), missing: Sequence[str] = ("a.png",)
) -> Answered:
    """The bridge could not fetch the file of an event."""
    return await outside.bus.store.write(
        inbound.with_files,
        actor=BRIDGE,
        bot=outside.bot.id,
        lease_id=outside.bot.lease_id,
        id=event,
        files=files,
        missing=missing,
    )


async def test_a_new_bridge_learns_what_still_waits_for_files(outside: Outside, clock: Clock) -> None:
    waiting = await outside.hear("look", files=({"key": "k", "name": "a.png", "mime": "image/png", "size": 3},))
    clock.advance(60)

    beat = await outside.bus.store.write(bots.beat, actor=BRIDGE, platform=PLATFORM, holder="bridge-2", reports=[])

    (held,) = beat.held
    assert [event.id for event in held.waiting] == [waiting.id]
    assert [place.chat for place in held.places] == ["g1"]


# CB-15: what platforms told


async def test_the_newest_events_are_kept_as_they_came(outside: Outside) -> None:
    await outside.hear("go", raw='{"text": "go"}')

    page = await outside.bus.store.read(
        inbound.list_events, actor=outside.bus.people.admin, platform=PLATFORM, after=None, limit=10
    )

    assert [(event.kind, event.raw, event.outcome) for event in page.items] == [("said", '{"text": "go"}', "done")]
    assert await outside.bus.store.write(inbound.forget_words, before=2**60, keep=10) == 1


# CB-16: what the agent is told of it


async def test_a_bot_puts_what_it_heard_in_its_own_words_and_names_are_no_slots(bus: Bus) -> None:
    outside = await make_outside(bus)
    bot = await bind(bus, agent="bot", options={"prompt": "{sender} asks from the shop floor:\n{text}\nBe brief."})
    outside.bot = await hold(bus)
    await outside.allow("ben", name="Ben {text}")

    await outside.hear("what about {sender}?", person="ben", person_name="Ben {text}")
    work = (await bus.claim_one()).work

    assert bot.options["prompt"].startswith("{sender}")
    assert "Ben {text} asks from the shop floor:\nwhat about {sender}?\nBe brief." in work["prompt"]
    assert work["content"] == "what about {sender}?"


async def test_a_prompt_without_the_text_is_refused(bus: Bus) -> None:
    await bus.agent("bot")

    with pytest.raises(Invalid, match="where the message shall stand"):
        await bind(bus, agent="bot", options={"prompt": "answer {sender}"})


async def test_what_is_said_in_pal_is_not_put_in_a_bots_words(bus: Bus) -> None:
    await make_outside(bus)
    await bind(bus, agent="bot", options={"prompt": "from outside: {text}"})

    await bus.say("@bot hello")

    assert "from outside" not in (await bus.claim_one()).work["prompt"]
