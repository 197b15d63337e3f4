"""Webhooks: what a person's browser would be told, an address of theirs is told too.

What is told is a fold of the log: read on from where this webhook is, note what this person wanted to hear, move on, in
one transaction. So nothing is forgotten by a crash and nothing is noted twice; it may arrive twice, with one `id`.
"""

import json
from dataclasses import replace
from urllib.parse import urlsplit

from pal_server.actions import access, audit
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.news import news_of
from pal_server.domain.webhooks import Webhook, WebhookPost, next_attempt, parse_url
from pal_server.errors import Forbidden, NotFound
from pal_server.storage import events, news, users, webhooks
from pal_server.storage.tx import Tx

CHANGED = "webhooks"  # woken when a webhook was made or has something to be told
AT_ONCE = 200  # events read for one webhook in one transaction
READERS = 50  # webhooks that read on in one transaction
DUE_LIMIT = 20  # posts told at the same time


def get(tx: Tx, *, actor: Actor) -> Webhook | None:
    """This person's own."""
    _need_self(actor)
    return webhooks.get(tx, user_id=actor.id)


def put(tx: Tx, *, actor: Actor, url: str, sealed: str, needs: bool, mentions: bool, runs: bool) -> Webhook:
    """Make it, or give it another address and key. What waited for the one before is not told any more.

    It is told what its user may see, so a credential with fewer rights than that cannot make one.
    """
    _need_self(actor)
    user = access.user(tx, actor, actor.id)
    if user.role is not actor.role:
        raise Forbidden("a token with fewer rights than its user's makes no webhook", needs=user.role)
    made = Webhook(
        user_id=actor.id,
        workspace_id=actor.workspace_id,
        url=parse_url(url),
        needs=needs,
        mentions=mentions,
        runs=runs,
        position=events.newest(tx, workspace_id=actor.workspace_id),
        created_at=tx.now,
    )
    webhooks.put(tx, made, sealed=sealed)
    audit.record(
        tx, actor=actor, action="webhook.set", target=user.username, detail={"host": urlsplit(made.url).hostname}
    )
    tx.wake(CHANGED)
    return made


def choose(
    tx: Tx, *, actor: Actor, needs: bool | None = None, mentions: bool | None = None, runs: bool | None = None
) -> Webhook:
    """Other news; what is None stays."""
    before = _find(tx, actor)
    after = replace(
        before,
        needs=before.needs if needs is None else needs,
        mentions=before.mentions if mentions is None else mentions,
        runs=before.runs if runs is None else runs,
    )
    webhooks.choose(tx, after)
    return after


def drop(tx: Tx, *, actor: Actor) -> Webhook:
    """It is told nothing any more."""
    gone = _find(tx, actor)
    webhooks.drop(tx, user_id=actor.id)
    audit.record(tx, actor=actor, action="webhook.removed", target=actor.name)
    return gone


def exist(tx: Tx, *, workspace_id: str) -> bool:
    """Whether anybody has one: without, nothing has to be read."""
    return webhooks.exist(tx, workspace_id=workspace_id)


def any_behind(tx: Tx, *, workspace_id: str) -> bool:
    """Whether `read_on` has anything to do."""
    newest = events.newest(tx, workspace_id=workspace_id)
    return bool(webhooks.behind(tx, workspace_id=workspace_id, newest=newest, limit=1))


def read_on(tx: Tx, *, workspace_id: str, base_url: str) -> bool:
    """Note what is to be told of the next events; True when there are more."""
    newest = events.newest(tx, workspace_id=workspace_id)
    readers = webhooks.behind(tx, workspace_id=workspace_id, newest=newest, limit=READERS)
    more = len(readers) == READERS
    for webhook in readers:
        more = _read_on(tx, webhook, newest=newest, base_url=base_url) or more
    return more


def due(tx: Tx, *, workspace_id: str) -> list[WebhookPost]:
    """What is to be told now."""
    return webhooks.due(tx, workspace_id=workspace_id, limit=DUE_LIMIT)


def settle(tx: Tx, *, post: WebhookPost, error: str | None) -> None:
    """It arrived, or is tried again later, or given up."""
    if error is None:
        webhooks.arrived(tx, post)
        return
    again_at = next_attempt(attempts=post.attempts + 1, created_at=post.created_at, now=tx.now)
    webhooks.failed(tx, post, error=error, again_at=again_at)


def _read_on(tx: Tx, webhook: Webhook, *, newest: int, base_url: str) -> bool:
    user = users.get(tx, webhook.user_id, workspace_id=webhook.workspace_id)
    if user is None or user.disabled:  # who may not log in is told nothing either
        webhooks.drop(tx, user_id=webhook.user_id)
        return False
    actor = Actor(
        kind=ActorKind.USER, workspace_id=webhook.workspace_id, id=user.id, name=user.username, role=user.role
    )
    happened = news.since(tx, actor=actor, position=webhook.position, newest=newest, limit=AT_ONCE)
    more = len(happened) == AT_ONCE
    if not webhooks.advance(tx, webhook, position=happened[-1][0] if more else newest):
        return True
    for position, kind, data in happened:
        asked_by = news.asked_by(tx, message_id=data["message"]) if data.get("message") else None
        told = news_of(webhook, kind, data, username=user.username, asked_by=asked_by, base_url=base_url)
        if told is not None:
            body = json.dumps({"id": position, **told}, ensure_ascii=False)
            webhooks.add_post(tx, user_id=user.id, event=position, body=body)
    return more


def _find(tx: Tx, actor: Actor) -> Webhook:
    _need_self(actor)
    found = webhooks.get(tx, user_id=actor.id)
    if found is None:
        raise NotFound("you have no webhook")
    return found


def _need_self(actor: Actor) -> None:
    """A webhook is a person's own."""
    if actor.kind is not ActorKind.USER:
        raise Forbidden(f"this is for people, not for a {actor.kind}", actor=actor.kind)
