"""Who outside may talk to bots, and how much."""

from dataclasses import replace

from pal_server.actions import access, audit
from pal_server.domain.actors import Actor, Role
from pal_server.domain.bots import (
    Identity,
    Level,
    Standing,
    parse_level,
    parse_name,
    parse_outside,
    parse_platform,
    parse_quota,
)
from pal_server.domain.keep import KEEP, Keep
from pal_server.domain.pages import Page, page_of, parse_limit
from pal_server.domain.users import check_may_manage
from pal_server.errors import Invalid, NotFound
from pal_server.storage import identities
from pal_server.storage.tx import Tx


def put(
    tx: Tx,
    *,
    actor: Actor,
    platform: str,
    external_id: str,
    name: str | None = None,
    allowed: bool = True,
    level: str | None = None,
    quota: int | Keep | None = KEEP,
    user: str | Keep | None = KEEP,
) -> Identity:
    """Let somebody use the bots of a platform, or with `allowed` False keep them out. Said again it changes what is
    named. With `user` they are that user of pal; whom one may not manage, nobody is made to be.
    """
    access.need(actor, Role.ADMIN)
    platform = parse_platform(platform)
    external_id = parse_outside(external_id, field="user_id")
    made = Identity(
        id=tx.new_id("identity"),
        workspace_id=actor.workspace_id,
        platform=platform,
        external_id=external_id,
        name=parse_name(name or external_id),
        standing=Standing.ALLOWED if allowed else Standing.DENIED,
        level=Level.OPERATE if level is None else parse_level(level),
        quota=None if isinstance(quota, Keep) else parse_quota(quota),
        created_at=tx.now,
    )
    if not isinstance(user, Keep) and user is not None:
        made = _as_user(tx, made, actor=actor, user=user)
    if not identities.insert(tx, made, created_by=actor.key):
        known = _get(tx, actor=actor, platform=platform, external_id=external_id)
        made = replace(
            known,
            name=known.name if name is None else made.name,
            standing=made.standing,
            level=known.level if level is None else made.level,
            quota=known.quota if isinstance(quota, Keep) else made.quota,
            user_id=known.user_id if isinstance(user, Keep) else made.user_id,
            user=known.user if isinstance(user, Keep) else made.user,
        )
        identities.put(tx, made)
    audit.record(
        tx,
        actor=actor,
        action="identity.allowed" if allowed else "identity.denied",
        target=f"{platform}:{external_id}",
        detail={"name": made.name, "level": made.level, "quota": made.quota, "user": made.user},
    )
    return made


def remove(tx: Tx, *, actor: Actor, platform: str, external_id: str) -> Identity:
    """Forget somebody: from now on they are a stranger."""
    access.need(actor, Role.ADMIN)
    known = _get(tx, actor=actor, platform=platform, external_id=external_id)
    identities.delete(tx, known.id)
    audit.record(
        tx, actor=actor, action="identity.removed", target=f"{platform}:{external_id}", detail={"name": known.name}
    )
    return known


def list_page(
    tx: Tx, *, actor: Actor, platform: str | None, standing: str | None, after: str | None, limit: int
) -> Page[Identity]:
    """By external id; those who only asked when `standing` says so."""
    access.need(actor, Role.MEMBER)
    if standing is not None and standing not in list(Standing):
        raise Invalid(f"standing is one of {', '.join(Standing)}", field="standing", value=standing)
    count = parse_limit(limit)
    found = identities.list_page(
        tx,
        workspace_id=actor.workspace_id,
        platform=platform or "",
        standing=standing or "",
        after=after or "",
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda identity: identity.external_id)


def _as_user(tx: Tx, identity: Identity, *, actor: Actor, user: str) -> Identity:
    found = access.user(tx, actor, user)
    if found.id != actor.id:
        check_may_manage(actor, found)  # else an admin could become an owner by way of a chat
    return replace(identity, user_id=found.id, user=found.username)


def _get(tx: Tx, *, actor: Actor, platform: str, external_id: str) -> Identity:
    known = identities.get(tx, external_id, workspace_id=actor.workspace_id, platform=platform)
    if known is None:
        raise NotFound(f"nobody is known as {external_id} on {platform}", user_id=external_id)
    return known
