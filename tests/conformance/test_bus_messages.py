"""Sending: numbers, repeats, senders, mentions, replies, pages, modes, edits and deletions."""

import asyncio

import pytest

from pal_server.actions import agents, deliveries, messages, rooms, trace
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.deliveries import Status
from pal_server.domain.receipts import Outcome
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, LeaseLost, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock, Heard

BRIDGE = Actor(kind=ActorKind.BRIDGE, workspace_id="w", id="token_b", name="lark")


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


# RM-1: rooms


async def test_a_name_is_one_rooms_and_a_room_answers_by_id_and_name(bus: Bus) -> None:
    made = await bus.make_room("build")

    with pytest.raises(AlreadyExists):
        await bus.make_room("build")
    for ref in (made.id, "build"):
        assert (await bus.store.read(rooms.get, actor=bus.people.viewer, room=ref)).id == made.id


async def test_of_two_rooms_made_at_once_under_one_name_one_is_made(bus: Bus) -> None:
    made = await asyncio.gather(*(bus.make_room("same") for _ in range(5)), return_exceptions=True)

    assert sum(isinstance(result, AlreadyExists) for result in made) == 4


# RM-3: numbers


async def test_numbers_of_a_room_have_no_gap_and_no_twin_under_parallel_writers(bus: Bus) -> None:
    sent = await asyncio.gather(*(bus.say(f"message {n}") for n in range(20)))

    assert sorted(one.message.seq for one in sent) == list(range(1, 21))
    by_id = sorted((one.message.id, one.message.seq) for one in sent)
    assert [seq for _, seq in by_id] == list(range(1, 21))


# RM-4: repeats


async def test_the_same_request_again_is_one_message_and_one_set_of_deliveries(bus: Bus) -> None:
    await bus.agent("bot")

    first = await bus.say("@bot @nobody go", mentions=["noone"], client_id="c1")
    again = await bus.say("@bot @nobody go", mentions=["noone"], client_id="c1")

    assert again.message.id == first.message.id
    assert again.deliveries == first.deliveries
    assert again.receipts == first.receipts
    assert again.unresolved_mentions == first.unresolved_mentions == ("noone", "nobody")
    assert len(await bus.deliveries()) == 1


async def test_repeats_at_once_are_one_message(bus: Bus) -> None:
    await bus.agent("bot")

    sent = await asyncio.gather(*(bus.say("@bot go", client_id="c1") for _ in range(10)))

    assert len({one.message.id for one in sent}) == 1
    assert len(await bus.deliveries()) == 1


async def test_a_client_id_for_something_else_is_refused(bus: Bus) -> None:
    await bus.say("one", client_id="c1")

    with pytest.raises(Conflict):
        await bus.say("two", client_id="c1")

    other = await bus.say("two", client_id="c1", actor=bus.people.admin)
    assert other.message.content == "two"


@pytest.mark.parametrize(("mode", "outcome"), [("muted", Outcome.SAVED), ("all", Outcome.STARTED)])
async def test_a_repeat_tells_what_became_of_it_without_a_delivery_of_its_own(
    bus: Bus, mode: str, outcome: Outcome
) -> None:
    await bus.agent("bot", mode=mode)
    await bus.say("before")
    text = "@bot hello" if mode == "muted" else "hello"
    await bus.say(text, client_id="c1")

    again = await bus.say(text, client_id="c1")

    assert [(receipt.agent, receipt.outcome) for receipt in again.receipts] == [("bot", outcome)]


# RM-5: who speaks


async def test_the_sender_is_the_credentials(bus: Bus) -> None:
    sent = await bus.say("hello", sender="member")

    assert (sent.message.sender.kind, sent.message.sender.name) == ("user", "member")


@pytest.mark.parametrize("name", ["owner", "Owner", "bot"])
async def test_the_name_of_a_user_or_an_agent_is_its_own(bus: Bus, name: str) -> None:
    await bus.agent("bot")

    for actor in (bus.people.member, bus.people.admin, daemon(bus.box), BRIDGE):
        with pytest.raises(Forbidden):
            await bus.say("hello", sender=name, actor=actor)


