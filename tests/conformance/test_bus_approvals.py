"""IX-3, IX-8, IX-12, BX-6: how far an approval reaches, what a rule answers, deadlines, words said meanwhile, approvals
by two people, and what history suggests.
"""

import asyncio
import contextlib
from typing import Any

import pytest

from pal_server.actions import agents, approval_rules, audit, endings, interactions, projects, rooms
from pal_server.actions.deliveries import Claimed
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.approval_rules import ApprovalRule
from pal_server.domain.interactions import Interaction, Status
from pal_server.domain.runs import Run
from pal_server.domain.runs import Status as RunStatus
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
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


async def test_a_rule_of_a_project_holds_in_its_rooms_and_is_given_by_who_sees_them(bus: Bus) -> None:
    await bus.store.write(projects.create, actor=bus.people.owner, key="shop", room="general")
    for name, project, visibility in (
        ("tea", "shop", "workspace"),
        ("coffee", None, "workspace"),
        ("till", "shop", "private"),
    ):
        made: dict[str, Any] = {"name": name, "project": project, "visibility": visibility}
        await bus.store.write(rooms.create, actor=bus.people.owner, **made)
        if visibility == "workspace":
            await bus.invite("bot", room=name)
    asked = await ask(bus, *await at_work(bus, "bot"), key="k1")

    with pytest.raises(Forbidden, match="rooms you do not see"):
        await answer(bus, asked, scope="project")
    await answer(bus, asked, actor=bus.people.owner, scope="project")

    for name, status in (("tea", Status.ANSWERED), ("coffee", Status.PENDING)):
        assert (await ask(bus, *await bus.start("@bot go", room=name), key="k1")).status is status, name
    (rule,) = await rules(bus)
    assert rule.project_id is not None
    await bus.store.write(approval_rules.revoke, actor=bus.people.member, id=rule.id)  # whoever knows of it may close
    other = await ask(bus, *await at_work(bus, "other"), key="k1")
    await answer(bus, other, actor=bus.people.owner, decision="deny", scope="project")
    denial = (await rules(bus))[0]
    with pytest.raises(Forbidden, match="rooms you do not see"):  # it opens rooms, too, that they know nothing of
        await bus.store.write(approval_rules.revoke, actor=bus.people.member, id=denial.id)
    await bus.store.write(approval_rules.revoke, actor=bus.people.owner, id=denial.id)
    assert await bus.store.read(find_broken) == []


async def test_a_room_that_has_ended_hides_nothing_and_a_bridge_speaks_for_one_room(bus: Bus, clock: Clock) -> None:
    await bus.store.write(projects.create, actor=bus.people.owner, key="shop", room="general")
    await bus.store.write(rooms.create, actor=bus.people.owner, name="soon", ttl=60, project="shop")
    clock.advance(61)
    await bus.store.write(endings.end_due)
    asked = await ask(bus, *await at_work(bus, "bot"), key="k1")
    bridge = Actor(
        kind=ActorKind.BRIDGE, workspace_id="w", id="token_bridge", name="ann", role=Role.MEMBER, person="slack:ann"
    )

    with pytest.raises(Forbidden, match="rooms you do not see"):
        await answer(bus, asked, actor=bridge, scope="project")
    await answer(bus, asked, scope="project")

    assert (await rules(bus))[0].project_id is not None


async def test_where_there_is_no_project_it_is_the_room(bus: Bus) -> None:
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


