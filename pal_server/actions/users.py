"""Users: people in the workspace, and what each may do."""

from dataclasses import replace

from pal_server.actions import access, audit, client_ids, tokens
from pal_server.domain.actors import Actor, Role
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.names import parse_key, parse_label
from pal_server.domain.pages import Page, page_of, parse_limit
from pal_server.domain.users import User, check_may_give, check_may_manage, parse_role
from pal_server.errors import AlreadyExists, Conflict, Forbidden
from pal_server.storage import rooms, users
from pal_server.storage.tx import Tx


def create(
    tx: Tx,
    *,
    actor: Actor,
    username: str,
    display_name: str = "",
    role: str = "member",
    password_hash: str | None = None,
    client_id: str | None = None,
) -> User:
    """By an admin. Without a password the user logs in with a token an admin makes."""
    access.need(actor, Role.ADMIN)
    given = parse_role(role)
    check_may_give(actor, given)
    name = parse_key(username, field="username")
    said = {"username": name, "display_name": display_name, "role": given, "has_password": password_hash is not None}
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="users.create", said=said)) is not None:
        return access.user(tx, actor, made)
    if rooms.name_is_taken(tx, workspace_id=actor.workspace_id, name=name):
        raise AlreadyExists(f"there is already a user or agent called {name}", username=name)
    user = User(
        id=tx.new_id("user"),
        workspace_id=actor.workspace_id,
        username=name,
        display_name=parse_label(display_name or name, field="display_name"),
        role=given,
        disabled=False,
        created_at=tx.now,
    )
    users.insert(tx, user, password_hash=password_hash)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="users.create", said=said, target=user.id)
    tx.emit("user.created", workspace_id=actor.workspace_id, data=user.fact())
    audit.record(tx, actor=actor, action="user.created", target=user.username, detail={"role": user.role})
    return user


def change(
    tx: Tx,
    *,
    actor: Actor,
    user: str,
    display_name: str | Keep = KEEP,
    role: str | Keep = KEEP,
    password_hash: str | Keep = KEEP,
    disabled: bool | Keep = KEEP,
) -> User:
    """One's own name and password, or anything by an admin. A new password, like disabling, ends the user's other
    sessions.

    The last owner who can log in stays one.
    """
    access.need(actor, Role.VIEWER)
    before = access.user(tx, actor, user)
    _check_may_change(actor, before, only_self=role is KEEP and disabled is KEEP)
    if password_hash is not KEEP and actor.id == before.id and actor.role is not before.role:
        raise Forbidden("a token with fewer rights than its user's cannot set the password", needs=before.role)
    after = replace(
        before,
        display_name=before.display_name if display_name is KEEP else parse_label(display_name, field="display_name"),
        role=before.role if role is KEEP else parse_role(role),
        disabled=before.disabled if disabled is KEEP else disabled,
    )
    if after.role is not before.role:
        check_may_give(actor, after.role)
    is_leaving = _is_active_owner(before) and not _is_active_owner(after)
    if is_leaving and users.count_owners(tx, workspace_id=actor.workspace_id) < 2:
        raise Conflict("the last owner cannot be disabled or given another role", username=before.username)
    if after != before:
        users.update(tx, after)
        tx.wake(tokens.CHANGED)
        tx.emit("user.changed", workspace_id=actor.workspace_id, data=after.fact())
    if password_hash is not KEEP:
        users.set_password(tx, before.id, password_hash=password_hash)
    if password_hash is not KEEP or (after.disabled and not before.disabled):
        own = actor.token_id if actor.id == before.id else None
        tokens.revoke_of(tx, workspace_id=actor.workspace_id, kind="session", subject=before.id, except_id=own)
    _record(tx, actor=actor, before=before, after=after, has_new_password=password_hash is not KEEP)
    return after


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[User]:
    """By name. For people."""
    access.need(actor, Role.VIEWER)
    count = parse_limit(limit)
    found = users.list_page(tx, workspace_id=actor.workspace_id, after=after or "", limit=count + 1)
    return page_of(found, limit=count, cursor=lambda user: user.username)


def _check_may_change(actor: Actor, user: User, *, only_self: bool) -> None:
    if actor.id == user.id and only_self:
        return
    if not actor.is_at_least(Role.ADMIN):
        raise Forbidden("you may change your own name and password; an admin changes the rest", needs=Role.ADMIN)
    check_may_manage(actor, user)


def _is_active_owner(user: User) -> bool:
    return user.role is Role.OWNER and not user.disabled


def _record(tx: Tx, *, actor: Actor, before: User, after: User, has_new_password: bool) -> None:
    if has_new_password:
        audit.record(tx, actor=actor, action="user.password_changed", target=before.username)
    if after.role is not before.role:
        audit.record(
            tx,
            actor=actor,
            action="user.role_changed",
            target=before.username,
            detail={"from": before.role, "to": after.role},
        )
    if after.disabled != before.disabled:
        action = "user.disabled" if after.disabled else "user.enabled"
        audit.record(tx, actor=actor, action=action, target=before.username)
