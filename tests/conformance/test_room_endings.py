"""A room for a while disappears at its time, with everything that was said in it."""

import json

import pytest

from pal_server.actions import endings, files, invites, messages, rooms, tokens
from pal_server.errors import Invalid, NotFound
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store, Tx
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock

SECRET = "passphrase"


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    await made.store.write(rooms.create, actor=made.people.owner, name="relay", title=SECRET, rules=SECRET, ttl=60)
    await made.invite("bot", room="relay")
    return made


def everything(tx: Tx) -> str:
    """All rows that can hold words."""
    tables = ("messages", "events", "rooms", "topics", "runs", "run_events", "interactions", "files")
    return json.dumps([[list(map(str, row)) for row in tx.sql.all(f"rooms_test.{table}")] for table in tables])


async def test_at_its_time_nobody_knows_of_it(bus: Bus, clock: Clock) -> None:
    sent = await bus.say(SECRET, room="relay")
    await bus.store.write(invites.create, actor=bus.people.member, secret_hash="link", room="relay")
    await bus.store.write(invites.join, secret_hash="link", name="Visitor", guest_hash="guest")
    file = await bus.store.write(
        files.add, actor=bus.people.member, name="a", mime="text/plain", size=1, sha256="0" * 64, room="relay"
    )
    clock.advance(59)
    assert await bus.store.write(endings.end_due) == 0
    clock.advance(1)

    assert await bus.store.read(endings.any_due)
    assert await bus.store.write(endings.end_due) == 1

    for actor in (bus.people.owner, bus.people.member):
        with pytest.raises(NotFound):
            await bus.store.read(rooms.get, actor=actor, room="relay")
        with pytest.raises(NotFound):
            await bus.store.read(messages.get, actor=actor, id=sent.message.id)
        assert [
            message.content for message in (await bus.store.read(messages.list_page, actor=actor, q=SECRET)).items
        ] == []
    assert await bus.store.read(tokens.authenticate, secret_hash="guest") is None
    with pytest.raises(NotFound):
        await bus.store.read(invites.open_link, secret_hash="link")
    with pytest.raises(NotFound):
        await bus.store.read(files.open_link, actor=bus.people.owner, ref=file.id)


async def test_no_word_of_it_is_left(bus: Bus, clock: Clock) -> None:
    _, run = await bus.start(f"@bot {SECRET}", room="relay")
    await bus.finish(run, text=SECRET)
    await bus.say(f"@bot {SECRET}", room="relay")
    clock.advance(60)

    await bus.store.write(endings.end_due)

    assert SECRET not in await bus.store.read(everything)
    assert await bus.deliveries(status="pending") == []
    assert await bus.store.read(find_broken) == []


async def test_its_name_is_free_again(bus: Bus, clock: Clock) -> None:
    clock.advance(60)
    await bus.store.write(endings.end_due)

    again = await bus.make_room("relay")

    assert (await bus.store.read(rooms.get, actor=bus.people.member, room="relay")).id == again.id


async def test_what_runs_in_it_is_killed(bus: Bus, clock: Clock) -> None:
    _, run = await bus.start("@bot go", room="relay")
    clock.advance(60)

    await bus.store.write(endings.end_due)

    assert await bus.store.read(wanted_of, run=run.id) == "kill"
    await bus.finish(run, status="cancelled", text=f"{SECRET} said while it died")
    assert await bus.store.write(endings.end_due) == 0
    assert SECRET not in await bus.store.read(everything)
    assert not await bus.store.read(endings.any_due)


def wanted_of(tx: Tx, *, run: int) -> str | None:
    row = tx.sql.one("rooms_test.wanted", id=run)
    return None if row is None else row["wanted"]


@pytest.mark.parametrize("ttl", [0, -1])
async def test_a_ttl_is_a_time_to_come(bus: Bus, ttl: int) -> None:
    with pytest.raises(Invalid):
        await bus.store.write(rooms.create, actor=bus.people.owner, name="other", ttl=ttl)
