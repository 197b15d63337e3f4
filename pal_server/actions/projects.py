"""Projects: made and changed by people, known to whoever works in a room of theirs."""

from collections.abc import Sequence
from dataclasses import replace

from pal_server.actions import access, audit, client_ids, rooms
from pal_server.domain.actors import Actor, Role
from pal_server.domain.pages import Page, page_of, parse_limit
from pal_server.domain.projects import Project, need_open, parse_goal, parse_key, parse_name, parse_rules, parse_stack
from pal_server.domain.rooms import Room
from pal_server.errors import AlreadyExists, Invalid, NotFound
from pal_server.storage import projects
from pal_server.storage import rooms as room_rows
from pal_server.storage.tx import Tx


def create(
    tx: Tx,
    *,
    actor: Actor,
    key: str,
    name: str = "",
    goal: str = "",
    rules: Sequence[str] = (),
    tech_stack: Sequence[str] = (),
    room: str | None = None,
    client_id: str | None = None,
) -> Project:
    """A new project with its default room: the one that is named, else the one called as its key, which is made when
    there is none.
    """
    access.need(actor, Role.MEMBER)
    said = {
        "key": key,
        "name": name,
        "goal": goal,
        "rules": list(rules),
        "tech_stack": list(tech_stack),
        "room": room,
    }
    verb = "projects.create"
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb=verb, said=said)) is not None:
        return access.project(tx, actor, made)
    key = parse_key(key)
    if projects.find(tx, workspace_id=actor.workspace_id, ref=key) is not None:
        raise AlreadyExists(f"a project is already called {key}", project=key)
    project = Project(
        id=tx.new_id("project"),
        workspace_id=actor.workspace_id,
        key=key,
        name=parse_name(name or key),
        goal=parse_goal(goal),
        rules=parse_rules(rules),
        tech_stack=parse_stack(tech_stack),
        default_room=_home(tx, actor=actor, key=key, room=room).id,
        created_by=actor.key,
        created_at=tx.now,
        updated_at=tx.now,
        archived_at=None,
    )
    projects.add(tx, project)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb=verb, said=said, target=project.id)
    tx.emit("project.created", workspace_id=actor.workspace_id, data=project.fact())
    rooms.change(tx, actor=actor, room=project.default_room, project=project.id)
    return project


def change(
    tx: Tx,
    *,
    actor: Actor,
    project: str,
    name: str | None = None,
    goal: str | None = None,
    rules: Sequence[str] | None = None,
    tech_stack: Sequence[str] | None = None,
    room: str | None = None,
    archived: bool | None = None,
) -> Project:
    """Change what is given; None leaves a thing as it is. Whoever changes a project sees its default room. Archiving,
    and taking a project back, is an admin's; an archived project tells its rooms nothing and is not changed otherwise.
    """
    access.need(actor, Role.MEMBER)
    found = access.project_to_change(tx, actor, project)
    archived_at = found.archived_at
    if archived is not None and archived != (archived_at is not None):
        access.need(actor, Role.ADMIN)
        archived_at = tx.now if archived else None
        verb = "archived" if archived else "restored"
        audit.record(tx, actor=actor, action=f"project.{verb}", target=found.id, detail={"key": found.key})
    if archived_at is not None:
        need_open(found)
    home = found.default_room
    if room is not None and (home := _lasting(access.room(tx, actor, room)).id) != found.default_room:
        rooms.change(tx, actor=actor, room=home, project=found.id)
    changed = replace(
        found,
        name=found.name if name is None else parse_name(name),
        goal=found.goal if goal is None else parse_goal(goal),
        rules=found.rules if rules is None else parse_rules(rules),
        tech_stack=found.tech_stack if tech_stack is None else parse_stack(tech_stack),
        default_room=home,
        archived_at=archived_at,
        updated_at=tx.now,
    )
    projects.change(tx, changed)
    tx.emit("project.changed", workspace_id=actor.workspace_id, data=changed.fact())
    return changed


def get(tx: Tx, *, actor: Actor, project: str) -> Project:
    return access.project(tx, actor, project)


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Project]:
    """By key, archived ones too. Computers and runs get those of which they see a room."""
    limit = parse_limit(limit)
    if actor.kind in access.BY_ROOM:
        found = projects.page_seen(tx, actor=actor, after=after or "", limit=limit + 1)
    else:
        found = projects.page(tx, workspace_id=actor.workspace_id, after=after or "", limit=limit + 1)
    return page_of(found, limit=limit, cursor=lambda project: project.key)


def _home(tx: Tx, *, actor: Actor, key: str, room: str | None) -> Room:
    """The default room of a new project."""
    if room is not None:
        return _lasting(access.room(tx, actor, room))
    if room_rows.find(tx, workspace_id=actor.workspace_id, ref=key) is None:
        return rooms.create(tx, actor=actor, name=key)
    try:
        return _lasting(access.room(tx, actor, key))
    except NotFound as exc:
        raise AlreadyExists(f"a room is already called {key}: name another with room", room=key) from exc


def _lasting(room: Room) -> Room:
    if room.expires_at is not None:
        raise Invalid(f"{room.name} disappears: the default room of a project stays", field="room", room=room.name)
    return room
