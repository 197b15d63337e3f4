"""Orders to a live run, as durable commands for its computer."""

from pal_server.domain.runs import Run, Wanted
from pal_server.storage import commands, runs
from pal_server.storage.tx import Tx


def end(tx: Tx, *, run: Run, wanted: Wanted, by: str) -> Run:
    """Ask for the end of a run. Carried out when its computer hears of it; a second time changes nothing more.

    The room's row is locked, and the computer's key is not revoked.
    """
    assert run.computer_id is not None, "a live run has a computer"
    runs.want(tx, id=run.id, wanted=wanted, wanted_by=by)
    kind = "stop" if wanted is Wanted.STOP else "kill"
    if not any(command.kind == kind for command in commands.open_of_run(tx, run_id=run.id)):
        commands.add(
            tx,
            workspace_id=run.workspace_id,
            computer_id=run.computer_id,
            kind=kind,
            run_id=run.id,
            data={"wanted": wanted, "by": by},
        )
    tx.wake(f"commands:{run.computer_id}")
    now = runs.find(tx, workspace_id=run.workspace_id, id=run.id)
    assert now is not None, "it was read in this transaction"
    tx.emit("run.changed", workspace_id=now.workspace_id, room_id=now.room_id, data=now.fact())
    return now
