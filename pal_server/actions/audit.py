"""The audit log: who did what that matters for safety. Nothing in it is a secret."""

from pal_server.actions import access
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.audit import START, AuditEntry, Verified, link, render_detail
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.storage import audit
from pal_server.storage.tx import Tx

NEWEST = 2**62
VERIFIED_AT_ONCE = 500  # entries read at a time


def record(tx: Tx, *, actor: Actor, action: str, target: str, detail: dict[str, object] | None = None) -> None:
    """Append one entry, `action` as `noun.verb` in the past; written with the commit, wherever in an action it is
    said. What a user does by way of an outside chat names who they are there.
    """
    outside = {"identity": actor.person} if actor.kind is ActorKind.USER and actor.person is not None else {}
    tx.audit(
        workspace_id=actor.workspace_id,
        actor=f"{actor.key} {actor.name}",
        action=action,
        target=target,
        detail=render_detail({**(detail or {}), **outside}),
    )


def list_page(tx: Tx, *, actor: Actor, action: str | None, after: str | None, limit: int) -> Page[AuditEntry]:
    """Newest first. For admins."""
    access.need(actor, Role.ADMIN)
    count = parse_limit(limit)
    before = parse_after(after)
    found = audit.list_page(
        tx,
        workspace_id=actor.workspace_id,
        action=action or "",
        before=NEWEST if before is None else before,
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda entry: str(entry.id))


def verify(tx: Tx, *, actor: Actor) -> Verified:
    """Follow the chain from its beginning. An entry that was changed, or follows a removed one, ends it."""
    access.need(actor, Role.ADMIN)
    head, count, after = START, 0, 0
    while entries := audit.list_forward(tx, workspace_id=actor.workspace_id, after=after, limit=VERIFIED_AT_ONCE):
        for entry, detail in entries:
            expected = link(
                tx.audit_key,
                previous=head,
                workspace_id=entry.workspace_id,
                at=entry.at,
                actor=entry.actor,
                action=entry.action,
                target=entry.target,
                detail=detail,
            )
            if expected != entry.hash:
                return Verified(ok=False, entries=count, first_changed=entry.id, head=head)
            head, count, after = entry.hash, count + 1, entry.id
    return Verified(ok=True, entries=count, first_changed=None, head=head)
