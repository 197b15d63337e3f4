"""Payloads of Slack into events of pal: pure. What is nothing for pal is None, and acknowledged all the same.

A mention in a channel is told twice, as `app_mention` and as `message`, under two event ids; so a message's name is
workspace, channel and `ts`, and both are the same `Said`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pal_server.bridges.inbound import (
    Attachment,
    CardAction,
    Command,
    Deleted,
    Edited,
    Event,
    Person,
    Place,
    PlaceKind,
    Said,
)

from . import blocks, reading

Json = Mapping[str, Any]

SPOKEN = (None, "file_share", "thread_broadcast", "me_message", "bot_message")  # subtypes that are somebody's words
SECRET = ("token", "response_url", "response_urls", "trigger_id")  # of a payload; good for minutes, but good
MOST_RAW = 20_000  # characters of a payload that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who the bot is, from `auth.test`."""

    user: str
    bot: str
    team: str
    app: str


def event_of(payload: Json, *, me: Me, names: Mapping[str, str]) -> Event | None:
    """An `event_callback`. `names` are display names of people by id, as far as they are known."""
    event = payload.get("event") or {}
    if payload.get("team_id", me.team) != me.team:
        return None  # another workspace of the same app
    if event.get("type") not in ("message", "app_mention"):
        return None
    return message_of(event, me=me, names=names, raw=raw_of(payload))


def message_of(event: Json, *, me: Me, names: Mapping[str, str], raw: str = "") -> Event | None:
    """A message as an event has it, or one of a history to which `channel` was added."""
    if is_own(event, me=me):
        return None
    subtype = event.get("subtype")
    if subtype == "message_changed":
        return _edited(event, me=me, names=names, raw=raw)
    if subtype == "message_deleted":
        return _deleted(event, event.get("previous_message") or {}, ts=str(event.get("deleted_ts")), me=me, raw=raw)
    return _said(event, me=me, names=names, raw=raw) if subtype in SPOKEN else None


def is_own(event: Json, *, me: Me) -> bool:
    """An echo of what the bot itself did: posts, edits, deletions, reactions."""
    inner = event.get("message") or event.get("previous_message") or event
    bot = inner.get("bot_id") or event.get("bot_id")
    return bool(bot == me.bot or (inner.get("user") or event.get("user")) == me.user)


def people_of(payload: Json) -> tuple[str, ...]:
    """Ids of the people whose names would be of use."""
    event = payload.get("event") or {}
    inner = event.get("message") or event
    author = str(inner.get("user") or "")
    return tuple(dict.fromkeys((*([author] if author else []), *reading.people_in(text_of(inner)))))


def text_of(message: Json) -> str:
    """What was said, in mrkdwn: the text, else the words of its blocks, and what was forwarded along with it."""
    text = str(message.get("text") or "") or reading.flattened(message.get("blocks") or ())
    parts = [text, reading.quoted(message.get("attachments") or ())]
    return "\n".join(part for part in parts if part)


def _said(event: Json, *, me: Me, names: Mapping[str, str], raw: str) -> Said | None:
    ts, text = str(event["ts"]), text_of(event)
    place = place_of(event)
    is_addressed = place.kind is PlaceKind.DIRECT or reading.mentions(text, user=me.user)
    if event.get("bot_id") and not is_addressed:
        return None  # what other programs say among themselves
    files, links = attachments_of(event)
    words = reading.to_markdown("\n".join([text, *links]), names=names, without=me.user)
    parent = str(event.get("thread_ts") or "")
    return Said(
        event=f"m:{me.team}:{place.chat}:{ts}",
        place=place,
        person=person_of(event, names=names),
        at=moment(ts),
        raw=raw,
        message=ts,
        text=words,
        addressed=is_addressed,
        reply_to=parent if parent != ts else "",
        files=files,
        unsupported="" if words or files or (is_addressed and text) else "a message without text or files",
    )


def _edited(event: Json, *, me: Me, names: Mapping[str, str], raw: str) -> Event | None:
    """Only what a person changed: a link that Slack unfolds changes a message too."""
    now, before = event.get("message") or {}, event.get("previous_message") or {}
    if now.get("subtype") == "tombstone":
        return _deleted(event, before, ts=str(now.get("ts")), me=me, raw=raw)
    edited = now.get("edited") or {}
    if not edited or now.get("text") == before.get("text"):
        return None
    ts = str(now["ts"])
    place = place_of({**now, "channel": event.get("channel"), "channel_type": event.get("channel_type")})
    version = str(edited.get("ts") or event.get("ts"))
    return Edited(
        event=f"e:{me.team}:{place.chat}:{ts}:{version}",
        place=place,
        person=person_of(now, names=names),
        at=moment(version),
        raw=raw,
        message=ts,
        text=reading.to_markdown(text_of(now), names=names, without=me.user),
        addressed=place.kind is PlaceKind.DIRECT or reading.mentions(text_of(now), user=me.user),
    )


