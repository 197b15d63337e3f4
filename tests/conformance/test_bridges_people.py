"""Who somebody outside is: one of several people of one bridge, or a user of pal with that user's rights."""

from dataclasses import replace
from typing import Any

import pytest

from pal_server.actions import audit, identities, interactions, messages, rooms, speakers, tokens, users
from pal_server.domain.actors import ActorKind, Role
from pal_server.domain.bots import Identity
from pal_server.domain.inbound import Answered
from pal_server.domain.interactions import Interaction
from pal_server.domain.messages import Message
from pal_server.errors import Forbidden, NotFound
from pal_server.storage.store import Store
from tests.support.bus import Bus, lease, make_bus
from tests.support.outside import BRIDGE, PLATFORM, Outside, bind, hold, make_outside
from tests.support.people import daemon


@pytest.fixture
async def bus(store: Store) -> Bus:
    return await make_bus(store)


@pytest.fixture
async def outside(bus: Bus) -> Outside:
    return await make_outside(bus)


async def asked(outside: Outside, *, approvers: int = 1, **more: Any) -> Interaction:
    """An agent that was called outside asks whether it may."""
    await outside.hear("go", **more)
    (delivery,) = await outside.bus.deliveries()
    await outside.bus.store.write(
        rooms.change, actor=outside.bus.people.admin, room=delivery.room_id, approvers=approvers
    )
    claimed = await outside.bus.claim_one()
    run = await outside.bus.open(claimed)
    return await outside.bus.store.write(
        interactions.open_for_run,
        actor=daemon(outside.bus.box),
        run=run.id,
        key="k",
        kind="approval",
        title="make clean",
        **lease(claimed),
    )


async def approve_by(outside: Outside, question: Interaction, person: str, **more: Any) -> str:
    answered = await outside.hear(f"/approve {question.id}", kind="command", person=person, **more)
    return answered.text


async def now_of(outside: Outside, question: Interaction) -> Interaction:
    return await outside.bus.store.read(interactions.get, actor=outside.bus.people.owner, id=question.id)


async def heard(outside: Outside, answered: Answered) -> Message:
    assert answered.message is not None
    return await outside.bus.store.read(messages.get, actor=outside.bus.people.owner, id=answered.message)


async def link(outside: Outside, person: str, user: str | None, **more: Any) -> Identity:
    return await outside.bus.store.write(
        identities.put,
        actor=more.pop("actor", outside.bus.people.admin),
        platform=PLATFORM,
        external_id=person,
        user=user,
        **more,
    )


# BX-6: people are told apart


async def test_two_people_of_one_bridge_are_two_who_approve(outside: Outside) -> None:
    await outside.allow("ben", name="Ben")
    question = await asked(outside, approvers=2)

    first = await approve_by(outside, question, "ann")
    again = await approve_by(outside, question, "ann")
    second = await approve_by(outside, question, "ben")

    assert first.startswith("Counted")
    assert again == "You have approved it already: it needs somebody else too"
    assert second == "Approved."
    done = await now_of(outside, question)
    assert done.answered_by == "Ann (chatter) and Ben (chatter)"
    assert len({approval.key for approval in done.approvals}) == 2


async def test_one_user_in_two_chats_and_in_pal_is_one_who_approves(outside: Outside) -> None:
    await link(outside, "ann", "member")
    await link(outside, "ann-at-home", "member", name="Ann at home")
    question = await asked(outside, approvers=2)

    answers = [await approve_by(outside, question, person) for person in ("ann", "ann-at-home")]

    assert [answer[:7] for answer in answers] == ["Counted", "You hav"]
    member = outside.bus.people.member
    with pytest.raises(Exception, match="approved it already"):
        await outside.bus.store.write(interactions.answer, actor=member, id=question.id, decision="approve")
    assert (await now_of(outside, question)).status == "pending"


@pytest.mark.parametrize("level", ["talk", "operate", "own"])
async def test_approving_needs_a_level_that_operates(outside: Outside, level: str) -> None:
    await outside.allow("ben", name="Ben", level=level)
    question = await asked(outside)

    await approve_by(outside, question, "ben")

    assert (await now_of(outside, question)).status == ("pending" if level == "talk" else "answered")


async def test_a_bridge_approves_nothing_by_itself(outside: Outside) -> None:
    question = await asked(outside)

    with pytest.raises(Forbidden, match="hand in what a person said or pressed"):
        await outside.bus.store.write(interactions.answer, actor=BRIDGE, id=question.id, decision="approve")


# A user of pal


async def test_what_a_user_says_outside_is_the_users(outside: Outside) -> None:
    linked = await link(outside, "ann", "member")

    answered = await outside.hear("do it")

    message = await heard(outside, answered)
    assert linked.user == "member"
    assert (message.sender.kind, message.sender.name, message.sender.origin) == ("user", "member", PLATFORM)
    assert message.sender.key == outside.bus.people.member.key


