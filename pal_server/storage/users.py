"""Users and memberships in the database."""

from dataclasses import dataclass

from pal_server.domain.actors import Role
from pal_server.domain.users import User
from pal_server.storage.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """What checking a password needs."""

    user_id: str
    workspace_id: str
    password_hash: str | None
    disabled: bool


def insert(tx: Tx, user: User, *, password_hash: str | None) -> None:
    tx.sql.run(
        "users.insert",
        id=user.id,
        username=user.username,
        display_name=user.display_name,
        password_hash=password_hash,
        now=user.created_at,
    )
    tx.sql.run("users.join_workspace", workspace_id=user.workspace_id, user_id=user.id, role=user.role)


def get(tx: Tx, ref: str, *, workspace_id: str) -> User | None:
    """By id or by name."""
    row = tx.sql.one("users.get", workspace_id=workspace_id, ref=ref)
    return None if row is None else _user(row)


def log_in_of(tx: Tx, username: str) -> LogIn | None:
    row = tx.sql.one("users.log_in_of", username=username)
    if row is None:
        return None
    return LogIn(
        user_id=row.id,
        workspace_id=row.workspace_id,
        password_hash=row.password_hash,
        disabled=bool(row.disabled),
    )


def list_page(tx: Tx, *, workspace_id: str, after: str, limit: int) -> list[User]:
    return [_user(row) for row in tx.sql.all("users.list_page", workspace_id=workspace_id, after=after, limit=limit)]


def by_prefix(tx: Tx, prefix: str, *, workspace_id: str) -> list[str]:
    return [row.id for row in tx.sql.all("users.by_prefix", workspace_id=workspace_id, pattern=prefix + "%")]


def first_owner(tx: Tx, *, workspace_id: str) -> str | None:
    """The id of the oldest owner who may log in."""
    row = tx.sql.one("users.first_owner", workspace_id=workspace_id)
    return None if row is None else row.id


def count_owners(tx: Tx, *, workspace_id: str) -> int:
    """Owners who can log in. Holds the workspace until the commit, so that the count stays true."""
    tx.sql.run("users.lock_workspace", workspace_id=workspace_id)
    row = tx.sql.one("users.count_owners", workspace_id=workspace_id)
    return 0 if row is None else int(row.owners)


def update(tx: Tx, user: User) -> None:
    """Write name, role and whether it is disabled."""
    tx.sql.run("users.update", id=user.id, display_name=user.display_name, disabled=int(user.disabled))
    tx.sql.run("users.set_role", workspace_id=user.workspace_id, user_id=user.id, role=user.role)


def set_password(tx: Tx, user_id: str, *, password_hash: str) -> None:
    tx.sql.run("users.set_password", id=user_id, password_hash=password_hash)


def _user(row: Row) -> User:
    return User(
        id=row.id,
        workspace_id=row.workspace_id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        disabled=bool(row.disabled),
        created_at=row.created_at,
    )
