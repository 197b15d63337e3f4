"""RT-11, RT-14, RT-18, NU-3: what computers find out of agent programs, and what is kept of it."""

from typing import Any

import pytest

from pal_server.actions import accounts, agents, autocompletion, choices, computers, equipment, findings, runs, trace
from pal_server.actions.accounts import Standing
from pal_server.actions.deliveries import Claimed
from pal_server.domain.agents import Readiness
from pal_server.domain.findings import QUOTA_FOR, Finding
from pal_server.domain.runs import Run
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import commands
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock

MODELS = [
    {"id": "big", "name": "Big", "efforts": ["low", "high"], "is_default": True},
    {"id": "small", "name": "", "efforts": [], "is_default": False},
]


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot", cwd="/src/shop")
    return made


async def given_account(bus: Bus, label: str = "work") -> Standing:
    return await bus.store.write(
        accounts.add, actor=bus.people.admin, computer=bus.box.id, runtime="demo", label=label, env={"TOKEN": "x"}
    )


async def report(bus: Bus, *, account: str | None = None, errors: dict[str, str] | None = None, **found: Any) -> None:
    agent = found.pop("agent", None)
    folder = found.pop("folder", None)
    await bus.store.write(
        findings.report,
        actor=daemon(bus.box),
        computer=bus.box.id,
        epoch=None,
        runtime="demo",
        account=account,
        agent=agent,
        folder=folder,
        found=found,
        errors=errors or {},
    )


async def told(bus: Bus, claimed: Claimed, run: Run, data: dict[str, Any]) -> None:
    """A status event of a run, as its daemon sends it."""
    event = {"seq": 1, "kind": "status", "at": None, "text": None, "lane": "main", "source": None, "data": data}
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=[event], **lease(claimed))


async def models(bus: Bus) -> Finding | None:
    return await bus.store.read(findings.models_of_agent, actor=bus.people.viewer, key="bot")


async def names(bus: Bus, folder: str | None = None) -> dict[str, str]:
    found = await bus.store.read(autocompletion.of_agent, actor=bus.people.viewer, key="bot", folder=folder)
    return {command["name"]: command["source"] for command in found.fact()["commands"]}


async def orders(bus: Bus) -> list[dict[str, Any]]:
    waiting = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    return [command.data for command in waiting if command.kind == "probe"]


# RT-11


async def test_an_account_names_the_agents_that_disabling_it_stops(bus: Bus) -> None:
    made = await given_account(bus)
    await bus.store.write(agents.change, actor=bus.people.member, key="bot", account=made.account.id)

    disabled = await bus.store.write(accounts.set_disabled, actor=bus.people.admin, ref=made.account.id, disabled=True)

    assert (disabled.account.disabled, disabled.agents) == (True, ("bot",))
    stopped = await bus.store.read(agents.get, actor=bus.people.viewer, key="bot")
    assert (stopped.runtime_state, "work is disabled" in stopped.runtime_note) == (Readiness.UNAVAILABLE, True)
    shown = await bus.store.read(accounts.list_page, actor=bus.people.viewer, after=None, limit=10)
    assert [one.fact()["agents"] for one in shown.items] == [["bot"]]
    with pytest.raises(Conflict) as refused:
        await bus.store.write(accounts.remove, actor=bus.people.admin, ref=made.account.id)
    assert refused.value.facts["agents"] == ["bot"]


async def test_an_account_shows_what_its_computer_saw_of_its_login(bus: Bus) -> None:
    made = await given_account(bus)
    assert made.fact()["login"] is None

    await report(bus, account=made.account.id, login={"state": "in", "method": "subscription"})

    seen = await bus.store.read(accounts.get, actor=bus.people.viewer, ref="work")
    assert (seen.fact()["login"], seen.fact()["login_method"]) == ("in", "subscription")


async def test_why_says_how_somebody_logs_in_when_nobody_was(bus: Bus) -> None:
    async def advice() -> str:
        sent = await bus.say("@bot go")
        run = await bus.open(await bus.claim_one())
        await bus.finish(run, status="failed", error="Please run /login", error_kind="auth")
        broken = (await bus.store.read(trace.of_message, actor=bus.people.viewer, id=sent.message.id)).first_broken
        assert broken is not None
        return broken.advice

    usual = await advice()
    made = await given_account(bus)
    await bus.store.write(agents.change, actor=bus.people.member, key="bot", account=made.account.id)

    assert "pal cli auth login demo, or give bot an account; then pal console deliveries retry" in usual
    assert "pal cli auth login work, or pal cli auth set work; then pal console deliveries retry" in await advice()


