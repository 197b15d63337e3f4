"""Agents: made, changed, assigned and deleted, and what everybody else sees of it."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from pal_server.actions import accounts, agents, computers, deliveries, messages, rooms, runs, setup, tokens, users
from pal_server.domain.actors import Actor, ActorKind, system
from pal_server.domain.agents import Agent, Readiness
from pal_server.domain.computers import Computer, RuntimeState
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, LeaseLost, NotFound
from pal_server.storage.store import Store
from tests.support.people import DEMO, connect, daemon
from tests.support.stores import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """After the first start: the owner, a member and a computer."""

    owner: Actor
    member: Actor
    box: Computer


@pytest.fixture
async def team(store: Store) -> Team:
    started = await store.write(setup.first_start, owner_hash="owner", code_hash="code")
    await store.write(users.create, actor=system(started.workspace_id), username="mia")
    await store.write(tokens.create, actor=await acting(store, "owner"), name="m", user="mia", secret_hash="mia")
    owner, member = await acting(store, "owner"), await acting(store, "mia")
    box = await store.write(computers.provision, actor=owner, name="box", key_hash="box")
    return Team(owner=owner, member=member, box=box)


async def acting(store: Store, secret_hash: str) -> Actor:
    actor = await store.read(tokens.authenticate, secret_hash=secret_hash)
    assert actor is not None
    return actor


async def put(store: Store, actor: Actor, key: str = "helper", **more: Any) -> Agent:
    return (await store.write(agents.put, actor=actor, key=key, **more)).agent


def told(heard: Heard, kind: str) -> list[dict[str, Any]]:
    return [msgspec.json.decode(event.data) for batch in heard.events for event in batch if event.kind == kind]


async def start_run(store: Store, team: Team) -> tuple[int, int]:
    """The agent `helper` runs on the box; the run and its delivery."""
    await connect(store, team.box)
    await store.write(messages.send, actor=team.member, room="general", content="@helper go")
    claimed = (await store.write(deliveries.claim_queue, actor=daemon(team.box), limit=1)).claimed[0]
    assert claimed.delivery.lease_id is not None
    run = await store.write(
        runs.open_run,
        actor=daemon(team.box),
        delivery_id=claimed.delivery.id,
        lease_id=claimed.delivery.lease_id,
        fence=claimed.delivery.fence,
        secret_hash="run",
    )
    return run.id, claimed.delivery.id


async def test_a_new_agent_joins_general_by_mentions(store: Store, team: Team, heard: Heard) -> None:
    agent = await put(store, team.member, display_name="Helper", description="helps")

    members = await store.read(rooms.members, actor=team.member, room="general", after=None, limit=50)
    assert [(m.name, m.mode) for m in members.items if m.kind == "agent"] == [("helper", "mentions")]
    assert told(heard, "agent.created") == [msgspec.json.decode(msgspec.json.encode(agent.fact()))]


async def test_said_again_it_changes_what_is_named_and_keeps_the_rest(store: Store, team: Team) -> None:
    await put(store, team.member, display_name="Helper", model="big", concurrency=2)

    again = await store.write(agents.put, actor=team.member, key="helper", model="small")

    assert not again.is_new
    assert (again.agent.display_name, again.agent.model, again.agent.concurrency) == ("Helper", "small", 2)


async def test_what_did_not_change_is_not_told(store: Store, team: Team, heard: Heard) -> None:
    await put(store, team.member, model="big")
    await put(store, team.member, model="big")

    assert told(heard, "agent.changed") == []


async def test_null_takes_a_value_away_and_nothing_else(store: Store, team: Team) -> None:
    await put(store, team.member, model="big", cwd="/src")

    changed = await store.write(agents.change, actor=team.member, key="helper", model=None, enabled=False)

    assert (changed.model, changed.cwd, changed.enabled) == (None, "/src", False)


async def test_users_and_agents_share_their_names(store: Store, team: Team) -> None:
    await put(store, team.member, key="codex")

    with pytest.raises(AlreadyExists):
        await put(store, team.member, key="mia")
    with pytest.raises(AlreadyExists):
        await store.write(users.create, actor=team.owner, username="codex")
    for key in ("", "A", "../x", "all", "a b"):
        with pytest.raises(Invalid):
            await put(store, team.member, key=key)


async def test_viewers_and_machines_make_no_agents(store: Store, team: Team) -> None:
    await store.write(users.create, actor=team.owner, username="vic", role="viewer")
    await store.write(tokens.create, actor=team.owner, name="v", user="vic", secret_hash="vic")

    for actor in (await acting(store, "vic"), await acting(store, "box")):
        with pytest.raises(Forbidden):
            await put(store, actor)


async def test_only_an_admin_sets_a_command(store: Store, team: Team) -> None:
    with pytest.raises(Forbidden):
        await put(store, team.member, runtime="command", command="rm -rf /")
    with pytest.raises(NotFound):
        await store.read(agents.get, actor=team.member, key="helper")

    made = await put(store, team.owner, runtime="command", command="ls -l")
    with pytest.raises(Forbidden):
        await put(store, team.member, command="rm -rf /")
    kept = await put(store, team.member, command="ls -l", description="lists")
    gone = await store.write(agents.change, actor=team.owner, key="helper", command=None)

    assert (made.command, made.command_allowed) == ("ls -l", True)
    assert (kept.command_allowed, kept.description) == (True, "lists")
    assert (gone.command, gone.command_allowed) == (None, False)


async def test_an_agent_of_command_without_one_says_what_is_missing(store: Store, team: Team) -> None:
    agent = await put(store, team.member, runtime="command")

    assert agent.runtime_state is Readiness.UNAVAILABLE
    assert "admin" in agent.runtime_note


async def test_assigning_wakes_both_computers_and_says_so(store: Store, team: Team, heard: Heard) -> None:
    other = await store.write(computers.provision, actor=team.owner, name="other", key_hash="other")
    await put(store, team.member, computer="box")
    heard.wakes.clear()
    heard.events.clear()

    moved = await store.write(agents.assign, actor=team.member, key="helper", computer=other.id)

    assert moved.computer == other.id
    assert {f"computer:{team.box.id}", f"computer:{other.id}"} <= set().union(*heard.wakes)
    assert [(event["computer"], event["computer_before"]) for event in told(heard, "agent.assigned")] == [
        (other.id, team.box.id)
    ]
    assert (await store.read(computers.get, actor=team.member, ref="other")).agents == ("helper",)


async def test_an_assignment_ends_with_null(store: Store, team: Team) -> None:
    await put(store, team.member, computer="box")

    ended = await store.write(agents.assign, actor=team.member, key="helper", computer=None)

    assert (ended.computer, ended.runtime_state) == (None, Readiness.UNKNOWN)
    assert (await store.read(computers.get, actor=team.member, ref="box")).agents == ()


async def test_a_computer_that_is_missing_or_revoked_takes_no_agent(store: Store, team: Team) -> None:
    await put(store, team.member)
    with pytest.raises(NotFound):
        await store.write(agents.assign, actor=team.member, key="helper", computer="nowhere")

    await store.write(computers.revoke, actor=team.owner, ref="box")

    with pytest.raises(Conflict):
        await store.write(agents.assign, actor=team.member, key="helper", computer=team.box.id)


async def test_what_a_computer_says_of_a_runtime_shows_at_its_agents(store: Store, team: Team, heard: Heard) -> None:
    await put(store, team.member, key="codex", computer="box")
    heard.events.clear()

    await connect(store, team.box, runtimes=(DEMO,))
    missing = RuntimeState(name="codex", available=False, note="npm install codex", capabilities={})
    await connect(store, team.box, runtimes=(DEMO, missing))
    await connect(store, team.box, runtimes=(DEMO, missing))

    seen = [(event["runtime_state"], event["runtime_note"]) for event in told(heard, "agent.changed")]
    assert [state for state, _ in seen] == ["unavailable", "unavailable"]
    assert seen[-1][1] == "npm install codex"


async def test_an_unknown_runtime_stays_visible_as_unavailable(store: Store, team: Team) -> None:
    await connect(store, team.box)

    agent = await put(store, team.member, runtime="own-thing", computer="box")

    assert (agent.runtime, agent.runtime_state) == ("own-thing", Readiness.UNAVAILABLE)
    assert "own-thing" in agent.runtime_note


async def test_agents_of_a_revoked_computer_keep_it_and_say_so(store: Store, team: Team, heard: Heard) -> None:
    await put(store, team.member, computer="box")
    heard.events.clear()

    await store.write(computers.revoke, actor=team.owner, ref="box")

    agent = await store.read(agents.get, actor=team.member, key="helper")
    assert (agent.computer, agent.runtime_state) == (team.box.id, Readiness.UNAVAILABLE)
    assert [event["runtime_state"] for event in told(heard, "agent.changed")] == ["unavailable"]


async def test_revoking_a_computer_ends_what_it_runs(store: Store, team: Team) -> None:
    await put(store, team.member, computer="box")
    run, _ = await start_run(store, team)

    await store.write(computers.revoke, actor=team.owner, ref="box")

    ended = await store.read(runs.get, actor=team.member, id=run)
    assert not ended.is_live
    assert await store.read(tokens.authenticate, secret_hash="run") is None


async def test_deleting_cleans_up_and_frees_the_name(store: Store, team: Team, heard: Heard) -> None:
    await put(store, team.member, computer="box")
    run, _ = await start_run(store, team)
    waiting = await store.write(messages.send, actor=team.member, room="general", content="@helper and this")
    heard.events.clear()

    await store.write(agents.delete, actor=team.owner, key="helper")

    dropped = await store.read(deliveries.get, actor=team.owner, id=waiting.deliveries[0].id)
    killed = await store.read(runs.get, actor=team.owner, id=run)
    members = await store.read(rooms.members, actor=team.member, room="general", after=None, limit=50)
    assert dropped.status == "cancelled"
    assert killed.wanted == "kill"
    assert [m.name for m in members.items if m.kind == "agent"] == []
    assert (await store.read(computers.get, actor=team.member, ref="box")).agents == ()
    assert [event["key"] for event in told(heard, "agent.deleted")] == ["helper"]
    with pytest.raises(NotFound):
        await store.read(agents.get, actor=team.owner, key="helper")
    assert (await store.write(agents.put, actor=team.member, key="helper")).is_new


async def test_a_delivery_claimed_for_a_deleted_agent_never_starts(store: Store, team: Team) -> None:
    await put(store, team.member, computer="box")
    await connect(store, team.box)
    await store.write(messages.send, actor=team.member, room="general", content="@helper go")
    claimed = (await store.write(deliveries.claim_queue, actor=daemon(team.box), limit=1)).claimed[0].delivery

    await store.write(agents.delete, actor=team.owner, key="helper")

    assert claimed.lease_id is not None
    with pytest.raises((LeaseLost, NotFound)):
        await store.write(
            runs.open_run,
            actor=daemon(team.box),
            delivery_id=claimed.id,
            lease_id=claimed.lease_id,
            fence=claimed.fence,
            secret_hash="run",
        )
    assert (await store.read(deliveries.get, actor=team.owner, id=claimed.id)).status == "cancelled"


async def test_only_an_admin_deletes(store: Store, team: Team) -> None:
    await put(store, team.member)

    with pytest.raises(Forbidden):
        await store.write(agents.delete, actor=team.member, key="helper")
    with pytest.raises(NotFound):
        await store.write(agents.delete, actor=team.owner, key="nobody")


async def test_a_run_acts_as_its_agent_until_it_ends(store: Store, team: Team) -> None:
    await put(store, team.member, display_name="Helper", computer="box")
    run, _ = await start_run(store, team)

    actor = await acting(store, "run")

    assert (actor.kind, actor.name, actor.display_name, actor.run_id) == (ActorKind.RUN, "helper", "Helper", run)
    assert actor.computer_id == team.box.id
    assert actor.topic_id is not None
    await store.write(tokens.revoke_of, workspace_id=actor.workspace_id, kind="run", subject=str(run))
    assert await store.read(tokens.authenticate, secret_hash="run") is None


async def test_a_run_knows_the_agents_it_shares_a_room_with(store: Store, team: Team) -> None:
    await put(store, team.member, computer="box")
    await put(store, team.member, key="friend")
    await store.write(rooms.create, actor=team.owner, name="other")
    await start_run(store, team)
    actor = await acting(store, "run")

    page = await store.read(agents.list_page, actor=actor, after=None, limit=50)

    assert [agent.key for agent in page.items] == ["friend", "helper"]
    with pytest.raises(NotFound):
        await store.read(computers.get, actor=actor, ref="box")
    with pytest.raises(Forbidden):
        await store.write(agents.change, actor=actor, key="helper", description="more")


async def test_a_computer_knows_its_own_agents_alone(store: Store, team: Team) -> None:
    await put(store, team.member, key="mine", computer="box")
    await put(store, team.member, key="other")
    box = await acting(store, "box")

    page = await store.read(agents.list_page, actor=box, after=None, limit=50)

    assert [agent.key for agent in page.items] == ["mine"]
    for key in ("other", "missing"):
        with pytest.raises(NotFound):
            await store.read(agents.get, actor=box, key=key)


async def test_an_account_fits_its_computer_and_runtime(store: Store, team: Team) -> None:
    account = await store.write(
        accounts.add, actor=team.owner, computer="box", runtime="demo", label="work", env={"KEY": "secret"}
    )
    await put(store, team.member, computer="box", account="work")
    with pytest.raises(Invalid):
        await store.write(agents.change, actor=team.member, key="helper", runtime="codex")

    with pytest.raises(Conflict):
        await store.write(accounts.remove, actor=team.owner, ref="work")
    moved = await store.write(agents.assign, actor=team.member, key="helper", computer=None)
    await store.write(accounts.remove, actor=team.owner, ref=account.account.id)

    assert moved.account is None


async def test_an_accounts_values_stay_with_it(store: Store, team: Team, heard: Heard) -> None:
    account = await store.write(
        accounts.add, actor=team.owner, computer="box", runtime="demo", label="work", env={"KEY": "secret"}
    )

    own = await store.read(accounts.list_page, actor=await acting(store, "box"), after=None, limit=50)

    assert account.fact()["env"] == ["KEY"]
    assert own.items[0].account.env == {"KEY": "secret"}
    assert "secret" not in str(heard.events)
    with pytest.raises(AlreadyExists):
        await store.write(accounts.add, actor=team.owner, computer="box", runtime="demo", label="work")
    with pytest.raises(Forbidden):
        await store.write(accounts.add, actor=team.member, computer="box", runtime="demo", label="more")


async def test_an_account_is_disabled_and_enabled(store: Store, team: Team) -> None:
    await store.write(accounts.add, actor=team.owner, computer="box", runtime="demo", label="work")

    off = await store.write(accounts.set_disabled, actor=team.owner, ref="work", disabled=True)
    on = await store.write(accounts.set_disabled, actor=team.owner, ref="work", disabled=False)

    assert (off.account.disabled, on.account.disabled) == (True, False)
