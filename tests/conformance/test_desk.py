"""RM-15, RM-16, RM-17: what one person keeps, who is here, and the snapshot a client begins with."""

import json
from typing import Any

import pytest

from pal_server.actions import desk, messages, snapshot, topics
from pal_server.domain.actors import Actor
from pal_server.domain.desk import PRESENT_FOR, PROMPTS_LIMIT, SAVED_LIMIT, UNREAD_MAX, Glance, Saved
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock, Heard


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def glance(bus: Bus, topic: int, *, actor: Actor | None = None) -> Glance:
    seen = await bus.store.read(snapshot.take, actor=actor or bus.people.owner)
    return next(one for one in seen.topics if one.topic.id == topic)


def told(heard: Heard, kind: str) -> list[dict[str, Any]]:
    return [json.loads(event.data) for batch in heard.events for event in batch if event.kind == kind]


async def test_what_others_say_is_unread_until_it_is_read(bus: Bus, heard: Heard) -> None:
    topic = await bus.topic()
    first = await bus.say("one", topic=topic)
    second = await bus.say("two", topic=topic)
    await bus.say("mine", topic=topic, actor=bus.people.owner)
    assert (await glance(bus, topic)).unread == 2

    await bus.store.write(desk.mark_read, actor=bus.people.owner, topic=topic, message=first.message.id)

    assert (await glance(bus, topic)).unread == 1
    assert (await glance(bus, topic)).read == first.message.id
    assert told(heard, "topic.read") == [{"topic": topic, "message": first.message.id, "unread": 1}]
    await bus.store.write(desk.mark_read, actor=bus.people.owner, topic=topic, message=second.message.id)
    assert (await glance(bus, topic)).unread == 0


async def test_a_topic_is_marked_as_unread_again(bus: Bus) -> None:
    topic = await bus.topic()
    said = [await bus.say(text, topic=topic) for text in ("one", "two", "three")]
    await bus.store.write(desk.mark_read, actor=bus.people.owner, topic=topic, message=said[-1].message.id)

    await bus.store.write(desk.mark_read, actor=bus.people.owner, topic=topic, message=said[0].message.id)

    assert (await glance(bus, topic)).unread == 2


async def test_read_marks_are_each_persons_own(bus: Bus) -> None:
    topic = await bus.topic()
    said = await bus.say("one", topic=topic)

    await bus.store.write(desk.mark_read, actor=bus.people.owner, topic=topic, message=said.message.id)

    assert (await glance(bus, topic, actor=bus.people.admin)).unread == 1


async def test_nobody_counts_unread_messages_for_ever(bus: Bus) -> None:
    topic = await bus.topic()
    await bus.store.write(desk.mark_read, actor=bus.people.owner, topic=topic, message=0)
    for number in range(UNREAD_MAX + 5):
        await bus.say(f"number {number}", topic=topic)

    assert (await glance(bus, topic)).unread == UNREAD_MAX


async def test_a_glance_shows_the_newest_words_and_the_newest_run(bus: Bus) -> None:
    topic = await bus.topic()
    _, run = await bus.start("@bot go", topic=topic)
    await bus.finish(run, text="done " * 100)

    seen = await glance(bus, topic)

    assert seen.last is not None
    assert seen.last.text.startswith("done done")
    assert len(seen.last.text) == 200
    assert seen.run == (run.id, "bot", "succeeded")
    assert seen.agents == ("bot",)


async def test_deleted_words_are_on_no_list(bus: Bus) -> None:
    topic = await bus.topic()
    await bus.say("stays", topic=topic)
    gone = await bus.say("goes", topic=topic)
    await bus.store.write(messages.delete, actor=bus.people.member, id=gone.message.id)

    seen = await glance(bus, topic)

    assert seen.last is not None
    assert (seen.last.text, seen.unread) == ("stays", 1)


