"""Users, tokens and log-in: who gets in, as whom, and how it ends."""

import asyncio

import pytest

from pal_server.actions import computers, login, tokens, users
from pal_server.domain.actors import ActorKind, Role
from pal_server.domain.tokens import SESSION_FOR
from pal_server.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from pal_server.storage.store import Store
from tests.support.people import People, make_people
from tests.support.stores import Clock, Heard

HOUR = 3_600_000


@pytest.fixture
async def people(store: Store) -> People:
    return await store.write(make_people)


async def test_a_token_stands_for_its_user(store: Store, people: People) -> None:
    actor = await store.read(tokens.authenticate, secret_hash="member")

    assert actor is not None
    assert (actor.kind, actor.name, actor.role) == (ActorKind.USER, "member", Role.MEMBER)
    assert await store.read(tokens.authenticate, secret_hash="nobody") is None


async def test_an_expired_token_stands_for_nobody(store: Store, people: People, clock: Clock) -> None:
    await store.write(tokens.create, actor=people.member, name="ci", secret_hash="ci", expires_at=clock.now + HOUR)
    assert await store.read(tokens.authenticate, secret_hash="ci") is not None

    clock.advance(3600)

    assert await store.read(tokens.authenticate, secret_hash="ci") is None


async def test_a_revoked_token_stands_for_nobody_and_says_so(store: Store, people: People, heard: Heard) -> None:
    token = await store.write(tokens.create, actor=people.member, name="ci", secret_hash="ci")
    heard.wakes.clear()

    revoked = await store.write(tokens.revoke, actor=people.member, ref=token.id)

    assert revoked.revoked_at is not None
    assert await store.read(tokens.authenticate, secret_hash="ci") is None
    assert {"tokens"} in heard.wakes


async def test_a_disabled_user_is_nobody(store: Store, people: People) -> None:
    await store.write(users.change, actor=people.admin, user="member", disabled=True)

    assert await store.read(tokens.authenticate, secret_hash="member") is None


async def test_a_token_lives_no_longer_than_the_one_it_was_made_with(
    store: Store, people: People, clock: Clock
) -> None:
    end = clock.now + HOUR
    await store.write(tokens.create, actor=people.member, name="short", secret_hash="short", expires_at=end)
    short = await store.read(tokens.authenticate, secret_hash="short")
    entered = await store.write(login.with_token, token_hash="short", session_hash="session")
    assert short is not None
    assert entered is not None

    made = [
        await store.write(tokens.create, actor=actor, name="long", secret_hash=f"long {number}", expires_at=wanted)
        for number, (actor, wanted) in enumerate(
            [(short, None), (entered.actor, end + HOUR), (short, end - 1), (people.member, None)]
        )
    ]

    assert [token.expires_at for token in made] == [end, end, end - 1, None]


async def test_a_repeat_by_a_narrower_token_gets_no_new_secret(store: Store, people: People) -> None:
    await store.write(tokens.create, actor=people.owner, name="reader", secret_hash="reader", scopes=["role:viewer"])
    reader = await store.read(tokens.authenticate, secret_hash="reader")
    assert reader is not None
    await store.write(tokens.create, actor=people.owner, name="whole", secret_hash="whole", client_id="1")

    with pytest.raises(Forbidden):
        await store.write(tokens.create, actor=reader, name="whole", secret_hash="mine", client_id="1")

    assert await store.read(tokens.authenticate, secret_hash="mine") is None


async def test_a_token_for_oneself_cannot_more_than_the_token_it_was_made_with(store: Store, people: People) -> None:
    await store.write(tokens.create, actor=people.owner, name="reader", secret_hash="reader", scopes=["role:viewer"])
    reader = await store.read(tokens.authenticate, secret_hash="reader")
    assert reader is not None
    assert reader.role is Role.VIEWER

    token = await store.write(tokens.create, actor=reader, name="more", secret_hash="more")

    assert token.scopes == ("role:viewer",)
    with pytest.raises(Forbidden):
        await store.write(users.change, actor=reader, user="owner", password_hash="a new one")


