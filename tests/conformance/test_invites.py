"""Invites: who comes in by one, under which name, and how it ends."""

import itertools
from typing import Any

import pytest

from pal_server.actions import invites, log, messages, rooms, tokens, users
from pal_server.domain.actors import Actor
from pal_server.domain.invites import Invite
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock, Heard

NUMBERS = itertools.count()


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def invite(bus: Bus, *, room: str = "general", secret: str = "link", **more: Any) -> Invite:
    return await bus.store.write(invites.create, actor=bus.people.member, secret_hash=secret, **{"room": room, **more})


async def join(bus: Bus, name: str = "Visitor", *, secret: str = "link") -> Actor:
    credential = f"guest {next(NUMBERS)}"
    await bus.store.write(invites.join, secret_hash=secret, name=name, guest_hash=credential)
    actor = await bus.store.read(tokens.authenticate, secret_hash=credential)
    assert actor is not None
    return actor


async def test_a_guest_speaks_in_the_room_under_its_name_and_with_its_origin(bus: Bus) -> None:
    await invite(bus)
    guest = await join(bus)

    sent = await bus.say("@bot hello", actor=guest)

    sender = sent.message.sender
    assert (sender.kind, sender.name, sender.origin) == ("guest", "Visitor", "invite")
    assert [delivery.agent for delivery in sent.deliveries] == ["bot"]
    with pytest.raises(Forbidden):
        await bus.say("hello", actor=guest, sender="Somebody")


async def test_a_guest_knows_its_room_and_no_other(bus: Bus) -> None:
    await bus.make_room("other")
    elsewhere = await bus.say("elsewhere", room="other")
    await bus.say("here")
    await invite(bus)
    guest = await join(bus)

    page = await bus.store.read(messages.list_page, actor=guest, limit=50)
    sight = (await bus.store.read(log.sights, actors=[guest]))[guest]

    assert [message.content for message in page.items] == ["here"]
    assert sight.rooms == frozenset({bus.room.id})
    assert sight.is_guest
    with pytest.raises(NotFound):
        await bus.store.read(messages.get, actor=guest, id=elsewhere.message.id)
    with pytest.raises(NotFound):
        await bus.say("hello", actor=guest, room="other")


async def test_it_is_among_the_members_by_its_name(bus: Bus) -> None:
    await invite(bus)
    await join(bus)

    page = await bus.store.read(rooms.members, actor=bus.people.member, room="general", after=None, limit=50)

    assert ("guest", "Visitor") in [(member.kind, member.name) for member in page.items]


@pytest.mark.parametrize("name", ["member", "BOT", "visitor"])
async def test_a_name_that_somebody_has_is_taken(bus: Bus, name: str) -> None:
    await invite(bus)
    await join(bus)

    with pytest.raises(AlreadyExists):
        await join(bus, name)


async def test_the_name_of_a_guest_who_is_gone_is_taken_over(bus: Bus, clock: Clock) -> None:
    await invite(bus)
    first = await join(bus)
    clock.advance(60)
    assert first.token_id is not None
    await bus.store.write(tokens.touch, used={first.token_id: clock()})
    clock.advance(89)
    with pytest.raises(AlreadyExists):
        await join(bus)
    clock.advance(1)

    second = await join(bus, "visitor")

    assert second.id != first.id
    with pytest.raises(NotFound):
        await bus.store.read(messages.list_page, actor=first, room="general", limit=1)


@pytest.mark.parametrize("end", ["revoked", "expired", "maker disabled", "left"])
async def test_a_guests_credential_ends(bus: Bus, clock: Clock, heard: Heard, end: str) -> None:
    made = await invite(bus, expires_at=clock() + 60_000)
    await bus.store.write(invites.join, secret_hash="link", name="Visitor", guest_hash="credential")
    guest = await bus.store.read(tokens.authenticate, secret_hash="credential")
    assert guest is not None

    match end:
        case "revoked":
            await bus.store.write(invites.revoke, actor=bus.people.member, id=made.id)
            assert any("tokens" in woken for woken in heard.wakes)
        case "expired":
            clock.advance(61)
        case "maker disabled":
            await bus.store.write(users.change, actor=bus.people.owner, user="member", disabled=True)
        case _:
            await bus.store.write(invites.leave, actor=guest)

    assert await bus.store.read(tokens.authenticate, secret_hash="credential") is None
    if end != "left":
        with pytest.raises(NotFound):
            await join(bus, "Another")


async def test_only_members_invite_and_only_where_they_are(bus: Bus) -> None:
    await bus.make_room("secret", visibility="private")

    with pytest.raises(NotFound):
        await invite(bus, room="secret")
    with pytest.raises(Forbidden):
        await bus.store.write(invites.create, actor=bus.people.viewer, secret_hash="x", room="general")
    with pytest.raises(Invalid):
        await invite(bus, expires_at=1)


async def test_a_lost_answer_gets_a_new_token_until_somebody_joined(bus: Bus) -> None:
    first = await invite(bus, client_id="1")
    again = await invite(bus, secret="second", client_id="1")
    await join(bus, secret="second")

    assert first.id == again.id
    with pytest.raises(NotFound):
        await join(bus, "Another")
    with pytest.raises(Conflict):
        await invite(bus, secret="third", client_id="1")
