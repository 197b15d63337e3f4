"""RM-10 outside: an answer to the agent's own words reaches it, mention or not, and goes on in their topic."""

from typing import Any

import pytest

from pal_server.actions import messages, topics
from pal_server.domain.inbound import Answered
from pal_server.domain.messages import Message
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import make_bus
from tests.support.outside import Outside, make_outside


@pytest.fixture
async def outside(store: Store) -> Outside:
    return await make_outside(await make_bus(store))


async def answer(outside: Outside, text: str, **more: Any) -> str:
    """Ann asks, the agent says this: what the platform calls it."""
    await outside.hear("go", **more)
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text=text)
    (shown,) = [post for post in await outside.deliver() if post.body.get("text") == text]
    return f"out-{shown.id}"


async def message(outside: Outside, answered: Answered) -> Message:
    assert answered.message is not None
    return await outside.bus.store.read(messages.get, actor=outside.bus.people.owner, id=answered.message)


async def parent(outside: Outside, answered: Answered) -> str:
    """The words that a message answers; empty when it answers none."""
    said = await message(outside, answered)
    if said.parent_id is None:
        return ""
    return (await outside.bus.store.read(messages.get, actor=outside.bus.people.owner, id=said.parent_id)).content


async def reasons(outside: Outside, answered: Answered) -> list[tuple[str, str]]:
    found = await outside.bus.deliveries()
    return [(one.agent, one.reason) for one in found if one.message_id == answered.message]


async def test_an_answer_to_the_agent_reaches_it_without_a_mention_and_other_words_do_not(outside: Outside) -> None:
    ref = await answer(outside, "here it is")

    reply = await outside.hear("and the rest?", addressed=False, reply_to=ref)
    among_people = await outside.hear("nice", addressed=False, ref="m-nice")
    to_a_person = await outside.hear("indeed", addressed=False, reply_to="m-nice")

    assert await parent(outside, reply) == "here it is"
    assert await reasons(outside, reply) == [("bot", "reply")]
    assert await parent(outside, to_a_person) == "nice"
    assert [await reasons(outside, one) for one in (among_people, to_a_person)] == [[], []]


async def test_two_bots_that_hear_the_answer_are_one_message_for_the_one_that_is_answered(outside: Outside) -> None:
    ref = await answer(outside, "here it is")
    await outside.bus.agent("other")
    second = await outside.second_bot("other")

    by_the_other = await outside.hear("more", addressed=False, reply_to=ref, ref="m-more", bot=second)
    by_its_own = await outside.hear("more", addressed=False, reply_to=ref, ref="m-more")

    assert by_the_other.message == by_its_own.message
    assert await reasons(outside, by_its_own) == [("bot", "reply")]


async def test_a_thread_below_an_answer_goes_on_with_its_topic_and_is_answered_there_alone(outside: Outside) -> None:
    direct = {"chat": "d1", "thread": "", "place": "direct"}
    ref = await answer(outside, "first answer", **direct)

    reply = await outside.hear("why?", **{**direct, "thread": ref}, reply_to=ref)
    shown = await outside.deliver()
    await outside.bus.finish(await outside.bus.open(await outside.bus.claim_one()), text="that is why")
    shown += await outside.deliver()

    assert (await parent(outside, reply), await reasons(outside, reply)) == ("first answer", [("bot", "mention")])
    assert {(post.purpose, post.thread) for post in shown} == {("working", ref), ("turn", ref), ("message", ref)}
    assert len([post for post in shown if post.purpose == "message"]) == 1
    again = await answer(outside, "in the chat itself", **direct)
    assert [post.thread for post in await outside.posts() if post.ref == again] == [""]
    assert await outside.bus.store.read(find_broken) == []


async def test_a_thread_below_the_agent_s_words_in_a_group_is_heard_and_a_stranger_there_refused(
    outside: Outside,
) -> None:
    ref = await answer(outside, "here it is")

    ignored = await outside.hear("no answer", thread="elsewhere", addressed=False, reply_to="elsewhere")
    refused = await outside.hear("and I?", thread=ref, addressed=False, reply_to=ref, person="eve", person_name="Eve")
    reply = await outside.hear("go on", thread=ref, addressed=False, reply_to=ref)

    assert (ignored.outcome, refused.outcome) == ("ignored", "refused")
    assert len([text for text in await outside.texts() if "may not talk" in text]) == 1
    assert (await parent(outside, reply), await reasons(outside, reply)) == ("here it is", [("bot", "reply")])


async def test_a_quoted_answer_of_an_older_topic_is_answered_there(outside: Outside) -> None:
    direct = {"chat": "d1", "thread": "", "place": "direct"}
    ref = await answer(outside, "an old answer", **direct)
    await outside.hear("/new", **direct)

    late = await message(outside, await outside.hear("what was that?", **direct, reply_to=ref))
    fresh = await message(outside, await outside.hear("something else", **direct))

    old = next(one for one in await outside.bus.deliveries() if one.message_id != late.id)
    assert late.topic_id == old.topic_id != fresh.topic_id


async def test_what_a_thread_began_with_does_not_hold_it_in_its_older_topic(outside: Outside) -> None:
    """Where every word of a thread names its first one, `/new` counts all the same."""
    first = await message(outside, await outside.hear("go", thread="root", ref="root"))
    await outside.hear("/new", thread="root", reply_to="root")

    after = await message(outside, await outside.hear("another thing", thread="root", reply_to="root"))

    assert after.topic_id != first.topic_id
    assert after.parent_id is None


async def test_an_answer_to_words_whose_topic_is_archived_reaches_the_agent_all_the_same(outside: Outside) -> None:
    ref = await answer(outside, "here it is")
    (over,) = await outside.bus.deliveries()
    await outside.bus.store.write(topics.change, actor=outside.bus.people.owner, id=over.topic_id, archived=True)

    reply = await outside.hear("and the rest?", addressed=False, reply_to=ref)

    assert await parent(outside, reply) == ""
    assert await reasons(outside, reply) == [("bot", "mention")]


async def test_what_pal_answers_to_a_command_is_in_the_thread_of_the_command(outside: Outside) -> None:
    direct = {"chat": "d1", "thread": "", "place": "direct"}
    ref = await answer(outside, "first answer", **direct)

    await outside.hear("/status", **{**direct, "thread": ref}, reply_to=ref)

    assert [post.thread for post in await outside.deliver() if post.kind == "text"] == [ref]


async def test_an_answer_that_calls_somebody_else_is_not_for_the_agent(outside: Outside) -> None:
    ref = await answer(outside, "here it is")

    aside = await outside.hear("@bea look at this", addressed=False, reply_to=ref, ref="m-aside")
    called = await outside.hear("@bea and @bot look", addressed=True, reply_to=ref)

    assert await parent(outside, aside) == "here it is"
    assert await reasons(outside, aside) == []
    assert await reasons(outside, called) == [("bot", "mention")]
