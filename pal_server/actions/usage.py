"""What runs used, for people: by agent, by room, by project, by day."""

from dataclasses import dataclass, replace

from pal_server.actions import access
from pal_server.domain.actors import Actor
from pal_server.domain.pages import page_of, parse_limit
from pal_server.domain.usage import DAY, DAYS, By, Used, date_of, parse_by, parse_offset
from pal_server.errors import Invalid
from pal_server.storage import projects, rooms, usage
from pal_server.storage.tx import Tx

_NOTHING = Used(
    key="",
    name="",
    runs=0,
    failed=0,
    input_tokens=0,
    output_tokens=0,
    with_tokens=0,
    cost_micros=0,
    with_cost=0,
    duration=0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    rows: tuple[Used, ...]
    total: Used  # of the whole time, whatever the page
    since: int
    until: int
    next: str | None


def report(
    tx: Tx,
    *,
    actor: Actor,
    by: str = "agent",
    agent: str | None = None,
    room: str | None = None,
    project: str | None = None,
    since: int | None = None,
    until: int | None = None,
    utc_offset: int = 0,
    after: str | None = None,
    limit: int = 50,
) -> Report:
    """Sums over the runs that ended from `since` (30 days ago) up to `until` (now), in rooms the actor sees."""
    limit = parse_limit(limit)
    wanted = parse_by(by)
    until = tx.now + 1 if until is None else until
    since = until - DAYS * DAY if since is None else since
    if since > until:
        raise Invalid("since lies after until", field="since", since=since, until=until)
    room_id = None if room is None else access.room(tx, actor, room).id
    project_id = None if project is None else access.project(tx, actor, project).id

    def sums(by: By | None, *, after: str | None, limit: int) -> list[Used]:
        return usage.grouped(
            tx,
            actor=actor,
            by=by,
            since=since,
            until=until,
            shift=parse_offset(utc_offset),
            agent=agent,
            room_id=room_id,
            project_id=project_id,
            after=after,
            limit=limit,
        )

    page = page_of(sums(wanted, after=after, limit=limit + 1), limit=limit, cursor=lambda row: row.key)
    total = next(iter(sums(None, after=None, limit=1)), _NOTHING)
    rows = tuple(_named(tx, actor=actor, by=wanted, row=row) for row in page.items)
    return Report(rows=rows, total=total, since=since, until=until, next=page.next)


def _named(tx: Tx, *, actor: Actor, by: By, row: Used) -> Used:
    if by is By.DAY:
        return replace(row, name=date_of(row.key))
    if by is By.ROOM:
        room = rooms.find(tx, workspace_id=actor.workspace_id, ref=row.key)
        return row if room is None else replace(row, name=room.name)
    if by is By.PROJECT:
        project = projects.find(tx, workspace_id=actor.workspace_id, ref=row.key)
        return row if project is None else replace(row, name=project.key)
    return row
