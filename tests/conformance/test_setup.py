"""The first start: nothing has a default secret, and a second start changes nothing."""

import asyncio

import pytest

from pal_server.actions import audit, login, rooms, setup, tokens, users
from pal_server.domain.actors import Role, system
from pal_server.errors import Forbidden
from pal_server.storage.store import Store
from tests.support.stores import Clock


async def test_the_first_start_makes_an_owner_a_link_and_a_room(store: Store) -> None:
    assert await store.read(setup.workspace) is None

    start = await store.write(setup.first_start, owner_hash="owner", code_hash="code")
    owner = await store.read(tokens.authenticate, secret_hash="owner")

    assert start.is_first
    assert await store.read(setup.workspace) == start.workspace_id
    assert owner is not None
    assert (owner.name, owner.role) == ("owner", Role.OWNER)
    room = await store.read(rooms.get, actor=owner, room="general")
    assert room.default_topic > 0
    assert (await store.read(audit.verify, actor=owner)).ok
    assert await store.write(login.with_code, code_hash="code", session_hash="s") is not None


async def test_a_second_start_changes_nothing(store: Store) -> None:
    first = await store.write(setup.first_start, owner_hash="owner", code_hash="code")
    second = await store.write(setup.first_start, owner_hash="other", code_hash="other code")

    assert (second.workspace_id, second.is_first) == (first.workspace_id, False)
    assert await store.read(tokens.authenticate, secret_hash="other") is None


async def test_of_servers_that_start_together_one_is_first(store: Store) -> None:
    starts = await asyncio.gather(
        *(store.write(setup.first_start, owner_hash=f"o{n}", code_hash=f"c{n}") for n in range(4))
    )

    assert sorted(start.is_first for start in starts) == [False, False, False, True]
    assert len({start.workspace_id for start in starts}) == 1


async def test_the_link_lasts_a_day(store: Store, clock: Clock) -> None:
    await store.write(setup.first_start, owner_hash="owner", code_hash="code")

    clock.advance(24 * 3600)

    assert await store.write(login.with_code, code_hash="code", session_hash="s") is None


async def test_another_link_is_for_oneself_or_by_an_owner(store: Store) -> None:
    start = await store.write(setup.first_start, owner_hash="owner", code_hash="code")
    owner = await store.read(tokens.authenticate, secret_hash="owner")
    assert owner is not None
    await store.write(users.create, actor=owner, username="mia", role="admin")
    await store.write(setup.new_code, actor=owner, code_hash="for mia", user="mia")

    done = await store.write(login.with_code, code_hash="for mia", session_hash="s")

    assert done is not None
    assert done.actor.name == "mia"
    with pytest.raises(Forbidden):
        await store.write(setup.new_code, actor=done.actor, code_hash="x", user="owner")
    await store.write(setup.new_code, actor=system(start.workspace_id), code_hash="again", user="owner")
    assert await store.write(login.with_code, code_hash="again", session_hash="t") is not None


async def test_a_lost_owner_token_is_replaced_by_the_server_itself(store: Store) -> None:
    start = await store.write(setup.first_start, owner_hash="owner", code_hash="code")

    await store.write(setup.new_owner_token, actor=system(start.workspace_id), owner_hash="new")

    actor = await store.read(tokens.authenticate, secret_hash="new")
    assert actor is not None
    assert actor.role is Role.OWNER