async def test_a_guest_shows_where_it_came_from(bus: Bus) -> None:
    sent = await bus.say("hello", sender="Ada L.", actor=BRIDGE)

    assert (sent.message.sender.kind, sent.message.sender.name) == ("guest", "Ada L.")
    assert sent.message.sender.origin == "bridge lark"


async def test_a_run_speaks_only_as_its_agent(bus: Bus) -> None:
    await bus.agent("bot")
    claimed, _ = await bus.start("@bot go")
    inside = await bus.inside(claimed)

    sent = await bus.say("working", actor=inside)

    assert (sent.message.sender.kind, sent.message.sender.name) == ("agent", "bot")
    for name in ("member", "somebody"):
        with pytest.raises(Forbidden):
            await bus.say("hello", actor=inside, sender=name)


async def test_a_viewer_does_not_speak(bus: Bus) -> None:
    with pytest.raises(Forbidden):
        await bus.say("hello", actor=bus.people.viewer)


# RM-6: mentions


async def test_an_at_and_a_mention_are_the_same_and_make_one_delivery(bus: Bus) -> None:
    await bus.agent("bot")

    both = await bus.say("@bot and @BOT, look", mentions=["bot"])
    beside = await bus.say("look", mentions=["bot"])

    assert [len(sent.deliveries) for sent in (both, beside)] == [1, 1]
    assert both.message.mentions == beside.message.mentions == ("bot",)


async def test_unknown_names_come_back(bus: Bus) -> None:
    sent = await bus.say("@nobody, ask @owner", mentions=["ghost"])

    assert sent.unresolved_mentions == ("ghost", "nobody")
    assert sent.message.mentions == ("owner",)
    assert sent.deliveries == ()


async def test_mentionables_are_exactly_what_resolves(bus: Bus) -> None:
    for key, mode in (("bot", "mentions"), ("quiet", "muted"), ("away", "off"), ("dash-", "mentions")):
        await bus.agent(key, mode=mode)

    page = await bus.store.read(rooms.mentionables, actor=bus.people.member, room="general", after=None, limit=50)
    listed = [one.name for one in page.items]
    sent = await bus.say(" ".join(f"@{name}." for name in [*listed, "away"]))

    assert set(listed) == {"bot", "quiet", "dash-", "owner", "admin", "member", "viewer"}
    assert set(sent.message.mentions) == set(listed)
    assert sent.unresolved_mentions == ("away",)


async def test_mentionables_come_in_pages_with_the_names_people_see(bus: Bus) -> None:
    await bus.agent("bot", display_name="The Bot")
    await bus.agent("another")

    found: list[tuple[str, str]] = []
    after = None
    while True:
        page = await bus.store.read(rooms.mentionables, actor=bus.people.member, room="general", after=after, limit=2)
        found += [(one.name, one.display_name) for one in page.items]
        if (after := page.next) is None:
            break

    assert [name for name, _ in found] == ["another", "bot", "admin", "member", "owner", "viewer"]
    assert dict(found)["bot"] == "The Bot"


async def test_a_run_lets_agents_in_and_leaves_the_modes_of_members_alone(bus: Bus) -> None:
    await bus.agent("bot")
    await bus.agent("quiet", mode="muted")
    await bus.store.write(agents.put, actor=bus.people.admin, key="new", computer="box", runtime="demo")
    await bus.say("@bot go")
    inside = await bus.inside(await bus.claim_one())

    joined = await bus.store.write(rooms.invite_agent, actor=inside, room="general", agent="new", mode="mentions")
    same = await bus.store.write(rooms.invite_agent, actor=inside, room="general", agent="quiet", mode="muted")
    with pytest.raises(Forbidden, match="a person"):
        await bus.store.write(rooms.invite_agent, actor=inside, room="general", agent="quiet", mode="all")
    by_operator = await bus.store.write(
        rooms.invite_agent, actor=daemon(bus.box), room="general", agent="quiet", mode="all"
    )

    assert (joined.mode, same.mode, by_operator.mode) == ("mentions", "muted", "all")


# RM-7: replies


