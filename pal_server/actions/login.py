"""Logging in and out. Each way in ends in a session: a token for a browser's cookie.

The `with_…` actions answer None for a wrong credential instead of raising, because the failed attempt is written to the
audit log, too. Checking a password takes tens of milliseconds, so it happens between two calls here, in a thread and
outside of any transaction:

    stored = await store.read(login.password_of, username=name)
    good = await to_thread(verify_password, stored, password)
    done = await store.write(login.with_password, username=name, verified_hash=stored if good else None, session_hash=…)
"""

from dataclasses import dataclass

from pal_server.actions import audit, tokens
from pal_server.domain.actors import Actor, ActorKind, system
from pal_server.domain.tokens import SESSION_FOR, Token, TokenKind
from pal_server.storage import tokens as token_rows
from pal_server.storage import users, workspaces
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """`actor` acts in the new session, which ends at `expires_at`."""

    actor: Actor
    expires_at: int


def is_live(tx: Tx, *, secret_hash: str, kind: str) -> bool:
    """Whether `with_token` or `with_code` would take it now, by its kind "user" or "code". Writes nothing down."""
    token = token_rows.find_live(tx, secret_hash=secret_hash)
    return token is not None and token.kind == kind


def with_token(tx: Tx, *, token_hash: str, session_hash: str) -> LoggedIn | None:
    """By a user's own token."""
    token = token_rows.find_live(tx, secret_hash=token_hash)
    if token is None or token.kind is not TokenKind.USER:
        return _refuse(tx, way="token", name=None)
    return _begin(tx, token=token, session_hash=session_hash, way="token")


def with_code(tx: Tx, *, code_hash: str, session_hash: str) -> LoggedIn | None:
    """By a log-in link, which works once: of two that come at the same time one gets in."""
    token = token_rows.find_live(tx, secret_hash=code_hash)
    if token is None or token.kind is not TokenKind.CODE or not token_rows.revoke(tx, token.id):
        return _refuse(tx, way="code", name=None)
    return _begin(tx, token=token, session_hash=session_hash, way="code")


def password_of(tx: Tx, *, username: str) -> str | None:
    """The stored hash of the user's password; None when nobody may log in with one under this name."""
    found = users.log_in_of(tx, username.strip().lower())
    return None if found is None or found.disabled else found.password_hash


def with_password(tx: Tx, *, username: str, verified_hash: str | None, session_hash: str) -> LoggedIn | None:
    """By name and password. `verified_hash` is the stored hash the password was checked against, None when it was
    wrong.

    A password changed in the meantime is a wrong one.
    """
    name = username.strip().lower()
    found = users.log_in_of(tx, name)
    if found is None or found.disabled or verified_hash is None or verified_hash != found.password_hash:
        return _refuse(tx, way="password", name=name)
    user = users.get(tx, found.user_id, workspace_id=found.workspace_id)
    assert user is not None, "it was found in this transaction"
    actor = Actor(
        kind=ActorKind.USER,
        workspace_id=user.workspace_id,
        id=user.id,
        name=user.username,
        display_name=user.display_name,
        role=user.role,
    )
    return _open_session(tx, actor=actor, scopes=(), session_hash=session_hash, way="password")


def log_out(tx: Tx, *, actor: Actor) -> None:
    """End the session the actor acts in, on the server. A token given to a program stays good."""
    if actor.kind is not ActorKind.USER or actor.token_id is None:
        return
    token = token_rows.get(tx, actor.token_id, workspace_id=actor.workspace_id)
    if token is not None and token.kind is TokenKind.SESSION and token_rows.revoke(tx, token.id):
        tx.wake(tokens.CHANGED)
        audit.record(tx, actor=actor, action="user.logged_out", target=actor.name)


def _begin(tx: Tx, *, token: Token, session_hash: str, way: str) -> LoggedIn | None:
    """A session for the user of a token, with no more rights than the token. One by a user's token ends with that."""
    row = token_rows.user_of(tx, token)
    if row is None:
        return _refuse(tx, way=way, name=None)
    actor = Actor(
        kind=ActorKind.USER,
        workspace_id=token.workspace_id,
        id=row.id,
        name=row.username,
        display_name=row.display_name,
    )
    parent = token if token.kind is TokenKind.USER else None
    return _open_session(tx, actor=actor, scopes=token.scopes, session_hash=session_hash, way=way, parent=parent)


def _open_session(
    tx: Tx, *, actor: Actor, scopes: tuple[str, ...], session_hash: str, way: str, parent: Token | None = None
) -> LoggedIn | None:
    expires_at = tx.now + SESSION_FOR
    if parent is not None and parent.expires_at is not None:
        expires_at = min(expires_at, parent.expires_at)
    session = tokens.issue(
        tx,
        kind=TokenKind.SESSION,
        subject=actor.id,
        name=f"log-in by {way}",
        workspace_id=actor.workspace_id,
        created_by=actor.key if parent is None else tokens.maker(parent),
        secret_hash=session_hash,
        scopes=scopes,
        expires_at=expires_at,
    )
    audit.record(tx, actor=actor, action="user.logged_in", target=actor.name, detail={"way": way})
    acting = tokens.actor_of(tx, token=session)
    return None if acting is None else LoggedIn(actor=acting, expires_at=expires_at)


def _refuse(tx: Tx, *, way: str, name: str | None) -> LoggedIn | None:
    """Write the attempt down. The name is what was typed, cut: some type their password there."""
    workspace_id = workspaces.first(tx)
    if workspace_id is not None:
        known = name is not None and users.log_in_of(tx, name) is not None
        audit.record(
            tx,
            actor=system(workspace_id),
            action="user.log_in_failed",
            target=name if known and name is not None else "somebody",
            detail={"way": way},
        )
    return None
