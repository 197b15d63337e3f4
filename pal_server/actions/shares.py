"""Share links: made, listed and ended by people. What is behind a link is read in `shared`."""

from pal_server.actions import access, audit, client_ids, tokens
from pal_server.domain.actors import Actor, ActorKind, Role
from pal_server.domain.pages import NEWEST, Page, page_of, parse_limit, parse_place, render_place
from pal_server.domain.shares import Share, ShareKind, parse_rights
from pal_server.domain.tokens import parse_expiry
from pal_server.errors import Conflict, Forbidden, Invalid, NotFound
from pal_server.storage import shares
from pal_server.storage.tx import Tx


def create(
    tx: Tx,
    *,
    actor: Actor,
    secret_hash: str,
    topic: int | None = None,
    task: str | None = None,
    room: str | None = None,
    file: str | None = None,
    run: int | None = None,
    rights: str = "view",
    may_trigger: bool = False,
    expires_at: int | None = None,
    client_id: str | None = None,
) -> Share:
    """A link to one thing the actor sees. Said again with the same `client_id` before anybody opened it, the link gets
    the new token in place of the one whose answer was lost.
    """
    access.need(actor, Role.MEMBER)
    if actor.kind is not ActorKind.USER:
        raise Forbidden("links are made by people", actor=actor.kind)
    kind, target = _target(tx, actor=actor, topic=topic, task=task, room=room, file=file, run=run)
    given = parse_rights(rights, kind=kind, may_trigger=may_trigger)
    said = {"kind": kind, "target": target, "rights": given, "may_trigger": may_trigger, "expires_at": expires_at}
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="shares.create", said=said)) is not None:
        if not shares.set_hash(tx, made, secret_hash=secret_hash):
            raise Conflict("this link is made and was opened or revoked since: make another", share=made)
        tx.wake(tokens.CHANGED)
        return _get(tx, actor, made)
    share = Share(
        id=tx.new_id("share"),
        workspace_id=actor.workspace_id,
        kind=kind,
        target=target,
        rights=given,
        may_trigger=may_trigger,
        created_by=actor.id,
        created_at=tx.now,
        expires_at=parse_expiry(expires_at, now=tx.now),
        revoked_at=None,
        uses=0,
        last_used_at=None,
    )
    shares.insert(tx, share, secret_hash=secret_hash)
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="shares.create", said=said, target=share.id)
    _tell(tx, "share.created", share)
    audit.record(
        tx,
        actor=actor,
        action="share.created",
        target=share.id,
        detail={"kind": kind, "target": target, "rights": given, "may_trigger": may_trigger},
    )
    return share


def list_page(tx: Tx, *, actor: Actor, after: str | None, limit: int) -> Page[Share]:
    """Newest first; one's own, for admins everybody's. Ended ones too."""
    access.need(actor, Role.VIEWER)
    count = parse_limit(limit)
    found = shares.list_page(
        tx,
        workspace_id=actor.workspace_id,
        created_by=None if actor.is_at_least(Role.ADMIN) else actor.id,
        place=parse_place(after, default=NEWEST),
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda share: render_place(share.created_at, share.id))


def revoke(tx: Tx, *, actor: Actor, id: str) -> Share:
    """End a link at once, by its maker or an admin. A second time changes nothing."""
    access.need(actor, Role.VIEWER)
    share = _get(tx, actor, id)
    if not shares.revoke(tx, share.id):
        return share
    tx.wake(tokens.CHANGED)
    ended = _get(tx, actor, id)
    _tell(tx, "share.revoked", ended)
    audit.record(tx, actor=actor, action="share.revoked", target=id, detail={"kind": share.kind, "uses": share.uses})
    return ended


def _target(
    tx: Tx,
    *,
    actor: Actor,
    topic: int | None,
    task: str | None,
    room: str | None,
    file: str | None,
    run: int | None,
) -> tuple[ShareKind, str]:
    if sum(one is not None for one in (topic, task, room, file, run)) != 1:
        raise Invalid("a link shows one thing: give topic, task, room, file or run", field="topic")
    if task is not None:
        return ShareKind.TOPIC, str(access.task(tx, actor, task).topic_id)
    if topic is not None:
        return ShareKind.TOPIC, str(access.topic(tx, actor, topic).id)
    if room is not None:
        return ShareKind.ROOM, access.room(tx, actor, room).id
    if run is not None:
        return ShareKind.RUN, str(access.run(tx, actor, run).id)
    assert file is not None, "one of the five is given"
    found = access.file(tx, actor, file)
    if not found.is_live(now=tx.now):
        raise NotFound(f"the file {found.name} is no longer offered", file=found.id)
    return ShareKind.FILE, found.id


def _get(tx: Tx, actor: Actor, id: str) -> Share:
    share = shares.get(tx, id, workspace_id=actor.workspace_id)
    if share is None or not (share.created_by == actor.id or actor.is_at_least(Role.ADMIN)):
        raise NotFound(f"there is no link {id}", share=id)
    return share


def _tell(tx: Tx, kind: str, share: Share) -> None:
    """To the streams of who made it: what is shared with whom is nobody else's business."""
    tx.emit(kind, workspace_id=share.workspace_id, audience=f"user:{share.created_by}", data=share.fact())
