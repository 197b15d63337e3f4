"""Computers: which of two daemons acts, and what people see of it."""

import asyncio
from dataclasses import replace

import pytest

from pal_server.actions import access, computers, tokens
from pal_server.domain.actors import Actor
from pal_server.domain.computers import Checkout, Computer, ComputerStatus, RuntimeState
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import computers as rows
from pal_server.storage.store import Store, Tx
from tests.support.people import DEMO, People, connect, daemon, make_people
from tests.support.stores import Clock, Heard


@pytest.fixture
async def people(store: Store) -> People:
    return await store.write(make_people)


@pytest.fixture
async def computer(store: Store, people: People) -> Computer:
    return await store.write(computers.provision, actor=people.admin, name="box", key_hash="key")


async def beat(store: Store, computer: Computer, *, epoch: int | None = None) -> Computer:
    return await store.write(computers.heartbeat, actor=daemon(computer), computer=computer.id, epoch=epoch)


def kinds(heard: Heard) -> list[str]:
    return [event.kind for batch in heard.events for event in batch]


async def test_a_provisioned_computers_key_is_an_actor(store: Store, computer: Computer) -> None:
    assert computer.status is ComputerStatus.PROVISIONED
    assert await store.read(tokens.authenticate, secret_hash="key") is not None


@pytest.mark.parametrize("role", ["member", "viewer"])
async def test_only_admins_provision(store: Store, people: People, role: str) -> None:
    with pytest.raises(Forbidden):
        await store.write(computers.provision, actor=getattr(people, role), name="box", key_hash="key")


async def test_a_name_is_one_computers(store: Store, people: People, computer: Computer) -> None:
    with pytest.raises(AlreadyExists):
        await store.write(computers.provision, actor=people.admin, name="box", key_hash="other")

    await store.write(computers.revoke, actor=people.admin, ref="box")
    again = await store.write(computers.provision, actor=people.admin, name="box", key_hash="other")

    assert again.id != computer.id


async def test_a_lost_answer_to_provision_is_replaced_by_a_new_key(store: Store, people: People) -> None:
    lost = await store.write(computers.provision, actor=people.admin, name="box", key_hash="k1", client_id="c")
    told = await store.write(computers.provision, actor=people.admin, name="box", key_hash="k2", client_id="c")

    assert told.id == lost.id
    assert await store.read(tokens.authenticate, secret_hash="k1") is None
    assert await store.read(tokens.authenticate, secret_hash="k2") is not None
    await connect(store, told)
    with pytest.raises(Conflict):
        await store.write(computers.provision, actor=people.admin, name="box", key_hash="k3", client_id="c")


async def test_a_daemon_brings_its_computer_online(store: Store, computer: Computer, heard: Heard) -> None:
    online = await connect(store, computer)

    assert (online.status, online.host, online.runtimes) == (ComputerStatus.ONLINE, "host", (DEMO,))
    assert "computer.online" in kinds(heard)


async def test_a_computer_shows_where_its_runs_work(store: Store, computer: Computer, heard: Heard) -> None:
    await connect(store, computer)
    shop = Checkout(root="/src/shop", branch="main", used_at=1)

    async def told(*checkouts: Checkout) -> Computer:
        actor = daemon(computer)
        return await store.write(
            computers.heartbeat, actor=actor, computer=computer.id, epoch=None, checkouts=checkouts
        )

    first = await told(shop)
    again = await told(replace(shop, used_at=2))
    switched = await told(replace(shop, branch="payments", used_at=2))
    kept = await beat(store, computer)
    with pytest.raises(Invalid):
        await told(replace(shop, root="/src\0"))
    with pytest.raises(Invalid):
        await told(*(replace(shop, root=f"/src/{number}") for number in range(51)))

    assert first.fact()["checkouts"] == [{"root": "/src/shop", "branch": "main", "used_at": 1}]
    assert again.checkouts[0].used_at == 2
    assert kept.checkouts == switched.checkouts
    assert kinds(heard).count("computer.changed") == 2  # a run that begins there again is no news


