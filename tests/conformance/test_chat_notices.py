"""Chat notices: what a person chose to be told outside is told there once, and to nobody else."""

from dataclasses import replace
from typing import Any

import pytest

from pal_server.actions import chat_notices, identities, users
from pal_server.domain.actors import Actor, Role
from pal_server.domain.chat_notices import AT_MOST, WINDOW, ChatPlace, Choice
from pal_server.errors import Forbidden, NotFound
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.outside import BRIDGE, PLATFORM, Outside, bind, hold, make_outside
from tests.support.stores import Clock

URL = "https://pal.example"


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


@pytest.fixture
async def outside(bus: Bus) -> Outside:
    """Ann outside is the member."""
    made = await make_outside(bus)
    await made.allow("ann", user=bus.people.member.name)
    return made


async def places(outside: Outside, actor: Actor | None = None) -> list[ChatPlace]:
    return await outside.bus.store.read(chat_notices.places, actor=actor or outside.bus.people.member)


async def choose(outside: Outside, *, actor: Actor | None = None, **more: Any) -> Choice:
    [place] = await places(outside)
    wanted = {"bot": place.bot, "identity": place.identity, "needs": True, "mentions": True, "runs": True, **more}
    return await outside.bus.store.write(
        chat_notices.put, actor=actor or outside.bus.people.member, before={PLATFORM: "to:"}, base_url=URL, **wanted
    )


async def told(outside: Outside) -> list[str]:
    """What the bot writes to Ann alone now."""
    store, workspace_id = outside.bus.store, outside.bus.people.owner.workspace_id
    while await store.write(chat_notices.read_on, workspace_id=workspace_id, base_url=URL):
        pass
    return [post.body["text"] for post in await outside.deliver() if post.chat == "to:ann"]


async def test_a_person_is_told_once_where_they_chose_and_nothing_of_before(outside: Outside) -> None:
    name, owner = outside.bus.people.member.name, outside.bus.people.owner
    await outside.bus.say(f"before @{name}", actor=owner)
    await choose(outside)
    assert ["From now on" in text for text in await told(outside)] == [True]

    said = await outside.bus.say(f"look\n@{name}", actor=owner)
    await outside.bus.say("nothing for anybody", actor=owner)
    _, run = await outside.bus.start("@bot go")
    await outside.bus.finish(run)

    mention, ended = await told(outside)
    assert mention.startswith(f"**{owner.name}** mentioned you\n\n> look @{name}\n\n[Open]({URL}/r/")
    assert f"?message={said.message.id})" in mention
    assert ended.startswith("**bot** is done")
    assert f"?run={run.id})" in ended
    assert await told(outside) == []
    assert await outside.bus.store.read(find_broken) == []


