"""Posts, as rows. The rules are in `domain.posts`; `put` repeats their guard."""

import json
from dataclasses import dataclass
from typing import Any

from pal_server.domain.posts import Post, PostKind, PostState, Purpose
from pal_server.errors import Conflict
from pal_server.storage.tx import Row, Tx


def add(
    tx: Tx,
    *,
    workspace_id: str,
    bot_id: str,
    link_id: int | None,
    chat: str,
    thread: str,
    key: str,
    kind: PostKind,
    purpose: Purpose,
    body: dict[str, Any],
    message_id: int | None = None,
    delivery_id: int | None = None,
    interaction_id: int | None = None,
    part: int = 1,
    parts: int = 1,
    base_id: int | None = None,
    is_open: bool = False,
    hold_for: int = 0,
) -> bool:
    """Whether it is new: the same key again is the same post."""
    added = tx.sql.run(
        "posts.insert",
        workspace_id=workspace_id,
        bot_id=bot_id,
        link_id=link_id,
        chat=chat,
        thread=thread,
        key=key,
        kind=kind,
        purpose=purpose,
        message_id=message_id,
        delivery_id=delivery_id,
        interaction_id=interaction_id,
        part=part,
        parts=parts,
        base_id=base_id,
        body=json.dumps(body, ensure_ascii=False),
        is_open=int(is_open),
        not_before=tx.now + hold_for,
        now=tx.now,
    )
    return bool(added)


def by_key(tx: Tx, key: str, *, workspace_id: str) -> Post | None:
    row = tx.sql.one("posts.by_key", workspace_id=workspace_id, key=key)
    return None if row is None else _post(row)


def by_id(tx: Tx, id: int, *, workspace_id: str) -> Post | None:
    row = tx.sql.one("posts.by_id", workspace_id=workspace_id, id=id)
    return None if row is None else _post(row)


def find_locked(tx: Tx, id: int, *, workspace_id: str) -> Post | None:
    """As `by_id`; nobody else changes it until the commit."""
    row = tx.sql.one("posts.locked", workspace_id=workspace_id, id=id)
    return None if row is None else _post(row)


