"""What becomes of a decision once a person has answered it, from whichever copy of its card."""

from pal_server.domain.decisions import Decision, Status, decide, parse_reason, supersede
from pal_server.storage import decisions
from pal_server.storage.tx import Tx


def settle(tx: Tx, *, decision: Decision, approve: bool, by: str, reason: str | None) -> Decision:
    """Approved or rejected; what an approved one supersedes holds no longer."""
    settled = decide(decision, approve=approve, by=by, reason=parse_reason(reason), now=tx.now)
    decisions.put(tx, settled, was=decision.status)
    if not approve:
        tx.emit("decision.rejected", workspace_id=settled.workspace_id, data=settled.fact())
        return settled
    tx.emit("decision.approved", workspace_id=settled.workspace_id, data=settled.fact())
    if settled.supersedes is not None:
        earlier = decisions.by_number(tx, project_id=settled.project_id, number=settled.supersedes)
        if earlier is not None and earlier.status is Status.APPROVED:
            end(tx, decision=earlier, by=settled.number)
    return settled


def end(tx: Tx, *, decision: Decision, by: int | None) -> Decision:
    """It holds no longer."""
    ended = supersede(decision, by=by, now=tx.now)
    decisions.put(tx, ended, was=decision.status)
    tx.emit("decision.superseded", workspace_id=ended.workspace_id, data=ended.fact())
    return ended