async def test_admins_make_tokens_for_others_but_owners(store: Store, people: People) -> None:
    made = await store.write(tokens.create, actor=people.admin, name="help", user="member", secret_hash="help")

    assert made.subject == people.member.id
    with pytest.raises(Forbidden):
        await store.write(tokens.create, actor=people.admin, name="help", user="owner", secret_hash="x")
    with pytest.raises(Forbidden):
        await store.write(tokens.create, actor=people.member, name="help", user="viewer", secret_hash="y")


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "computer"}, {"scopes": ["everything"]}, {"name": " "}, {"expires_at": 1}, {"scopes": ["platform:lark"]}],
)
async def test_a_wrong_token_is_refused(store: Store, people: People, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        await store.write(
            tokens.create,
            **{"actor": people.owner, "name": "n", "secret_hash": "h", **wrong},  # type: ignore[arg-type]  # wrong on purpose
        )


async def test_everyone_lists_their_own_tokens_and_admins_all(store: Store, people: People) -> None:
    own = await store.read(tokens.list_page, actor=people.member, after=None, limit=50)
    every = await store.read(tokens.list_page, actor=people.admin, after=None, limit=50)

    assert {token.subject for token in own.items} == {people.member.id}
    assert len({token.subject for token in every.items}) == 4


async def test_a_foreign_token_looks_like_a_missing_one(store: Store, people: People) -> None:
    foreign = await store.write(tokens.create, actor=people.owner, name="ci", secret_hash="ci")

    for ref in (foreign.id, "token_missing"):
        with pytest.raises(NotFound):
            await store.write(tokens.revoke, actor=people.member, ref=ref)


async def test_pages_of_tokens_meet_without_gap_or_repeat(store: Store, people: People) -> None:
    for number in range(5):
        await store.write(tokens.create, actor=people.member, name=f"t{number}", secret_hash=f"h{number}")

    seen: list[str] = []
    after = None
    while True:
        page = await store.read(tokens.list_page, actor=people.member, after=after, limit=2)
        seen += [token.name for token in page.items]
        if (after := page.next) is None:
            break

    assert sorted(seen) == ["member", "t0", "t1", "t2", "t3", "t4"]


async def test_when_a_token_was_used_only_goes_forward(store: Store, people: People, clock: Clock) -> None:
    token = await store.write(tokens.create, actor=people.member, name="ci", secret_hash="ci")

    await store.write(tokens.touch, used={token.id: clock.now})
    await store.write(tokens.touch, used={token.id: clock.now - HOUR})

    page = await store.read(tokens.list_page, actor=people.member, after=None, limit=50)
    assert {t.id: t.last_used_at for t in page.items}[token.id] == clock.now


async def test_a_bridge_is_an_actor_of_its_own(store: Store, people: People) -> None:
    await store.write(
        tokens.create,
        actor=people.admin,
        name="lark",
        kind="bridge",
        secret_hash="lark",
        scopes=["platform:lark"],
    )

    actor = await store.read(tokens.authenticate, secret_hash="lark")

    assert actor is not None
    assert (actor.kind, actor.role, actor.scopes) == (ActorKind.BRIDGE, None, frozenset({"platform:lark"}))
    with pytest.raises(Forbidden):
        await store.write(tokens.create, actor=people.member, name="l", kind="bridge", secret_hash="l")


async def test_ended_sessions_are_forgotten_in_time(store: Store, people: People, clock: Clock) -> None:
    await store.write(login.with_token, token_hash="member", session_hash="s")
    clock.advance(SESSION_FOR / 1000 + 1)

    assert await store.write(tokens.forget, before=clock.now) == 1
    assert await store.write(tokens.forget, before=clock.now) == 0


async def test_a_token_opens_a_session_for_thirty_days(store: Store, people: People, clock: Clock) -> None:
    done = await store.write(login.with_token, token_hash="member", session_hash="s")

    assert done is not None
    assert (done.actor.name, done.expires_at) == ("member", clock.now + SESSION_FOR)
    again = await store.read(tokens.authenticate, secret_hash="s")
    assert again == done.actor


async def test_a_session_has_no_more_rights_than_the_token_it_came_from(store: Store, people: People) -> None:
    await store.write(tokens.create, actor=people.owner, name="r", secret_hash="r", scopes=["role:viewer"])

    done = await store.write(login.with_token, token_hash="r", session_hash="s")

    assert done is not None
    assert done.actor.role is Role.VIEWER


async def test_a_log_in_link_works_once(store: Store, people: People) -> None:
    await store.write(
        tokens.issue,
        kind="code",
        subject=people.owner.id,
        name="link",
        workspace_id="w",
        created_by="test",
        secret_hash="code",
    )

    first = await store.write(login.with_code, code_hash="code", session_hash="s1")
    second = await store.write(login.with_code, code_hash="code", session_hash="s2")

    assert first is not None
    assert second is None
    assert await store.read(tokens.authenticate, secret_hash="code") is None


async def test_of_two_who_follow_a_link_at_once_one_gets_in(store: Store, people: People) -> None:
    await store.write(
        tokens.issue,
        kind="code",
        subject=people.owner.id,
        name="link",
        workspace_id="w",
        created_by="test",
        secret_hash="code",
    )

    came = await asyncio.gather(
        *(store.write(login.with_code, code_hash="code", session_hash=f"s{n}") for n in range(4))
    )

    assert sum(done is not None for done in came) == 1


async def test_only_the_right_kind_of_secret_logs_in(store: Store, people: People) -> None:
    await store.write(login.with_token, token_hash="member", session_hash="s")

    assert await store.write(login.with_token, token_hash="s", session_hash="x") is None
    assert await store.write(login.with_code, code_hash="member", session_hash="x") is None


async def test_a_password_logs_in_while_it_is_the_stored_one(store: Store, people: People) -> None:
    await store.write(users.change, actor=people.member, user="member", password_hash="old")
    checked = await store.read(login.password_of, username=" Member ")

    done = await store.write(login.with_password, username="Member", verified_hash=checked, session_hash="s1")
    await store.write(users.change, actor=people.member, user="member", password_hash="new")
    late = await store.write(login.with_password, username="member", verified_hash=checked, session_hash="s2")

    assert done is not None
    assert done.actor.role is Role.MEMBER
    assert late is None


async def test_nobody_logs_in_without_a_password(store: Store, people: People) -> None:
    assert await store.read(login.password_of, username="viewer") is None
    assert await store.write(login.with_password, username="viewer", verified_hash=None, session_hash="s") is None


async def test_a_new_password_ends_the_other_sessions(store: Store, people: People) -> None:
    mine = await store.write(login.with_token, token_hash="member", session_hash="mine")
    await store.write(login.with_token, token_hash="member", session_hash="other")
    assert mine is not None

    await store.write(users.change, actor=mine.actor, user="member", password_hash="new")

    assert await store.read(tokens.authenticate, secret_hash="mine") is not None
    assert await store.read(tokens.authenticate, secret_hash="other") is None


async def test_logging_out_ends_the_session_and_not_a_token(store: Store, people: People) -> None:
    done = await store.write(login.with_token, token_hash="member", session_hash="s")
    assert done is not None

    await store.write(login.log_out, actor=done.actor)
    await store.write(login.log_out, actor=people.member)

    assert await store.read(tokens.authenticate, secret_hash="s") is None
    assert await store.read(tokens.authenticate, secret_hash="member") is not None


async def test_a_name_is_one_persons(store: Store, people: People) -> None:
    for name in ("member", "Über", "all", "a b"):
        with pytest.raises((AlreadyExists, Invalid)):
            await store.write(users.create, actor=people.admin, username=name)


@pytest.mark.parametrize("role", ["member", "viewer"])
async def test_only_admins_make_users(store: Store, people: People, role: str) -> None:
    with pytest.raises(Forbidden):
        await store.write(users.create, actor=getattr(people, role), username="new")


async def test_only_owners_make_and_touch_owners(store: Store, people: People) -> None:
    with pytest.raises(Forbidden):
        await store.write(users.create, actor=people.admin, username="boss", role="owner")
    with pytest.raises(Forbidden):
        await store.write(users.change, actor=people.admin, user="owner", disabled=True)
    with pytest.raises(Forbidden):
        await store.write(users.change, actor=people.admin, user="member", role="owner")

    raised = await store.write(users.change, actor=people.owner, user="admin", role="owner")

    assert raised.role is Role.OWNER


async def test_the_last_owner_stays(store: Store, people: People) -> None:
    for change in ({"disabled": True}, {"role": "member"}):
        with pytest.raises(Conflict):
            await store.write(users.change, actor=people.owner, user="owner", **change)  # type: ignore[arg-type]  # one of the two


async def test_a_member_changes_only_their_own_name(store: Store, people: People) -> None:
    changed = await store.write(users.change, actor=people.member, user="member", display_name=" Mia  M. ")

    assert changed.display_name == "Mia M."
    with pytest.raises(Forbidden):
        await store.write(users.change, actor=people.member, user="viewer", display_name="V")
    with pytest.raises(Forbidden):
        await store.write(users.change, actor=people.member, user="member", role="admin")


async def test_a_computers_key_reads_no_user_and_no_token(store: Store, people: People) -> None:
    await store.write(computers.provision, actor=people.admin, name="box", key_hash="key")
    key = await store.read(tokens.authenticate, secret_hash="key")
    assert key is not None

    with pytest.raises(Forbidden):
        await store.read(users.list_page, actor=key, after=None, limit=50)
    with pytest.raises(Forbidden):
        await store.read(tokens.list_page, actor=key, after=None, limit=50)
    with pytest.raises(NotFound):
        await store.write(tokens.revoke, actor=key, ref="token_1")
    with pytest.raises(Forbidden):
        await store.write(tokens.create, actor=key, name="mine", secret_hash="x")