def due(tx: Tx, *, bot_id: str, limit: int) -> list[Post]:
    return [_post(row) for row in tx.sql.all("posts.due", bot_id=bot_id, now=tx.now, limit=limit)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What a bot has on its way: whether something may be tried now, and when the next thing may."""

    is_due: bool
    next_at: int | None


def waiting(tx: Tx, *, workspace_id: str, platform: str) -> dict[str, Waiting]:
    """By bot; those with nothing on its way are not in it."""
    rows = tx.sql.all("posts.waiting", workspace_id=workspace_id, platform=platform, now=tx.now)
    return {row.bot_id: Waiting(is_due=bool(row.is_due), next_at=row.next_at) for row in rows}


def put(tx: Tx, post: Post, *, was: Post) -> None:
    """Store a transition. `Conflict` when the row is no longer what the rule saw."""
    changed = tx.sql.run(
        "posts.put",
        id=post.id,
        key=post.key,
        body=json.dumps(post.body, ensure_ascii=False),
        wanted=post.wanted,
        shown=post.shown,
        shown_hash=post.shown_hash,
        gone=int(post.gone),
        is_open=int(post.is_open),
        seen_seq=post.seen_seq,
        parts=post.parts,
        ref=post.ref,
        state=post.state,
        doubt=int(post.doubt),
        repeated=int(post.repeated),
        tries=post.tries,
        not_before=post.not_before,
        lease_id=post.lease_id,
        lease_until=post.lease_until,
        fence=post.fence,
        since=post.since,
        error=post.error,
        created_at=post.created_at,
        updated_at=post.updated_at,
        was_fence=was.fence,
        was_wanted=was.wanted,
        was_state=was.state,
    )
    if not changed:
        raise Conflict("the post has changed meanwhile: look again", post=post.id)


def end_leases(tx: Tx, *, bot_id: str) -> int:
    """Of the bot's posts under way, when nobody is at them any more; how many."""
    return tx.sql.run("posts.end_leases", bot_id=bot_id, now=tx.now)


def of_message(tx: Tx, *, message_id: int) -> list[Post]:
    return [_post(row) for row in tx.sql.all("posts.of_message", message_id=message_id)]


def of_delivery(tx: Tx, *, delivery_id: int) -> list[Post]:
    return [_post(row) for row in tx.sql.all("posts.of_delivery", delivery_id=delivery_id)]


def of_interaction(tx: Tx, *, interaction_id: int) -> list[Post]:
    return [_post(row) for row in tx.sql.all("posts.of_interaction", interaction_id=interaction_id)]


def open_turns(tx: Tx, *, workspace_id: str) -> list[Post]:
    """Cards of turns that are not over."""
    return [_post(row) for row in tx.sql.all("posts.open", workspace_id=workspace_id)]


def has_open_turns(tx: Tx, *, workspace_id: str) -> bool:
    return tx.sql.one("posts.any_open", workspace_id=workspace_id) is not None


def turns_behind(tx: Tx, *, workspace_id: str) -> list[Post]:
    """Cards of turns that are not over and whose run has done more than they show."""
    return [_post(row) for row in tx.sql.all("posts.open_and_behind", workspace_id=workspace_id)]


def list_page(tx: Tx, *, workspace_id: str, platform: str, state: str, before: int, limit: int) -> list[Post]:
    """Newest first."""
    rows = tx.sql.all(
        "posts.list_page", workspace_id=workspace_id, platform=platform, state=state, before=before, limit=limit
    )
    return [_post(row) for row in rows]


def counts(tx: Tx, *, workspace_id: str) -> dict[str, int]:
    """How many posts are in which state."""
    return {row.state: row.posts for row in tx.sql.all("posts.counts", workspace_id=workspace_id)}


def position(tx: Tx, *, workspace_id: str) -> int | None:
    """How far the log has been turned into posts; None before the first link."""
    row = tx.sql.one("posts.position", workspace_id=workspace_id)
    return None if row is None else row.position


def set_position(tx: Tx, *, workspace_id: str, position: int) -> None:
    tx.sql.run("posts.set_position", workspace_id=workspace_id, position=position)


def advance(tx: Tx, *, workspace_id: str, position: int, was: int) -> bool:
    """Whether it was still where the caller read it."""
    return bool(tx.sql.run("posts.advance", workspace_id=workspace_id, position=position, was=was))


def news(tx: Tx, *, workspace_id: str, position: int, newest: int, limit: int) -> list[tuple[int, str, dict[str, Any]]]:
    """What happened that may have to be shown: (position, kind, data)."""
    rows = tx.sql.all("posts.news", workspace_id=workspace_id, position=position, newest=newest, limit=limit)
    return [(row.position, row.kind, json.loads(row.data)) for row in rows]


def newest_run_events(tx: Tx, *, run_id: int, limit: int) -> list[tuple[str, str, dict[str, Any]]]:
    """What a run did last, oldest of it first: (kind, text, data)."""
    rows = tx.sql.all("posts.newest_run_events", run_id=run_id, limit=limit)
    return [(row.kind, row.text or "", json.loads(row.data)) for row in reversed(rows)]


def _post(row: Row) -> Post:
    return Post(
        id=row.id,
        workspace_id=row.workspace_id,
        bot_id=row.bot_id,
        link_id=row.link_id,
        chat=row.chat,
        thread=row.thread,
        key=row.key,
        kind=PostKind(row.kind),
        purpose=Purpose(row.purpose),
        message_id=row.message_id,
        delivery_id=row.delivery_id,
        interaction_id=row.interaction_id,
        part=row.part,
        parts=row.parts,
        base_id=row.base_id,
        body=json.loads(row.body),
        wanted=row.wanted,
        shown=row.shown,
        shown_hash=row.shown_hash,
        gone=bool(row.gone),
        is_open=bool(row.is_open),
        seen_seq=row.seen_seq,
        ref=row.ref,
        state=PostState(row.state),
        doubt=bool(row.doubt),
        repeated=bool(row.repeated),
        tries=row.tries,
        not_before=row.not_before,
        lease_id=row.lease_id,
        lease_until=row.lease_until,
        fence=row.fence,
        since=row.since,
        error=row.error,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
