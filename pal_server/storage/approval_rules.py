"""Standing approvals, as rows."""

from pal_server.domain.actors import Actor
from pal_server.domain.approval_rules import ApprovalRule, Scope, action_hash
from pal_server.domain.interactions import Interaction
from pal_server.storage.tx import Row, Tx
from pal_server.storage.viewers import viewer


def add(
    tx: Tx,
    *,
    asked: Interaction,
    project_id: str | None,
    scope: Scope,
    decision: str,
    reason: str | None,
    made_by: str,
    people: int,
) -> ApprovalRule:
    """A rule from the answer to a request."""
    row = tx.sql.one(
        "approval_rules.add",
        workspace_id=asked.workspace_id,
        scope=scope,
        room_id=asked.room_id,
        project_id=project_id,
        topic_id=asked.topic_id if scope is Scope.TOPIC else None,
        agent=None if scope is Scope.PROJECT else asked.agent,
        decision=decision,
        reason=reason,
        title=asked.title,
        body=asked.body,
        action_hash=action_hash(asked),
        interaction_id=asked.id,
        made_by=made_by,
        people=people,
        now=tx.now,
    )
    assert row is not None, "an insert returns its row"
    return _rule(row)


def find(tx: Tx, *, workspace_id: str, id: int) -> ApprovalRule | None:
    row = tx.sql.one("approval_rules.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _rule(row)


def of_action(tx: Tx, *, workspace_id: str, action_hash: str) -> list[ApprovalRule]:
    """Those that hold for requests of this content, wherever they are asked."""
    rows = tx.sql.all("approval_rules.of_action", workspace_id=workspace_id, action_hash=action_hash)
    return [_rule(row) for row in rows]


def used(tx: Tx, *, id: int) -> None:
    tx.sql.run("approval_rules.used", id=id, now=tx.now)


def revoke(tx: Tx, *, id: int) -> None:
    tx.sql.run("approval_rules.revoke", id=id, now=tx.now)


def revoke_of_agent(tx: Tx, *, workspace_id: str, agent: str) -> None:
    tx.sql.run("approval_rules.revoke_of_agent", workspace_id=workspace_id, agent=agent, now=tx.now)


def page(tx: Tx, *, actor: Actor, before: int, limit: int, agent: str | None) -> list[ApprovalRule]:
    """Newest first, revoked ones too."""
    rows = tx.sql.all(
        "approval_rules.page",
        workspace_id=actor.workspace_id,
        before=before,
        limit=limit,
        agent=agent,
        **viewer(actor),
    )
    return [_rule(row) for row in rows]


def _rule(row: Row) -> ApprovalRule:
    return ApprovalRule(
        id=row["id"],
        workspace_id=row["workspace_id"],
        scope=Scope(row["scope"]),
        room_id=row["room_id"],
        project_id=row["project_id"],
        topic_id=row["topic_id"],
        agent=row["agent"],
        decision=row["decision"],
        reason=row["reason"],
        title=row["title"],
        body=row["body"],
        action_hash=row["action_hash"],
        interaction_id=row["interaction_id"],
        made_by=row["made_by"],
        created_at=row["created_at"],
        used=row["used"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
        people=row["people"],
    )
