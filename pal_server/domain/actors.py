"""Who acts: the value every action is given, made from a credential and never from a body."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    USER = "user"  # a person, by token or session cookie
    COMPUTER = "computer"  # a daemon, by its computer's key
    RUN = "run"  # an agent, by the token of its live run
    GUEST = "guest"  # somebody who came through a share link or an invite
    BRIDGE = "bridge"  # a client of an outside chat; may name other senders
    SYSTEM = "system"  # the server's own loops


class Role(StrEnum):
    OWNER = "owner"  # everything, other owners included
    ADMIN = "admin"  # everything but owners
    MEMBER = "member"  # talk, operate runs, edit rooms
    VIEWER = "viewer"  # read only


def rank(role: Role) -> int:
    """Higher means more rights."""
    return _RANK[role]


_RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One credential's identity within one workspace.

    `name` is what people see: a username, an agent's key, a computer's name. `id` is the user's or computer's id,
    for a run the agent's key. `agent`, `run_id`, `room_id` and `topic_id` are set for a run alone. `person` is the
    identity of somebody outside for whom a bridge speaks: then `id` is theirs too, or that of the user they are.
    `ceiling` is of a bridge: nobody has a higher role by way of it than whoever made its token.
    """

    kind: ActorKind
    workspace_id: str
    id: str
    name: str
    display_name: str = ""
    role: Role | None = None
    token_id: str | None = None
    agent: str | None = None
    run_id: int | None = None
    room_id: str | None = None
    topic_id: int | None = None
    computer_id: str | None = None
    person: str | None = None
    ceiling: Role | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Stable name of the actor in rows: `user:user_…`, `computer:machine_…`, `run:12`."""
        return f"run:{self.run_id}" if self.kind is ActorKind.RUN else f"{self.kind}:{self.id}"

    def is_at_least(self, role: Role) -> bool:
        """Whether this is a user of that role or a higher one, or the server itself."""
        if self.kind is ActorKind.SYSTEM:
            return True
        return self.role is not None and _RANK[self.role] >= _RANK[role]


def system(workspace_id: str) -> Actor:
    """The server's own actor, for loops."""
    return Actor(kind=ActorKind.SYSTEM, workspace_id=workspace_id, id="pal", name="pal")
