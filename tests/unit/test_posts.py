"""For how long a post is tried."""

import pytest

from pal_server.domain import posts
from pal_server.domain.posts import Post, PostKind, PostState, Purpose

HOUR = 3_600_000  # milliseconds


@pytest.mark.parametrize("result", ["later", "doubt"])
@pytest.mark.parametrize(
    ("reason", "named", "state"), [("nobody there", 0, "failed"), ("the bot is refused", 60_000, "pending")]
)
def test_what_is_old_is_tried_for_a_day_like_what_is_new(result: str, reason: str, named: int, state: str) -> None:
    """A card of days ago changes while the network is away for an hour: it is not late by the age of the card."""
    begun = now = 3 * 24 * HOUR
    post = posts.want(shown_at_once(), body={"card": "done"}, now=now)

    while post.state is PostState.PENDING and now < begun + 30 * HOUR:
        now = max(now, post.not_before)
        post = posts.claim(post, lease_id="lease", now=now)
        post = posts.settle(post, result=result, now=now, after=named, reason=reason)

    assert (post.state, post.error) == (state, reason)
    assert now - begun > 23 * HOUR


def shown_at_once() -> Post:
    """A card that was made and confirmed at the moment 0."""
    return Post(
        id=1,
        workspace_id="w",
        bot_id="bot-1",
        link_id=None,
        chat="g1",
        thread="",
        key="k" * 32,
        kind=PostKind.CARD,
        purpose=Purpose.TURN,
        message_id=None,
        delivery_id=None,
        interaction_id=None,
        part=1,
        parts=1,
        base_id=None,
        body={"card": "at work"},
        wanted=1,
        shown=1,
        shown_hash=None,
        gone=False,
        is_open=True,
        seen_seq=0,
        ref="out-1",
        state=PostState.CONFIRMED,
        doubt=False,
        repeated=False,
        tries=0,
        not_before=0,
        lease_id=None,
        lease_until=None,
        fence=1,
        since=None,
        error=None,
        created_at=0,
        updated_at=0,
    )
