"""Webhooks: what a person's browser would be told, an address of theirs is told too.

What is told is a fold of the log: read on from where this webhook is, note what this person wanted to hear, move on, in
one transaction. So nothing is forgotten by a crash and nothing is noted twice; it may arrive twice, with one `id`.
"""

import json
from urllib.parse import urlsplit

from pal_server.actions import audit, news
from pal_server.actions.news import READERS
from pal_server.domain.actors import Actor
from pal_server.domain.webhooks import Webhook, WebhookPost, next_attempt, parse_url
from pal_server.errors import NotFound
from pal_server.storage import events, webhooks
from pal_server.storage.tx import Tx

CHANGED = "webhooks"  # woken when a webhook was made or has something to be told
DUE_LIMIT = 20  # posts told at the same time


def get(tx: Tx, *, actor: Actor) -> Webhook | None:
    """This person's own."""
    news.need_self(actor)
    return webhooks.get(tx, user_id=actor.id)


def put(tx: Tx, *, actor: Actor, url: str, sealed: str, needs: bool, mentions: bool, runs: bool) -> Webhook:
    """Make it, or give it another address and key. What waited for the one before is not told any more."""
    user = news.need_whole(tx, actor, what="makes no webhook")
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
    after = news.chosen(_find(tx, actor), needs=needs, mentions=mentions, runs=runs)
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
    actor = news.reader(tx, user_id=webhook.user_id, workspace_id=webhook.workspace_id)
    if actor is None:
        webhooks.drop(tx, user_id=webhook.user_id)
        return False
    happened = news.since(tx, wanted=webhook, actor=actor, position=webhook.position, newest=newest, base_url=base_url)
    if not webhooks.advance(tx, webhook, position=happened.position):
        return True
    for position, told in happened.told:
        body = json.dumps({"id": position, **told}, ensure_ascii=False)
        webhooks.add_post(tx, user_id=actor.id, event=position, body=body)
    return happened.more


def _find(tx: Tx, actor: Actor) -> Webhook:
    news.need_self(actor)
    found = webhooks.get(tx, user_id=actor.id)
    if found is None:
        raise NotFound("you have no webhook")
    return found
