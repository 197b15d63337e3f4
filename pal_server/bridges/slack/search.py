"""Was it posted? The key is looked for in the metadata of what the bot said there since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from pal_server.bridges.outbound import (
    CannotTell,
    Found,
    Limited,
    NotThere,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    Refused,
    Sent,
)

from .events import Me
from .posts import EVENT_TYPE, FILE, channel_of, sent, thread_of
from .web import Failed, Web

Json = dict[str, Any]

MARGIN = 300.0  # seconds our clock and Slack's may differ
SETTLE = 5.0  # seconds in which a request that was cut may still be carried out
PAGE = 200
MOST_PAGES = 5
SCOPE = "metadata.message:read"


async def find(web: Web, out: Outgoing, *, since: int, me: Me) -> Found:
    """Edits, reactions and withdrawals may be done again without harm: they are said not to be there."""
    match out:
        case PostText() | PostCard() | PostFile():
            pass
        case _:
            return NotThere()
    try:
        found = await _look(web, out, since=since, me=me)
        if isinstance(found, NotThere):
            await asyncio.sleep(SETTLE)
            found = await _look(web, out, since=since, me=me)
    except Failed as failed:
        is_final = isinstance(failed.outcome, Refused)
        return CannotTell(reason=failed.reason, again=isinstance(failed.outcome, Limited) or not is_final)
    return found


async def _look(web: Web, out: PostText | PostCard | PostFile, *, since: int, me: Me) -> Found:
    oldest = since / 1000 - MARGIN
    channel, thread = await channel_of(web, out.place.chat), thread_of(out.place, out.reply_to)
    pages = said_there(web, channel, oldest=oldest, thread=thread, most=MOST_PAGES)
    seen = 0
    async for message in pages:
        seen += 1
        if message.get("bot_id") != me.bot:
            continue
        if isinstance(out, PostFile):
            if file_id := _file_of(message, out):
                return Sent(ref=f"{FILE}{file_id}")
        elif _key_of(message) == out.key:
            return sent(out, message, channel=channel)
    if seen >= PAGE * MOST_PAGES:
        return CannotTell(reason="too much was said there since to look through")
    if not isinstance(out, PostFile) and web.scopes is not None and SCOPE not in web.scopes:
        return CannotTell(reason=f"the Slack app lacks the scope {SCOPE}, so what was posted cannot be recognised")
    return NotThere()


def _key_of(message: Json) -> str:
    metadata = message.get("metadata") or {}
    return str((metadata.get("event_payload") or {}).get("key")) if metadata.get("event_type") == EVENT_TYPE else ""


def _file_of(message: Json, out: PostFile) -> str:
    """A file has no metadata: its name and size in this place since then are what it is known by."""
    for file in message.get("files") or ():
        if file.get("size") == out.file.size and out.file.name in (file.get("name"), file.get("title")):
            return str(file["id"])
    return ""


async def said_there(
    web: Web,
    channel: str,
    *,
    oldest: float,
    thread: str | None,
    most: int,
    when_cut: Callable[[], None] | None = None,
) -> AsyncIterator[Json]:
    """Messages of a thread, or of a chat's top level, since `oldest` (seconds), page by page, at most `most` pages;
    `when_cut` is called when there are more. Raises Failed.
    """
    method = "conversations.replies" if thread else "conversations.history"
    cursor: str | None = None
    for _ in range(most):
        answer = await web.call(
            method,
            channel=channel,
            ts=thread or None,
            oldest=f"{max(oldest, 0):.6f}",
            inclusive=True,
            include_all_metadata=True,
            limit=PAGE,
            cursor=cursor,
        )
        for message in answer.get("messages") or ():
            yield message
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return
    if when_cut is not None:
        when_cut()
