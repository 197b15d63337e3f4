"""Reading the workspace log for streams, and what of it an actor may see."""

from collections.abc import Iterable
from dataclasses import dataclass

from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.storage import events, rooms
from pal_server.storage.tx import Event, Tx

_TALK = ("message.", "topic.", "member.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What one actor sees of the log. Equal sights see equal streams, so their bytes are shared."""

    rooms: frozenset[str]
    audiences: frozenset[str]
    is_in_workspace: bool  # sees what is about no room and meant for nobody in particular
    is_guest: bool = False  # sees what is said, and nothing of the work behind it

    def sees(self, event: Event) -> bool:
        if self.is_guest and not event.kind.startswith(_TALK):
            return False
        if event.audience is not None and event.audience not in self.audiences:
            return False
        if event.room_id is not None:
            return event.room_id in self.rooms
        return event.audience is not None or self.is_in_workspace


def events_after(tx: Tx, *, workspace_id: str, position: int, limit: int) -> list[Event]:
    return events.after(tx, workspace_id=workspace_id, position=position, limit=limit)


def newest_position(tx: Tx, *, workspace_id: str) -> int:
    return events.newest(tx, workspace_id=workspace_id)


def sights(tx: Tx, *, actors: Iterable[Actor]) -> dict[Actor, Sight]:
    """What each of the actors sees now. Not by `Actor.key`: one user's credentials may have different roles."""
    return {actor: _sight(tx, actor) for actor in actors}


def _sight(tx: Tx, actor: Actor) -> Sight:
    is_person = actor.kind in (ActorKind.USER, ActorKind.BRIDGE)
    audiences = {actor.key}
    if actor.kind is ActorKind.USER and actor.is_at_least(Role.ADMIN):
        audiences.add("admin")
    if actor.agent is not None:
        audiences.add(f"agent:{actor.agent}")
    is_guest = actor.kind is ActorKind.GUEST
    return Sight(
        rooms=rooms.visible_ids(tx, actor=actor),
        audiences=frozenset(audiences),
        is_in_workspace=is_person,
        is_guest=is_guest,
    )