async def test_a_draft_survives_until_it_is_emptied(bus: Bus, heard: Heard) -> None:
    topic = await bus.topic()
    await bus.store.write(desk.write_draft, actor=bus.people.owner, topic=topic, content="half a tho")
    kept = await bus.store.read(snapshot.take, actor=bus.people.owner)
    others = await bus.store.read(snapshot.take, actor=bus.people.admin)

    await bus.store.write(desk.write_draft, actor=bus.people.owner, topic=topic, content="")

    assert [draft.content for draft in kept.drafts] == ["half a tho"]
    assert others.drafts == ()
    assert (await bus.store.read(snapshot.take, actor=bus.people.owner)).drafts == ()
    assert [draft["content"] for draft in told(heard, "draft.written")] == ["half a tho", ""]


async def test_what_is_personal_is_told_to_that_person_alone(bus: Bus, heard: Heard) -> None:
    topic = await bus.topic()

    await bus.store.write(desk.write_draft, actor=bus.people.owner, topic=topic, content="secret")

    audiences = {event.audience for batch in heard.events for event in batch if event.kind == "draft.written"}
    assert audiences == {bus.people.owner.key}


async def save(bus: Bus, topic: int, content: str, **more: Any) -> Saved:
    return await bus.store.write(desk.save, actor=bus.people.owner, topic=topic, content=content, **more)


async def saved(bus: Bus) -> list[str]:
    return [one.content for one in (await bus.store.read(snapshot.take, actor=bus.people.owner)).saved]


async def test_messages_for_later_are_added_edited_moved_and_removed(bus: Bus) -> None:
    topic = await bus.topic()
    one, two, three = [await save(bus, topic, text) for text in ("one", "two", "three")]

    await bus.store.write(desk.change_saved, actor=bus.people.owner, id=three.id, place=0)
    await bus.store.write(desk.change_saved, actor=bus.people.owner, id=one.id, content="first")
    await bus.store.write(desk.drop_saved, actor=bus.people.owner, id=two.id)

    assert await saved(bus) == ["three", "first"]


async def test_saving_again_with_one_client_id_saves_once(bus: Bus) -> None:
    topic = await bus.topic()

    first = await save(bus, topic, "once", client_id="a")
    again = await save(bus, topic, "once", client_id="a")

    assert first == again
    assert await saved(bus) == ["once"]


async def test_saved_messages_of_others_are_missing(bus: Bus) -> None:
    mine = await save(bus, await bus.topic(), "mine")

    with pytest.raises(NotFound):
        await bus.store.write(desk.drop_saved, actor=bus.people.admin, id=mine.id)


async def test_a_person_keeps_so_many_messages_for_later(bus: Bus) -> None:
    topic = await bus.topic()
    for number in range(SAVED_LIMIT):
        await save(bus, topic, f"number {number}")

    with pytest.raises(Conflict):
        await save(bus, topic, "one too many")


async def prompts(bus: Bus, actor: Actor | None = None) -> dict[str, str]:
    seen = await bus.store.read(snapshot.take, actor=actor or bus.people.owner)
    return {one.name: one.content for one in seen.saved_prompts}


async def test_prompts_are_kept_under_names_of_ones_own(bus: Bus, heard: Heard) -> None:
    for name, content in (("review", "Review it."), ("test", "Test it."), ("review", "Review it well.")):
        await bus.store.write(desk.save_prompt, actor=bus.people.owner, name=name, content=content)
    assert await prompts(bus) == {"review": "Review it well.", "test": "Test it."}
    assert await prompts(bus, bus.people.admin) == {}

    await bus.store.write(desk.drop_prompt, actor=bus.people.owner, name="test")

    assert await prompts(bus) == {"review": "Review it well."}
    assert [one["content"] for one in told(heard, "saved_prompt.put")] == ["Review it.", "Test it.", "Review it well."]
    assert [one["name"] for one in told(heard, "saved_prompt.removed")] == ["test"]


async def test_a_saved_prompt_has_a_name_that_can_be_typed_and_words(bus: Bus) -> None:
    for name in ("", "two words", "a/b", "x" * 41):
        with pytest.raises(Invalid):
            await bus.store.write(desk.save_prompt, actor=bus.people.owner, name=name, content="words")
    with pytest.raises(Invalid):
        await bus.store.write(desk.save_prompt, actor=bus.people.owner, name="empty", content=" ")
    await bus.store.write(desk.save_prompt, actor=bus.people.owner, name="评审-1", content="words")
    with pytest.raises(NotFound):
        await bus.store.write(desk.drop_prompt, actor=bus.people.admin, name="评审-1")

    assert await prompts(bus) == {"评审-1": "words"}


