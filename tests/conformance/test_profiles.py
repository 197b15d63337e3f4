"""PL-1, PL-2, AU-13, RT-12: what an agent's profile holds, and which one a conversation goes on with."""

from typing import Any

import pytest

from pal_server.actions import agents, audit, choices, profiles, runs
from pal_server.domain.agents import INSTRUCTIONS_LIMIT, Agent, AgentMode, Settings
from pal_server.domain.runs import Session
from pal_server.errors import AlreadyExists, Forbidden, Invalid
from pal_server.storage.store import Store
from tests.support.bus import Bus, make_bus


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot", model="small", instructions="Be kind.")
    return made


async def change(bus: Bus, **wanted: Any) -> Agent:
    return await bus.store.write(agents.change, actor=bus.people.admin, key="bot", **wanted)


async def work(bus: Bus, content: str = "@bot go", **more: Any) -> dict[str, Any]:
    """What the computer is given for a message; its run begins and ends."""
    claimed, run = await bus.start(content, **more)
    await bus.finish(run)
    return {**claimed.work["agent"], "prompt": claimed.work["prompt"]}


async def session(bus: Bus) -> Session:
    page = await bus.store.read(runs.list_sessions, actor=bus.people.viewer, agent="bot")
    return page.items[-1]


# PL-1


async def test_a_profile_holds_what_an_agent_is(bus: Bus) -> None:
    settings = Settings(sandbox="read-only", approval="on-request")

    changed = await change(
        bus, skills=["release", "tidy", "release"], servers=["pal"], settings=settings, effort="high"
    )

    assert (changed.skills, changed.servers, changed.settings) == (("release", "tidy"), ("pal",), settings)
    given = (await work(bus))["settings"]
    assert (given["skills"], given["servers"], given["sandbox"]) == (["release", "tidy"], ["pal"], "read-only")


