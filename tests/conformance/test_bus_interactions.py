"""What waits for a person: shown once, answered once, by the right one, for exactly what was shown."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pal_server.actions import interactions, messages, rooms
from pal_server.actions.deliveries import Claimed
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.interactions import Interaction, Status
from pal_server.domain.questions import Given, Option, Question
from pal_server.domain.runs import Run
from pal_server.domain.runs import Status as RunStatus
from pal_server.errors import Conflict, Forbidden, Invalid, LeaseLost, NotFound
from pal_server.storage import commands
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    await made.agent("bot")
    return made


async def raise_one(bus: Bus, claimed: Claimed, run: Run, **more: Any) -> Interaction:
    asked = {"key": "k1", "kind": "approval", "title": "rm -rf build", "body": "in /work", **more}
    return await bus.store.write(
        interactions.open_for_run, actor=daemon(bus.box), run=run.id, **{**lease(claimed), **asked}
    )


async def answer(bus: Bus, asked: Interaction, *, actor: Actor | None = None, **given: Any) -> Interaction:
    return await bus.store.write(interactions.answer, actor=actor or bus.people.member, id=asked.id, **given)


async def applied(bus: Bus, claimed: Claimed, asked: Interaction, *, was_applied: bool = True) -> Interaction:
    return await bus.store.write(
        interactions.applied, actor=daemon(bus.box), id=asked.id, was_applied=was_applied, **lease(claimed)
    )


async def card_of(bus: Bus, asked: Interaction) -> dict[str, Any]:
    assert asked.message_id is not None
    card = (await bus.store.read(messages.get, actor=bus.people.viewer, id=asked.message_id)).card
    assert card is not None
    return card


async def test_a_program_that_asks_waits_with_a_card(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")

    asked = await raise_one(bus, claimed, run)

    assert (await bus.run(run.id)).status is RunStatus.WAITING
    assert (await card_of(bus, asked))["status"] == "pending"
    assert (await bus.said())[-1] == "bot wants approval: rm -rf build"


async def test_from_answer_to_program_and_back_to_running(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)

    answered = await answer(bus, asked, decision="approve", reason="go on", shown_hash=asked.hash)
    (command,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)

    assert (answered.status, answered.answered_by) == (Status.ANSWERED, "member")
    assert (command.kind, command.data["key"], command.data["decision"]) == ("answer", "k1", "approve")
    assert (await bus.run(run.id)).status is RunStatus.WAITING
    for _ in range(2):
        assert (await applied(bus, claimed, asked)).status is Status.APPLIED
    assert (await bus.run(run.id)).status is RunStatus.RUNNING
    assert await card_of(bus, asked) == {
        "type": "interaction",
        "interaction": asked.id,
        "kind": "approval",
        "agent": "bot",
        "status": "applied",
        "answered_by": "member",
    }


async def test_of_twenty_answers_at_once_one_wins(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)

    results = await asyncio.gather(
        *(answer(bus, asked, decision=("approve", "deny")[n % 2]) for n in range(20)), return_exceptions=True
    )

    assert sum(isinstance(result, Interaction) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 19
    assert len(await bus.store.read(commands.open_for, computer_id=bus.box.id)) == 1


async def test_the_same_question_again_is_the_same_and_another_under_its_key_is_refused(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)

    again = await asyncio.gather(*(raise_one(bus, claimed, run) for _ in range(5)))

    assert {one.id for one in again} == {asked.id}
    with pytest.raises(Conflict):
        await raise_one(bus, claimed, run, body="in /")
    assert len((await bus.store.read(interactions.list_page, actor=bus.people.viewer)).items) == 1


async def test_one_byte_of_difference_is_refused(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    first = await raise_one(bus, claimed, run)
    second = await raise_one(bus, claimed, run, key="k2", body="in /work ")

    assert first.hash != second.hash
    with pytest.raises(Conflict):
        await answer(bus, second, decision="approve", shown_hash=first.hash)
    await answer(bus, second, decision="approve", shown_hash=second.hash)


async def test_the_wrong_ones_do_not_answer(bus: Bus) -> None:
    await bus.agent("other")
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)
    itself = await bus.inside(claimed)
    await bus.say("@other go")
    colleague = await bus.inside(await bus.claim_one())

    for actor in (bus.people.viewer, itself, colleague, daemon(bus.box)):
        with pytest.raises(Forbidden):
            await answer(bus, asked, actor=actor, decision="approve")
    stranger = Actor(kind=ActorKind.USER, workspace_id="elsewhere", id="u", name="u", role=bus.people.owner.role)
    with pytest.raises(NotFound):
        await answer(bus, asked, actor=stranger, decision="approve")


async def test_who_is_not_in_a_private_room_does_not_know_of_its_questions(bus: Bus) -> None:
    room = await bus.make_room("secret", visibility="private")
    await bus.invite("bot", room="secret")
    claimed, run = await bus.start("@bot go", room="secret", actor=bus.people.owner)
    asked = await raise_one(bus, claimed, run)

    with pytest.raises(NotFound):
        await answer(bus, asked, decision="approve")
    assert (await bus.store.read(interactions.list_page, actor=bus.people.member)).items == ()
    await bus.store.write(rooms.invite_user, actor=bus.people.owner, room=room.id, user="member")
    await answer(bus, asked, decision="approve")


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"kind": "approval"}, {}),
        ({"kind": "approval"}, {"decision": "maybe"}),
        ({"kind": "approval"}, {"text": "yes"}),
        ({"kind": "question"}, {}),
        ({"kind": "question"}, {"text": "  "}),
        ({"kind": "question", "options": ("red", "blue")}, {"text": "green"}),
    ],
)
async def test_an_answer_fits_the_question(bus: Bus, asked: dict[str, Any], given: dict[str, Any]) -> None:
    claimed, run = await bus.start("@bot go")
    opened = await raise_one(bus, claimed, run, **asked)

    with pytest.raises(Invalid):
        await answer(bus, opened, **given)

    assert (await bus.store.read(interactions.get, actor=bus.people.viewer, id=opened.id)).status is Status.PENDING


async def test_the_end_of_a_run_is_the_end_of_its_questions(bus: Bus, clock: Clock) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)

    await bus.finish(run, status="interrupted")

    gone = await bus.store.read(interactions.get, actor=bus.people.viewer, id=asked.id)
    assert (gone.status, (await card_of(bus, asked))["status"]) == (Status.EXPIRED, "expired")
    with pytest.raises(Conflict):
        await answer(bus, asked, decision="approve")
    with pytest.raises(LeaseLost):
        await raise_one(bus, claimed, run, key="k2")


async def test_an_answer_the_program_is_not_known_to_have_ends_with_the_run(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)
    await answer(bus, asked, decision="approve")

    await bus.finish(run)

    gone = await bus.store.read(interactions.get, actor=bus.people.viewer, id=asked.id)
    card = await card_of(bus, asked)
    assert (gone.status, gone.answer, gone.answered_by) == (Status.EXPIRED, None, bus.people.member.name)
    assert (card["status"], card["answered_by"]) == ("expired", bus.people.member.name)


async def test_an_answer_and_an_end_at_once_agree(bus: Bus) -> None:
    for number in range(4):
        claimed, run = await bus.start(f"@bot {number}")
        asked = await raise_one(bus, claimed, run)

        results = await asyncio.gather(answer(bus, asked, decision="approve"), bus.finish(run), return_exceptions=True)

        now = await bus.store.read(interactions.get, actor=bus.people.viewer, id=asked.id)
        assert now.status is Status.EXPIRED
        assert (now.answered_by is not None) == isinstance(results[0], Interaction)
        assert await bus.store.read(commands.open_for, computer_id=bus.box.id) == []


async def test_what_a_program_no_longer_wants_is_withdrawn(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)

    assert (await applied(bus, claimed, asked, was_applied=False)).status is Status.CANCELLED

    assert (await card_of(bus, asked))["status"] == "cancelled"
    assert (await bus.run(run.id)).status is RunStatus.RUNNING
    with pytest.raises(Conflict):
        await answer(bus, asked, decision="approve")


async def test_nothing_is_raised_or_applied_under_another_lease(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run)
    await answer(bus, asked, decision="deny")

    with pytest.raises(LeaseLost):
        await raise_one(bus, claimed, run, key="k2", fence=9)
    with pytest.raises(LeaseLost):
        await bus.store.write(
            interactions.applied,
            actor=daemon(bus.box),
            id=asked.id,
            lease_id="lease_x",
            fence=claimed.delivery.fence,
        )


async def test_an_agent_asks_by_itself_and_fetches_the_answer(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    inside = await bus.inside(claimed)
    question: dict[str, Any] = {
        "actor": inside,
        "title": "Which colour?",
        "options": ("red", "blue"),
        "client_id": "c1",
    }

    asked = await bus.store.write(interactions.ask, **question)
    again = await bus.store.write(interactions.ask, **question)
    with pytest.raises(Conflict):
        await bus.store.write(interactions.ask, **{**question, "title": "Which size?"})
    waits = (await bus.run(run.id)).status
    await answer(bus, asked, text="blue")

    fetched = await bus.store.read(interactions.get, actor=inside, id=asked.id)
    assert (again.id, waits) == (asked.id, RunStatus.WAITING)
    assert (fetched.status, fetched.answer) == (Status.APPLIED, {"answer": "blue"})
    assert (await bus.run(run.id)).status is RunStatus.RUNNING
    assert await bus.store.read(commands.open_for, computer_id=bus.box.id) == []


async def test_a_run_waits_until_the_last_of_its_questions_is_answered(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    first = await raise_one(bus, claimed, run)
    second = await raise_one(bus, claimed, run, key="k2")
    await answer(bus, first, decision="approve")
    await applied(bus, claimed, first)

    assert (await bus.run(run.id)).status is RunStatus.WAITING

    await applied(bus, claimed, second, was_applied=False)
    assert (await bus.run(run.id)).status is RunStatus.RUNNING


async def test_what_is_asked_has_limits(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")

    for wrong in ({"title": " "}, {"title": "a" * 301}, {"body": "a" * 50_001}, {"options": ("",)}, {"key": ""}):
        with pytest.raises(Invalid):
            await raise_one(bus, claimed, run, **wrong)


# IX-4: several questions on one card


QUESTIONS = (
    Question(
        text="Which colour?",
        header="Colour",
        options=(Option(label="Blue", description="calm", preview="<b>"), Option(label="Red")),
        free=False,
    ),
    Question(text="Which parts?", options=(Option(label="api"), Option(label="web")), multiple=True),
)


async def test_several_questions_are_answered_together_and_told_to_the_program(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run, kind="question", questions=QUESTIONS)
    assert (await bus.store.read(interactions.get, actor=bus.people.viewer, id=asked.id)).questions == QUESTIONS

    given = [Given(chosen=("Blue",)), Given(chosen=("api", "web"), text="and docs")]
    answered = await answer(bus, asked, answers=given, shown_hash=asked.hash)

    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert answered.answer is not None
    assert order.data["answers"] == answered.answer["answers"] == [one.fact() for one in given]
    assert order.data["answer"] == "Colour: Blue\nWhich parts?: api, web, and docs"


async def test_one_text_answers_several_questions_too(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run, kind="question", questions=QUESTIONS)

    answered = await answer(bus, asked, text="2: web\n1: red")

    assert answered.answer is not None
    assert [one["chosen"] for one in answered.answer["answers"]] == [["Red"], ["web"]]


@pytest.mark.parametrize(
    "given",
    [
        {"answers": [Given(chosen=("Green",)), Given(chosen=("api",))]},
        {"answers": [Given(chosen=("Blue",))]},
        {"text": "green\napi"},
        {"text": "blue"},
        {"text": " "},
        {"decision": "approve"},
    ],
)
async def test_what_a_card_does_not_offer_is_refused_and_it_still_waits(bus: Bus, given: dict[str, Any]) -> None:
    claimed, run = await bus.start("@bot go")
    asked = await raise_one(bus, claimed, run, kind="question", questions=QUESTIONS)

    with pytest.raises(Invalid):
        await answer(bus, asked, **given)

    assert (await bus.store.read(interactions.get, actor=bus.people.viewer, id=asked.id)).status is Status.PENDING


async def test_another_preview_is_another_question(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")
    await raise_one(bus, claimed, run, kind="question", questions=QUESTIONS)

    changed = (replace(QUESTIONS[0], options=(Option(label="Blue", preview="<i>"),)), QUESTIONS[1])
    with pytest.raises(Conflict):
        await raise_one(bus, claimed, run, kind="question", questions=changed)


async def test_only_questions_have_questions(bus: Bus) -> None:
    claimed, run = await bus.start("@bot go")

    with pytest.raises(Invalid):
        await raise_one(bus, claimed, run, kind="approval", questions=QUESTIONS)
    plain = await raise_one(bus, claimed, run, kind="question")
    with pytest.raises(Invalid):
        await answer(bus, plain, answers=[Given(text="x")])