async def test_a_person_keeps_so_many_prompts(bus: Bus) -> None:
    for number in range(PROMPTS_LIMIT):
        await bus.store.write(desk.save_prompt, actor=bus.people.owner, name=f"p{number}", content="words")

    with pytest.raises(Conflict):
        await bus.store.write(desk.save_prompt, actor=bus.people.owner, name="more", content="words")
    await bus.store.write(desk.save_prompt, actor=bus.people.owner, name="p0", content="other words")
    assert (await prompts(bus))["p0"] == "other words"


async def test_preferences_change_by_name_and_are_checked(bus: Bus, heard: Heard) -> None:
    changed = await bus.store.write(
        desk.change_preferences, actor=bus.people.owner, wanted={"theme": "dark", "font_size": 17}
    )
    with pytest.raises(Invalid):
        await bus.store.write(desk.change_preferences, actor=bus.people.owner, wanted={"font_size": 99})
    with pytest.raises(Invalid):
        await bus.store.write(desk.change_preferences, actor=bus.people.owner, wanted={"quiet_from": 60})

    seen = await bus.store.read(snapshot.take, actor=bus.people.owner)
    assert seen.preferences == changed
    assert (seen.preferences.theme, seen.preferences.font_size, seen.preferences.enter_sends) == ("dark", 17, False)
    assert len(told(heard, "preferences.changed")) == 1


async def test_somebody_is_present_for_ninety_seconds_after_the_last_sign(bus: Bus, clock: Clock, heard: Heard) -> None:
    await bus.store.write(desk.be_present, actor=bus.people.owner)
    clock.advance(60)
    await bus.store.write(desk.be_present, actor=bus.people.owner)
    clock.advance(PRESENT_FOR / 1000)
    assert not await bus.store.read(desk.any_gone)

    clock.advance(1)
    went = await bus.store.write(desk.end_presence)

    name = bus.people.owner.name
    assert went == 1
    assert told(heard, "presence.began") == [{"user": name}]
    assert told(heard, "presence.ended") == [{"user": name}]
    assert (await bus.store.read(snapshot.take, actor=bus.people.admin)).present == ()


async def test_what_belongs_to_people_is_not_for_agents(bus: Bus) -> None:
    await bus.say("@bot go")
    actor = await bus.inside(await bus.claim_one())

    with pytest.raises(Forbidden):
        await bus.store.write(desk.mark_read, actor=actor, topic=actor.topic_id or 0, message=1)
    with pytest.raises(Forbidden):
        await bus.store.read(snapshot.take, actor=actor)


async def test_a_hidden_room_is_in_no_snapshot(bus: Bus) -> None:
    hidden = await bus.make_room("hidden", visibility="private")

    seen = await bus.store.read(snapshot.take, actor=bus.people.member)

    assert hidden.id not in {room.id for room in seen.rooms}
    assert hidden.id not in {one.topic.room_id for one in seen.topics}
    with pytest.raises(NotFound):
        await bus.store.write(desk.mark_read, actor=bus.people.member, topic=hidden.default_topic, message=0)


async def test_a_snapshot_has_what_waits_and_what_lives(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    waiting = await bus.say("@bot and then this")

    seen = await bus.store.read(snapshot.take, actor=bus.people.viewer)

    assert [one.id for one in seen.runs] == [run.id]
    assert {one.message_id for one in seen.deliveries} == {run.message_id, waiting.message.id}
    assert seen.position > 0
    await bus.finish(run, status="cancelled")
    assert (await bus.store.read(snapshot.take, actor=bus.people.viewer)).runs == ()


async def test_archived_topics_stay_in_the_list(bus: Bus) -> None:
    topic = await bus.topic("old")
    await bus.store.write(topics.change, actor=bus.people.member, id=topic, archived=True)

    assert (await glance(bus, topic)).topic.archived_at is not None