# RT-18


async def test_a_catalogue_survives_a_look_that_fails(bus: Bus, clock: Clock) -> None:
    assert await models(bus) is None
    await report(bus, models=MODELS)
    clock.advance(1)

    await report(bus, errors={"models": "it is not logged in"})

    kept = await models(bus)
    assert kept is not None
    assert (kept.data, kept.is_stale, kept.error) == (MODELS, True, "it is not logged in")
    assert kept.found_at is not None
    assert kept.found_at < kept.tried_at
    await report(bus, models=MODELS[:1])
    again = await models(bus)
    assert again is not None
    assert (again.data, again.is_stale, again.error) == (MODELS[:1], False, None)


async def test_each_account_has_its_own_catalogue(bus: Bus) -> None:
    one, two = await given_account(bus, "one"), await given_account(bus, "two")
    await report(bus, account=one.account.id, models=MODELS)

    known = await bus.store.read(findings.models_of_account, actor=bus.people.viewer, ref="one")
    other = await bus.store.read(findings.models_of_account, actor=bus.people.viewer, ref=two.account.id)

    assert known is not None
    assert known.data == MODELS
    assert other is None
    assert await models(bus) is None


async def test_a_model_nobody_has_heard_of_passes_through(bus: Bus) -> None:
    await report(bus, models=MODELS)

    topic = bus.room.default_topic
    chosen = await bus.store.write(
        choices.change, actor=bus.people.member, topic=topic, agent="bot", model="of-tomorrow"
    )

    assert chosen.model == "of-tomorrow"


async def test_a_look_is_a_durable_order_and_asked_for_once(bus: Bus) -> None:
    for _ in range(2):
        await bus.store.write(findings.probe_agent, actor=bus.people.member, key="bot")

    assert await orders(bus) == [{"runtime": "demo", "agent": "bot", "folder": "/src/shop"}]
    made = await given_account(bus)
    await bus.store.write(findings.probe_account, actor=bus.people.member, ref="work")
    assert (await orders(bus))[1] == {"runtime": "demo", "account": made.account.id}


async def test_a_look_for_an_isolated_agent_says_so(bus: Bus) -> None:
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", isolation="box {folder}")

    await bus.store.write(findings.probe_agent, actor=bus.people.member, key="bot")

    assert [order.get("isolation") for order in await orders(bus)] == ["box {folder}"]


async def test_who_may_not_have_looked(bus: Bus) -> None:
    with pytest.raises(Forbidden):
        await bus.store.write(findings.probe_agent, actor=bus.people.viewer, key="bot")
    await bus.store.write(agents.assign, actor=bus.people.member, key="bot", computer=None)
    with pytest.raises(Conflict):
        await bus.store.write(findings.probe_agent, actor=bus.people.member, key="bot")


async def test_a_computer_reports_on_what_is_its_own(bus: Bus) -> None:
    other = await bus.store.write(computers.provision, actor=bus.people.admin, name="other", key_hash="other")
    foreign = await bus.store.write(
        accounts.add, actor=bus.people.admin, computer=other.id, runtime="demo", label="foreign"
    )

    with pytest.raises(NotFound):
        await report(bus, account=foreign.account.id, models=MODELS)
    with pytest.raises(NotFound):
        await report(bus, agent="nobody", commands=[])
    with pytest.raises(Invalid):
        await report(bus, models=[{"id": "x" * 3000}])


# RT-14


async def test_the_commands_are_pals_then_the_programs_then_skills(bus: Bus) -> None:
    assert (await names(bus))["help"] == "pal"
    await report(
        bus,
        agent="bot",
        folder="/src/shop",
        commands=[{"name": "compact", "description": "", "hint": "", "source": "program"}, {"name": "model"}],
        skills=[{"name": "release", "description": "how we release", "source": "project"}],
    )

    known = await names(bus)

    assert known["compact"] == "program"
    assert known["release"] == "skill"
    assert known["model"] == "pal", "pal answers its own commands itself"


