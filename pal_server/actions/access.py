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
from pal_server.domain.deliveries import Delivery
from pal_server.domain.files import File
from pal_server.domain.interactions import Interaction
from pal_server.domain.messages import Message
from pal_server.domain.projects import Coded, Project, need_open, parse_code
from pal_server.domain.rooms import Room, Topic
from pal_server.domain.runs import Run, Session
from pal_server.domain.tasks import Task
from pal_server.domain.terminals import Terminal
from pal_server.domain.tokens import Token
from pal_server.domain.users import User
from pal_server.errors import Conflict, Forbidden, NotFound
from pal_server.storage import (
    accounts,
    agents,
    computers,
    deliveries,
    files,
    interactions,
    messages,
    projects,
    rooms,
    runs,
    tasks,
    terminals,
    tokens,
    users,
)
from pal_server.storage.tx import Tx

_BEGINNING = re.compile(r"[a-z0-9]{6,}")
_PEOPLE = frozenset({ActorKind.USER, ActorKind.SYSTEM})  # and the server itself
_TRUSTED = _PEOPLE | {ActorKind.BRIDGE}  # who may know everybody in the workspace
BY_ROOM = frozenset({ActorKind.COMPUTER, ActorKind.RUN})  # who know of a project by seeing a room of it


def need(actor: Actor, role: Role) -> None:
    """`Forbidden` unless the actor is a person with this role or a higher one. Says what would be needed."""
    if actor.is_at_least(role):
        return
    if actor.role is None:
        raise Forbidden(f"this needs a person's credential, not that of a {actor.kind}", needs=role, actor=actor.kind)
    raise Forbidden(f"this needs the role {role}; yours is {actor.role}", needs=role, role=actor.role)


def need_writer(actor: Actor) -> None:
    """Viewers read; everybody else who gets this far may speak."""
    if actor.kind is ActorKind.USER:
        need(actor, Role.MEMBER)


def need_person(actor: Actor) -> None:
    """Answers and orders come from people: a user from member up, or a bridge that speaks for one."""
    if actor.kind is not ActorKind.BRIDGE:
        need(actor, Role.MEMBER)


def room(tx: Tx, actor: Actor, ref: str) -> Room:
    """A room by id or name."""
    found = rooms.find(tx, workspace_id=actor.workspace_id, ref=ref)
    if found is None and (whole := _whole(ref, kind="room", find=_seen_rooms(tx, actor))):
        found = rooms.find(tx, workspace_id=actor.workspace_id, ref=whole)
    if found is None or not rooms.sees(tx, actor=actor, room_id=found.id):
        raise NotFound(f"there is no room {ref}", room=ref)
    return found