async def test_who_is_furthest_behind_is_told_first(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else those last by their ids would wait for a moment in which nothing happens."""
    monkeypatch.setattr(chat_notices, "READERS", 1)
    store, people = outside.bus.store, outside.bus.people
    await outside.allow("zoe", user=people.admin.name)
    both = {people.member.name: people.member, people.admin.name: people.admin}
    for actor in both.values():
        [place] = await places(outside, actor)
        wanted = {"bot": place.bot, "identity": place.identity, "needs": True, "mentions": True, "runs": True}
        await store.write(chat_notices.put, actor=actor, before={PLATFORM: "to:"}, base_url=URL, **wanted)
    await outside.deliver()

    for _ in both:
        await outside.bus.say(" ".join(f"@{name}" for name in both), actor=people.owner)
        await store.write(chat_notices.read_on, workspace_id=people.owner.workspace_id, base_url=URL)

    assert {post.chat for post in await outside.deliver()} == {"to:ann", "to:zoe"}


async def test_what_is_not_wanted_or_not_theirs_to_see_is_not_told(outside: Outside) -> None:
    name, owner = outside.bus.people.member.name, outside.bus.people.owner
    await outside.bus.make_room("secret", visibility="private")
    await choose(outside, runs=False)
    await told(outside)

    _, run = await outside.bus.start("@bot go")
    await outside.bus.finish(run)
    await outside.bus.say(f"hidden @{name}", actor=owner, room="secret")
    await outside.bus.say(f"shown @{name}", actor=owner)

    [text] = await told(outside)
    assert f"> shown @{name}" in text
    await outside.bus.store.write(chat_notices.choose, actor=outside.bus.people.member, mentions=False)
    await outside.bus.say(f"again @{name}", actor=owner)
    assert await told(outside) == []


async def test_what_happens_in_their_own_talk_with_a_bot_is_shown_there_already(outside: Outside) -> None:
    await choose(outside)
    await told(outside)

    await outside.hear("go", chat="d1", thread="", place="direct")
    run = await outside.bus.open(await outside.bus.claim_one())
    await outside.bus.finish(run, text="here it is")

    assert await told(outside) == []


async def test_many_at_a_time_are_counted_and_told_as_one(outside: Outside, clock: Clock) -> None:
    name, owner = outside.bus.people.member.name, outside.bus.people.owner
    await choose(outside)
    await told(outside)

    for number in range(AT_MOST + 3):
        await outside.bus.say(f"{number} @{name}", actor=owner)
    assert len(await told(outside)) == AT_MOST
    await outside.bus.say(f"one more @{name}", actor=owner)
    assert await told(outside) == []
    clock.advance(WINDOW / 1000)
    outside.bot = await hold(outside.bus)

    assert await told(outside) == [f"**4 more** since then: [see them]({URL}/needs)"]
    await outside.bus.say(f"later @{name}", actor=owner)
    assert len(await told(outside)) == 1


async def test_who_is_not_known_there_any_more_is_told_nothing(outside: Outside) -> None:
    member, owner = outside.bus.people.member, outside.bus.people.owner
    await choose(outside)
    await told(outside)

    await outside.allow("ann", user=None)
    await outside.bus.say(f"meanwhile @{member.name}", actor=owner)

    assert await told(outside) == []
    shown = await outside.bus.store.read(chat_notices.get, actor=member)
    assert shown is not None
    assert shown.error == "you are not known there any more"
    await outside.allow("ann", user=member.name)
    await outside.bus.say(f"now @{member.name}", actor=owner)
    assert [f"> now @{member.name}" in text for text in await told(outside)] == [True]


async def test_a_chat_of_somebody_else_cannot_be_chosen(outside: Outside) -> None:
    [place] = await places(outside)
    owner, member = outside.bus.people.owner, outside.bus.people.member

    assert await places(outside, owner) == []
    with pytest.raises(NotFound):
        await choose(outside, actor=owner)
    with pytest.raises(NotFound):
        await choose(outside, bot="bot_unknown")
    with pytest.raises(Forbidden):
        await choose(outside, actor=replace(member, role=Role.VIEWER))
    with pytest.raises(Forbidden):
        await outside.bus.store.read(chat_notices.get, actor=BRIDGE)

    await outside.bus.store.write(
        identities.put, actor=outside.bus.people.admin, platform=PLATFORM, external_id="ann", allowed=False
    )
    assert await places(outside) == []
    with pytest.raises(NotFound):
        await choose_place(outside, place)


async def choose_place(outside: Outside, place: ChatPlace) -> Choice:
    wanted = {"bot": place.bot, "identity": place.identity, "needs": True, "mentions": True, "runs": True}
    return await outside.bus.store.write(
        chat_notices.put, actor=outside.bus.people.member, before={}, base_url=URL, **wanted
    )


async def test_what_the_platform_refuses_is_said_and_what_is_dropped_is_told_no_more(outside: Outside) -> None:
    member, owner = outside.bus.people.member, outside.bus.people.owner
    await choose(outside)
    [greeting] = await outside.claim()
    await outside.settle(greeting, "refused", reason="this person has closed the bot's chat")

    shown = await outside.bus.store.read(chat_notices.get, actor=member)
    assert shown is not None
    assert shown.error == "this person has closed the bot's chat"
    await outside.bus.store.write(chat_notices.drop, actor=member)
    await outside.bus.say(f"look @{member.name}", actor=owner)

    assert await told(outside) == []
    assert await outside.bus.store.read(chat_notices.get, actor=member) is None
    with pytest.raises(NotFound):
        await outside.bus.store.write(chat_notices.drop, actor=member)


async def test_who_may_not_log_in_and_whose_bot_is_unbound_is_told_nothing(outside: Outside) -> None:
    member, owner = outside.bus.people.member, outside.bus.people.owner
    await choose(outside)
    await told(outside)
    await outside.bus.agent("other")

    await bind(outside.bus, agent=None)
    await outside.bus.say(f"one @{member.name}", actor=owner)
    shown = await outside.bus.store.read(chat_notices.get, actor=member)
    assert shown is not None
    assert shown.error == "the bot is connected to no agent"
    assert await told(outside) == []
    await bind(outside.bus, agent="other")
    outside.bot = await hold(outside.bus)
    await outside.bus.store.write(users.change, actor=owner, user=member.name, disabled=True)
    await outside.bus.say(f"two @{member.name}", actor=owner)

    assert await told(outside) == []
