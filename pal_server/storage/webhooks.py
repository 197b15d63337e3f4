"""Webhooks of people, and what waits to be told to them, in the database."""

from pal_server.domain.webhooks import Webhook, WebhookPost
from pal_server.storage.tx import Row, Tx


def get(tx: Tx, *, user_id: str) -> Webhook | None:
    row = tx.sql.one("webhooks.get", user_id=user_id)
    return None if row is None else _webhook(row)


def put(tx: Tx, webhook: Webhook, *, sealed: str) -> None:
    """A new one, or another address and key; what waited for the old one is not told any more."""
    tx.sql.run("webhooks.drop_posts", user_id=webhook.user_id)
    tx.sql.run(
        "webhooks.put",
        user_id=webhook.user_id,
        workspace_id=webhook.workspace_id,
        url=webhook.url,
        sealed=sealed,
        needs=int(webhook.needs),
        mentions=int(webhook.mentions),
        runs=int(webhook.runs),
        position=webhook.position,
        now=webhook.created_at,
    )


def choose(tx: Tx, webhook: Webhook) -> None:
    tx.sql.run(
        "webhooks.choose",
        user_id=webhook.user_id,
        needs=int(webhook.needs),
        mentions=int(webhook.mentions),
        runs=int(webhook.runs),
    )


def drop(tx: Tx, *, user_id: str) -> bool:
    """False when there was none."""
    tx.sql.run("webhooks.drop_posts", user_id=user_id)
    return tx.sql.run("webhooks.drop", user_id=user_id) == 1


def exist(tx: Tx, *, workspace_id: str) -> bool:
    return tx.sql.one("webhooks.any", workspace_id=workspace_id) is not None


def behind(tx: Tx, *, workspace_id: str, newest: int, limit: int) -> list[Webhook]:
    """Those that have not read the log up to its newest event."""
    rows = tx.sql.all("webhooks.behind", workspace_id=workspace_id, newest=newest, limit=limit)
    return [_webhook(row) for row in rows]


def advance(tx: Tx, webhook: Webhook, *, position: int) -> bool:
    """False when another server was quicker."""
    return tx.sql.run("webhooks.advance", user_id=webhook.user_id, position=position, was=webhook.position) == 1


def add_post(tx: Tx, *, user_id: str, event: int, body: str) -> None:
    """Once for each event."""
    tx.sql.run("webhooks.add_post", user_id=user_id, event=event, body=body, now=tx.now)


def due(tx: Tx, *, workspace_id: str, limit: int) -> list[WebhookPost]:
    """What should have been told by now, the longest due first."""
    rows = tx.sql.all("webhooks.due", workspace_id=workspace_id, now=tx.now, limit=limit)
    return [
        WebhookPost(
            id=row["id"],
            user_id=row["user_id"],
            url=row["url"],
            sealed=row["sealed"],
            body=row["body"],
            attempts=row["attempts"],
            created_at=row["created_at"],
        )
        for row in rows
    ]


def arrived(tx: Tx, post: WebhookPost) -> None:
    tx.sql.run("webhooks.arrived", id=post.id)
    tx.sql.run("webhooks.well", user_id=post.user_id)


def failed(tx: Tx, post: WebhookPost, *, error: str, again_at: int | None) -> None:
    """Tried again then, or given up."""
    if again_at is None:
        tx.sql.run("webhooks.arrived", id=post.id)
    else:
        tx.sql.run("webhooks.later", id=post.id, not_before=again_at)
    tx.sql.run("webhooks.ill", user_id=post.user_id, error=error, now=tx.now)


def _webhook(row: Row) -> Webhook:
    return Webhook(
        user_id=row["user_id"],
        workspace_id=row["workspace_id"],
        url=row["url"],
        needs=bool(row["needs"]),
        mentions=bool(row["mentions"]),
        runs=bool(row["runs"]),
        position=row["position"],
        created_at=row["created_at"],
        error=row["error"],
        failed_at=row["failed_at"],
    )
