"""What runs used, added up by the database."""

from pal_server.domain.actors import Actor
from pal_server.domain.usage import By, Used
from pal_server.storage.tx import Tx
from pal_server.storage.viewers import viewer


def grouped(
    tx: Tx,
    *,
    actor: Actor,
    by: By | None,
    since: int,
    until: int,
    shift: int,
    agent: str | None,
    room_id: str | None,
    project_id: str | None,
    after: str | None,
    limit: int,
) -> list[Used]:
    """One row for each key, in order of the keys; without `by` one row for all. Runs in rooms the actor sees."""
    rows = tx.sql.all(
        "usage.grouped",
        workspace_id=actor.workspace_id,
        by="" if by is None else by,
        since=since,
        until=until,
        shift=shift,
        agent=agent,
        room_id=room_id,
        project_id=project_id,
        after=after,
        limit=limit,
        **viewer(actor),
    )
    return [
        Used(
            key=row["group_key"],
            name=row["group_key"],
            runs=row["runs"],
            failed=row["failed"],
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            with_tokens=row["with_tokens"],
            cost_micros=row["cost_micros"],
            with_cost=row["with_cost"],
            duration=row["duration"],
        )
        for row in rows
    ]