async def test_a_reply_stays_in_its_parents_topic(bus: Bus) -> None:
    topic = await bus.topic()
    parent = await bus.say("question", topic=topic)

    reply = await bus.say("answer", parent=parent.message.id)

    assert (reply.message.topic_id, reply.message.parent_id) == (topic, parent.message.id)
    with pytest.raises(Invalid):
        await bus.say("answer", parent=parent.message.id, topic=bus.room.default_topic)


async def test_a_parent_in_another_room_is_invalid(bus: Bus) -> None:
    await bus.make_room("build")
    parent = await bus.say("question")

    with pytest.raises(Invalid):
        await bus.say("answer", room="build", parent=parent.message.id)


# RM-8: pages


@pytest.mark.parametrize("limit", [1, 3, 7, 200])
async def test_pages_forwards_give_every_message_once_in_order(bus: Bus, limit: int) -> None:
    await bus.make_room("build")
    for number in range(14):
        await bus.say(str(number), room="build" if number % 3 == 0 else "general")
    expected = [str(number) for number in range(14) if number % 3]

    for where in ({"room": "general"}, {"topic": bus.room.default_topic}):
        found: list[str] = []
        after: int | None = None
        while True:
            page = await bus.store.read(messages.list_page, actor=bus.people.viewer, after=after, limit=limit, **where)
            found += [message.content for message in page.items]
            if page.next is None:
                break
            after = int(page.next)
        assert found == expected


@pytest.mark.parametrize("among", ["room", "topic", "all"])
async def test_pages_backwards_give_every_message_once(bus: Bus, among: str) -> None:
    sent = [await bus.say(str(number)) for number in range(7)]
    chosen = {"room": {"room": "general"}, "topic": {"topic": bus.room.default_topic}, "all": {}}[among]

    found: list[str] = []
    before: int | None = sent[-1].message.id + 1
    while before is not None:
        page = await bus.store.read(messages.list_page, actor=bus.people.owner, before=before, limit=3, **chosen)
        found = [message.content for message in page.items] + found
        before = None if page.next is None else int(page.next)

    assert found == [str(number) for number in range(7)]


async def test_a_list_finds_replies_and_words(bus: Bus) -> None:
    parent = await bus.say("the red fox")
    await bus.say("a blue fox", parent=parent.message.id)
    await bus.say("a bear")

    assert await bus.said(parent=parent.message.id) == ["a blue fox"]
    assert await bus.said(q="fox") == ["the red fox", "a blue fox"]
    assert await bus.said(q="fox", parent=parent.message.id) == ["a blue fox"]


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_page_has_a_positive_limit(bus: Bus, limit: int) -> None:
    with pytest.raises(Invalid):
        await bus.store.read(messages.list_page, actor=bus.people.owner, limit=limit)


# RM-18, BX-16: edits, deletions, bursts


async def test_an_edit_changes_what_waits(bus: Bus) -> None:
    for key in ("one", "two"):
        await bus.agent(key)
    sent = await bus.say("@one draw a cat")

    await bus.store.write(
        messages.edit, actor=bus.people.member, id=sent.message.id, content="@one and @two draw a dog"
    )

    claimed = await bus.claim()
    assert [one.delivery.agent for one in claimed] == ["one", "two"]
    assert all("dog" in one.work["prompt"] and "cat" not in one.work["prompt"] for one in claimed)


async def test_who_is_no_longer_called_loses_it_and_gets_it_back(bus: Bus) -> None:
    await bus.agent("one")
    sent = await bus.say("@one draw")

    async def edit(content: str) -> Status:
        await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content=content)
        return (await bus.delivery(sent.deliveries[0].id)).status

    assert await edit("draw") is Status.CANCELLED
    assert await edit("@one draw") is Status.PENDING
    assert [one.delivery.id for one in await bus.claim()] == [sent.deliveries[0].id]


async def test_what_a_person_dropped_is_not_brought_back_by_an_edit(bus: Bus) -> None:
    await bus.agent("one")
    sent = await bus.say("@one draw")
    await bus.store.write(deliveries.cancel, actor=bus.people.member, id=sent.deliveries[0].id)

    await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content="@one draw better")

    assert (await bus.delivery(sent.deliveries[0].id)).status is Status.CANCELLED


