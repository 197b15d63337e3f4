"""Files: who may know of them, and how their offer ends."""

import hashlib
from typing import Any

import pytest

from pal_server.actions import files, leaders, rooms, setup, tokens, users
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.files import File
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.store import Store
from tests.support.stores import Clock, Heard

HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
async def owner(store: Store) -> Actor:
    await store.write(setup.first_start, owner_hash="owner", code_hash="code")
    actor = await store.read(tokens.authenticate, secret_hash="owner")
    assert actor is not None
    return actor


@pytest.fixture
async def member(store: Store, owner: Actor) -> Actor:
    await store.write(users.create, actor=owner, username="mia")
    await store.write(tokens.create, actor=owner, name="m", user="mia", secret_hash="mia")
    actor = await store.read(tokens.authenticate, secret_hash="mia")
    assert actor is not None
    return actor


async def add(store: Store, actor: Actor, **more: Any) -> File:
    about = {"name": "../hello.txt", "mime": "text/plain", "size": 5, "sha256": HELLO, **more}
    return await store.write(files.add, actor=actor, **about)


async def test_a_file_is_named_safely_and_told(store: Store, owner: Actor, heard: Heard) -> None:
    file = await add(store, owner, title=" A  title ")

    assert (file.name, file.title, file.url) == ("hello.txt", "A title", f"/f/{file.id}")
    assert [event.kind for event in heard.events[-1]] == ["file.added"]


async def test_said_again_with_its_client_id_it_is_the_same_file(store: Store, owner: Actor) -> None:
    first = await add(store, owner, client_id="c")
    again = await add(store, owner, client_id="c")

    assert again.id == first.id
    with pytest.raises(Conflict):
        await add(store, owner, client_id="c", name="other.txt")


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"mime": "x"}, {"sha256": "../../etc/passwd"}, {"ttl": 0}, {"title": "x" * 201}]
)
async def test_what_describes_it_is_checked(store: Store, owner: Actor, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await add(store, owner, **wrong)


async def test_a_files_time_to_live_ends_its_offer(store: Store, owner: Actor, clock: Clock) -> None:
    file = await add(store, owner, ttl=60)
    assert (await store.read(files.open_link, actor=owner, ref=file.id)).sha256 == HELLO

    clock.advance(60)

    with pytest.raises(NotFound):
        await store.read(files.open_link, actor=owner, ref=file.id)
    assert (await store.read(files.get, actor=owner, ref=file.id)).id == file.id


async def test_a_revoked_file_is_no_longer_offered(store: Store, owner: Actor, member: Actor) -> None:
    file = await add(store, owner)
    with pytest.raises(Forbidden):
        await store.write(files.revoke, actor=member, ref=file.id)

    await store.write(files.revoke, actor=owner, ref=file.id)
    await store.write(files.revoke, actor=owner, ref=file.id)

    with pytest.raises(NotFound):
        await store.read(files.open_link, actor=member, ref=file.id)


async def test_a_file_follows_the_rights_of_its_room(store: Store, owner: Actor, member: Actor) -> None:
    await store.write(rooms.create, actor=owner, name="secret", visibility="private")
    hidden = await add(store, owner, room="secret")
    shown = await add(store, owner, room="general")

    page = await store.read(files.list_page, actor=member, q=None, after=None, limit=50)

    assert [file.id for file in page.items] == [shown.id]
    for ref in (hidden.id, "file_missing"):
        with pytest.raises(NotFound):
            await store.read(files.open_link, actor=member, ref=ref)
    with pytest.raises(NotFound):
        await add(store, member, room="secret")


async def test_machines_know_no_file_without_a_room(store: Store, owner: Actor) -> None:
    file = await add(store, owner)
    run = Actor(
        kind=ActorKind.RUN, workspace_id=owner.workspace_id, id="a", name="a", agent="a", run_id=7, room_id=None
    )

    own = await add(store, run)

    assert own.run == 7
    assert (await store.read(files.get, actor=run, ref=own.id)).id == own.id
    with pytest.raises(NotFound):
        await store.read(files.get, actor=run, ref=file.id)


async def test_files_are_found_by_a_part_of_their_name(store: Store, owner: Actor) -> None:
    await add(store, owner, name="Report_1.html")
    await add(store, owner, name="ReportX1.html")
    await add(store, owner, name="x", title="the report_1 again")

    page = await store.read(files.list_page, actor=owner, q="report_1", after=None, limit=50)

    assert sorted(file.name for file in page.items) == ["Report_1.html", "x"]


async def test_a_list_is_narrowed_by_room_run_kind_and_whether_it_is_offered(
    store: Store, owner: Actor, member: Actor, clock: Clock
) -> None:
    room = await store.write(rooms.create, actor=owner, name="narrow")
    run = Actor(
        kind=ActorKind.RUN, workspace_id=owner.workspace_id, id="a", name="a", agent="a", run_id=7, room_id=room.id
    )
    await add(store, owner, name="picture", mime="image/png")
    await add(store, owner, name="in the room", room=room.name)
    await add(store, run, name="of the run")
    await add(store, owner, name="for a while", ttl=10)
    gone = await add(store, owner, name="taken back")
    await store.write(files.revoke, actor=owner, ref=gone.id)
    clock.advance(10)

    async def names(**wanted: Any) -> set[str]:
        page = await store.read(files.list_page, actor=owner, q=None, after=None, limit=50, **wanted)
        return {file.name for file in page.items}

    assert await names(room=room.name) == {"in the room", "of the run"}
    assert await names(run=7) == {"of the run"}
    assert await names(mime="image/") == {"picture"}
    assert await names(state="ended") == {"for a while", "taken back"}
    assert await names(state="live") == {"picture", "in the room", "of the run"}
    assert await names(room=room.id, state="ended") == set()


async def test_cleaning_up_removes_what_ended_and_names_content_nobody_has(
    store: Store, owner: Actor, clock: Clock
) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    await add(store, owner, ttl=10)
    await add(store, owner)
    await add(store, owner, ttl=10, sha256=other)
    clock.advance(10)

    cleaned = await store.write(files.cleanup, actor=owner)

    assert (cleaned.removed, cleaned.unused, cleaned.is_all) == (2, (other,), True)
    assert await store.read(files.unused, hashes=[HELLO, other]) == [other]
    assert (await store.write(files.cleanup, actor=owner)).removed == 0


async def test_a_chore_has_one_leader_until_its_hold_is_over(store: Store, clock: Clock) -> None:
    assert await store.write(leaders.hold, chore="reap", holder="a", hold_for=1000)
    assert await store.write(leaders.hold, chore="reap", holder="a", hold_for=1000)
    assert not await store.write(leaders.hold, chore="reap", holder="b", hold_for=1000)

    clock.advance(1)
    assert await store.write(leaders.hold, chore="reap", holder="b", hold_for=1000)

    await store.write(leaders.let_go, chore="reap", holder="a")
    assert not await store.write(leaders.hold, chore="reap", holder="a", hold_for=1000)
    await store.write(leaders.let_go, chore="reap", holder="b")
    assert await store.write(leaders.hold, chore="reap", holder="a", hold_for=1000)
