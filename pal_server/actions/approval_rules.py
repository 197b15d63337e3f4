"""Standing approvals: made by answers, found when the same is asked again, listed and revoked by people."""

from dataclasses import replace

from pal_server.actions import access, audit
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.approval_rules import ApprovalRule, Scope, action_hash, choose
from pal_server.domain.interactions import Interaction
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.errors import Forbidden, NotFound
from pal_server.storage import approval_rules, rooms
from pal_server.storage.tx import Tx


def make(
    tx: Tx, *, asked: Interaction, scope: Scope, decision: str, reason: str | None, made_by: str, people: int
) -> ApprovalRule | None:
    """What people decided for more than this one request; None for once. The caller has asked `need_for`."""
    if scope is Scope.ONCE:
        return None
    rule = approval_rules.add(
        tx,
        asked=asked,
        project_id=_project_of(tx, asked) if scope is Scope.PROJECT else None,
        scope=scope,
        decision=decision,
        reason=reason,
        made_by=made_by,
        people=people,
    )
    _emit(tx, "rule.made", rule)
    return rule


def need_for(tx: Tx, *, actor: Actor, asked: Interaction, scope: Scope) -> None:
    """What holds for an agent everywhere is an admin's to decide; what holds in a project, whoever's who sees all of
    its rooms.
    """
    _need_reach(tx, actor, scope=scope, project_id=_project_of(tx, asked) if scope is Scope.PROJECT else None)


def deciding(tx: Tx, *, asked: Interaction) -> ApprovalRule | None:
    """The rule that decides this request, counted as used."""
    fitting = approval_rules.of_action(tx, workspace_id=asked.workspace_id, action_hash=action_hash(asked))
    is_project_asked = any(rule.project_id is not None for rule in fitting)
    rule = choose(fitting, asked=asked, project_id=_project_of(tx, asked) if is_project_asked else None)
    if rule is not None:
        approval_rules.used(tx, id=rule.id)
    return rule


def revoke(tx: Tx, *, actor: Actor, id: int) -> ApprovalRule:
    """From now on a person is asked again. Twice is fine."""
    access.need_person(actor)
    rule = _known(tx, actor=actor, id=id)
    if rule.decision == "deny":  # it opens what was closed, which is for whoever may close it
        _need_reach(tx, actor, scope=rule.scope, project_id=rule.project_id)
    if rule.revoked_at is not None:
        return rule
    approval_rules.revoke(tx, id=id)
    revoked = replace(rule, revoked_at=tx.now)
    _emit(tx, "rule.revoked", revoked)
    audit.record(tx, actor=actor, action="rule.revoked", target=f"rule:{id}", detail={"hash": rule.action_hash})
    return revoked


def list_page(tx: Tx, *, actor: Actor, agent: str | None, after: str | None, limit: int) -> Page[ApprovalRule]:
    """Newest first, revoked ones too; those made in rooms the actor sees."""
    limit = parse_limit(limit)
    before = parse_after(after)
    found = approval_rules.page(
        tx, actor=actor, before=2**62 if before is None else before, limit=limit + 1, agent=agent
    )
    return page_of(found, limit=limit, cursor=lambda rule: str(rule.id))


def _need_reach(tx: Tx, actor: Actor, *, scope: Scope, project_id: str | None) -> None:
    if scope is Scope.AGENT:
        access.need(actor, Role.ADMIN)
    if project_id is None or actor.is_at_least(Role.ADMIN):
        return
    # A bridge sees all rooms; whom it speaks for does not.
    if actor.kind is ActorKind.BRIDGE or rooms.any_hidden_of(tx, actor=actor, project_id=project_id):
        raise Forbidden(
            "its project has rooms you do not see: decide for this topic, or let an admin do it", scope=scope
        )


def _project_of(tx: Tx, asked: Interaction) -> str | None:
    room = rooms.find(tx, workspace_id=asked.workspace_id, ref=asked.room_id)
    return None if room is None else room.project_id


def _known(tx: Tx, *, actor: Actor, id: int) -> ApprovalRule:
    rule = approval_rules.find(tx, workspace_id=actor.workspace_id, id=id)
    if rule is None or not rooms.sees(tx, actor=actor, room_id=rule.room_id):
        raise NotFound(f"there is no rule {id}", rule=id)
    return rule


def _emit(tx: Tx, kind: str, rule: ApprovalRule) -> None:
    tx.emit(kind, workspace_id=rule.workspace_id, room_id=rule.room_id, data=rule.fact())
