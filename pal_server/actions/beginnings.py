"""What a topic is told of a run that begins otherwise than the one before: another model, a lost conversation.

Said once for every runtime, here, because only the server knows what the session's last run worked with.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pal_server.actions import cards
from pal_server.domain.runs import Run
from pal_server.domain.turns import changes, lost_in
from pal_server.storage import deliveries, rooms, runs
from pal_server.storage.tx import Tx


def note_start(tx: Tx, *, run: Run) -> None:
    """The run was opened a moment ago. The room's row is locked."""
    turns = runs.turns(tx, session_id=run.session_id, up_to=run.id)
    if not turns or turns[0][0] != run.id:  # claimed by an earlier version, which kept no turn
        return
    now = turns[0][1]
    if now.is_afresh:
        _say(tx, run=run, text=_lost(run, reason="it is not on this computer", is_told=now.has_recap))
    if len(turns) > 1 and (changed := changes(turns[1][1], now)) is not None:
        _say(tx, run=run, text=f"{run.agent} goes on here with {changed}.")


def note_lost(tx: Tx, *, run: Run, events: Sequence[Mapping[str, Any]]) -> None:
    """The run's program could not go on with its conversation: said once a run, and what it was told instead is put
    down as part of its prompt. The room's row is locked.
    """
    lost = lost_in(events)
    recap = None if lost is None or run.delivery_id is None else deliveries.take_recap(tx, id=run.delivery_id)
    if lost is None or recap is None:  # an attempt that had no conversation to go on with has lost none
        return
    if lost.is_told:
        runs.told_before(tx, id=run.id, text=f"{recap}\n\n")
    _say(tx, run=run, text=_lost(run, reason=lost.reason, is_told=lost.is_told))


def _lost(run: Run, *, reason: str, is_told: bool) -> str:
    why = f" ({reason})" if reason else ""
    then = "It was told the last of what was said here." if is_told else "It remembers nothing of what was said here."
    return f"{run.agent} could not go on with its earlier conversation and began a fresh one{why}. {then}"


def _say(tx: Tx, *, run: Run, text: str) -> None:
    room = rooms.find(tx, workspace_id=run.workspace_id, ref=run.room_id)
    assert room is not None, "a run has a room"
    cards.say(tx, room=room, topic_id=run.topic_id, parent_id=run.message_id, content=text)
