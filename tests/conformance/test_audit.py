"""The audit log: what it holds, and that a change in it shows."""

import asyncio
from pathlib import Path

import pytest

from pal_server.actions import agents, audit, computers, interactions, login, messages, runs, tokens, users
from pal_server.domain.audit import Verified
from pal_server.domain.runs import Wanted
from pal_server.errors import Forbidden
from pal_server.storage.store import Store, Tx
from tests.support.bus import lease, make_bus
from tests.support.people import People, daemon, make_people
from tests.support.stores import Clock, Heard, open_test_store


@pytest.fixture
async def people(store: Store) -> People:
    return await store.write(make_people)


def overwrite(tx: Tx, *, statement: str, id: int) -> None:
    tx.sql.run(f"people.{statement}", id=id)


async def actions_of(store: Store, people: People) -> list[str]:
    page = await store.read(audit.list_page, actor=people.admin, action=None, after=None, limit=50)
    return [entry.action for entry in reversed(page.items)]


async def test_what_matters_for_safety_is_written_down(store: Store, people: People) -> None:
    token = await store.write(tokens.create, actor=people.admin, name="ci", secret_hash="secret")
    await store.write(tokens.revoke, actor=people.admin, ref=token.id)
    await store.write(login.with_token, token_hash="member", session_hash="s")
    await store.write(login.with_token, token_hash="guess", session_hash="s")
    await store.write(users.change, actor=people.member, user="member", password_hash="hash")
    await store.write(users.change, actor=people.admin, user="member", role="viewer")
    await store.write(computers.provision, actor=people.admin, name="box", key_hash="k1")
    await store.write(computers.rotate, actor=people.admin, ref="box", key_hash="k2")
    await store.write(computers.revoke, actor=people.admin, ref="box")

    assert (await actions_of(store, people))[3:] == [
        "token.created",
        "token.revoked",
        "user.logged_in",
        "user.log_in_failed",
        "user.password_changed",
        "user.role_changed",
        "computer.provisioned",
        "computer.key_rotated",
        "computer.revoked",
    ]


async def test_orders_answers_bindings_and_deletions_are_written_down(store: Store) -> None:
    bus = await make_bus(store)
    owner = bus.people.owner
    await bus.agent("bot", computer="box")
    claimed, run = await bus.start("@bot go")
    asked = await store.write(
        interactions.open_for_run,
        actor=daemon(bus.box),
        run=run.id,
        key="k",
        kind="approval",
        title="May I?",
        **lease(claimed),
    )
    await store.write(interactions.answer, actor=bus.people.member, id=asked.id, decision="deny")
    await store.write(runs.order_by_id, actor=bus.people.member, id=run.id, wanted=Wanted.KILL)
    sent = await bus.say("never mind")
    await store.write(messages.delete, actor=owner, id=sent.message.id)
    await store.write(agents.assign, actor=owner, key="bot", computer=None)
    await store.write(agents.delete, actor=owner, key="bot")

    page = await store.read(audit.list_page, actor=owner, action=None, after=None, limit=50)
    written = {entry.action: (entry.actor, entry.target) for entry in page.items}
    member = f"{bus.people.member.key} member"
    assert written["interaction.answered"] == (member, f"interaction:{asked.id}")
    assert written["run.kill"] == (member, f"run:{run.id}")
    assert written["message.deleted"] == (f"{owner.key} owner", f"message:{sent.message.id}")
    assert written["agent.assigned"][1] == written["agent.deleted"][1] == "bot"
    assert (await store.read(audit.verify, actor=owner)).ok


async def test_no_secret_and_nothing_a_stranger_typed_is_in_it(store: Store, people: People) -> None:
    await store.write(login.with_password, username="my password", verified_hash=None, session_hash="s")
    await store.write(tokens.create, actor=people.admin, name="ci", secret_hash="secret hash")

    page = await store.read(audit.list_page, actor=people.admin, action=None, after=None, limit=50)

    assert "my password" not in str(page)
    assert "secret hash" not in str(page)


async def test_a_failed_log_in_names_the_user_it_was_for(store: Store, people: People) -> None:
    await store.write(login.with_password, username="owner", verified_hash=None, session_hash="s")

    page = await store.read(audit.list_page, actor=people.admin, action="user.log_in_failed", after=None, limit=50)

    assert [(entry.target, entry.detail) for entry in page.items] == [("owner", {"way": "password"})]


async def test_an_untouched_log_is_whole(store: Store, people: People) -> None:
    result = await store.read(audit.verify, actor=people.owner)

    assert (result.ok, result.entries, result.first_changed) == (True, 3, None)


@pytest.mark.parametrize(("statement", "found"), [("audit_change", 2), ("audit_remove", 3)])
async def test_a_changed_or_removed_entry_shows(store: Store, people: People, statement: str, found: int) -> None:
    page = await store.read(audit.list_page, actor=people.admin, action=None, after=None, limit=50)
    first = page.items[-1].id

    await store.write(overwrite, statement=statement, id=first + 1)
    result = await store.read(audit.verify, actor=people.owner)

    assert result == Verified(ok=False, entries=1, first_changed=first + found - 1, head=page.items[-1].hash)


async def test_another_key_does_not_fit(store: Store, people: People, where: str | Path, clock: Clock) -> None:
    async with await open_test_store(where, clock=clock, heard=Heard(), audit_key=b"another") as other:
        result = await other.read(audit.verify, actor=people.owner)

    assert not result.ok


async def test_a_long_log_is_followed_to_its_end(store: Store, people: People) -> None:
    def fill(tx: Tx, *, count: int) -> None:
        for number in range(count):
            audit.record(tx, actor=people.server, action="test.done", target=str(number))

    await store.write(fill, count=1100)

    assert (await store.read(audit.verify, actor=people.owner)).entries == 1103


async def test_entries_written_at_the_same_time_follow_each_other(store: Store, people: People) -> None:
    await asyncio.gather(
        *(store.write(tokens.create, actor=people.admin, name=f"t{n}", secret_hash=f"h{n}") for n in range(20))
    )

    result = await store.read(audit.verify, actor=people.owner)

    assert (result.ok, result.entries) == (True, 23)


async def test_pages_go_back_in_time(store: Store, people: People) -> None:
    first = await store.read(audit.list_page, actor=people.admin, action=None, after=None, limit=2)
    second = await store.read(audit.list_page, actor=people.admin, action=None, after=first.next, limit=2)

    assert [entry.target for entry in (*first.items, *second.items)] == ["viewer", "member", "admin"]
    assert second.next is None


async def test_only_admins_read_it(store: Store, people: People) -> None:
    for query in (audit.verify, audit.list_page):
        more = {} if query is audit.verify else {"action": None, "after": None, "limit": 5}
        with pytest.raises(Forbidden):
            await store.read(query, actor=people.member, **more)  # type: ignore[arg-type]  # two queries in one
