"""Which files a message may carry."""

import hashlib
from typing import Any

import pytest

from pal_server.actions import files, messages
from pal_server.actions.messages import list_page as messages_page
from pal_server.domain.actors import Actor
from pal_server.domain.files import File
from pal_server.errors import Invalid
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def add(bus: Bus, *, actor: Actor, **more: Any) -> File:
    return await bus.store.write(
        files.add, actor=actor, name="hello.txt", mime="text/plain", size=5, sha256=HELLO, **more
    )


async def refusal(bus: Bus, file: str, *, actor: Actor) -> Invalid:
    with pytest.raises(Invalid) as refused:
        await bus.say("look", actor=actor, files=[file])
    return refused.value


async def test_a_message_carries_files_of_its_room_and_of_none(bus: Bus) -> None:
    here = await add(bus, actor=bus.people.owner, room="general")
    nowhere = await add(bus, actor=bus.people.owner)

    sent = await bus.say("look", files=[here.id, nowhere.id])

    assert [file["id"] for file in sent.message.files] == [here.id, nowhere.id]


async def test_a_file_one_may_not_know_of_is_a_missing_one(bus: Bus) -> None:
    await bus.make_room("secret", visibility="private")
    hidden = await add(bus, actor=bus.people.owner, room="secret")

    refused = await refusal(bus, hidden.id, actor=bus.people.member)
    cut = await refusal(bus, hidden.id[:15], actor=bus.people.member)
    missing = await refusal(bus, "file_nothing", actor=bus.people.member)

    assert refused.message == cut.message == missing.message
    assert refused.facts == {**missing.facts, "file": hidden.id}


async def test_a_run_attaches_no_file_of_people_without_a_room(bus: Bus) -> None:
    nowhere = await add(bus, actor=bus.people.owner)
    await bus.say("@bot go")
    inside = await bus.inside(await bus.claim_one())

    refused = await refusal(bus, nowhere.id, actor=inside)

    assert refused.facts["file"] == nowhere.id


async def test_a_file_of_another_room_has_to_be_uploaded_to_this_one(bus: Bus) -> None:
    await bus.make_room("secret", visibility="private")
    elsewhere = await add(bus, actor=bus.people.owner, room="secret")

    refused = await refusal(bus, elsewhere.id, actor=bus.people.owner)

    assert "upload it to this room" in refused.message


async def test_what_has_ended_is_attached_no_more(bus: Bus, clock: Clock) -> None:
    revoked = await add(bus, actor=bus.people.member, room="general")
    await bus.store.write(files.revoke, actor=bus.people.member, ref=revoked.id)
    expiring = await add(bus, actor=bus.people.member, room="general", ttl=5)
    await bus.say("in time", files=[expiring.id])
    clock.advance(5)

    gone = [await refusal(bus, file.id, actor=bus.people.member) for file in (revoked, expiring)]

    assert {refused.message for refused in gone} == {"there is no such file: upload it first"}


async def test_a_file_of_no_room_follows_the_room_its_maker_attaches_it_in(bus: Bus) -> None:
    nowhere = await add(bus, actor=bus.people.member)
    await bus.say("@bot look", files=[nowhere.id])
    inside = await bus.inside(await bus.claim_one())

    assert (await bus.store.read(files.open_link, actor=inside, ref=nowhere.id)).room == bus.room.id
    assert (await bus.store.read(files.open_link, actor=daemon(bus.box), ref=nowhere.id)).id == nowhere.id


async def test_attachments_end_with_their_message_unless_another_carries_them(bus: Bus) -> None:
    twice = await add(bus, actor=bus.people.member, room="general")
    once = await add(bus, actor=bus.people.member, room="general")
    first = await bus.say("look", files=[twice.id, once.id])
    await bus.say("again", files=[twice.id])

    await bus.store.write(messages.delete, actor=bus.people.member, id=first.message.id)

    assert (await bus.store.read(files.get, actor=bus.people.member, ref=twice.id)).revoked_at is None
    assert (await bus.store.read(files.get, actor=bus.people.member, ref=once.id)).revoked_at is not None


async def test_a_run_that_puts_an_artifact_shows_it_in_its_topic(bus: Bus) -> None:
    sent = await bus.say("@bot go")
    inside = await bus.inside(await bus.claim_one())

    file = await add(bus, actor=inside, card="first words")
    await add(bus, actor=bus.people.member, card="a person needs no card")

    page = await bus.store.read(
        messages_page, actor=bus.people.member, topic=sent.message.topic_id, room="general", limit=50
    )
    [card] = [message for message in page.items if message.kind == "card"]
    assert file.url in card.content
    assert card.card is not None
    assert card.card["file"]["id"] == file.id
    assert card.card["preview"] == "first words"
    assert [one["id"] for one in card.files] == [file.id]