def _deleted(event: Json, before: Json, *, ts: str, me: Me, raw: str) -> Deleted:
    place = place_of({**before, "ts": ts, "channel": event.get("channel"), "channel_type": event.get("channel_type")})
    return Deleted(
        event=f"d:{me.team}:{place.chat}:{ts}",
        place=place,
        person=person_of(before, names={}),
        at=moment(str(event.get("event_ts") or event.get("ts") or ts)),
        raw=raw,
        message=ts,
    )


def place_of(event: Json) -> Place:
    """A reply goes to `thread_ts`, or begins a thread at `ts`. A direct chat is one conversation outside of threads."""
    chat = str(event.get("channel") or "")
    is_direct = event.get("channel_type") == "im" or chat.startswith("D")
    thread = str(event.get("thread_ts") or ("" if is_direct else event.get("ts") or ""))
    return Place(chat=chat, thread=thread, kind=PlaceKind.DIRECT if is_direct else PlaceKind.GROUP)


def person_of(event: Json, *, names: Mapping[str, str]) -> Person:
    user = str(event.get("user") or event.get("bot_id") or "")
    profile = event.get("user_profile") or {}
    given = names.get(user) or profile.get("display_name") or profile.get("real_name") or event.get("username")
    bot = str(event.get("bot_id") or "")
    return Person(id=user, name=str(given or ""), others=(bot,) if bot and bot != user else ())


def attachments_of(message: Json) -> tuple[tuple[Attachment, ...], list[str]]:
    """Files that can be had, and links to those that are kept elsewhere or gone, as mrkdwn."""
    files: list[Attachment] = []
    links: list[str] = []
    for file in message.get("files") or ():
        mode = file.get("mode")
        if mode == "tombstone" or file.get("file_access") == "access_denied":
            continue
        if mode == "hidden_by_limit":
            links.append("(a file that Slack does not show any more)")
        elif mode == "external" and file.get("url_private"):
            links.append(f"<{file['url_private']}|{file.get('title') or file.get('name') or 'file'}>")
        else:
            size = file.get("size")
            files.append(
                Attachment(
                    key=str(file["id"]),
                    name=str(file.get("name") or file.get("title") or file["id"]),
                    mime=str(file.get("mimetype") or "application/octet-stream"),
                    size=int(size) if size is not None else None,
                )
            )
    return tuple(files), links


def action_of(payload: Json, *, me: Me, names: Mapping[str, str]) -> CardAction | None:
    """A press of one of our buttons. Menus and links also say that they were touched: that is None."""
    action = (payload.get("actions") or [{}])[0]
    token = str(action.get("value") or "")
    if action.get("type") != "button" or not blocks.is_ours(str(action.get("action_id") or "")) or not token:
        return None
    container = payload.get("container") or {}
    message = payload.get("message") or {}
    ts = str(container.get("message_ts") or message.get("ts") or "")
    channel = payload.get("channel") or {}
    thread = container.get("thread_ts") or message.get("thread_ts")
    place = place_of({"channel": container.get("channel_id") or channel.get("id"), "ts": ts, "thread_ts": thread})
    return CardAction(
        event=f"a:{me.app}:{payload.get('trigger_id')}",
        place=place,
        person=_acting(payload, names=names),
        at=moment(str(action.get("action_ts") or ts)),
        raw=raw_of(payload),
        message=ts,
        token=token,
        values=blocks.values_of((payload.get("state") or {}).get("values") or {}),
    )


def command_of(payload: Json, *, me: Me, names: Mapping[str, str], now: int) -> Command:
    """`/pal stop now` is the command "pal" with "stop now": all bots of a workspace share one space of commands."""
    user = str(payload.get("user_id") or "")
    return Command(
        event=f"c:{me.app}:{payload.get('trigger_id')}",
        place=place_of({"channel": payload.get("channel_id"), "ts": ""}),
        person=Person(id=user, name=names.get(user) or str(payload.get("user_name") or "")),
        at=now,
        raw=raw_of(payload),
        name=str(payload.get("command") or "").lstrip("/"),
        text=reading.to_markdown(str(payload.get("text") or ""), names=names),
    )


def _acting(payload: Json, *, names: Mapping[str, str]) -> Person:
    user = payload.get("user") or {}
    id = str(user.get("id") or "")
    return Person(id=id, name=names.get(id) or str(user.get("name") or user.get("username") or ""))


def moment(ts: str) -> int:
    """A `ts` in UTC milliseconds; 0 when it is none."""
    seconds, _, fraction = ts.partition(".")
    if not seconds.isdecimal():
        return 0
    return int(seconds) * 1000 + int((fraction + "000")[:3] if fraction.isdecimal() else 0)


def raw_of(payload: Json) -> str:
    """The payload without what could be used again."""
    kept = {name: value for name, value in payload.items() if name not in SECRET}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))[:MOST_RAW]
