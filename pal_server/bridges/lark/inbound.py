"""Lark's events and messages in words of pal. Pure: an event in, what pal hears of it out; None is nothing for pal.

A message is one thing by its message id: Lark may tell it again under another event id. Everything else is one thing by
its event id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pal_server.bridges.inbound import CardAction, Deleted, Edited, Event, Person, Place, PlaceKind, Said
from pal_server.bridges.lark.content import read_content, read_mentions

SECRET = frozenset({"token", "access_key", "ticket"})  # taken out of what is kept of an event
MICROSECONDS = 10**14  # a moment above this is in microseconds, as in callbacks
TOKEN_KEY = "pal"  # under this name a button's value carries pal's token

Json = Mapping[str, Any]


class Unreadable(Exception):
    """An event of a kind we know in a shape we do not. Acked all the same: again it would be no better."""


@dataclass(frozen=True, slots=True)
class Self:
    """Who the bot is on Lark."""

    app_id: str
    open_id: str


def read_event(event: Json, *, bot: Self) -> Event | None:
    """What a pushed event (schema 2.0) says. Raises `Unreadable`."""
    try:
        header, body = event["header"], event["event"]
        match header["event_type"]:
            case "im.message.receive_v1":
                return _said(header, body, event, bot)
            case "im.message.recalled_v1":
                return _deleted(header, body, event)
            case "card.action.trigger":
                return _pressed(header, body, event)
            case _:
                return None  # reactions (our own too), reads, members: nothing that is said to the bot
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def read_item(item: Json, *, bot: Self, kind: PlaceKind, person: Person) -> tuple[Event, ...]:
    """What a message of a listing says: as it was said, and as it is now if it was edited. Raises `Unreadable`."""
    try:
        if item.get("deleted") or item["sender"].get("sender_type") != "user" or item["msg_type"] == "system":
            return ()
        found = read_content(
            item["msg_type"],
            item["body"]["content"],
            mentions=read_mentions(item.get("mentions")),
            own_open_id=bot.open_id,
        )
        message = str(item["message_id"])
        place = _place(item, kind=kind, thread_id=str(item.get("thread_id") or ""))
        at = _moment(item.get("create_time"))
        said = Said(
            event=message,
            place=place,
            person=person,
            at=at,
            raw=_raw(item),
            message=message,
            text=found.text,
            addressed=kind is PlaceKind.DIRECT or found.calls,
            reply_to=str(item.get("parent_id") or ""),
            files=tuple(found.files),
            unsupported=found.unsupported,
        )
        if not item.get("updated"):
            return (said,)
        changed = _moment(item.get("update_time"))
        edit = Edited(
            event=f"{message}:{changed}",
            place=place,
            person=person,
            at=changed,
            message=message,
            text=found.text,
            addressed=said.addressed,
        )
        return (said, edit)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _said(header: Json, body: Json, event: Json, bot: Self) -> Said | None:
    sender, message = body["sender"], body["message"]
    if sender.get("sender_type") != "user" or message["message_type"] == "system":
        return None  # two bots that answer each other's messages would never end
    kind = PlaceKind.DIRECT if message["chat_type"] == "p2p" else PlaceKind.GROUP
    found = read_content(
        message["message_type"],
        message["content"],
        mentions=read_mentions(message.get("mentions")),
        own_open_id=bot.open_id,
    )
    return Said(
        event=str(message["message_id"]),
        place=_place(message, kind=kind, thread_id=str(message.get("thread_id") or "")),
        person=person_of(sender["sender_id"]),
        at=_moment(message.get("create_time") or header.get("create_time")),
        raw=_raw(event),
        message=str(message["message_id"]),
        text=found.text,
        addressed=kind is PlaceKind.DIRECT or found.calls,
        reply_to=str(message.get("parent_id") or ""),
        files=tuple(found.files),
        unsupported=found.unsupported,
    )


def _deleted(header: Json, body: Json, event: Json) -> Deleted:
    message = str(body["message_id"])
    return Deleted(
        event=f"recalled:{message}",
        place=Place(chat=str(body["chat_id"]), kind=PlaceKind.GROUP),
        person=Person(id=""),
        at=_moment(body.get("recall_time") or header.get("create_time")),
        raw=_raw(event),
        message=message,
    )


def _pressed(header: Json, body: Json, event: Json) -> CardAction | None:
    action, context = body["action"], body.get("context") or {}
    token = _token(action.get("value"))
    if not token:
        return None  # not a button of ours
    return CardAction(
        event=str(header["event_id"]),
        place=Place(chat=str(context.get("open_chat_id") or ""), kind=PlaceKind.GROUP),
        person=person_of(body["operator"]),
        at=_moment(header.get("create_time")),
        raw=_raw(event),
        message=str(context.get("open_message_id") or ""),
        token=token,
        values=_values(action),
    )


def person_of(ids: Json) -> Person:
    """Named by `union_id`: an `open_id` is another one in every app."""
    union_id, open_id, user_id = (str(ids.get(name) or "") for name in ("union_id", "open_id", "user_id"))
    known = tuple(id for id in (union_id, open_id, user_id) if id)
    if not known:
        raise ValueError("a person without any id")
    return Person(id=known[0], others=known[1:])


def _place(message: Json, *, kind: PlaceKind, thread_id: str) -> Place:
    """A thread is named by its first message, which every message below it has as `root_id`.

    A direct chat is one conversation, whatever is quoted in it, unless somebody begins a topic in it. The topic's own
    id, by which it is read back, is the memo.
    """
    root = str(message.get("root_id") or message["message_id"])
    thread = root if kind is PlaceKind.GROUP or thread_id else ""
    return Place(chat=str(message["chat_id"]), thread=thread, kind=kind, memo=thread_id)


def _token(value: Any) -> str:
    """A button's value is an object, or a string when some client made it one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return ""
    return str(value.get(TOKEN_KEY) or "") if isinstance(value, dict) else ""


def _values(action: Json) -> dict[str, str | tuple[str, ...]]:
    """What was filled in; fields left empty are absent."""
    values: dict[str, str | tuple[str, ...]] = {}
    for name, value in (action.get("form_value") or {}).items():
        if isinstance(value, list):
            values[name] = tuple(str(one) for one in value)
        elif value not in (None, ""):
            values[name] = str(value)
    return {name: value for name, value in values.items() if value}


def _moment(given: Any) -> int:
    """UTC milliseconds out of a string of milli- or microseconds."""
    moment = int(given or 0)
    return moment // 1000 if moment > MICROSECONDS else moment


def _raw(event: Json) -> str:
    return json.dumps(_without_secrets(event), ensure_ascii=False)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "…" if key in SECRET and inner else _without_secrets(inner) for key, inner in value.items()}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
