"""A workspace with people and computers in it, made below the first start, and who acts in tests."""

from dataclasses import dataclass

from pal_server.actions import computers, tokens, users
from pal_server.domain.actors import Actor, ActorKind, Role, system
from pal_server.domain.computers import Computer, RuntimeState
from pal_server.domain.users import User
from pal_server.storage import users as user_rows
from pal_server.storage import workspaces
from pal_server.storage.store import Store, Tx

DEMO = RuntimeState(name="demo", available=True, version="1", capabilities={})


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """One actor of each role. Each has a user's token whose hash is the name."""

    owner: Actor
    admin: Actor
    member: Actor
    viewer: Actor
    server: Actor


def make_people(tx: Tx) -> People:
    workspaces.insert(tx, id="w", slug="main", name="main")
    server = system("w")
    owner = User(
        id="user_owner",
        workspace_id="w",
        username="owner",
        display_name="Owner",
        role=Role.OWNER,
        disabled=False,
        created_at=tx.now,
    )
    user_rows.insert(tx, owner, password_hash=None)
    for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER):
        users.create(tx, actor=server, username=role, role=role)
    acting = {role: _token(tx, role) for role in Role}
    return People(
        owner=acting[Role.OWNER],
        admin=acting[Role.ADMIN],
        member=acting[Role.MEMBER],
        viewer=acting[Role.VIEWER],
        server=server,
    )


def _token(tx: Tx, name: str) -> Actor:
    user = user_rows.get(tx, name, workspace_id="w")
    assert user is not None
    tokens.issue(tx, kind="user", subject=user.id, name=name, workspace_id="w", created_by="test", secret_hash=name)
    actor = tokens.authenticate(tx, secret_hash=name)
    assert actor is not None
    return actor


def daemon(computer: Computer) -> Actor:
    """The actor a computer's key stands for."""
    return Actor(
        kind=ActorKind.COMPUTER,
        workspace_id=computer.workspace_id,
        id=computer.id,
        name=computer.name,
        computer_id=computer.id,
    )


async def connect(
    store: Store,
    computer: Computer,
    *,
    machine: str = "machine-a",
    runtimes: tuple[RuntimeState, ...] = (DEMO,),
    take_over: bool = False,
    interval: int = 3000,
) -> Computer:
    """Let the computer's daemon begin."""
    return await store.write(
        computers.connect,
        actor=daemon(computer),
        machine=machine,
        host="host",
        os="Linux",
        daemon_version="0.1",
        runtimes=runtimes,
        interval=interval,
        take_over=take_over,
    )
