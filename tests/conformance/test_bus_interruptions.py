"""BX-4: an interrupted run lists what it had done, and a person chooses once what becomes of its work."""

import asyncio
from typing import Any

import pytest

from pal_server.actions import audit, computers, daemons, deliveries, interruptions, messages, runs
from pal_server.actions.deliveries import Claimed
from pal_server.domain.messages import Message
from pal_server.domain.runs import Run
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon

GIT = {
    "root": "/src/app",
    "branch": "main",
    "files": [{"path": "made.txt", "change": "add"}],
    "commits": [{"id": "a" * 40, "subject": "half of it"}],
    "pushes": [{"ref": "origin/main", "id": "a" * 40}],
}
SAW: list[tuple[str, str | None, dict[str, Any]]] = [
    ("tool_call", "edit", {"id": "t1", "name": "Edit"}),
    ("tool_result", "", {"id": "t1", "status": "ok"}),
    ("file_change", "/src/app/told.txt", {"path": "/src/app/told.txt", "change": "edit"}),
    ("command", "make all", {"id": "t2", "command": "make all", "cwd": "/src/app"}),
    ("command", "git push fork", {"id": "t3", "command": "git push fork", "cwd": "/src/app"}),
    ("tool_result", "", {"id": "t3", "status": "ok"}),
]


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def interrupted(bus: Bus, *, effects: dict[str, Any] | None = None, saw: bool = False) -> tuple[Claimed, Run]:
    claimed, run = await bus.start("@bot go")
    if saw:
        events = [
            {"seq": n, "kind": kind, "at": 1, "text": text, "lane": "main", "data": data, "source": n}
            for n, (kind, text, data) in enumerate(SAW, 1)
        ]
        await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=events, **lease(claimed))
    return claimed, await bus.finish(run, status="interrupted", effects=effects)


async def card_of(bus: Bus, run: Run) -> Message:
    page = await bus.store.read(messages.list_page, actor=bus.people.viewer, room="general", limit=200)
    (card,) = (
        m for m in page.items if m.card is not None and m.card["type"] == "interrupted" and m.card["run"] == run.id
    )
    return card


async def choose(bus: Bus, run: Run, choice: str) -> Run:
    return await bus.store.write(interruptions.choose, actor=bus.people.member, id=run.id, choice=choice)


async def shown(bus: Bus, run: Run) -> dict[str, Any]:
    card = (await card_of(bus, run)).card
    assert card is not None
    return card


async def orders(bus: Bus) -> list[tuple[str, int | None]]:
    found = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    return [(command.kind, command.run_id) for command in found]


# What it had done


