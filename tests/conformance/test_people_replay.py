"""Old state + events = fresh state: who keeps a copy of people, machines and files needs nothing but the log."""

import json
from collections.abc import Callable
from typing import Any

from pal_server.actions import accounts, agents, computers, files, setup, tokens, users
from pal_server.domain.actors import Actor
from pal_server.domain.computers import RuntimeState
from pal_server.domain.pages import Page
from pal_server.storage.store import Store
from tests.support.people import DEMO, connect, daemon
from tests.support.stores import Clock, Heard

GONE = RuntimeState(name="demo", available=False, note="missing", capabilities={})
VOLATILE = ("last_seen_at", "live_runs")  # heartbeats and runs tell of these by themselves

State = dict[str, dict[str, dict[str, Any]]]


async def test_the_log_of_people_machines_and_files_is_complete(store: Store, clock: Clock, heard: Heard) -> None:
    await store.write(setup.first_start, owner_hash="owner", code_hash="code")
    owner = await store.read(tokens.authenticate, secret_hash="owner")
    assert owner is not None

    await _live(store, owner, clock)

    fresh = await _fresh(store, owner)
    assert _replayed(heard) == fresh
    assert {kind: len(rows) for kind, rows in fresh.items()} == {
        "users": 2,
        "computers": 2,
        "agents": 2,
        "accounts": 1,
        "files": 2,
    }


async def _live(store: Store, owner: Actor, clock: Clock) -> None:
    """Something of everything."""
    await store.write(users.create, actor=owner, username="mia")
    await store.write(users.change, actor=owner, user="mia", display_name="Mia", role="admin")
    box = await store.write(computers.provision, actor=owner, name="box", key_hash="k1")
    for key in ("one", "two", "three"):
        await store.write(agents.put, actor=owner, key=key, computer="box", runtime="demo")
    await connect(store, box)
    await store.write(
        computers.heartbeat, actor=daemon(box), computer=box.id, epoch=None, runtimes=(DEMO, GONE), stalled=()
    )
    await store.write(computers.heartbeat, actor=daemon(box), computer=box.id, epoch=None, runtimes=(GONE,))
    clock.advance(60)
    await store.write(computers.mark_offline)
    await connect(store, box)
    await store.write(computers.drain, actor=owner, ref="box")
    other = await store.write(computers.provision, actor=owner, name="other", key_hash="k2")
    await connect(store, other)
    await store.write(accounts.add, actor=owner, computer="box", runtime="demo", label="a")
    await store.write(accounts.add, actor=owner, computer="other", runtime="demo", label="b")
    await store.write(accounts.remove, actor=owner, ref="b")
    await store.write(accounts.set_disabled, actor=owner, ref="a", disabled=True)
    await store.write(agents.change, actor=owner, key="one", account="a", instructions="be kind")
    await store.write(agents.assign, actor=owner, key="one", computer="other")
    await store.write(agents.assign, actor=owner, key="three", computer=None)
    await store.write(agents.delete, actor=owner, key="three")
    await store.write(computers.rotate, actor=owner, ref="box", key_hash="k3")
    await store.write(computers.revoke, actor=owner, ref="other")
    for name in ("a.txt", "b.txt", "c.txt"):
        file = await store.write(files.add, actor=owner, name=name, mime="text/plain", size=1, sha256="0" * 64)
    await store.write(files.revoke, actor=owner, ref=file.id)
    await store.write(files.cleanup, actor=owner)


def _replayed(heard: Heard) -> State:
    state: State = {"users": {}, "computers": {}, "agents": {}, "accounts": {}, "files": {}}
    for event in (event for batch in heard.events for event in batch):
        noun, _, verb = event.kind.partition(".")
        rows = state.get(f"{noun}s")
        if rows is None:
            continue
        data = json.loads(event.data)
        name = data["key"] if noun == "agent" else data["id"]
        if verb in ("deleted", "removed"):
            del rows[name]
        else:
            data.pop("computer_before", None)
            rows[name] = data
    for computer in state["computers"].values():
        computer["agents"] = sorted(key for key, a in state["agents"].items() if a["computer"] == computer["id"])
    for account in state["accounts"].values():  # nobody has looked at their logins here
        users = sorted(key for key, agent in state["agents"].items() if agent["account"] == account["id"])
        account |= {"agents": users, "login": None, "login_method": "", "login_seen_at": None}
    return _steady(state)


async def _fresh(store: Store, owner: Actor) -> State:
    def rows(page: Page[Any], name: Callable[[Any], str] = lambda item: item.id) -> dict[str, dict[str, Any]]:
        return {name(item): json.loads(json.dumps(item.fact())) for item in page.items}

    ask: dict[str, Any] = {"actor": owner, "after": None, "limit": 200}
    return _steady(
        {
            "users": rows(await store.read(users.list_page, **ask)),
            "computers": rows(await store.read(computers.list_page, **ask)),
            "agents": rows(await store.read(agents.list_page, **ask), name=lambda agent: agent.key),
            "accounts": rows(await store.read(accounts.list_page, **ask), name=lambda standing: standing.account.id),
            "files": rows(await store.read(files.list_page, q=None, **ask)),
        }
    )


def _steady(state: State) -> State:
    for computer in state["computers"].values():
        for name in VOLATILE:
            del computer[name]
    return state
