"""The outbox as bridges and people see it: claimed under a lease, settled once, tried again when a person says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pal_server.actions import access, audit, bots, client_ids
from pal_server.domain import posts as rules
from pal_server.domain.actors import Actor, Role
from pal_server.domain.bots import parse_outside
from pal_server.domain.pages import Page, page_of, parse_after, parse_limit
from pal_server.domain.posts import Post, PostKind, PostState, Purpose, Result, key_of
from pal_server.errors import Conflict, Invalid, NotFound
from pal_server.storage import bots as bot_rows
from pal_server.storage import inbound, links, posts
from pal_server.storage.inbound import InboundEvent
from pal_server.storage.links import Link
from pal_server.storage.tx import Tx

CLAIM_LIMIT = 100
PARTS_LIMIT = 100
TEXT_LIMIT = 20_000  # characters of what a person sends by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A post under its lease, and where it goes."""

    post: Post
    link: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """`next_at` is when the next one may be tried, when something waits for a moment."""

    claimed: tuple[Claimed, ...]
    revision: int  # of the platform's bots: another one means beat now
    next_at: int | None
    now: int


def claim(
    tx: Tx, *, actor: Actor, platform: str, held: Sequence[tuple[str, str]], limit: int, skip: Sequence[int] = ()
) -> Claims:
    """Lease what may be sent now, at most `limit` in all and fairly among the bots (id, lease) the bridge holds."""
    bots.need_bridge(actor, platform)
    limit = min(parse_limit(limit), CLAIM_LIMIT)
    taken: list[Claimed] = []
    soonest: list[int] = []
    known = {bot.id: bot for bot in bot_rows.of_platform(tx, platform, workspace_id=actor.workspace_id)}
    waiting = posts.waiting(tx, workspace_id=actor.workspace_id, platform=platform)
    busy = [(bot_id, lease_id) for bot_id, lease_id in held if bot_id in waiting]
    share = max(1, limit // max(1, len(busy)))
    for bot_id, lease_id in busy:
        bot, waits = known.get(bot_id), waiting[bot_id]
        if bot is None or bot.lease_id != lease_id or not bot.is_held(now=tx.now):
            continue
        room_left = min(share, limit - len(taken)) if waits.is_due else 0
        due = posts.due(tx, bot_id=bot_id, limit=room_left) if room_left > 0 else []
        taken += [_lease(tx, post) for post in due]
        if waits.next_at is not None:
            soonest.append(waits.next_at)
    return Claims(
        claimed=tuple(taken),
        revision=sum(bot.revision for bot in known.values()),
        next_at=min(soonest, default=None),
        now=tx.now,
    )


def outlook(tx: Tx, *, actor: Actor, platform: str, held: Sequence[tuple[str, str]]) -> Claims:
    """What a claim would find, without taking it: for who waits, since most wake-ups are for nobody. Empty also when
    nothing may be tried now.
    """
    bots.need_bridge(actor, platform)
    waiting = posts.waiting(tx, workspace_id=actor.workspace_id, platform=platform)
    mine = [waiting[bot_id] for bot_id, _ in held if bot_id in waiting]
    return Claims(
        claimed=(),
        revision=bot_rows.revision(tx, platform, workspace_id=actor.workspace_id),
        next_at=tx.now
        if any(one.is_due for one in mine)
        else min((w.next_at for w in mine if w.next_at), default=None),
        now=tx.now,
    )


def renew(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int) -> Post:
    """Keep a claimed post for as long again."""
    post = _held(tx, actor=actor, id=id, lease_id=lease_id, fence=fence)
    renewed = replace(post, lease_until=tx.now + rules.LEASE_FOR)
    posts.put(tx, renewed, was=post)
    return renewed


def settle(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    lease_id: str,
    fence: int,
    result: str,
    ref: str | None = None,
    version: int | None = None,
    after: int = 0,
    reason: str = "",
    repeated: bool = False,
    shown_hash: str | None = None,
) -> Post:
    """What became of a try. Only under its lease; said again it is `LeaseLost`, and nothing more happens."""
    post = _held(tx, actor=actor, id=id, lease_id=lease_id, fence=fence)
    settled = rules.settle(
        post,
        result=result,
        now=tx.now,
        ref=ref,
        version=version,
        after=after,
        reason=reason,
        repeated=repeated,
        shown_hash=shown_hash,
    )
    posts.put(tx, settled, was=post)
    if result == Result.SENT:
        _remember(tx, post=settled)
    bot = bot_rows.get(tx, post.bot_id, workspace_id=post.workspace_id)
    if bot is not None:
        tx.wake(f"bridge:{bot.platform}")  # what stood behind it may go now
    if settled.state in (PostState.FAILED, PostState.DOUBTFUL):
        tx.emit(f"post.{settled.state}", workspace_id=post.workspace_id, audience="admin", data=settled.fact())
    return settled


def split(
    tx: Tx,
    *,
    actor: Actor,
    id: int,
    lease_id: str,
    fence: int,
    version: int,
    parts: Sequence[str],
    as_file: bool = False,
) -> Post:
    """A text is longer than the platform takes: its parts become posts of their own, once, in their order.

    The claimed post keeps the first part. With `as_file` the whole text follows as a file too. A later change of the
    text splits anew: parts are changed, added, or taken away.
    """
    post = _held(tx, actor=actor, id=id, lease_id=lease_id, fence=fence)
    if post.kind is not PostKind.TEXT or post.part != 1 or not 1 <= len(parts) <= PARTS_LIMIT:
        raise Invalid(f"a text is split once, into 1 to {PARTS_LIMIT} parts", field="parts")
    if version != post.wanted:
        raise Conflict("the text has changed meanwhile: claim it again", post=id, version=post.wanted)
    whole = str(post.body.get("whole") or post.body["text"])
    total = len(parts) + int(as_file)
    first = replace(post, body={**post.body, "text": parts[0], "whole": whole}, parts=total, updated_at=tx.now)
    posts.put(tx, first, was=post)
    wanted = [{"text": text, "reply_to": ""} for text in parts[1:]]
    if as_file:
        wanted.append({"content": whole, "name": "whole.md", "mime": "text/markdown", "reply_to": ""})
    kept = _later_parts(tx, post=post)
    for number, body in enumerate(wanted, 2):
        _put_part(tx, base=first, number=number, body=body, known=kept.pop(number, None))
    for leftover in kept.values():
        posts.put(tx, rules.want(leftover, body=leftover.body, gone=True, now=tx.now), was=leftover)
    return first


def retry(tx: Tx, *, actor: Actor, id: int) -> Post:
    """A person wants a failed post tried once more."""
    access.need(actor, Role.MEMBER)
    post = _find(tx, actor=actor, id=id, locked=True)
    again = rules.retry(post, now=tx.now)
    posts.put(tx, again, was=post)
    bot = bot_rows.get(tx, post.bot_id, workspace_id=post.workspace_id)
    assert bot is not None, "a bot is never removed"
    tx.wake(f"bridge:{bot.platform}")
    audit.record(tx, actor=actor, action="post.retried", target=f"post:{id}")
    return again


def send_by_hand(
    tx: Tx, *, actor: Actor, platform: str, app_id: str, to: str, text: str, client_id: str | None = None
) -> Post:
    """Say something through a bot. `to` is the platform's to read: `oc_…`, `U…`, an address."""
    access.need(actor, Role.ADMIN)
    said = {"platform": platform, "app_id": app_id, "to": to, "text": text}
    if (made := client_ids.earlier(tx, actor=actor, client_id=client_id, verb="posts.send", said=said)) is not None:
        return _find(tx, actor=actor, id=int(made))
    bot = bots.by_app(tx, actor=actor, platform=platform, app_id=app_id)
    if bot.agent is None or not bot.sealed:
        raise Conflict("nobody listens for this bot: bind it to an agent first", bot=bot.id)
    if not text.strip() or len(text) > TEXT_LIMIT:
        raise Invalid(f"text has 1 to {TEXT_LIMIT} characters", field="text", limit=TEXT_LIMIT)
    key = key_of("by hand", bot.id, tx.new_id("post"))
    posts.add(
        tx,
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        link_id=None,
        chat=parse_outside(to, field="to"),
        thread="",
        key=key,
        kind=PostKind.TEXT,
        purpose=Purpose.NOTICE,
        body={"text": text, "reply_to": "", "place": "group", "memo": "", "by_hand": True},
    )
    post = posts.by_key(tx, key, workspace_id=bot.workspace_id)
    assert post is not None, "it was written in this transaction"
    tx.wake(f"bridge:{platform}")
    client_ids.remember(tx, actor=actor, client_id=client_id, verb="posts.send", said=said, target=post.id)
    audit.record(
        tx, actor=actor, action="post.sent_by_hand", target=f"post:{post.id}", detail={"bot": bot.id, "to": to}
    )
    return post


def get(tx: Tx, *, actor: Actor, id: int) -> Post:
    access.need(actor, Role.MEMBER)
    return _find(tx, actor=actor, id=id)


def list_page(
    tx: Tx, *, actor: Actor, platform: str | None, state: str | None, after: str | None, limit: int
) -> Page[Post]:
    """Newest first."""
    access.need(actor, Role.MEMBER)
    if state is not None and state not in list(PostState):
        raise Invalid(f"state is one of {', '.join(PostState)}", field="state", value=state)
    count = parse_limit(limit)
    before = parse_after(after)
    found = posts.list_page(
        tx,
        workspace_id=actor.workspace_id,
        platform=platform or "",
        state=state or "",
        before=2**62 if before is None else before,
        limit=count + 1,
    )
    return page_of(found, limit=count, cursor=lambda post: str(post.id))


def of_message(tx: Tx, *, message_id: int) -> list[Post]:
    """Where a message was shown outside."""
    return posts.of_message(tx, message_id=message_id)


def heard_as(tx: Tx, *, workspace_id: str, message_id: int) -> InboundEvent | None:
    """What of a platform this message was; None for what was said here."""
    return inbound.of_message(tx, workspace_id=workspace_id, message_id=message_id)


def _lease(tx: Tx, post: Post) -> Claimed:
    leased = rules.claim(post, lease_id=tx.new_id("lease"), now=tx.now)
    posts.put(tx, leased, was=post)
    return Claimed(post=leased, link=None if post.link_id is None else links.by_id(tx, post.link_id))


def _held(tx: Tx, *, actor: Actor, id: int, lease_id: str, fence: int) -> Post:
    post = posts.find_locked(tx, id, workspace_id=actor.workspace_id)
    if post is None:
        raise NotFound("there is no such post", post=id)
    bot = bot_rows.get(tx, post.bot_id, workspace_id=actor.workspace_id)
    assert bot is not None, "a bot is never removed"
    bots.need_bridge(actor, bot.platform)
    rules.need_lease(post, lease_id=lease_id, fence=fence)
    return post


def _find(tx: Tx, *, actor: Actor, id: int, locked: bool = False) -> Post:
    find = posts.find_locked if locked else posts.by_id
    post = find(tx, id, workspace_id=actor.workspace_id)
    if post is None:
        raise NotFound(f"there is no post {id}", post=id)
    return post


def _remember(tx: Tx, *, post: Post) -> None:
    """An answer to a post is an answer to the message it shows."""
    if post.message_id is None or not post.ref or post.kind is PostKind.REACTION:
        return
    bot = bot_rows.get(tx, post.bot_id, workspace_id=post.workspace_id)
    assert bot is not None, "a bot is never removed"
    links.remember_ref(
        tx,
        workspace_id=post.workspace_id,
        platform=bot.platform,
        chat=post.chat,
        ref=post.ref,
        message_id=post.message_id,
        bot_id=post.bot_id,
        incoming=False,
    )


def _later_parts(tx: Tx, *, post: Post) -> dict[int, Post]:
    if post.message_id is None:
        return {}
    return {one.part: one for one in posts.of_message(tx, message_id=post.message_id) if one.base_id == post.id}


def _put_part(tx: Tx, *, base: Post, number: int, body: dict[str, Any], known: Post | None) -> None:
    kind = PostKind.FILE if "content" in body else PostKind.TEXT
    if known is not None and known.kind is kind:
        posts.put(tx, rules.want(known, body=body, now=tx.now), was=known)
        return
    if known is not None:
        posts.put(tx, rules.want(known, body=known.body, gone=True, now=tx.now), was=known)
    posts.add(
        tx,
        workspace_id=base.workspace_id,
        bot_id=base.bot_id,
        link_id=base.link_id,
        chat=base.chat,
        thread=base.thread,
        key=key_of(base.key, "part", number, kind, base.wanted if known is not None else 0),
        kind=kind,
        purpose=base.purpose,
        message_id=base.message_id,
        part=number,
        parts=base.parts,
        base_id=base.id,
        body=body,
    )
