"""IX-3, IX-8, IX-12, BX-6: how far an approval reaches, what a rule answers, deadlines, and words said meanwhile."""

from typing import Any

import pytest

from pal_server.actions import agents, approval_rules, audit, interactions, rooms
from pal_server.actions.deliveries import Claimed
from pal_server.domain.actors import Actor
from pal_server.domain.approval_rules import ApprovalRule
from pal_server.domain.interactions import Interaction, Status
from pal_server.domain.runs import Run
from pal_server.domain.runs import Status as RunStatus
from pal_server.errors import Forbidden, Invalid, NotFound
from pal_server.storage import commands
from pal_server.storage.check import find_broken
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.people import daemon
from tests.support.stores import Clock


@pytest.fixture
async def bus(store: Store) -> Bus:
    made = await make_bus(store)
    for key in ("bot", "other"):
        await made.agent(key)
    return made


async def ask(bus: Bus, claimed: Claimed, run: Run, **more: Any) -> Interaction:
    """What a program asks for; the same words unless told."""
    asked = {"key": "k", "kind": "approval", "title": "make test", "body": "in /work", **more}
    return await bus.store.write(
        interactions.open_for_run, actor=daemon(bus.box), run=run.id, **{**lease(claimed), **asked}
    )


async def answer(bus: Bus, asked: Interaction, *, actor: Actor | None = None, **given: Any) -> Interaction:
    decided = {"decision": "approve", **given}
    return await bus.store.write(interactions.answer, actor=actor or bus.people.member, id=asked.id, **decided)


async def rules(bus: Bus) -> list[ApprovalRule]:
    page = await bus.store.read(approval_rules.list_page, actor=bus.people.member, agent=None, after=None, limit=50)
    return list(page.items)


async def at_work(bus: Bus, agent: str, *, topic: int | None = None) -> tuple[Claimed, Run]:
    more: dict[str, Any] = {} if topic is None else {"topic": topic}
    return await bus.start(f"@{agent} go", **more)


# How far it reaches


@pytest.mark.parametrize(
    ("scope", "answers"),
    [
        ("once", set()),
        ("topic", {"again"}),
        ("agent", {"again", "elsewhere"}),
        ("project", {"again", "elsewhere", "by another"}),
    ],
)
async def test_an_approval_reaches_as_far_as_was_said(bus: Bus, scope: str, answers: set[str]) -> None:
    first = await at_work(bus, "bot")
    await answer(bus, await ask(bus, *first, key="k1"), actor=bus.people.admin, scope=scope)

    asked = {
        "again": await ask(bus, *first, key="k2"),
        "elsewhere": await ask(bus, *await at_work(bus, "bot", topic=await bus.topic()), key="k1"),
        "by another": await ask(bus, *await at_work(bus, "other"), key="k1"),
    }

    assert {name for name, one in asked.items() if one.status is Status.ANSWERED} == answers
    assert await bus.store.read(find_broken) == []


async def test_a_project_is_its_room(bus: Bus) -> None:
    await bus.make_room("elsewhere")
    await bus.invite("bot", room="elsewhere")
    await answer(bus, await ask(bus, *await at_work(bus, "bot"), key="k1"), scope="project")

    claimed, run = await bus.start("@bot go", room="elsewhere")

    assert (await ask(bus, claimed, run, key="k1")).status is Status.PENDING


@pytest.mark.parametrize(
    "changed", [{"title": "make  tests"}, {"body": "in /work "}, {"body": "in /Work"}, {"kind": "plan"}]
)
async def test_one_byte_more_is_another_request(bus: Bus, changed: dict[str, str]) -> None:
    working = await at_work(bus, "bot")
    await answer(bus, await ask(bus, *working, key="k1"), scope="topic")

    asked = await ask(bus, *working, key="k2", **changed)

    assert asked.status is Status.PENDING


async def test_a_denial_stands_too_and_beats_an_approval(bus: Bus) -> None:
    working = await at_work(bus, "bot")
    await answer(bus, await ask(bus, *working, key="k1"), decision="deny", reason="not here", scope="topic")
    await answer(bus, await ask(bus, *await at_work(bus, "other"), key="k1"), scope="project")

    asked = await ask(bus, *working, key="k2")

    assert asked.answer == {"decision": "deny", "reason": "not here"}


# What a rule answers


