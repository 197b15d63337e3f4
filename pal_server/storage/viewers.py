"""How an actor appears in the view `room_viewers`, which every list of things in rooms is filtered by."""

from pal_server.domain.actors import Actor, ActorKind, Role


def viewer(actor: Actor) -> dict[str, str]:
    """Parameters `kind`, `principal`, `kind2`, `principal2` of a statement that asks who may see a room."""
    match actor.kind:
        case ActorKind.SYSTEM | ActorKind.BRIDGE:
            return _pair("admin", actor.workspace_id)
        case ActorKind.USER:
            if actor.is_at_least(Role.ADMIN):
                return _pair("admin", actor.workspace_id)
            return {"kind": "workspace", "principal": actor.workspace_id, "kind2": "user", "principal2": actor.id}
        case ActorKind.COMPUTER:
            return _pair("computer", actor.id)
        case ActorKind.RUN:
            return _pair("agent", actor.agent or "")
        case ActorKind.GUEST:
            return _pair("guest", actor.id)


def own_work(actor: Actor) -> str | None:
    """The computer whose own work alone the actor may list; None for those who see everybody's."""
    return actor.id if actor.kind is ActorKind.COMPUTER else None


def _pair(kind: str, principal: str) -> dict[str, str]:
    return {"kind": kind, "principal": principal, "kind2": kind, "principal2": principal}