async def test_the_same_machine_comes_back_at_once_under_its_epoch(store: Store, computer: Computer) -> None:
    first = await connect(store, computer)
    again = await connect(store, computer)

    assert again.epoch == first.epoch
    await beat(store, computer, epoch=first.epoch)


async def test_another_machine_is_refused_while_the_first_is_alive(
    store: Store, computer: Computer, clock: Clock
) -> None:
    await connect(store, computer)
    clock.advance(29)

    with pytest.raises(Conflict) as refused:
        await connect(store, computer, machine="machine-b")

    assert refused.value.facts["host"] == "host"


async def test_another_machine_takes_over_after_thirty_seconds_and_fences_the_first_out(
    store: Store, computer: Computer, clock: Clock, heard: Heard
) -> None:
    first = await connect(store, computer)
    clock.advance(30)
    heard.wakes.clear()

    second = await connect(store, computer, machine="machine-b")

    assert second.epoch > first.epoch
    assert any(f"computer:{computer.id}" in wake for wake in heard.wakes)
    with pytest.raises(Conflict):
        await beat(store, computer, epoch=first.epoch)
    await beat(store, computer, epoch=second.epoch)


async def test_a_person_may_force_the_take_over(store: Store, computer: Computer) -> None:
    first = await connect(store, computer)

    second = await connect(store, computer, machine="machine-b", take_over=True)

    assert second.epoch == first.epoch + 1


async def test_of_two_machines_at_the_same_time_one_gets_in(store: Store, computer: Computer) -> None:
    came = await asyncio.gather(
        *(connect(store, computer, machine=f"machine-{n}") for n in range(4)), return_exceptions=True
    )

    assert sum(isinstance(result, Computer) for result in came) == 1
    assert sum(isinstance(result, Conflict) for result in came) == 3


async def test_a_silent_computer_is_offline_before_and_after_the_log_says_so(
    store: Store, people: People, computer: Computer, clock: Clock, heard: Heard
) -> None:
    await connect(store, computer, interval=5000)
    clock.advance(15)
    assert await store.write(computers.mark_offline) == []
    clock.advance(0.001)

    seen = await store.read(computers.get, actor=people.viewer, ref="box")
    gone = await store.write(computers.mark_offline)
    again = await store.write(computers.mark_offline)

    assert seen.status is ComputerStatus.OFFLINE
    assert (gone, again) == ([computer.id], [])
    assert kinds(heard).count("computer.offline") == 1


async def test_a_short_interval_is_given_ten_seconds(store: Store, computer: Computer, clock: Clock) -> None:
    await connect(store, computer, interval=100)

    clock.advance(10)
    assert await store.write(computers.mark_offline) == []
    clock.advance(0.001)
    assert await store.write(computers.mark_offline) == [computer.id]


async def test_a_heartbeat_brings_it_back_and_says_so_once(
    store: Store, computer: Computer, clock: Clock, heard: Heard
) -> None:
    await connect(store, computer)
    clock.advance(60)
    await store.write(computers.mark_offline)
    heard.events.clear()

    await beat(store, computer)
    back = await beat(store, computer)

    assert back.status is ComputerStatus.ONLINE
    assert kinds(heard) == ["computer.online"]


async def test_what_a_heartbeat_says_of_runtimes_is_told_when_it_changes(
    store: Store, computer: Computer, heard: Heard
) -> None:
    await connect(store, computer)
    heard.events.clear()
    gone = RuntimeState(name="codex", available=False, note="npm i -g codex", capabilities={})

    for _ in range(2):
        told = await store.write(
            computers.heartbeat, actor=daemon(computer), computer=computer.id, epoch=None, runtimes=(DEMO, gone)
        )

    assert [runtime.name for runtime in told.runtimes] == ["codex", "demo"]
    assert kinds(heard) == ["computer.changed"]


async def test_a_rotated_key_ends_the_old_one_at_once(
    store: Store, people: People, computer: Computer, heard: Heard
) -> None:
    first = await connect(store, computer)
    heard.wakes.clear()

    rotated = await store.write(computers.rotate, actor=people.admin, ref="box", key_hash="new")

    assert await store.read(tokens.authenticate, secret_hash="key") is None
    assert await store.read(tokens.authenticate, secret_hash="new") is not None
    assert rotated.status is ComputerStatus.OFFLINE
    assert {f"computer:{computer.id}", "tokens"} <= set().union(*heard.wakes)
    with pytest.raises(Conflict):
        await beat(store, computer, epoch=first.epoch)
    assert (await connect(store, computer, machine="machine-b")).status is ComputerStatus.ONLINE