async def test_what_a_user_approves_outside_is_the_users_in_the_audit(outside: Outside) -> None:
    linked = await link(outside, "ann", "member")
    question = await asked(outside)

    await approve_by(outside, question, "ann")

    page = await outside.bus.store.read(
        audit.list_page, actor=outside.bus.people.owner, action="interaction.answered", after=None, limit=1
    )
    assert page.items[0].actor == f"{outside.bus.people.member.key} member"
    assert page.items[0].detail["identity"] == linked.id
    assert (await now_of(outside, question)).answered_by == "member"


async def test_a_user_sees_the_room_of_their_own_talk_with_a_bot(outside: Outside) -> None:
    place = {"chat": "d1", "thread": "", "place": "direct"}
    await outside.hear("before", **place)
    (delivery,) = await outside.bus.deliveries()
    with pytest.raises(NotFound):
        await outside.bus.store.read(rooms.get, actor=outside.bus.people.member, room=delivery.room_id)
    await link(outside, "ann", "member")

    await outside.hear("after", **place)

    room = await outside.bus.store.read(rooms.get, actor=outside.bus.people.member, room=delivery.room_id)
    assert room.id == delivery.room_id


async def test_a_level_holds_for_a_user_too(outside: Outside) -> None:
    await link(outside, "ann", "admin", level="talk")
    question = await asked(outside)

    assert "may not use /approve" in await approve_by(outside, question, "ann")


async def test_who_may_only_read_in_pal_says_nothing_outside(outside: Outside) -> None:
    await link(outside, "ann", "viewer")

    await outside.hear("do it")

    assert await outside.bus.deliveries() == []
    assert "may read and not speak" in (await outside.texts())[0]


async def test_a_user_who_is_disabled_is_a_stranger_outside(outside: Outside) -> None:
    await link(outside, "ann", "member")
    await outside.bus.store.write(users.change, actor=outside.bus.people.admin, user="member", disabled=True)

    answered = await outside.hear("do it")

    assert answered.outcome == "refused"
    assert await outside.bus.deliveries() == []


async def test_nobody_is_made_a_user_one_may_not_manage(outside: Outside) -> None:
    with pytest.raises(Forbidden):
        await link(outside, "ann", "owner")

    assert (await link(outside, "ann", "owner", actor=outside.bus.people.owner)).user == "owner"
    assert (await link(outside, "ann", None)).user is None


async def test_nobody_has_more_rights_by_way_of_a_bridge_than_who_made_its_token(
    outside: Outside, store: Store
) -> None:
    linked = await link(outside, "ann", "owner", actor=outside.bus.people.owner)

    roles = []
    for ceiling in (Role.OWNER, Role.ADMIN):
        bridge = replace(BRIDGE, ceiling=ceiling)
        acting = await store.read(speakers.speaker, actor=bridge, person=linked, bot=outside.bot)
        roles.append(acting.role)

    assert roles == [Role.OWNER, Role.ADMIN]


async def test_a_bridge_of_an_admin_is_capped(outside: Outside) -> None:
    admin = outside.bus.people.admin
    await outside.bus.store.write(tokens.create, actor=admin, name="mine", secret_hash="of a bridge", kind="bridge")

    actor = await outside.bus.store.read(tokens.authenticate, secret_hash="of a bridge")

    assert actor is not None
    assert (actor.kind, actor.role, actor.ceiling) == (ActorKind.BRIDGE, None, Role.ADMIN)


async def test_what_was_said_before_the_link_can_still_be_changed(outside: Outside) -> None:
    before = await outside.hear("befor", ref="m-before")
    await link(outside, "ann", "member")
    after = await outside.hear("aftr", ref="m-after")

    for ref, text in (("m-before", "before"), ("m-after", "after")):
        await outside.hear(text, kind="edited", ref=ref, event=f"edit of {ref}")

    assert [(await heard(outside, said)).content for said in (before, after)] == ["before", "after"]


async def test_a_link_is_kept_while_other_things_change(outside: Outside) -> None:
    await link(outside, "ann", "member")

    changed = await outside.bus.store.write(
        identities.put, actor=outside.bus.people.admin, platform=PLATFORM, external_id="ann", level="own"
    )

    assert (changed.user, changed.level) == ("member", "own")


async def test_another_bot_hears_the_same_user(outside: Outside) -> None:
    await link(outside, "ann", "member")
    await outside.bus.agent("other")
    await bind(outside.bus, agent="other", app_id="app-2")
    second = await hold(outside.bus, "app-2")

    answered = await outside.hear("do it", bot=second, chat="g2")

    assert (await heard(outside, answered)).sender.name == "member"
