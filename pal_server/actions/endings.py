"""Rooms for a while: at their time they disappear, with all that was said in them."""

from pal_server.actions import audit, deliveries, runs, task_progress, terminals, tokens
from pal_server.domain.actors import system
from pal_server.domain.runs import Wanted
from pal_server.storage import deliveries as delivery_rows
from pal_server.storage import rooms, tasks
from pal_server.storage import runs as run_rows
from pal_server.storage.tx import Tx

STEP_LIMIT = 5  # rooms in one transaction


def any_due(tx: Tx) -> bool:
    """Whether `end_due` has anything to do."""
    return bool(rooms.expired(tx, limit=1))


def end_due(tx: Tx) -> int:
    """End the rooms whose time is over; how many were new, at most `STEP_LIMIT`. What waits in them is dropped, what
    runs is killed, credentials into them end. What a run says until it is dead goes at a later call.
    """
    due = rooms.expired(tx, limit=STEP_LIMIT)
    for room in due:
        room_id, workspace_id = room.id, room.workspace_id
        server = system(workspace_id)
        rooms.lock(tx, room_id=room_id)
        for delivery_id in rooms.pending_deliveries(tx, room_id=room_id):
            waiting = delivery_rows.find_locked(tx, workspace_id=workspace_id, id=delivery_id)
            if waiting is not None:
                deliveries.drop(tx, waiting)
        for run_id in rooms.live_runs(tx, room_id=room_id):
            run = run_rows.find(tx, workspace_id=workspace_id, id=run_id)
            if run is not None and run.wanted is not Wanted.KILL:
                runs.order(tx, actor=server, run=run, wanted=Wanted.KILL, reason="the room has ended")
        terminals.end_of_room(tx, room_id=room_id)
        held_up = tasks.dependents_of_room(tx, room_id=room_id)
        rooms.end(tx, room_id=room_id)
        task_progress.let_go(tx, held_up, workspace_id=workspace_id)
        if room.has_ended:
            continue
        tx.emit("room.ended", workspace_id=workspace_id, data={"id": room_id})
        audit.record(tx, actor=server, action="room.ended", target=f"room:{room_id}")
    ended = sum(not room.has_ended for room in due)
    if ended:
        tx.wake(tokens.CHANGED)
    return ended
