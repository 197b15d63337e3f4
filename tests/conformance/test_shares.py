"""Share links: what they show, to whom, for how long, and what a guest may do."""

import hashlib
from typing import Any

import pytest

from pal_server.actions import files, rooms, shared, shares, users
from pal_server.actions.digests import send_due
from pal_server.domain.actors import Actor
from pal_server.domain.shares import Share
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock, Heard

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def share(bus: Bus, *, actor: Actor | None = None, secret: str = "link", **what: Any) -> Share:
    return await bus.store.write(shares.create, actor=actor or bus.people.member, secret_hash=secret, **what)


async def read(bus: Bus, *, secret: str = "link", **more: Any) -> list[str]:
    query = {"topic": None, "after": None, "before": None, "limit": 50, **more}
    page = await bus.store.read(shared.list_messages, secret_hash=secret, **query)
    return [message.content for message in page.items]


async def comment(bus: Bus, content: str, *, secret: str = "link", name: str = "Mia", **more: Any) -> Any:
    return await bus.store.write(shared.comment, secret_hash=secret, name=name, content=content, **more)


async def test_a_link_shows_its_topic_and_nothing_else(bus: Bus) -> None:
    topic = await bus.topic("plans")
    await bus.say("inside", topic=topic)
    await bus.say("outside")
    await share(bus, topic=topic)

    found = await bus.store.read(shared.look, secret_hash="link")

    assert found.topic is not None
    assert found.topic.title == "plans"
    assert await read(bus) == ["inside"]
    with pytest.raises(NotFound):
        await read(bus, topic=bus.room.default_topic)
    with pytest.raises(NotFound):
        await bus.store.read(shared.run_events, secret_hash="link", after=0, limit=10)


async def test_a_shared_room_has_all_its_topics(bus: Bus) -> None:
    topic = await bus.topic("plans")
    await bus.say("one")
    await bus.say("two", topic=topic)
    await share(bus, room="general")

    page = await bus.store.read(shared.list_topics, secret_hash="link", after=None, limit=50)

    assert [one.title for one in page.items] == ["General", "plans"]
    assert await read(bus) == ["one", "two"]
    assert await read(bus, topic=topic) == ["two"]