def topic(tx: Tx, actor: Actor, id: int) -> Topic:
    """A topic of a room the actor sees."""
    found = rooms.find_topic(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or not rooms.sees(tx, actor=actor, room_id=found.room_id):
        raise NotFound(f"there is no topic {id}", topic=id)
    return found


def project(tx: Tx, actor: Actor, ref: str) -> Project:
    """A project by id or key. It is of the whole workspace; computers and runs know those of which they see a room."""
    found = projects.find(tx, workspace_id=actor.workspace_id, ref=ref if ref.startswith("project_") else ref.lower())
    if found is None and (whole := _whole(ref, kind="project", find=_finder(projects.find_by_prefix, tx, actor))):
        found = projects.find(tx, workspace_id=actor.workspace_id, ref=whole)
    if found is None or not _may_know_project(tx, actor=actor, project=found):
        raise NotFound(f"there is no project {ref}", project=ref)
    return found


def open_project(tx: Tx, actor: Actor, ref: str) -> Project:
    """The same, for something that is to be written in it; `Conflict` when it is archived."""
    found = project(tx, actor, ref)
    need_open(found)
    return found


def project_to_change(tx: Tx, actor: Actor, ref: str) -> Project:
    """The same, for who changes what runs in its rooms are told: whoever sees its default room."""
    found = project(tx, actor, ref)
    room(tx, actor, found.default_room)
    return found


def task(tx: Tx, actor: Actor, ref: str, *, project: str | None = None) -> Task:
    """A task of a room the actor sees: by id, by code in a project (`T-3`, or `shop.T-3` which names it), or by a code
    that only one project has. Without one named, a run means the project of its room.
    """
    key, dot, code = ref.rpartition(".")
    found = None
    if (number := parse_code(code, kind=Coded.TASK)) is not None:
        found = _coded_task(tx, actor, number, project=key if dot else project or _own_project(tx, actor))
    elif ref.startswith("task_"):
        found = tasks.find(tx, workspace_id=actor.workspace_id, id=ref)
    if found is None and number is None and (whole := _whole(ref, kind="task", find=_seen_tasks(tx, actor))):
        found = tasks.find(tx, workspace_id=actor.workspace_id, id=whole)
    if found is None or not rooms.sees(tx, actor=actor, room_id=found.room_id):
        raise NotFound(f"there is no task {ref}", task=ref)
    return found


def message(tx: Tx, actor: Actor, id: int) -> Message:
    """A message of a room the actor sees, also a deleted one."""
    found = messages.find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or not rooms.sees(tx, actor=actor, room_id=found.room_id):
        raise NotFound(f"there is no message {id}", message=id)
    return found


def delivery(tx: Tx, actor: Actor, id: int, *, locked: bool = False) -> Delivery:
    """A delivery of a room the actor sees. A computer knows what it holds and what is for its agents."""
    find = deliveries.find_locked if locked else deliveries.find
    found = find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or not _may_know_work(
        tx, actor=actor, room_id=found.room_id, agent=found.agent, computer_id=found.computer_id
    ):
        raise NotFound(f"there is no delivery {id}", delivery=id)
    return found


def run(tx: Tx, actor: Actor, id: int) -> Run:
    """A run in a room the actor sees. A computer knows its own and those of its agents."""
    found = runs.find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or not _may_know_work(
        tx, actor=actor, room_id=found.room_id, agent=found.agent, computer_id=found.computer_id
    ):
        raise NotFound(f"there is no run {id}", run=id)
    return found


def own_run(tx: Tx, actor: Actor, id: int) -> Run:
    """A run of the computer that asks."""
    found = run(tx, actor, id)
    if actor.kind is not ActorKind.COMPUTER:
        raise Forbidden("only the computer that has the run reports on it", run=id)
    if found.computer_id != actor.id:
        raise NotFound(f"there is no run {id}", run=id)
    return found


def session(tx: Tx, actor: Actor, id: str) -> Session:
    """A session in a topic the actor sees."""
    found = runs.find_session(tx, workspace_id=actor.workspace_id, id=id)
    if found is None:
        raise NotFound(f"there is no session {id}", session=id)
    topic(tx, actor, found.topic_id)
    return found


def interaction(tx: Tx, actor: Actor, id: int) -> Interaction:
    """An interaction in a room the actor sees."""
    found = interactions.find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or not rooms.sees(tx, actor=actor, room_id=found.room_id):
        raise NotFound(f"there is no interaction {id}", interaction=id)
    return found


def terminal(tx: Tx, actor: Actor, id: str) -> Terminal:
    """A terminal in a room the actor sees."""
    found = terminals.find(tx, workspace_id=actor.workspace_id, id=id)
    if found is None or not rooms.sees(tx, actor=actor, room_id=found.room_id):
        raise NotFound(f"there is no terminal {id}", terminal=id)
    return found


def is_assigned(tx: Tx, actor: Actor, agent: str) -> bool:
    """Whether the agent is assigned to the computer that asks."""
    found = agents.get(tx, agent, workspace_id=actor.workspace_id)
    return found is not None and found.computer == actor.id


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
    if found is None and (whole := _whole(ref, kind="file", find=_known_files(tx, actor))):
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


def _may_know_work(tx: Tx, *, actor: Actor, room_id: str, agent: str, computer_id: str | None) -> bool:
    if actor.kind is ActorKind.COMPUTER:
        return computer_id == actor.id or is_assigned(tx, actor, agent)
    return rooms.sees(tx, actor=actor, room_id=room_id)


def knows_all_projects(actor: Actor) -> bool:
    """Others know those of which they see a room, or none."""
    return actor.kind in _TRUSTED


def _may_know_project(tx: Tx, *, actor: Actor, project: Project) -> bool:
    if actor.kind in BY_ROOM:
        return projects.sees(tx, actor=actor, project_id=project.id)
    return knows_all_projects(actor)


def _coded_task(tx: Tx, actor: Actor, number: int, *, project: str | None) -> Task | None:
    if project is not None:
        id = tasks.id_by_number(tx, project_id=_project(tx, actor, project).id, number=number)
        return None if id is None else tasks.find(tx, workspace_id=actor.workspace_id, id=id)
    ids = tasks.ids_by_number(tx, workspace_id=actor.workspace_id, number=number)
    found = [one for id in ids if (one := tasks.find(tx, workspace_id=actor.workspace_id, id=id)) is not None]
    seen = {f"{one.project}.{one.code}": one for one in found if rooms.sees(tx, actor=actor, room_id=one.room_id)}
    only = _only(f"T-{number}", sorted(seen))
    return None if only is None else seen[only]


_project = project  # where a parameter has its name


def _own_project(tx: Tx, actor: Actor) -> str | None:
    room = None if actor.room_id is None else rooms.find(tx, workspace_id=actor.workspace_id, ref=actor.room_id)
    return None if room is None else room.project_id


def _seen_tasks(tx: Tx, actor: Actor) -> Callable[[str], list[str]]:
    def find(prefix: str) -> list[str]:
        ids = tasks.ids_by_prefix(tx, prefix, workspace_id=actor.workspace_id)
        found = [one for id in ids if (one := tasks.find(tx, workspace_id=actor.workspace_id, id=id)) is not None]
        return [one.id for one in found if rooms.sees(tx, actor=actor, room_id=one.room_id)]

    return find


def _seen_rooms(tx: Tx, actor: Actor) -> Callable[[str], list[str]]:
    def find(prefix: str) -> list[str]:
        found = rooms.find_by_prefix(tx, workspace_id=actor.workspace_id, prefix=prefix)
        return [room_id for room_id in found if rooms.sees(tx, actor=actor, room_id=room_id)]

    return find


def _known_files(tx: Tx, actor: Actor) -> Callable[[str], list[str]]:
    def find(prefix: str) -> list[str]:
        candidates = [files.get(tx, id) for id in files.by_prefix(tx, prefix, workspace_id=actor.workspace_id)]
        return [file.id for file in candidates if file is not None and may_know_file(tx, actor=actor, file=file)]

    return find


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
