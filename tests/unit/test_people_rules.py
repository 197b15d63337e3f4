"""Names, passwords, roles and scopes."""

import pytest

from pal_server.domain.actors import Actor, ActorKind, Role, system
from pal_server.domain.names import parse_key, parse_label
from pal_server.domain.tokens import TokenKind, capped_role, parse_expiry, parse_scopes
from pal_server.domain.users import check_may_give, parse_password, parse_role
from pal_server.errors import Forbidden, Invalid
from pal_server.passwords import hash_password, verify_password
from pal_server.tokens import RUN, hash_secret, new_secret


def person(role: Role) -> Actor:
    return Actor(kind=ActorKind.USER, workspace_id="w", id="user_1", name="mia", role=role)


@pytest.mark.parametrize("key", ["codex", "0", "a.b-c_d", "a" * 64])
def test_a_key_is_lower_case_letters_digits_and_signs(key: str) -> None:
    assert parse_key(key, field="key") == key


@pytest.mark.parametrize("key", ["", "A", "-a", ".a", "a b", "a/b", "..", "a" * 65, "ä", "a\n", "all", "here"])
def test_other_keys_are_refused_by_field(key: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_key(key, field="agent_key")

    assert refused.value.facts["field"] == "agent_key"


def test_a_label_is_one_line() -> None:
    assert parse_label("  Mia \n M. ", field="name") == "Mia M."
    for wrong in ("", "  ", "a\x00b", "\u202e", "x" * 101):
        with pytest.raises(Invalid):
            parse_label(wrong, field="name")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaa", "12mia34567890", "x" * 1025])
def test_an_easy_password_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_password(password, username="mia")

    assert password not in str(refused.value)
    assert password not in str(refused.value.facts)


def test_a_long_password_is_fine() -> None:
    assert parse_password("correct horse battery", username="mia") == "correct horse battery"


@pytest.mark.parametrize(
    ("giver", "role", "may"),
    [
        (Role.OWNER, Role.OWNER, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.ADMIN, Role.ADMIN, True),
        (Role.MEMBER, Role.VIEWER, False),
    ],
)
def test_who_may_give_which_role(giver: Role, role: Role, may: bool) -> None:
    if may:
        check_may_give(person(giver), role)
        return
    with pytest.raises(Forbidden):
        check_may_give(person(giver), role)


def test_the_server_itself_may_give_every_role() -> None:
    check_may_give(system("w"), Role.OWNER)


def test_an_unknown_role_is_named_with_those_there_are() -> None:
    with pytest.raises(Invalid, match="owner, admin, member, viewer"):
        parse_role("king")


def test_scopes_only_take_rights_away() -> None:
    assert capped_role(Role.OWNER, ["role:viewer", "role:admin"]) is Role.VIEWER
    assert capped_role(Role.VIEWER, ["role:admin"]) is Role.VIEWER
    assert capped_role(Role.MEMBER, []) is Role.MEMBER
    assert parse_scopes(["role:viewer", "role:viewer"], kind=TokenKind.USER) == ("role:viewer",)
    for scopes, kind in ((["role:owner"], TokenKind.USER), (["role:viewer"], TokenKind.BRIDGE), (["x"], TokenKind.RUN)):
        with pytest.raises(Invalid):
            parse_scopes(scopes, kind=kind)


def test_an_end_lies_ahead() -> None:
    assert parse_expiry(11, now=10) == 11
    assert parse_expiry(None, now=10) is None
    with pytest.raises(Invalid):
        parse_expiry(10, now=10)


def test_secrets_differ_and_only_the_hash_is_kept() -> None:
    one, other = new_secret(RUN), new_secret(RUN)

    assert one[0].startswith("pal_run_")
    assert one[0] != other[0]
    assert one[1] == hash_secret(one[0])
    assert len(one[1]) == 64


def test_a_password_is_verified_against_its_hash_alone() -> None:
    stored = hash_password("correct horse battery")

    assert stored.startswith("$argon2id$")
    assert verify_password(stored, "correct horse battery")
    assert not verify_password(stored, "wrong")
    assert not verify_password(None, "correct horse battery")
    assert not verify_password("no hash at all", "correct horse battery")