async def test_a_rule_answers_without_a_card_and_the_audit_says_so(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    first = await ask(bus, claimed, run, key="k1")
    await answer(bus, first, scope="topic")
    await bus.store.write(interactions.applied, actor=daemon(bus.box), id=first.id, **lease(claimed))
    said = await bus.said()

    asked = await ask(bus, claimed, run, key="k2")

    (rule,) = await rules(bus)
    assert (asked.status, asked.answer, asked.message_id) == (Status.ANSWERED, {"decision": "approve"}, None)
    assert asked.answered_by == f"rule {rule.id} of member"
    assert (rule.used, rule.made_by, rule.interaction_id) == (1, "member", first.id)
    assert await bus.said() == said
    assert (await bus.run(run.id)).status is not RunStatus.WAITING
    order = (await bus.store.read(commands.open_for, computer_id=bus.box.id))[-1]
    assert (order.kind, order.data["interaction"], order.data["decision"]) == ("answer", asked.id, "approve")
    page = await bus.store.read(
        audit.list_page, actor=bus.people.admin, action="interaction.answered_by_rule", after=None, limit=9
    )
    (entry,) = page.items
    assert (entry.detail["rule"], entry.detail["made_by"], entry.detail["hash"]) == (rule.id, "member", asked.hash)


async def test_the_same_request_said_again_is_answered_once(bus: Bus) -> None:
    working = await at_work(bus, "bot")
    await answer(bus, await ask(bus, *working, key="k1"), scope="topic")

    asked = await ask(bus, *working, key="k2")
    again = await ask(bus, *working, key="k2")

    assert again == asked
    assert [rule.used for rule in await rules(bus)] == [1]


async def test_a_revoked_rule_asks_again(bus: Bus) -> None:
    working = await at_work(bus, "bot")
    await answer(bus, await ask(bus, *working, key="k1"), scope="topic")
    (rule,) = await rules(bus)

    for _ in range(2):
        revoked = await bus.store.write(approval_rules.revoke, actor=bus.people.member, id=rule.id)

    assert revoked.revoked_at is not None
    assert (await ask(bus, *working, key="k2")).status is Status.PENDING


async def test_a_deleted_agents_rules_are_not_its_successors(bus: Bus) -> None:
    await answer(bus, await ask(bus, *await at_work(bus, "bot"), key="k1"), actor=bus.people.admin, scope="agent")

    await bus.store.write(agents.delete, actor=bus.people.admin, key="bot")

    assert all(rule.revoked_at is not None for rule in await rules(bus))


# Who may, and for what


async def test_only_an_admin_approves_for_an_agent_everywhere(bus: Bus) -> None:
    asked = await ask(bus, *await at_work(bus, "bot"), key="k1")

    with pytest.raises(Forbidden):
        await answer(bus, asked, scope="agent")

    assert (await bus.store.read(interactions.get, actor=bus.people.member, id=asked.id)).status is Status.PENDING


@pytest.mark.parametrize("kind", ["plan", "question"])
async def test_only_approvals_stand(bus: Bus, kind: str) -> None:
    asked = await ask(bus, *await at_work(bus, "bot"), kind=kind)

    with pytest.raises(Invalid):
        await answer(bus, asked, text="yes", scope="topic")


async def test_what_an_agent_asks_by_itself_never_stands(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    inside = await bus.inside(claimed)
    own: dict[str, Any] = {"title": "make test", "body": "in /work", "kind": "approval"}
    asked = await bus.store.write(interactions.ask, actor=inside, **own)

    with pytest.raises(Invalid):
        await answer(bus, asked, scope="topic")
    await answer(bus, await ask(bus, claimed, run, key="k1"), scope="topic")

    assert (await bus.store.write(interactions.ask, actor=inside, **own)).status is Status.PENDING


async def test_rules_of_a_room_one_does_not_see_are_unknown(bus: Bus) -> None:
    await bus.make_room("secret", visibility="private", actor=bus.people.admin)
    await bus.store.write(rooms.invite_agent, actor=bus.people.admin, room="secret", agent="bot", mode="mentions")
    claimed, run = await bus.start("@bot go", actor=bus.people.admin, room="secret")
    await answer(bus, await ask(bus, claimed, run), actor=bus.people.admin, scope="topic")

    assert await rules(bus) == []
    with pytest.raises(NotFound):
        await bus.store.write(approval_rules.revoke, actor=bus.people.member, id=1)


# IX-12: a deadline, where a room has one


async def test_without_a_deadline_it_waits(bus: Bus, clock: Clock) -> None:
    asked = await ask(bus, *await at_work(bus, "bot"))
    clock.advance(1_000_000)

    assert not await bus.store.read(interactions.any_overdue)
    assert asked.deny_at is None


async def test_what_nobody_approves_in_time_is_denied(bus: Bus, clock: Clock) -> None:
    await bus.store.write(rooms.change, actor=bus.people.member, room="general", deny_after=60_000)
    claimed, run = await at_work(bus, "bot")
    asked = await ask(bus, claimed, run, key="k1")
    question = await ask(bus, claimed, run, key="k2", kind="question")
    assert (asked.deny_at, question.deny_at) == (clock.now + 60_000, None)
    clock.advance(61)

    assert await bus.store.read(interactions.any_overdue)
    assert await bus.store.write(interactions.deny_overdue) == 1

    denied = await bus.store.read(interactions.get, actor=bus.people.member, id=asked.id)
    assert denied.answer == {"decision": "deny", "reason": "nobody answered in time"}
    assert denied.answered_by == "the deadline"
    (order,) = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert order.data["decision"] == "deny"
    assert not await bus.store.read(interactions.any_overdue)


async def test_an_answer_in_time_counts(bus: Bus, clock: Clock) -> None:
    await bus.store.write(rooms.change, actor=bus.people.member, room="general", deny_after=60_000)
    asked = await ask(bus, *await at_work(bus, "bot"))
    await answer(bus, asked)
    clock.advance(61)

    assert not await bus.store.read(interactions.any_overdue)
    changed = await bus.store.write(rooms.change, actor=bus.people.member, room="general", deny_after=None)
    assert changed.deny_after is None


# IX-8: said while a card waits


async def test_a_message_said_while_a_card_waits_is_kept(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    asked = await ask(bus, claimed, run)

    sent = await bus.say("@bot use the other folder")

    assert [receipt.outcome for receipt in sent.receipts] == ["queued"]
    assert (await bus.store.read(interactions.get, actor=bus.people.member, id=asked.id)).status is Status.PENDING
    await answer(bus, asked, decision="deny")
    await bus.finish(run)
    assert (await bus.claim_one()).work["content"] == "use the other folder"
