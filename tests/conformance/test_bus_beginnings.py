"""RT-6, RT-8: what a topic is told of a run that begins otherwise than the one before it, for every runtime."""

from typing import Any

import pytest

from pal_server.actions import agents, choices, computers, findings, profiles, runs, sessions
from pal_server.actions.deliveries import Claimed
from pal_server.domain.computers import Computer, RuntimeState
from pal_server.domain.prompts import RECAP_CHARACTERS, RECAP_LIMIT
from pal_server.domain.runs import Run
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import connect, daemon

RUNTIMES = (
    RuntimeState(name="codex", available=True, version="1", capabilities={"resume": True}),
    RuntimeState(name="gemini", available=True, version="1", capabilities={"resume": True}),
    RuntimeState(name="command", available=True, version="1", capabilities={}),
)
PROGRAMS = pytest.mark.parametrize("runtime", ["codex", "gemini", "command"])


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    made.box = await connect(store, made.box, machine="machine of box", runtimes=RUNTIMES)
    return made


async def choose(bus: Bus, **wanted: Any) -> None:
    await bus.store.write(choices.change, actor=bus.people.member, topic=bus.room.default_topic, agent="bot", **wanted)


async def turn(bus: Bus, content: str, *, native: str | None = None, says: str = "fine", **more: Any) -> Run:
    """A whole run that answers; `native` is what its program calls the conversation."""
    claimed, run = await bus.start(content)
    if native is not None:
        await bind(bus, claimed, run, native)
    await tell(bus, claimed, run, 1, kind="message", text=says)
    return await bus.finish(run, text=says, **more)


async def bind(bus: Bus, claimed: Claimed, run: Run, native: str) -> None:
    bound = {"id": run.session_id, "native_session": native}
    await bus.store.write(runs.bind_native_session, actor=daemon(bus.box), **bound, **lease(claimed))


async def tell(bus: Bus, claimed: Claimed, run: Run, seq: int, **event: Any) -> None:
    whole = {"seq": seq, "at": None, "text": None, "lane": "main", "data": {}, "source": seq * 10, **event}
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=[whole], **lease(claimed))


async def is_lost(bus: Bus, claimed: Claimed, run: Run, seq: int = 1, **data: Any) -> None:
    """The program's word, as every runtime gives it."""
    said = {"state": "afresh", "reason": "no rollout\nfound", "recap": True, **data}
    await tell(bus, claimed, run, seq, kind="status", data=said)


async def told(bus: Bus) -> list[str]:
    """What pal itself said in the topic."""
    return [text for text in await bus.said() if text.startswith(("bot goes on", "bot could not"))]


async def prompt_of(bus: Bus, run: Run) -> str:
    return await bus.store.read(runs.prompt, actor=bus.people.viewer, id=run.id)


# RT-8


@PROGRAMS
async def test_another_model_in_the_middle_of_a_session_is_said_when_its_run_begins(bus: Bus, runtime: str) -> None:
    await bus.agent("bot", runtime=runtime, model="small")
    await turn(bus, "@bot one")
    await choose(bus, model="large", effort="high")
    before = await told(bus)

    claimed, run = await bus.start("@bot two")

    assert (claimed.work["agent"]["model"], claimed.work["agent"]["effort"]) == ("large", "high")
    assert before == []
    said = "bot goes on here with model large (before: small), effort high (before: what its program chooses)."
    assert await told(bus) == [said]
    await bus.open(claimed)
    await bus.finish(run)
    await turn(bus, "@bot three")
    assert await told(bus) == [said]
    assert await bus.store.read(find_broken) == []