async def test_a_revoked_key_is_nobodys_for_good(store: Store, people: People, computer: Computer) -> None:
    await connect(store, computer)

    revoked = await store.write(computers.revoke, actor=people.admin, ref="box")
    again = await store.write(computers.revoke, actor=people.admin, ref=computer.id)

    assert revoked.status is again.status is ComputerStatus.REVOKED
    assert await store.read(tokens.authenticate, secret_hash="key") is None
    with pytest.raises(NotFound):
        await connect(store, computer)
    with pytest.raises(NotFound):
        await beat(store, computer)
    with pytest.raises(Conflict):
        await store.write(computers.rotate, actor=people.admin, ref=computer.id, key_hash="new")


async def test_draining_is_seen_and_undone(store: Store, people: People, computer: Computer) -> None:
    await connect(store, computer)

    drained = await store.write(computers.drain, actor=daemon(computer), ref=computer.id)
    open_again = await store.write(computers.drain, actor=people.admin, ref="box", draining=False)

    assert (drained.status, open_again.status) == (ComputerStatus.DRAINING, ComputerStatus.ONLINE)
    with pytest.raises(Forbidden):
        await store.write(computers.drain, actor=people.member, ref="box")


async def test_a_computer_knows_itself_alone(store: Store, people: People, computer: Computer) -> None:
    other = await store.write(computers.provision, actor=people.admin, name="other", key_hash="other")

    page = await store.read(computers.list_page, actor=daemon(computer), after=None, limit=50)

    assert [found.id for found in page.items] == [computer.id]
    for ref in (other.id, "other", "missing"):
        with pytest.raises(NotFound):
            await store.read(computers.get, actor=daemon(computer), ref=ref)
    with pytest.raises(NotFound):
        await store.write(computers.heartbeat, actor=daemon(computer), computer=other.id, epoch=None)


async def test_a_person_cannot_be_a_daemon(store: Store, people: People, computer: Computer) -> None:
    with pytest.raises(Forbidden):
        await store.write(computers.heartbeat, actor=people.owner, computer=computer.id, epoch=None)


async def test_a_beginning_of_an_id_is_enough_when_it_is_unique(store: Store, people: People) -> None:
    def make(tx: Tx) -> None:
        for name in ("abcdefgh", "abcdefzz", "zzzzzzzz"):
            rows.insert(tx, id=f"machine_{name}", workspace_id="w", name=name[::-1])

    def find(tx: Tx, *, actor: Actor, ref: str) -> str:
        return access.computer(tx, actor, ref).id

    await store.write(make)

    assert await store.read(find, actor=people.viewer, ref="machine_zzzzzz") == "machine_zzzzzzzz"
    assert await store.read(find, actor=people.viewer, ref="zzzzzz") == "machine_zzzzzzzz"
    assert await store.read(find, actor=people.viewer, ref="abcdefg") == "machine_abcdefgh"
    with pytest.raises(Conflict) as ambiguous:
        await store.read(find, actor=people.viewer, ref="machine_abcdef")
    assert ambiguous.value.facts["candidates"] == ["machine_abcdefgh", "machine_abcdefzz"]
    for short in ("machine_zzzzz", "machine_%", "machine_"):
        with pytest.raises(NotFound):
            await store.read(find, actor=people.viewer, ref=short)


async def test_pages_of_computers_meet(store: Store, people: People) -> None:
    for name in ("c", "a", "b"):
        await store.write(computers.provision, actor=people.admin, name=name, key_hash=name)

    first = await store.read(computers.list_page, actor=people.viewer, after=None, limit=2)
    second = await store.read(computers.list_page, actor=people.viewer, after=first.next, limit=2)

    assert sorted(found.name for found in (*first.items, *second.items)) == ["a", "b", "c"]
    assert second.next is None