async def test_who_was_called_beside_the_text_stays_called(bus: Bus) -> None:
    await bus.agent("one")
    sent = await bus.say("draw a cat", mentions=["one"])

    edited = await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content="draw a dog")

    assert edited.mentions == ("one",)
    assert (await bus.delivery(sent.deliveries[0].id)).status is Status.PENDING


async def test_a_delivery_made_by_hand_survives_an_edit(bus: Bus) -> None:
    await bus.agent("one")
    sent = await bus.say("draw")
    made = await bus.store.write(
        deliveries.create_by_hand, actor=bus.people.member, message=sent.message.id, agent="one"
    )

    await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content="draw a dog")

    assert (await bus.delivery(made.id)).status is Status.PENDING


async def test_deleting_a_message_drops_what_waits_for_it_and_lets_the_lane_go_on(bus: Bus) -> None:
    await bus.agent("bot")
    first = await bus.say("@bot one")
    second = await bus.say("@bot two")

    await bus.store.write(messages.delete, actor=bus.people.member, id=first.message.id)

    assert (await bus.delivery(first.deliveries[0].id)).status is Status.CANCELLED
    assert (await bus.claim_one()).delivery.id == second.deliveries[0].id


async def test_what_is_deleted_between_claim_and_start_is_never_started(bus: Bus) -> None:
    await bus.agent("bot")
    sent = await bus.say("@bot one")
    claimed = await bus.claim_one()

    await bus.store.write(messages.delete, actor=bus.people.member, id=sent.message.id)

    with pytest.raises(LeaseLost):
        await bus.open(claimed)
    assert (await bus.delivery(claimed.delivery.id)).status is Status.CANCELLED


async def test_what_is_deleted_while_it_runs_goes_on_and_is_not_done_again(bus: Bus) -> None:
    await bus.agent("bot")
    claimed, run = await bus.start("@bot one")
    await bus.store.write(messages.delete, actor=bus.people.member, id=claimed.delivery.message_id)

    await bus.finish(run, status="failed")

    with pytest.raises(Conflict):
        await bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id)


async def test_only_who_said_it_changes_it_and_admins_may_take_it_away(bus: Bus) -> None:
    sent = await bus.say("mine", actor=bus.people.member)

    for actor in (bus.people.admin, bus.people.owner):
        with pytest.raises(Forbidden):
            await bus.store.write(messages.edit, actor=actor, id=sent.message.id, content="yours")
    with pytest.raises(Forbidden):
        await bus.store.write(messages.delete, actor=bus.people.viewer, id=sent.message.id)
    gone = await bus.store.write(messages.delete, actor=bus.people.admin, id=sent.message.id)
    assert (gone.content, gone.deleted_at is not None) == ("", True)
    with pytest.raises(Conflict):
        await bus.store.write(messages.edit, actor=bus.people.member, id=sent.message.id, content="again")


async def test_a_burst_without_names_is_one_run(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="all")

    sent = [await bus.say(text) for text in ("first", "second", "third")]
    assert [len(one.deliveries) for one in sent] == [1, 0, 0]
    assert [one.receipts[0].outcome for one in sent[1:]] == [Outcome.MERGED, Outcome.MERGED]
    assert await bus.claim() == ()  # held back for the rest of the burst
    clock.advance(1.5)

    claimed = await bus.claim_one()

    assert claimed.work["content"] == "first\nsecond\nthird"


async def test_nobody_is_told_whom_a_deleted_message_called(bus: Bus) -> None:
    await bus.agent("bot", mode="all")
    first = (await bus.say("first")).message.id
    await bus.say("second")
    await bus.store.write(messages.delete, actor=bus.people.member, id=first)

    why = await bus.store.read(trace.of_message, actor=bus.people.member, id=first)

    assert [step.what for step in why.steps] == ["stored", "deleted"]