async def test_a_profile_that_is_applied_is_said_too_and_a_stricter_mode_without_it(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex", model="small")
    await turn(bus, "@bot one")
    await bus.store.write(agents.change, actor=bus.people.admin, key="bot", model="large", mode="read_only")
    await turn(bus, "@bot two")
    await bus.store.write(profiles.apply, actor=bus.people.admin, key="bot")
    await turn(bus, "@bot three")

    assert await told(bus) == [
        "bot goes on here with mode read_only (before: ask).",
        "bot goes on here with model large (before: small).",
    ]


async def test_what_was_chosen_after_the_claim_is_said_of_the_run_that_has_it(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex", model="small")
    await turn(bus, "@bot one")
    await bus.say("@bot two")
    claimed = await bus.claim_one()
    await choose(bus, model="large")

    await bus.finish(await bus.open(claimed))
    in_between = await told(bus)
    await turn(bus, "@bot three")

    assert in_between == []
    assert await told(bus) == ["bot goes on here with model large (before: small)."]


async def test_a_new_session_and_a_dry_run_change_nothing_in_the_middle(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex", model="small")
    await turn(bus, "@bot one")
    await choose(bus, model="large")
    await bus.say("@bot dry")
    await bus.open(await bus.claim_one(), dry_run=True)
    await bus.say("@bot /new")
    await turn(bus, "@bot two")

    assert await told(bus) == []


# RT-6


async def test_a_conversation_that_is_lost_is_said_once_and_its_run_was_told_the_recap(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    await turn(bus, "@bot remember 4711", native="native-1", says="Noted.")
    await bus.say("nobody asked you")

    claimed, run = await bus.start("@bot which number")
    recap = claimed.work["recap"]
    await is_lost(bus, claimed, run)
    await is_lost(bus, claimed, run)
    await is_lost(bus, claimed, run, 2)

    assert claimed.work["native_session"] == "native-1"
    assert "member: @bot remember 4711\n" in recap
    assert "bot: Noted." in recap
    assert "nobody asked you" not in recap
    assert "which number" not in recap
    assert "nobody asked you" in claimed.work["prompt"]
    text = "could not go on with its earlier conversation and began a fresh one (no rollout found)."
    assert [line for line in await told(bus) if text in line] == await told(bus)
    assert await prompt_of(bus, run) == f"{recap}\n\n{claimed.work['prompt']}"
    await bus.finish(run)
    assert await bus.store.read(find_broken) == []


async def test_what_was_not_told_is_not_said_to_be(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    await turn(bus, "@bot one", native="native-1")
    claimed, run = await bus.start("@bot two")

    await is_lost(bus, claimed, run, recap=False)

    assert "remembers nothing" in (await told(bus))[0]
    assert await prompt_of(bus, run) == claimed.work["prompt"]


async def test_a_conversation_on_another_computer_is_known_to_be_lost(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    await turn(bus, "@bot remember 4711", native="native-1", says="Noted.")
    other = await away(bus)

    await bus.say("@bot which number")
    claimed = await bus.claim_one(computer=other)
    run = await bus.open(claimed, computer=other)

    assert (claimed.work["native_session"], claimed.work["recap"]) == (None, "")
    assert "<<<recap" in claimed.work["prompt"]
    assert "bot: Noted." in claimed.work["prompt"]
    assert claimed.work["prompt"].index("Noted.") < claimed.work["prompt"].index("which number")
    assert await prompt_of(bus, run) == claimed.work["prompt"]
    assert "is not on this computer" in (await told(bus))[0]


async def test_a_start_that_failed_there_does_not_lose_the_recap(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    await turn(bus, "@bot remember 4711", native="native-1", says="Noted.")
    other = await away(bus)
    await bus.say("@bot which number")
    run = await bus.open(await bus.claim_one(computer=other), computer=other)
    await bus.finish(run, status="failed", error_kind="missing_program", computer=other)

    await bus.say("@bot again")
    claimed = await bus.claim_one(computer=other)

    assert "bot: Noted." in claimed.work["prompt"]


async def test_a_command_is_given_alone_and_no_recap_is_said_to_be_told(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    await turn(bus, "@bot remember 4711", native="native-1")
    other = await away(bus)
    await bus.store.write(
        findings.report,
        actor=daemon(other),
        computer=other.id,
        runtime="codex",
        agent="bot",
        found={"commands": [{"name": "paint"}]},
        errors={},
        epoch=None,
        account=None,
        folder=None,
    )
    await bus.say("@bot /paint")

    claimed = await bus.claim_one(computer=other)
    await bus.open(claimed, computer=other)

    assert claimed.work["slash"] == "/paint"
    assert "remembers nothing" in (await told(bus))[0]


async def away(bus: Bus) -> Computer:
    """Another computer, which has the agent from now on."""
    made = await bus.store.write(computers.provision, actor=bus.people.admin, name="other", key_hash="key of other")
    other = await connect(bus.store, made, machine="machine of other", runtimes=RUNTIMES)
    await bus.store.write(agents.put, actor=bus.people.admin, key="bot", runtime="codex", computer="other")
    return other


@pytest.mark.parametrize("runtime", ["codex", "command"])
async def test_what_begins_or_has_no_sessions_is_told_no_recap(bus: Bus, runtime: str) -> None:
    await bus.agent("bot", runtime=runtime)
    first = await turn(bus, "@bot one")
    if runtime == "codex":
        await bus.say("@bot /new")

    claimed, run = await bus.start("@bot two")

    assert "recap" not in await prompt_of(bus, first)
    assert (claimed.work["recap"], "<<<recap" in claimed.work["prompt"]) == ("", False)
    assert await told(bus) == []
    await bus.finish(run)


async def test_a_recap_is_short_fenced_and_of_the_last_that_was_said(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    for number in range(RECAP_LIMIT + 3):
        await turn(bus, f"@bot number {number} " + "a" * 2000, native="native-1")

    await bus.say("@bot go on")
    recap = (await bus.claim_one()).work["recap"]

    assert len(recap) < RECAP_LIMIT * (RECAP_CHARACTERS + 40) + 500
    assert recap.count("bot: fine") == RECAP_LIMIT // 2
    assert f"number {RECAP_LIMIT + 2} " in recap
    assert "number 1 " not in recap
    assert recap.rstrip().endswith(">>>")
    assert "a" * (RECAP_CHARACTERS + 1) not in recap


async def test_a_session_begun_by_hand_is_not_in_the_middle_of_one(bus: Bus) -> None:
    await bus.agent("bot", runtime="codex")
    await turn(bus, "@bot one", native="native-1")
    topic = bus.room.default_topic
    assert topic is not None
    await bus.store.write(sessions.begin_anew, workspace_id="w", topic_id=topic, agent="bot")

    claimed, _ = await bus.start("@bot two")

    assert claimed.work["recap"] == ""
    assert "Said here since" in claimed.work["prompt"]