async def test_a_shared_run_shows_what_it_did(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    await share(bus, run=run.id)

    found = await bus.store.read(shared.look, secret_hash="link")
    _, end = await bus.store.read(shared.run_events, secret_hash="link", after=0, limit=10)

    assert found.run is not None
    assert (found.run.id, end) == (run.id, None)
    with pytest.raises(NotFound):
        await read(bus)


async def test_a_file_is_shown_by_what_it_belongs_to(bus: Bus) -> None:
    topic = await bus.topic()
    made = [
        await bus.store.write(
            files.add, actor=bus.people.member, name=name, mime="text/plain", size=5, sha256=HELLO, room="general"
        )
        for name in ("attached", "alone")
    ]
    await bus.say("look", topic=topic, files=[made[0].id])
    await share(bus, topic=topic)
    await share(bus, secret="file link", file=made[1].id)

    async def get(secret: str, number: int) -> str:
        return (await bus.store.read(shared.file, secret_hash=secret, ref=made[number].id)).name

    assert await get("link", 0) == "attached"
    assert await get("file link", 1) == "alone"
    for secret, number in (("link", 1), ("file link", 0)):
        with pytest.raises(NotFound):
            await get(secret, number)
    await bus.store.write(files.revoke, actor=bus.people.member, ref=made[1].id)
    with pytest.raises(NotFound):
        await get("file link", 1)


@pytest.mark.parametrize("end", ["revoked", "expired", "maker disabled", "maker shut out"])
async def test_a_link_that_has_ended_is_one_that_never_was(bus: Bus, clock: Clock, heard: Heard, end: str) -> None:
    room = await bus.make_room("team", visibility="private")
    await bus.store.write(rooms.invite_user, actor=bus.people.owner, room="team", user="member")
    link = await share(bus, room="team", expires_at=clock() + 60_000)
    assert await read(bus) == []

    match end:
        case "revoked":
            await bus.store.write(shares.revoke, actor=bus.people.member, id=link.id)
            assert any("tokens" in woken for woken in heard.wakes)
        case "expired":
            clock.advance(61)
        case "maker disabled":
            await bus.store.write(users.change, actor=bus.people.owner, user="member", disabled=True)
        case _:
            await bus.store.write(shut_out, room_id=room.id, user_id=bus.people.member.id)

    with pytest.raises(NotFound):
        await read(bus)


def shut_out(tx: Any, *, room_id: str, user_id: str) -> None:
    tx.sql.run("rooms.remove_member", room_id=room_id, kind="user", principal=user_id)


async def test_a_comment_is_a_guests_and_calls_agents_only_where_the_link_says_so(bus: Bus) -> None:
    await bus.agent("keen", mode="all")
    await share(bus, room="general", rights="comment")
    await share(bus, secret="loud", room="general", rights="comment", may_trigger=True)

    quiet = await comment(bus, "@bot look")
    loud = await comment(bus, "@bot look", secret="loud")

    sender = quiet.message.sender
    assert (sender.kind, sender.name, sender.origin) == ("guest", "Mia", "share link of member")
    assert quiet.deliveries == ()
    assert {delivery.agent for delivery in loud.deliveries} == {"bot", "keen"}


async def test_a_quiet_comment_sets_off_no_digest(bus: Bus, clock: Clock) -> None:
    await bus.agent("reader", mode="periodic")
    await share(bus, room="general", rights="comment")
    await comment(bus, "anything new?")
    clock.advance(3601)

    await bus.store.write(send_due)

    assert await bus.deliveries() == []


async def test_a_comment_commands_nobody(bus: Bus) -> None:
    await share(bus, room="general", rights="comment", may_trigger=True)

    sent = await comment(bus, "@bot /stop")

    assert [delivery.agent for delivery in sent.deliveries] == ["bot"]


async def test_a_link_for_reading_takes_no_comment(bus: Bus) -> None:
    await share(bus, room="general")

    with pytest.raises(Forbidden):
        await comment(bus, "hello")


@pytest.mark.parametrize("name", ["member", "BOT", "pal", "a@b", ""])
async def test_a_guest_takes_nobodys_name(bus: Bus, name: str) -> None:
    await share(bus, room="general", rights="comment")

    with pytest.raises((Forbidden, Invalid)):
        await comment(bus, "hello", name=name)


async def test_a_comment_said_again_is_said_once(bus: Bus) -> None:
    await share(bus, room="general", rights="comment")

    first = await comment(bus, "hello", client_id="1")
    again = await comment(bus, "hello", client_id="1")

    assert first.message.id == again.message.id
    with pytest.raises(Conflict):
        await comment(bus, "other words", client_id="1")


async def test_a_comment_stays_in_its_topic(bus: Bus) -> None:
    topic = await bus.topic()
    elsewhere = await bus.say("elsewhere")
    await share(bus, topic=topic, rights="comment")

    said = await comment(bus, "hello")

    assert said.message.topic_id == topic
    with pytest.raises(Invalid):
        await comment(bus, "hello", parent=elsewhere.message.id)
    with pytest.raises(NotFound):
        await comment(bus, "hello", topic=elsewhere.message.topic_id)


async def test_only_members_share_and_only_what_they_see(bus: Bus) -> None:
    await bus.make_room("secret", visibility="private")

    with pytest.raises(NotFound):
        await share(bus, room="secret")
    with pytest.raises(Forbidden):
        await share(bus, actor=bus.people.viewer, room="general")
    with pytest.raises(Invalid):
        await share(bus, room="general", topic=bus.room.default_topic)
    with pytest.raises(Invalid):
        await share(bus, room="general", may_trigger=True)


async def test_links_are_listed_by_their_maker_and_admins(bus: Bus) -> None:
    mine = await share(bus, room="general")
    other = await share(bus, secret="other", actor=bus.people.owner, room="general")

    async def listed(actor: Actor) -> list[str]:
        page = await bus.store.read(shares.list_page, actor=actor, after=None, limit=10)
        return [one.id for one in page.items]

    assert await listed(bus.people.member) == [mine.id]
    assert sorted(await listed(bus.people.admin)) == sorted([mine.id, other.id])
    with pytest.raises(NotFound):
        await bus.store.write(shares.revoke, actor=bus.people.member, id=other.id)


async def test_uses_are_counted(bus: Bus, clock: Clock) -> None:
    await share(bus, room="general")

    for _ in range(3):
        await bus.store.write(shared.note_use, secret_hash="link")

    [link] = (await bus.store.read(shares.list_page, actor=bus.people.member, after=None, limit=10)).items
    assert (link.uses, link.last_used_at) == (3, clock())


async def test_a_lost_answer_gets_a_new_token_until_the_link_is_opened(bus: Bus) -> None:
    first = await share(bus, room="general", client_id="1")
    again = await share(bus, secret="second", room="general", client_id="1")

    assert first.id == again.id
    with pytest.raises(NotFound):
        await read(bus)
    await bus.store.write(shared.note_use, secret_hash="second")
    with pytest.raises(Conflict):
        await share(bus, secret="third", room="general", client_id="1")


async def test_news_are_of_the_topic_alone_and_never_twice(bus: Bus) -> None:
    topic = await bus.topic("plans")
    await share(bus, topic=topic)
    start = await bus.store.read(shared.news, secret_hash="link", position=0, limit=200)
    inside = await bus.say("inside", topic=topic)
    await bus.say("outside")

    first = await bus.store.read(shared.news, secret_hash="link", position=start.position, limit=1)
    rest = await bus.store.read(shared.news, secret_hash="link", position=first.position, limit=200)
    nothing = await bus.store.read(shared.news, secret_hash="link", position=rest.position, limit=200)

    assert [event.kind for event in (*first.events, *rest.events)] == ["message.created"]
    assert f'"id":{inside.message.id}' in (*first.events, *rest.events)[0].data
    assert nothing.events == ()