async def test_what_an_agent_said_between_the_messages_of_a_burst_is_told_too(bus: Bus, clock: Clock) -> None:
    await bus.agent("listener", mode="all")
    await bus.agent("other")
    inside = await bus.inside((await bus.start("@other go"))[0])
    clock.advance(10)
    await bus.finish(await bus.open(next(c for c in await bus.claim() if c.delivery.agent == "listener")))
    await bus.say("first")
    await bus.say("half way there", actor=inside)
    await bus.say("second")
    clock.advance(10)

    claimed = await bus.claim_one()

    assert claimed.work["content"] == "first\nsecond"
    assert claimed.work["prompt"].count("half way there") == 1
    assert claimed.work["prompt"].count("second") == 1


async def test_bursts_are_one_persons(bus: Bus) -> None:
    await bus.agent("bot", mode="all")

    sent = [await bus.say("mine"), await bus.say("yours", actor=bus.people.admin)]

    assert [len(one.deliveries) for one in sent] == [1, 1]


async def test_mentions_never_merge(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="all")

    sent = [await bus.say(f"@bot {number}") for number in range(3)]

    assert [len(one.deliveries) for one in sent] == [1, 1, 1]
    said = []
    for _ in sent:
        claimed = await bus.claim_one()
        said.append(claimed.work["content"])
        assert await bus.claim() == ()
        await bus.finish(await bus.open(claimed))
    assert said == ["0", "1", "2"]


async def test_what_follows_a_mention_is_a_delivery_of_its_own(bus: Bus) -> None:
    await bus.agent("bot", mode="all")

    sent = [await bus.say("@bot one"), await bus.say("two")]

    assert [len(one.deliveries) for one in sent] == [1, 1]


async def test_a_burst_goes_on_without_the_message_it_began_with(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="all")
    sent = [await bus.say(text) for text in ("first", "second", "third")]

    await bus.store.write(messages.delete, actor=bus.people.member, id=sent[0].message.id)
    clock.advance(1.5)

    claimed = await bus.claim_one()
    assert claimed.work["content"] == "second\nthird"
    assert claimed.delivery.message_id == sent[1].message.id
    kept = await bus.store.read(messages.inbox, actor=bus.people.owner, agent="bot", after=None, limit=10)
    assert [item.message.id for item in kept.items] == [sent[1].message.id, sent[2].message.id]


async def test_naming_the_agent_in_a_message_of_a_burst_does_not_give_it_out_twice(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="all")
    sent = [await bus.say(text) for text in ("first", "second")]

    await bus.store.write(messages.edit, actor=bus.people.member, id=sent[1].message.id, content="@bot second, now")
    clock.advance(1.5)

    assert (await bus.claim_one()).work["content"] == "first\nsecond, now"
    assert len(await bus.deliveries()) == 1


async def test_a_message_that_comes_after_the_claim_is_not_part_of_that_run(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="all")
    await bus.say("first")
    clock.advance(1.5)
    claimed = await bus.claim_one()

    late = await bus.say("late")

    assert len(late.deliveries) == 1
    assert late.receipts[0].outcome is Outcome.QUEUED
    assert "late" not in claimed.work["prompt"]


async def test_bursts_and_claims_at_once_lose_nothing(bus: Bus, clock: Clock) -> None:
    await bus.agent("bot", mode="all")
    heard: list[str] = []

    async def work() -> None:
        for _ in range(8):
            for claimed in await bus.claim():
                heard.extend(claimed.work["content"].split())
                await bus.finish(await bus.open(claimed))

    await bus.store.write(rooms.change, actor=bus.people.owner, room="general", debounce_for=1)
    for number in range(5):
        clock.advance(1)
        await asyncio.gather(*(bus.say(f"m{number}-{n}") for n in range(4)), work())
    clock.advance(1)
    await work()

    assert sorted(heard) == sorted(f"m{number}-{n}" for number in range(5) for n in range(4))


# Rooms that are not there


async def test_speaking_in_a_room_or_topic_that_is_not_there(bus: Bus, heard: Heard) -> None:
    build = await bus.make_room("build")

    for where in ({"room": "nowhere"}, {"topic": 99}, {"room": "general", "topic": build.default_topic}):
        with pytest.raises(NotFound):
            await bus.say("hello", **where)
    with pytest.raises(Invalid):
        await bus.store.write(messages.send, actor=bus.people.member, content="where?")
