"""Sending: one try of one thing. A post carries its key in its metadata, so that it can be found again."""

from __future__ import annotations

from typing import Any

from pal_server.bridges.inbound import Place, PlaceKind
from pal_server.bridges.outbound import (
    Doubtful,
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
    Unsent,
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


async def channel_of(web: Web, chat: str) -> str:
    """The channel behind a chat: a person's id is the direct conversation with them. Raises Failed, never doubtful."""
    if not chat.startswith(("U", "W")):
        return chat
    try:
        return str((await web.call("conversations.open", users=chat))["channel"]["id"])
    except Failed as failed:
        if isinstance(failed.outcome, Doubtful):
            raise Failed(Unsent(reason=failed.reason), code=failed.code) from failed
        raise


def ref_of(out: Outgoing, channel: str, ts: str) -> str:
    """A message is named by its `ts`; one that was sent to a person also by the channel that turned out to be."""
    return ts if channel == out.place.chat else f"{channel}/{ts}"


def split_ref(place: Place, ref: str) -> tuple[str, str]:
    """(channel, ts) of what `ref_of` named."""
    channel, _, ts = ref.rpartition("/")
    return channel or place.chat, ts


async def _post(web: Web, out: PostText | PostCard, shown: Json) -> Outcome:
    metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": out.key}}
    channel = await channel_of(web, out.place.chat)
    target = {"channel": channel, "thread_ts": thread_of(out.place, out.reply_to)}
    answer = await web.call("chat.postMessage", **target, **shown, metadata=metadata, **QUIET)
    message = {**(answer.get("message") or {}), "ts": answer["ts"]}
    return sent(out, message, channel=channel, warning=str(answer.get("warning") or ""))


def sent(out: PostText | PostCard, message: Json, *, channel: str, warning: str = "") -> Sent:
    """What a message on Slack says of the post it is."""
    ts = str(message["ts"])
    is_cut = "message_truncated" in warning
    if isinstance(out, PostText):
        is_cut = is_cut or len(str(message.get("text") or "")) < len(render(out.text))
    return Sent(ref=ref_of(out, channel, ts), whole=not is_cut)


def thread_of(place: Place, reply_to: str = "") -> str | None:
    """In a direct chat that is one conversation an answer begins no thread."""
    answered = reply_to.rpartition("/")[2]
    return place.thread or (answered if place.kind is PlaceKind.GROUP and answered else None)


async def _update(web: Web, out: EditText | EditCard, shown: Json) -> Outcome:
    if isinstance(out, EditText) and len(shown["text"]) > TEXT:
        return Refused(why=Why.TOO_LONG, reason=f"Slack changes texts of {TEXT} characters at most")
    channel, ts = split_ref(out.place, out.ref)
    await web.call("chat.update", channel=channel, ts=ts, **shown)
    return Sent(ref=out.ref)


async def _file(web: Web, out: PostFile) -> Outcome:
    if not out.file.size:
        return Refused(why=Why.INVALID, reason="Slack takes no empty files")
    file_id = await files.upload(web, out.file)
    channel, thread = await channel_of(web, out.place.chat), thread_of(out.place, out.reply_to)
    await files.show(web, file_id, title=out.file.name, channel=channel, thread=thread)
    return Sent(ref=f"{FILE}{file_id}")


async def _reaction(web: Web, method: str, out: React | Unreact, *, fine: str) -> None:
    channel, ts = split_ref(out.place, out.message)
    try:
        await web.call(method, channel=channel, timestamp=ts, name=out.emoji.strip(":").lower())
    except Failed as failed:
        if failed.code != fine:
            raise


async def _withdraw(web: Web, out: Withdraw) -> Outcome:
    try:
        if out.ref.startswith(FILE):
            await web.call("files.delete", file=out.ref.removeprefix(FILE))
        else:
            channel, ts = split_ref(out.place, out.ref)
            await web.call("chat.delete", channel=channel, ts=ts)
    except Failed as failed:
        if failed.code not in ("message_not_found", "file_not_found", "file_deleted"):
            raise
    return Sent(ref=out.ref)
