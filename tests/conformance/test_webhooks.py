"""Webhooks: what is noted for them, once, and only of what their people may see."""

import json
from dataclasses import replace

import pytest

from pal_server.actions import users, webhooks
from pal_server.domain.actors import Actor, Role
from pal_server.domain.webhooks import PAUSES, Webhook, WebhookPost
from pal_server.errors import Forbidden, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


async def hook(bus: Bus, actor: Actor, *, url: str = "https://example.com/hook") -> Webhook:
    return await bus.store.write(
        webhooks.put, actor=actor, url=url, sealed="sealed", needs=True, mentions=True, runs=True
    )


async def noted(bus: Bus) -> list[WebhookPost]:
    workspace_id = bus.people.owner.workspace_id
    while await bus.store.write(webhooks.read_on, workspace_id=workspace_id, base_url="https://pal.example"):
        pass
    return await bus.store.read(webhooks.due, workspace_id=workspace_id)


async def titles(bus: Bus) -> list[str]:
    return [json.loads(post.body)["title"] for post in await noted(bus)]


async def test_what_names_its_person_is_noted_once_and_nothing_of_before(bus: Bus) -> None:
    name = bus.people.member.name
    await bus.say(f"before @{name}", actor=bus.people.owner)
    await hook(bus, bus.people.member)

    await bus.say(f"look @{name}", actor=bus.people.owner)
    await bus.say("nothing for anybody", actor=bus.people.owner)

    assert await titles(bus) == [f"look @{name}"]
    assert await titles(bus) == [f"look @{name}"]


async def test_what_its_person_may_not_see_is_not_noted(bus: Bus) -> None:
    name = bus.people.member.name
    await bus.make_room("secret", visibility="private")
    await hook(bus, bus.people.member)

    await bus.say(f"hidden @{name}", actor=bus.people.owner, room="secret")
    await bus.say(f"shown @{name}", actor=bus.people.owner)

    assert await titles(bus) == [f"shown @{name}"]


async def test_a_token_with_fewer_rights_than_its_users_makes_none(bus: Bus) -> None:
    with pytest.raises(Forbidden):
        await hook(bus, replace(bus.people.admin, role=Role.MEMBER))

    assert await bus.store.read(webhooks.get, actor=bus.people.admin) is None


async def test_a_run_is_told_to_who_asked_for_it(bus: Bus) -> None:
    await bus.agent("bot")
    await hook(bus, bus.people.member)
    await hook(bus, bus.people.owner)

    _, run = await bus.start("@bot go")
    await bus.finish(run)

    assert [(post.user_id, json.loads(post.body)["run"]) for post in await noted(bus)] == [
        (bus.people.member.id, run.id)
    ]


async def test_what_did_not_arrive_waits_and_what_arrived_is_gone(bus: Bus, clock: Clock) -> None:
    name = bus.people.member.name
    await hook(bus, bus.people.member)
    await bus.say(f"one @{name}", actor=bus.people.owner)
    [post] = await noted(bus)

    await bus.store.write(webhooks.settle, post=post, error="it answered 500")
    shown = await bus.store.read(webhooks.get, actor=bus.people.member)
    assert shown is not None
    assert shown.error == "it answered 500"
    assert await noted(bus) == []
    clock.advance(PAUSES[0] / 1000)
    [again] = await noted(bus)
    assert again.attempts == 1
    await bus.store.write(webhooks.settle, post=again, error=None)

    assert await noted(bus) == []
    well = await bus.store.read(webhooks.get, actor=bus.people.member)
    assert well is not None
    assert well.error is None


async def test_another_address_is_not_told_what_waited_and_none_ends_it(bus: Bus) -> None:
    member = bus.people.member
    await hook(bus, member)
    await bus.say(f"one @{member.name}", actor=bus.people.owner)
    assert len(await noted(bus)) == 1

    await hook(bus, member, url="https://example.com/other")
    assert await noted(bus) == []
    chosen = await bus.store.write(webhooks.choose, actor=member, mentions=False)
    assert (chosen.needs, chosen.mentions) == (True, False)
    await bus.store.write(webhooks.drop, actor=member)

    assert await bus.store.read(webhooks.get, actor=member) is None
    with pytest.raises(NotFound):
        await bus.store.write(webhooks.drop, actor=member)


async def test_who_may_not_log_in_is_told_nothing(bus: Bus) -> None:
    member = bus.people.member
    await hook(bus, member)
    await bus.store.write(users.change, actor=bus.people.owner, user=member.name, disabled=True)

    await bus.say(f"one @{member.name}", actor=bus.people.owner)

    assert await noted(bus) == []
