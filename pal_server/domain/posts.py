"""Posts: what shall be seen outside. One row per visible part, claimed under a lease as a delivery is.

    pending ─▶ sending ─▶ confirmed | doubtful | failed
       ▲          │ later, doubt, or lease over
       └──────────┘        whatever is shown differs from what is wanted goes back to pending

What a bridge began and nobody knows the end of has `doubt`: whoever claims it next asks the platform before it sends.
`doubtful` is the end of one that had to be sent again without knowing; it says so in the chat.
"""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid, LeaseLost

LEASE_FOR = 45_000  # milliseconds; a send gives up after 15 s, asking about it too
TRIES_FOR = 24 * 3_600_000  # milliseconds in which something that cannot be sent is tried again
BACKOFF = (1_000, 2_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000)  # milliseconds, by try
TRIES_MOST = len(BACKOFF) + (TRIES_FOR - sum(BACKOFF)) // BACKOFF[-1]  # tries in vain that take that long
WAIT_MAX = 3_600_000  # milliseconds a platform can make us wait at once
TURN = 10_000  # milliseconds up to which a named wait is one's turn at a limit, and no failed try


class PostKind(StrEnum):
    TEXT = "text"
    CARD = "card"
    FILE = "file"
    REACTION = "reaction"


class Purpose(StrEnum):
    MESSAGE = "message"  # what somebody said
    TURN = "turn"  # the card of a delivery, from waiting to done
    ASK = "ask"  # the card of an interaction
    NOTICE = "notice"  # something that is no message of a topic: a refusal, the end of a run elsewhere
    WORKING = "working"  # the reaction while an agent is at work


class PostState(StrEnum):
    PENDING = "pending"  # to be sent, or changed
    SENDING = "sending"  # a bridge is at it
    CONFIRMED = "confirmed"  # the platform shows what is wanted
    DOUBTFUL = "doubtful"  # it is there, perhaps twice
    FAILED = "failed"  # the platform will not have it