@pytest.mark.parametrize(
    "wrong",
    [
        {"instructions": "x" * (INSTRUCTIONS_LIMIT + 1)},
        {"skills": [""]},
        {"skills": ["a\nb"]},
        {"servers": [f"s{number}" for number in range(101)]},
        {"settings": Settings(sandbox="none")},
        {"settings": Settings(approval="never")},
    ],
)
async def test_what_cannot_be_in_a_profile(bus: Bus, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await change(bus, **wrong)
    await change(bus, instructions="x" * INSTRUCTIONS_LIMIT)


async def test_a_duplicate_is_the_same_under_another_key(bus: Bus) -> None:
    await change(bus, skills=["tidy"], effort="low", cwd="/src")

    twin = await bus.store.write(agents.duplicate, actor=bus.people.member, key="bot", new_key="twin")

    model = await bus.store.read(agents.get, actor=bus.people.viewer, key="bot")
    for name in ("runtime", "computer", "model", "effort", "mode", "instructions", "skills", "cwd", "account"):
        assert getattr(twin, name) == getattr(model, name), name
    with pytest.raises(AlreadyExists):
        await bus.store.write(agents.duplicate, actor=bus.people.member, key="bot", new_key="twin")


@pytest.mark.parametrize(
    "more", [{"servers": ["db"]}, {"isolation": "box"}, {"settings": Settings(network=True)}, {"mode": "bypass"}]
)
async def test_what_lets_an_agent_do_more_is_an_admins_to_give_and_to_copy(bus: Bus, more: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        await bus.store.write(agents.change, actor=bus.people.member, key="bot", **more)

    await change(bus, **more)

    with pytest.raises(Forbidden):
        await bus.store.write(agents.duplicate, actor=bus.people.member, key="bot", new_key="twin")


@pytest.mark.parametrize("field", ["model", "effort"])
async def test_no_model_or_effort_can_be_a_flag_of_its_program(bus: Bus, field: str) -> None:
    for wanted in ("--yolo", "-c", "small --yolo"):
        with pytest.raises(Invalid, match=field):
            await bus.store.write(agents.change, actor=bus.people.member, key="bot", **{field: wanted})

    changed = await bus.store.write(agents.change, actor=bus.people.member, key="bot", **{field: "maker/some:3-b"})

    assert getattr(changed, field) == "maker/some:3-b"


async def test_taking_an_isolation_away_is_an_admins_too_and_audited(bus: Bus) -> None:
    await change(bus, isolation="box {folder}")

    with pytest.raises(Forbidden):
        await bus.store.write(agents.change, actor=bus.people.member, key="bot", isolation=None)

    page = await bus.store.read(
        audit.list_page, actor=bus.people.admin, action="agent.isolation_set", after=None, limit=5
    )
    assert page.items[0].target == "bot"


# PL-2


async def test_a_session_keeps_the_profile_it_began_with_until_another_is_applied(bus: Bus) -> None:
    assert "Be kind." in (await work(bus))["prompt"]
    assert not (await session(bus)).is_outdated

    await change(bus, instructions="Be brief.", model="big", skills=["tidy"])

    assert (await session(bus)).is_outdated
    kept = await work(bus)
    assert "Be kind." in kept["prompt"]
    assert (kept["model"], kept["settings"]["skills"]) == ("small", [])
    applied = await bus.store.write(profiles.apply, actor=bus.people.member, key="bot")
    assert applied == [bus.room.default_topic]
    now = await work(bus)
    assert "Be brief." in now["prompt"]
    assert (now["model"], now["settings"]["skills"]) == ("big", ["tidy"])
    assert not (await session(bus)).is_outdated


async def test_before_its_first_run_a_session_follows_the_profile(bus: Bus) -> None:
    await bus.store.write(runs.create_session, actor=bus.people.member, topic=bus.room.default_topic, agent="bot")
    await change(bus, model="big")

    assert (await work(bus))["model"] == "big"


async def test_a_new_session_begins_with_the_present_profile(bus: Bus) -> None:
    await work(bus)
    await change(bus, model="big")

    await bus.say("@bot /new")

    assert (await work(bus))["model"] == "big"
    assert await bus.store.read(profiles.outdated, actor=bus.people.viewer, key="bot") == []


async def test_other_topics_begin_with_the_present_profile_and_are_applied_alone(bus: Bus) -> None:
    other = await bus.topic()
    for topic in (bus.room.default_topic, other):
        await work(bus, topic=topic)
    await change(bus, model="big")

    applied = await bus.store.write(profiles.apply, actor=bus.people.member, key="bot", topic=other)

    assert applied == [other]
    assert (await work(bus, topic=other))["model"] == "big"
    assert (await work(bus, topic=bus.room.default_topic))["model"] == "small"


async def test_a_choice_for_the_topic_still_wins(bus: Bus) -> None:
    await work(bus)
    await bus.store.write(
        choices.change, actor=bus.people.member, topic=bus.room.default_topic, agent="bot", model="chosen"
    )

    assert (await work(bus))["model"] == "chosen"


@pytest.mark.parametrize(("before", "after", "counts"), [("auto", "ask", "ask"), ("ask", "auto", "ask")])
async def test_a_mode_that_allows_less_counts_at_once(bus: Bus, before: str, after: str, counts: str) -> None:
    await change(bus, mode=before)
    await work(bus)

    await change(bus, mode=after)

    assert (await work(bus))["settings"]["mode"] == AgentMode(counts)


async def test_a_server_or_a_network_taken_away_is_gone_at_once(bus: Bus) -> None:
    await change(bus, servers=["pal", "db"], settings=Settings(network=True))
    await work(bus)

    await change(bus, servers=[], settings=Settings())

    given = (await work(bus))["settings"]
    assert given["servers"] == ["pal"]
    assert "network" not in given


async def test_status_says_that_the_profile_is_another_one_now(bus: Bus) -> None:
    await work(bus)
    await change(bus, model="big")

    sent = await bus.say("@bot /status")

    text = sent.receipts[0].text
    assert "model small" in text
    assert "apply" in text


async def test_who_applies_nothing(bus: Bus) -> None:
    await work(bus)
    await change(bus, model="big")

    with pytest.raises(Forbidden):
        await bus.store.write(profiles.apply, actor=bus.people.viewer, key="bot")
