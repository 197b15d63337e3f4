"""The only door to an object: whoever gets something here may know of it.

Missing and not to be known raise the same `NotFound`. Whether the actor may also change it is asked with `need`. A text
id may be cut to a unique beginning (six characters after `machine_` and the like); computers and users are found by
their name too.
"""

import re
from collections.abc import Callable

from pal_server.domain.accounts import Account
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.agents import Agent
from pal_server.domain.computers import Computer
from pal_server.domain.files import File
from pal_server.domain.tokens import Token
from pal_server.domain.users import User
from pal_server.errors import Conflict, Forbidden, NotFound
from pal_server.storage import accounts, agents, computers, files, rooms, tokens, users
from pal_server.storage.tx import Tx

_BEGINNING = re.compile(r"[a-z0-9]{6,}")
_PEOPLE = frozenset({ActorKind.USER, ActorKind.SYSTEM})  # and the server itself
_TRUSTED = _PEOPLE | {ActorKind.BRIDGE}  # who may know everybody in the workspace


def need(actor: Actor, role: Role) -> None:
    """`Forbidden` unless the actor is a person with this role or a higher one. Says what would be needed."""
    if actor.is_at_least(role):
        return
    if actor.role is None:
        raise Forbidden(f"this needs a person's credential, not that of a {actor.kind}", needs=role, actor=actor.kind)
    raise Forbidden(f"this needs the role {role}; yours is {actor.role}", needs=role, role=actor.role)


def user(tx: Tx, actor: Actor, ref: str) -> User:
    """A user by name or id."""
    if actor.kind in _TRUSTED:
        found = users.get(tx, ref, workspace_id=actor.workspace_id)
        if found is None and (whole := _whole(ref, kind="user", find=_finder(users.by_prefix, tx, actor))):
            found = users.get(tx, whole, workspace_id=actor.workspace_id)
        if found is not None:
            return found
    raise NotFound(f"there is no user {ref}", user=ref)


def agent(tx: Tx, actor: Actor, key: str) -> Agent:
    """An agent by key. A computer knows those assigned to it, a run those it shares a room with."""
    found = agents.get(tx, key, workspace_id=actor.workspace_id)
    if found is None or not _may_know_agent(tx, actor=actor, agent=found):
        raise NotFound(f"there is no agent {key}", agent=key)
    return found


def computer(tx: Tx, actor: Actor, ref: str) -> Computer:
    """A computer by id or name. A computer knows itself alone."""
    known = ref if ref.startswith("machine_") else computers.by_name(tx, ref, workspace_id=actor.workspace_id)
    found = None if known is None else computers.get(tx, known)
    if found is None and (whole := _whole(ref, kind="machine", find=_finder(computers.by_prefix, tx, actor))):
        found = computers.get(tx, whole)
    if found is None or found.workspace_id != actor.workspace_id or not _may_know_computer(actor, found.id):
        raise NotFound(f"there is no computer {ref}", computer=ref)
    return found


def token(tx: Tx, actor: Actor, ref: str) -> Token:
    """A token by id: one's own, for admins every one."""
    if actor.kind in _PEOPLE:
        found = tokens.get(tx, ref, workspace_id=actor.workspace_id)
        if found is None and (whole := _whole(ref, kind="token", find=_finder(tokens.by_prefix, tx, actor))):
            found = tokens.get(tx, whole, workspace_id=actor.workspace_id)
        if found is not None and (found.subject == actor.id or actor.is_at_least(Role.ADMIN)):
            return found
    raise NotFound(f"there is no token {ref}", token=ref)


def account(tx: Tx, actor: Actor, ref: str) -> Account:
    """An account by id, or by a label only it has. A computer knows its own ones."""
    found = accounts.get(tx, ref, workspace_id=actor.workspace_id)
    if found is None:
        labelled = accounts.by_label(tx, ref, workspace_id=actor.workspace_id)
        whole = _only(ref, labelled) or _whole(ref, kind="account", find=_finder(accounts.by_prefix, tx, actor))
        found = None if whole is None else accounts.get(tx, whole, workspace_id=actor.workspace_id)
    if found is None or not _may_know_computer(actor, found.computer):
        raise NotFound(f"there is no account {ref}", account=ref)
    return found


def file(tx: Tx, actor: Actor, ref: str) -> File:
    """A file by id, also an ended one. It follows the rights of its room; without a room it is for people and its
    maker.
    """
    found = files.get(tx, ref)
    if found is None and (whole := _whole(ref, kind="file", find=_finder(files.by_prefix, tx, actor))):
        found = files.get(tx, whole)
    if found is None or found.workspace_id != actor.workspace_id or not may_know_file(tx, actor=actor, file=found):
        raise NotFound(f"there is no file {ref}", file=ref)
    return found


def may_know_file(tx: Tx, *, actor: Actor, file: File) -> bool:
    if file.created_by == actor.key:
        return True
    if file.room is None:
        return actor.kind in _TRUSTED
    return rooms.sees(tx, actor=actor, room_id=file.room)


def _may_know_agent(tx: Tx, *, actor: Actor, agent: Agent) -> bool:
    match actor.kind:
        case ActorKind.COMPUTER:
            return agent.computer == actor.id
        case ActorKind.RUN:
            return agent.key == actor.agent or agents.shares_room(tx, actor.agent or "", agent.key)
        case _:
            return True


def _may_know_computer(actor: Actor, id: str) -> bool:
    return actor.kind in _PEOPLE or (actor.kind is ActorKind.COMPUTER and actor.id == id)


def _finder(by_prefix: Callable[..., list[str]], tx: Tx, actor: Actor) -> Callable[[str], list[str]]:
    return lambda prefix: by_prefix(tx, prefix, workspace_id=actor.workspace_id)


def _whole(ref: str, *, kind: str, find: Callable[[str], list[str]]) -> str | None:
    """The one id that begins as `ref`, with or without its kind; None when there is none or too little is given."""
    beginning = ref.removeprefix(f"{kind}_")
    if not _BEGINNING.fullmatch(beginning):
        return None
    return _only(ref, find(f"{kind}_{beginning}"))


def _only(ref: str, candidates: list[str]) -> str | None:
    """The one candidate, None for none, `Conflict` that names several."""
    if len(candidates) > 1:
        raise Conflict(f"{ref} could mean {', '.join(candidates)}: give more of it", candidates=candidates)
    return candidates[0] if candidates else None