class Result(StrEnum):
    """What a bridge says became of a claimed post."""

    SENT = "sent"
    LATER = "later"  # certainly nothing happened; again after a while
    DOUBT = "doubt"  # it may have happened, and cannot be found out now
    ANEW = "anew"  # what was to be changed is no more: a new one in its place
    REFUSED = "refused"  # the platform will not have it


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    id: int
    workspace_id: str
    bot_id: str
    link_id: int | None
    chat: str
    thread: str
    key: str
    kind: PostKind
    purpose: Purpose
    message_id: int | None
    delivery_id: int | None
    interaction_id: int | None
    part: int
    parts: int
    base_id: int | None
    body: dict[str, Any]
    wanted: int
    shown: int
    shown_hash: str | None
    gone: bool
    is_open: bool
    seen_seq: int
    ref: str | None
    state: PostState
    doubt: bool
    repeated: bool
    tries: int
    not_before: int
    lease_id: str | None
    lease_until: int | None
    fence: int
    since: int | None
    error: str | None
    created_at: int
    updated_at: int

    def fact(self) -> dict[str, Any]:
        """The post as people see it."""
        return {
            "id": self.id,
            "bot": self.bot_id,
            "chat": self.chat,
            "thread": self.thread,
            "key": self.key,
            "kind": self.kind,
            "purpose": self.purpose,
            "message": self.message_id,
            "delivery": self.delivery_id,
            "interaction": self.interaction_id,
            "part": self.part,
            "parts": self.parts,
            "state": self.state,
            "ref": self.ref,
            "repeated": self.repeated,
            "tries": self.tries,
            "not_before": self.not_before,
            "error": self.error,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


def key_of(*parts: object) -> str:
    """32 letters and digits, the same for the same parts: what makes a repeat recognizable outside."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def want(post: Post, *, body: dict[str, Any], now: int, gone: bool = False, is_open: bool | None = None) -> Post:
    """Let it show this from now on. The newest wish wins, whatever became of those before it.

    What was never shown and shall not be there is done at once. A bridge that is at it goes on; what it sent is older
    then, and the post is pending again when it says so.
    """
    opened = post.is_open if is_open is None else is_open
    if body == post.body and gone == post.gone:
        return post if opened == post.is_open else replace(post, is_open=opened, updated_at=now)
    changed = replace(post, body=body, gone=gone, wanted=post.wanted + 1, is_open=opened, updated_at=now)
    if post.state is PostState.SENDING:
        return changed
    if gone and post.ref is None and not post.doubt:
        return replace(changed, state=PostState.CONFIRMED, shown=changed.wanted)
    return replace(changed, state=PostState.PENDING, error=None, not_before=min(post.not_before, now), tries=0)


def claim(post: Post, *, lease_id: str, now: int) -> Post:
    """Give it to a bridge. One still `sending` under a lease that ended is in doubt: that bridge may have sent it."""
    is_over = post.state is PostState.SENDING and (post.lease_until or 0) <= now
    if not is_over and (post.state is not PostState.PENDING or post.not_before > now):
        raise Conflict("this post is not to be sent now", post=post.id, state=post.state)
    return replace(
        post,
        state=PostState.SENDING,
        doubt=post.doubt or is_over,
        since=post.since if post.since is not None and (post.doubt or is_over) else now,
        lease_id=lease_id,
        lease_until=now + LEASE_FOR,
        fence=post.fence + 1,
        updated_at=now,
    )


def need_lease(post: Post, *, lease_id: str, fence: int) -> None:
    """`LeaseLost` unless the post is still under that lease. A lease that ran out counts while nobody took over."""
    if post.state is not PostState.SENDING or post.lease_id != lease_id or post.fence != fence:
        raise LeaseLost("this post is no longer yours", post=post.id)


def settle(
    post: Post,
    *,
    result: str,
    now: int,
    ref: str | None = None,
    version: int | None = None,
    after: int = 0,
    reason: str = "",
    repeated: bool = False,
    shown_hash: str | None = None,
) -> Post:
    """End a try. `version` is which wish was sent; a newer one makes the post pending again."""
    if result not in list(Result):
        raise Invalid(f"result is one of {', '.join(Result)}", field="result", value=result)
    free = replace(post, lease_id=None, lease_until=None, updated_at=now)
    error = reason[:2_000] or None
    match Result(result):
        case Result.SENT:
            return _sent(free, ref=ref, version=version, repeated=repeated, shown_hash=shown_hash, now=now)
        case Result.LATER:
            return _again(free, now=now, after=after, error=error)
        case Result.DOUBT:
            again = _again(free, now=now, after=after, error=error)
            return replace(again, doubt=True, since=post.since, repeated=post.repeated or repeated)
        case Result.ANEW:
            anew = replace(free, key=key_of(post.key, "anew"), ref=None, doubt=False, since=None, error=error)
            return replace(anew, state=PostState.PENDING, not_before=now, shown=0)
        case Result.REFUSED:
            is_done = post.gone  # what shall not be there and cannot be taken away stays
            return replace(
                free,
                state=PostState.CONFIRMED if is_done else PostState.FAILED,
                doubt=False,
                since=None,
                shown=post.wanted if is_done else post.shown,
                error=error,
            )


def retry(post: Post, *, now: int) -> Post:
    """A person wants it tried once more."""
    if post.state is not PostState.FAILED:
        raise Conflict("only a failed post is tried again", post=post.id, state=post.state)
    return replace(post, state=PostState.PENDING, not_before=now, tries=0, error=None, created_at=now, updated_at=now)


def _sent(
    post: Post, *, ref: str | None, version: int | None, repeated: bool, shown_hash: str | None, now: int
) -> Post:
    shown = post.wanted if version is None else min(version, post.wanted)
    again = repeated or post.repeated
    there = replace(
        post,
        ref=None if post.gone and shown == post.wanted else ref or post.ref,
        shown=shown,
        shown_hash=shown_hash or post.shown_hash,
        doubt=False,
        repeated=again,
        tries=0,
        since=None,
        error=None,
    )
    if shown < post.wanted:
        return replace(there, state=PostState.PENDING, not_before=now)
    return replace(there, state=PostState.DOUBTFUL if again else PostState.CONFIRMED)


def _again(post: Post, *, now: int, after: int, error: str | None) -> Post:
    """Try it once more, for a day of tries: of its age they say nothing, a card may change days after it was made.

    A wait that is named, one's turn at a limit or sooner than ours would end, is no failed try.
    """
    if post.tries >= TRIES_MOST:
        return replace(post, state=PostState.FAILED, error=error or "it could not be sent for a day")
    usual = BACKOFF[min(post.tries, len(BACKOFF) - 1)]
    tries = post.tries if 0 < after <= max(TURN, usual) else post.tries + 1
    not_before = now + (max(min(after, WAIT_MAX), 0) or usual)
    return replace(post, state=PostState.PENDING, not_before=not_before, tries=tries, error=error)