async def test_what_was_said_meanwhile_can_be_the_answer_and_makes_no_turn(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    asked = await ask(bus, claimed, run, kind="question", title="Which folder?")
    sent = await bus.say("@bot the other one")
    assert [receipt.interaction for receipt in sent.receipts] == [asked.id]

    answered = await answer(bus, asked, decision=None, message=sent.message.id)

    assert answered.answer == {"answer": "the other one"}
    assert (await bus.delivery(sent.deliveries[0].id)).status == "cancelled"
    await bus.finish(run)
    assert await bus.claim() == ()


async def test_what_was_said_meanwhile_can_be_the_reason_of_a_decision(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    asked = await ask(bus, claimed, run)
    sent = await bus.say("@bot not in this folder")

    denied = await answer(bus, asked, decision="deny", message=sent.message.id)

    assert denied.answer == {"decision": "deny", "reason": "not in this folder"}


async def test_words_of_agents_and_of_other_topics_answer_nothing(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    asked = await ask(bus, claimed, run, kind="question")
    its_own = await bus.say("I say yes", actor=await bus.inside(claimed))
    elsewhere = await bus.say("yes", topic=await bus.topic())

    for said in (its_own, elsewhere):
        with pytest.raises(Invalid):
            await answer(bus, asked, decision=None, message=said.message.id)


# IX-5: plans


async def test_a_plan_that_is_sent_back_has_versions_and_the_approved_text_is_what_the_program_gets(bus: Bus) -> None:
    claimed, run = await at_work(bus, "bot")
    first = await ask(bus, claimed, run, key="p1", kind="plan", title="Plan", body="1. all at once")
    await answer(bus, first, decision="deny", reason="in two steps")
    second = await ask(bus, claimed, run, key="p2", kind="plan", title="Plan", body="1. one\n2. two")
    edited = "1. one\n\n2. two, with tests  \n"

    await answer(bus, second, text=edited)

    given = await bus.store.read(commands.open_for, computer_id=bus.box.id)
    assert [(order.data["decision"], order.data.get("reason"), order.data.get("answer")) for order in given] == [
        ("deny", "in two steps", None),
        ("approve", None, edited),
    ]
    page = await bus.store.read(interactions.list_page, actor=bus.people.viewer, run=run.id, kind="plan")
    assert [(one.version, one.body) for one in page.items] == [(2, "1. one\n2. two"), (1, "1. all at once")]


# IX-7: who and when


async def test_the_audit_says_who_answered_what_and_when(bus: Bus, clock: Clock) -> None:
    asked = await ask(bus, *await at_work(bus, "bot"))
    await answer(bus, asked, reason="go on")

    page = await bus.store.read(
        audit.list_page, actor=bus.people.admin, action="interaction.answered", after=None, limit=9
    )

    (entry,) = page.items
    assert (entry.at, entry.target, entry.detail["hash"]) == (clock.now, f"interaction:{asked.id}", asked.hash)
    assert "member" in entry.actor
    assert entry.detail["answer"] == {"decision": "approve", "reason": "go on"}


# Two people


async def two(bus: Bus) -> None:
    await bus.store.write(rooms.change, actor=bus.people.admin, room="general", approvers=2)


async def given_out(bus: Bus) -> list[str]:
    return [order.kind for order in await bus.store.read(commands.open_for, computer_id=bus.box.id)]


@pytest.mark.parametrize("kind", ["approval", "plan"])
async def test_where_two_have_to_approve_one_is_not_enough(bus: Bus, kind: str) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"), kind=kind)

    first = await answer(bus, asked)

    assert (first.status, [approval.by for approval in first.approvals]) == (Status.PENDING, ["member"])
    assert await given_out(bus) == []

    second = await answer(bus, asked, actor=bus.people.admin)

    assert (second.status, second.answered_by) == (Status.ANSWERED, "member and admin")
    assert await given_out(bus) == ["answer"]
    assert await bus.store.read(find_broken) == []


async def test_one_person_is_never_two(bus: Bus) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"))
    await answer(bus, asked)

    with pytest.raises(Conflict):
        await answer(bus, asked)

    assert await given_out(bus) == []


async def test_one_who_denies_is_enough_also_after_an_approval(bus: Bus) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"))
    await answer(bus, asked)

    denied = await answer(bus, asked, actor=bus.people.admin, decision="deny", reason="no")

    assert (denied.status, denied.answer) == (Status.ANSWERED, {"decision": "deny", "reason": "no"})
    assert (denied.answered_by, [approval.by for approval in denied.approvals]) == ("admin", ["member"])


async def test_of_many_who_approve_at_once_two_do_it(bus: Bus) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"))
    people = (bus.people.member, bus.people.admin, bus.people.owner)

    results = await asyncio.gather(*(answer(bus, asked, actor=actor) for actor in people * 3), return_exceptions=True)

    counted = [result for result in results if isinstance(result, Interaction)]
    assert len(counted) == 2
    assert await given_out(bus) == ["answer"]


async def test_how_many_were_needed_when_it_was_asked_counts(bus: Bus) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"))
    await bus.store.write(rooms.change, actor=bus.people.admin, room="general", approvers=1)

    assert (await answer(bus, asked)).status is Status.PENDING


@pytest.mark.parametrize(("texts", "agreed"), [(("new", None), "new"), ((None, None), None), (("new", "new"), "new")])
async def test_two_approve_the_same_text_of_a_plan(bus: Bus, texts: tuple[str | None, ...], agreed: str | None) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"), kind="plan")

    for actor, text in zip((bus.people.member, bus.people.admin), texts, strict=True):
        done = await answer(bus, asked, actor=actor, text=text)

    assert done.answer is not None
    assert done.answer.get("answer") == agreed


async def test_another_text_than_the_first_one_approved_is_refused(bus: Bus) -> None:
    await two(bus)
    asked = await ask(bus, *await at_work(bus, "bot"), kind="plan")
    await answer(bus, asked, text="new")

    with pytest.raises(Conflict):
        await answer(bus, asked, actor=bus.people.admin, text="newer")


@pytest.mark.parametrize(("second", "stands"), [("topic", True), ("once", False)])
async def test_a_rule_needs_both_too(bus: Bus, second: str, stands: bool) -> None:
    await two(bus)
    working = await at_work(bus, "bot")
    first = await ask(bus, *working, key="k1")
    await answer(bus, first, scope="topic")
    await answer(bus, first, actor=bus.people.admin, scope=second)

    assert (await ask(bus, *working, key="k2")).status is (Status.ANSWERED if stands else Status.PENDING)
    assert [rule.people for rule in await rules(bus)] == ([2] if stands else [])


async def test_what_one_person_made_does_not_stand_where_two_are_needed(bus: Bus) -> None:
    working = await at_work(bus, "bot")
    await answer(bus, await ask(bus, *working, key="k1"), scope="topic")
    await two(bus)

    assert (await ask(bus, *working, key="k2")).status is Status.PENDING


@pytest.mark.parametrize(("who", "refused"), [("member", True), ("admin", False)])
async def test_how_many_approve_is_an_admins_to_say(bus: Bus, who: str, refused: bool) -> None:
    actor = getattr(bus.people, who)
    with pytest.raises(Forbidden) if refused else contextlib.nullcontext():
        await bus.store.write(rooms.change, actor=actor, room="general", approvers=2)
    with pytest.raises(Invalid):
        await bus.store.write(rooms.change, actor=bus.people.admin, room="general", approvers=3)


# What it is bound to


@pytest.mark.parametrize("changed", [{"folder": "/src/other"}, {"folder": "/src "}, {"folder": ""}])
async def test_the_folder_is_part_of_what_is_approved(bus: Bus, changed: dict[str, str]) -> None:
    working = await at_work(bus, "bot")
    first = await ask(bus, *working, key="k1", folder="/src")
    await answer(bus, first, scope="topic", shown_hash=first.hash)

    other = await ask(bus, *working, key="k2", **changed)

    assert (other.status, (await ask(bus, *working, key="k3", folder="/src")).status) == (
        Status.PENDING,
        Status.ANSWERED,
    )
    with pytest.raises(Conflict):
        await answer(bus, other, shown_hash=first.hash)


# What history suggests


async def approved(bus: Bus, working: tuple[Claimed, Run], times: int, **given: Any) -> None:
    start = len((await bus.store.read(interactions.list_page, actor=bus.people.member, limit=200)).items)
    for number in range(times):
        await answer(bus, await ask(bus, *working, key=f"h{start + number}"), **given)


@pytest.mark.parametrize(("times", "suggested"), [(2, None), (3, {"scope": "topic", "times": 3})])
async def test_equal_approvals_in_a_row_suggest_a_rule(bus: Bus, times: int, suggested: dict[str, Any] | None) -> None:
    working = await at_work(bus, "bot")
    await approved(bus, working, times)

    asked = await ask(bus, *working, key="next")

    assert asked.suggestion == suggested
    assert (await bus.store.read(interactions.get, actor=bus.people.viewer, id=asked.id)).suggestion == suggested
    assert (await ask(bus, *working, key="other", body="in /elsewhere")).suggestion is None


async def test_a_denial_begins_the_count_anew(bus: Bus) -> None:
    working = await at_work(bus, "bot")
    await approved(bus, working, 3)
    await approved(bus, working, 1, decision="deny")
    await approved(bus, working, 2)

    assert (await ask(bus, *working, key="next")).suggestion is None


async def test_approvals_of_several_agents_suggest_their_room(bus: Bus) -> None:
    one, other = await at_work(bus, "bot"), await at_work(bus, "other")
    await approved(bus, one, 2)
    await approved(bus, other, 1)

    assert (await ask(bus, *one, key="next")).suggestion == {"scope": "project", "times": 3}


async def test_what_rules_answered_suggests_nothing(bus: Bus) -> None:
    working = await at_work(bus, "bot")
    await approved(bus, working, 1, scope="topic")
    for number in range(3):
        await ask(bus, *working, key=f"by rule {number}")
    (rule,) = await rules(bus)
    await bus.store.write(approval_rules.revoke, actor=bus.people.member, id=rule.id)

    assert (await ask(bus, *working, key="next")).suggestion is None