async def test_another_folder_has_other_commands(bus: Bus) -> None:
    await report(bus, agent="bot", folder="/src/shop", commands=[{"name": "here"}])
    await report(bus, agent="bot", folder="/src/branch", commands=[{"name": "there"}])

    assert "here" in await names(bus)
    assert "there" not in await names(bus)
    assert "there" in await names(bus, folder="/src/branch")


async def test_what_a_run_tells_of_its_program_is_kept(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    commands = [{"name": "init", "hint": "[dir]"}, {"hint": "nameless"}, 5]

    await told(bus, claimed, run, {"state": "introduced", "commands": commands})

    assert (await names(bus))["init"] == "program"
    (found,) = await bus.store.read(autocompletion.of_topic, actor=bus.people.viewer, topic=run.topic_id)
    assert found.agent == "bot"


@pytest.mark.parametrize(
    ("content", "slash"),
    [
        ("@bot /init the shop", "/init the shop"),
        ("@bot /init", "/init"),
        ("@bot /initial", None),
        ("@bot please /init", None),
        ("@bot /unheard of", None),
    ],
)
async def test_a_command_the_program_told_of_reaches_it_as_one(bus: Bus, content: str, slash: str | None) -> None:
    await report(bus, agent="bot", folder="/src/shop", commands=[{"name": "init"}])

    await bus.say(content)

    assert (await bus.claim_one()).work["slash"] == slash


async def test_an_agent_gives_no_commands_to_another_ones_program(bus: Bus) -> None:
    await bus.agent("boss")
    await report(bus, agent="bot", folder="/src/shop", commands=[{"name": "init"}])
    await bus.say("@boss go")
    claimed = await bus.claim_one()
    await bus.open(claimed)
    await bus.say("@bot /init", actor=await bus.inside(claimed))

    assert (await bus.claim_one()).work["slash"] is None


async def test_a_deleted_agent_leaves_nothing_to_its_successor(bus: Bus) -> None:
    await report(bus, agent="bot", folder="/src/shop", commands=[{"name": "here"}])
    await bus.store.write(agents.delete, actor=bus.people.admin, key="bot")

    await bus.agent("bot", cwd="/src/shop")

    assert "here" not in await names(bus)


# SK-5


async def test_skills_and_servers_are_listed_and_chosen_ones_marked(bus: Bus) -> None:
    await report(
        bus,
        agent="bot",
        folder="/src/shop",
        skills=[{"name": "release", "description": "how we release", "source": "project"}, {"name": "tidy"}],
        servers=[{"name": "pal", "source": "pal"}, {"name": "db", "source": "home"}],
    )
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", skills=["release", "gone"], servers=["db"])

    found = (await bus.store.read(equipment.of_agent, actor=bus.people.viewer, key="bot")).fact()
    elsewhere = await bus.store.read(equipment.of_agent, actor=bus.people.viewer, key="bot", folder="/other")

    assert {one["name"]: one["selected"] for one in found["skills"]} == {"release": True, "tidy": False}
    assert {one["name"]: one["selected"] for one in found["servers"]} == {"pal": False, "db": True}
    assert found["missing"] == ["gone"]
    assert elsewhere.fact()["skills"] == []


# NU-3


async def test_a_quota_is_kept_by_login_and_ages(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    end = clock() + 10 * QUOTA_FOR
    windows = [{"name": "weekly", "used_percent": 40, "resets_at": end}, {"name": "odd", "used_percent": "many"}]

    await told(bus, claimed, run, {"state": "quota", "windows": windows})

    (quota,) = await bus.store.read(findings.quotas, actor=bus.people.viewer)
    assert (quota.subject.runtime, quota.subject.account, quota.is_stale) == ("demo", "", False)
    assert quota.data[0] == {"name": "weekly", "used_percent": 40.0, "resets_at": end}
    assert quota.data[1] == {"name": "odd", "used_percent": None, "resets_at": None}
    clock.advance(QUOTA_FOR / 1000 + 1)
    (old,) = await bus.store.read(findings.quotas, actor=bus.people.viewer)
    assert old.is_stale


async def test_a_quota_whose_window_began_anew_is_stale(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    windows = [{"name": "five_hour", "used_percent": 99, "resets_at": clock() + 60_000}]
    await told(bus, claimed, run, {"state": "quota", "windows": windows})

    clock.advance(60)

    (quota,) = await bus.store.read(findings.quotas, actor=bus.people.viewer)
    assert quota.is_stale
