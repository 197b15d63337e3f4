"""Sending: one try of one thing. A post carries its key in its metadata, so that it can be found again."""

from __future__ import annotations

from typing import Any

from pal_server.bridges.inbound import Place, PlaceKind
from pal_server.bridges.outbound import (
    EditCard,
    EditText,
    Outcome,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Refused,
    Sent,
    Unreact,
    Why,
    Withdraw,
)

from . import files
from .blocks import render_card
from .mrkdwn import render
from .web import Failed, Web

Json = dict[str, Any]

EVENT_TYPE = "pal_post"
TEXT = 4_000  # characters; an update longer than this is refused, a post longer than this is hard to read
QUIET: Json = {"unfurl_links": False, "unfurl_media": False}  # an unfolded link changes the message once more
FILE = "file:"  # begins the ref of a file


async def send(web: Web, out: Outgoing) -> Outcome:
    """Raises nothing but cancellation."""
    try:
        return await _send(web, out)
    except Failed as failed:
        return failed.outcome


async def _send(web: Web, out: Outgoing) -> Outcome:
    match out:
        case PostText():
            return await _post(web, out, {"text": render(out.text) or " "})
        case PostCard():
            return await _post(web, out, render_card(out.card))
        case EditText():
            return await _update(web, out, {"text": render(out.text) or " ", "blocks": []})
        case EditCard():
            return await _update(web, out, render_card(out.card))
        case PostFile():
            return await _file(web, out)
        case React():
            await _reaction(web, "reactions.add", out, fine="already_reacted")
            return Sent(ref=out.emoji)
        case Unreact():
            await _reaction(web, "reactions.remove", out, fine="no_reaction")
            return Sent(ref=out.ref)
        case Withdraw():
            return await _withdraw(web, out)


async def _post(web: Web, out: PostText | PostCard, shown: Json) -> Outcome:
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": out.key}}
    target = {"channel": out.place.chat, "thread_ts": thread_of(out.place, out.reply_to)}
    answer = await web.call("chat.postMessage", **target, **shown, metadata=metadata, **QUIET)
    return sent(out, answer.get("message") or {}, ts=str(answer["ts"]), warning=str(answer.get("warning") or ""))


def sent(out: PostText | PostCard, message: Json, *, ts: str, warning: str = "") -> Sent:
    """What a message on Slack says of the post it is."""
    is_cut = "message_truncated" in warning
    if isinstance(out, PostText):
        is_cut = is_cut or len(str(message.get("text") or "")) < len(render(out.text))
    begins = not message.get("thread_ts") and out.place.kind is PlaceKind.GROUP
    return Sent(ref=ts, whole=not is_cut, thread=ts if begins and not out.place.thread else "")


def thread_of(place: Place, reply_to: str = "") -> str | None:
    """In a direct chat that is one conversation an answer begins no thread."""
    return place.thread or (reply_to if place.kind is PlaceKind.GROUP and reply_to else None)


async def _update(web: Web, out: EditText | EditCard, shown: Json) -> Outcome:
    if isinstance(out, EditText) and len(shown["text"]) > TEXT:
        return Refused(why=Why.TOO_LONG, reason=f"Slack changes texts of {TEXT} characters at most")
    answer = await web.call("chat.update", channel=out.place.chat, ts=out.ref, **shown)
    return Sent(ref=str(answer.get("ts") or out.ref))


async def _file(web: Web, out: PostFile) -> Outcome:
    if not out.file.size:
        return Refused(why=Why.INVALID, reason="Slack takes no empty files")
    file_id = await files.upload(web, out.file)
    thread = thread_of(out.place, out.reply_to)
    await files.show(web, file_id, title=out.file.name, channel=out.place.chat, thread=thread)
    return Sent(ref=f"{FILE}{file_id}")


async def _reaction(web: Web, method: str, out: React | Unreact, *, fine: str) -> None:
    name = out.emoji.strip(":").lower()
    try:
        await web.call(method, channel=out.place.chat, timestamp=out.message, name=name)
    except Failed as failed:
        if failed.code != fine:
            raise


async def _withdraw(web: Web, out: Withdraw) -> Outcome:
    try:
        if out.ref.startswith(FILE):
            await web.call("files.delete", file=out.ref.removeprefix(FILE))
        else:
            await web.call("chat.delete", channel=out.place.chat, ts=out.ref)
    except Failed as failed:
        if failed.code not in ("message_not_found", "file_not_found", "file_deleted"):
            raise
    return Sent(ref=out.ref)