async def test_the_card_lists_what_events_messages_and_git_show(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    inside = await bus.inside(claimed)
    elsewhere = await bus.make_room("elsewhere")
    await bus.invite("bot", room="elsewhere")
    said = [await bus.say("half way", actor=inside), await bus.say("there too", actor=inside, room=elsewhere.name)]
    events = [
        {"seq": n, "kind": kind, "at": 1, "text": text, "lane": "main", "data": data, "source": n}
        for n, (kind, text, data) in enumerate(SAW, 1)
    ]
    await bus.store.write(runs.add_events, actor=daemon(bus.box), id=run.id, events=events, **lease(claimed))

    await bus.finish(run, status="interrupted", effects={"git": GIT})

    card = await card_of(bus, run)
    assert card.card is not None
    assert card.card["effects"] == {
        "files": [{"path": "made.txt", "change": "add"}, {"path": "told.txt", "change": "edit"}],
        "commits": GIT["commits"],
        "pushes": [*GIT["pushes"], {"command": "git push fork"}],  # type: ignore[misc]  # a list
        "messages": [sent.message.id for sent in said],
        "commands": ["make all"],
        "root": "/src/app",
        "branch": "main",
    }
    for words in (
        "Files changed: made.txt, told.txt",
        "Commits: aaaaaaaaaa half of it",
        "Pushed: origin/main, git push fork",
        f"Messages sent: {said[0].message.id}, {said[1].message.id}",
        "Still going when it broke off: make all",
    ):
        assert words in card.content.splitlines()


async def test_what_is_not_known_is_said(bus: Bus) -> None:
    _, run = await interrupted(bus, effects={"git": {"note": "git did not answer within 2 seconds"}})

    assert "Not known from git: git did not answer within 2 seconds" in (await card_of(bus, run)).content


@pytest.mark.parametrize("odd", [{}, {"git": "x"}, {"git": {"files": 3, "commits": [None], "pushes": {}}}, {"x": 1}])
async def test_an_odd_word_of_a_computer_costs_no_card(bus: Bus, odd: dict[str, Any]) -> None:
    _, run = await interrupted(bus, effects=odd)

    assert (await shown(bus, run))["actions"] == ["resume", "start_over", "drop", "keep_files"]


# What becomes of it


@pytest.mark.parametrize(("choice", "fresh"), [("resume", False), ("start_over", True)])
async def test_it_is_done_again_in_its_session_or_a_new_one(bus: Bus, choice: str, fresh: bool) -> None:
    claimed, run = await interrupted(bus)

    await choose(bus, run, choice)

    again = await bus.claim_one()
    assert (again.delivery.id, again.work["restart_of"]) == (claimed.delivery.id, run.id)
    assert (again.work["generation"], again.work["resume"]) == (2 if fresh else 1, not fresh)
    card = await shown(bus, run)
    assert (card["status"], card["choice"], card["answered_by"], card["actions"]) == ("answered", choice, "member", [])
    assert await orders(bus) == []


@pytest.mark.parametrize(("choice", "ordered"), [("drop", True), ("keep_files", False)])
async def test_no_more_is_done_and_files_are_put_aside_only_for_drop(bus: Bus, choice: str, ordered: bool) -> None:
    claimed, run = await interrupted(bus)
    await bus.say("@bot next")

    await choose(bus, run, choice)

    assert (await bus.delivery(claimed.delivery.id)).status == "cancelled"
    assert await orders(bus) == ([("set_aside", run.id)] if ordered else [])
    assert (await bus.claim_one()).delivery.id != claimed.delivery.id
    assert await bus.store.read(find_broken) == []


@pytest.mark.parametrize(("ok", "state"), [(True, "done"), (False, "failed")])
async def test_the_card_says_what_became_of_the_files(bus: Bus, ok: bool, state: str) -> None:
    _, run = await interrupted(bus)
    await choose(bus, run, "drop")
    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    box: dict[str, Any] = {"actor": daemon(bus.box), "computer": bus.box.id, "epoch": None}

    for _ in range(2):
        await bus.store.write(daemons.command_done, command=order.id, ok=ok, detail="so it went", **box)

    assert (await shown(bus, run))["set_aside"] == {"state": state, "detail": "so it went"}
    assert await orders(bus) == []


async def test_a_computer_that_is_struck_off_puts_nothing_aside(bus: Bus) -> None:
    _, run = await interrupted(bus)
    await bus.store.write(computers.revoke, actor=bus.people.admin, ref="box")

    await choose(bus, run, "drop")

    assert (await shown(bus, run))["set_aside"]["state"] == "failed"


# Once, by people


@pytest.mark.parametrize("second", ["resume", "start_over", "drop", "keep_files"])
@pytest.mark.parametrize("first", ["resume", "drop", "keep_files"])
async def test_it_is_chosen_once(bus: Bus, first: str, second: str) -> None:
    _, run = await interrupted(bus)
    await choose(bus, run, first)

    with pytest.raises(Conflict):
        await choose(bus, run, second)

    assert (await shown(bus, run))["choice"] == first


async def test_of_many_who_choose_at_once_one_does(bus: Bus) -> None:
    _, run = await interrupted(bus)

    done = await asyncio.gather(
        *(choose(bus, run, choice) for choice in ("resume", "drop", "keep_files", "start_over")), return_exceptions=True
    )

    assert sum(isinstance(one, Run) for one in done) == 1
    assert sum(isinstance(one, Conflict) for one in done) == 3


async def test_a_retry_by_another_way_answers_the_card_too(bus: Bus) -> None:
    claimed, run = await interrupted(bus)

    await bus.store.write(deliveries.retry, actor=bus.people.member, id=claimed.delivery.id)

    assert (await shown(bus, run))["choice"] == "resume"
    with pytest.raises(Conflict):
        await choose(bus, run, "drop")


async def test_a_run_that_ended_otherwise_asks_nothing(bus: Bus) -> None:
    _, run = await bus.start("@bot go")
    await bus.finish(run, status="failed")

    with pytest.raises(Conflict):
        await choose(bus, run, "drop")


async def test_a_word_nobody_knows_is_refused(bus: Bus) -> None:
    _, run = await interrupted(bus)

    with pytest.raises(Invalid):
        await choose(bus, run, "explode")


async def test_only_people_choose_and_the_audit_knows_who(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    inside = await bus.inside(claimed)
    await bus.finish(run, status="interrupted")

    for actor, refusal in ((bus.people.viewer, Forbidden), (daemon(bus.box), Forbidden), (inside, Forbidden)):
        with pytest.raises((refusal, NotFound)):
            await bus.store.write(interruptions.choose, actor=actor, id=run.id, choice="drop")
    await choose(bus, run, "keep_files")

    page = await bus.store.read(audit.list_page, actor=bus.people.admin, action="run.chosen", after=None, limit=9)
    (entry,) = page.items
    assert (entry.detail, entry.target) == ({"choice": "keep_files"}, f"run:{run.id}")
