"""The first start: a workspace, its owner, a way to log in, and a room. Nothing has a default secret."""

from dataclasses import dataclass

from pal_server.actions import access, audit, rooms, tokens
from pal_server.actions.agents import FIRST_ROOM
from pal_server.domain.actors import Actor, Role, system
from pal_server.domain.tokens import CODE_FOR, Token
from pal_server.domain.users import User
from pal_server.errors import Unavailable
from pal_server.storage import events, users, workspaces
from pal_server.storage.tx import Tx

WORKSPACE = "main"
OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`is_first` says whether the hashes given are valid now; else nothing was changed."""

    workspace_id: str
    is_first: bool


def workspace(tx: Tx) -> str | None:
    """The id of the workspace this server serves; None before the first start."""
    return workspaces.first(tx)


def last_moment(tx: Tx, *, workspace_id: str) -> int | None:
    """When the newest thing in the log happened, UTC milliseconds: the server's clock stood there, or later."""
    newest = events.newest(tx, workspace_id=workspace_id)
    found = events.after(tx, workspace_id=workspace_id, position=newest - 1, limit=1)
    return found[0].at if found else None


def first_start(tx: Tx, *, owner_hash: str, code_hash: str) -> Start:
    """Make the workspace, the owner with a token and a log-in link, and the first room. Does nothing when there is a
    workspace.
    """
    workspace_id = tx.new_id("workspace")
    if workspaces.first(tx) is not None or not workspaces.insert(tx, id=workspace_id, slug=WORKSPACE, name=WORKSPACE):
        existing = workspaces.first(tx)
        if existing is None:
            raise Unavailable("another server is starting for the first time: try again")
        return Start(workspace_id=existing, is_first=False)
    server = system(workspace_id)
    owner = User(
        id=tx.new_id("user"),
        workspace_id=workspace_id,
        username=OWNER,
        display_name="Owner",
        role=Role.OWNER,
        disabled=False,
        created_at=tx.now,
    )
    users.insert(tx, owner, password_hash=None)
    tokens.issue(
        tx,
        kind="user",
        subject=owner.id,
        name="owner.token",
        workspace_id=workspace_id,
        created_by=server.key,
        secret_hash=owner_hash,
    )
    _issue_code(tx, actor=server, user=owner, code_hash=code_hash)
    tx.emit("user.created", workspace_id=workspace_id, data=owner.fact())
    room = rooms.create(tx, actor=server, name=FIRST_ROOM, title="General")
    rooms.invite_user(tx, actor=server, room=room.id, user=owner.username)
    audit.record(tx, actor=server, action="workspace.created", target=WORKSPACE)
    return Start(workspace_id=workspace_id, is_first=True)


def new_code(tx: Tx, *, actor: Actor, code_hash: str, user: str | None = None) -> Token:
    """Another log-in link that works once within a day: for oneself, or by an owner for somebody else."""
    access.need(actor, Role.OWNER if user is not None else Role.VIEWER)
    target = access.user(tx, actor, user or actor.id)
    token = _issue_code(tx, actor=actor, user=target, code_hash=code_hash)
    audit.record(
        tx, actor=actor, action="token.created", target=token.id, detail={"kind": "code", "user": target.username}
    )
    return token


def new_owner_token(tx: Tx, *, actor: Actor, owner_hash: str) -> Token:
    """A token in place of a lost `owner.token`. For whoever holds the server's home, so by the server itself."""
    access.need(actor, Role.OWNER)
    owner = access.user(tx, actor, OWNER)
    token = tokens.issue(
        tx,
        kind="user",
        subject=owner.id,
        name="owner.token",
        workspace_id=owner.workspace_id,
        created_by=actor.key,
        secret_hash=owner_hash,
    )
    audit.record(tx, actor=actor, action="token.created", target=token.id, detail={"kind": "user", "user": OWNER})
    return token


def _issue_code(tx: Tx, *, actor: Actor, user: User, code_hash: str) -> Token:
    return tokens.issue(
        tx,
        kind="code",
        subject=user.id,
        name="log-in link",
        workspace_id=user.workspace_id,
        created_by=actor.key,
        secret_hash=code_hash,
        scopes=(),
        expires_at=tx.now + CODE_FOR,
    )
