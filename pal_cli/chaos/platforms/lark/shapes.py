"""How the platform writes what it knows, as one app may see it: events and API answers."""

from __future__ import annotations

from typing import Any

from pal_cli.chaos.platforms.lark.world import TENANT, App, Message, World

Json = dict[str, Any]


def envelope(world: World, app: App, kind: str, event: Json, *, event_id: str) -> Json:
    """The whole event (schema 2.0) as it is pushed."""
    return {
        "schema": "2.0",
        "header": {
            "event_id": event_id,
            "event_type": kind,
            "create_time": str(world.now()),
            "token": "",
            "app_id": app.id,
            "tenant_key": TENANT,
        },
        "event": event,
    }


def person_ids(world: World, app: App, union_id: str) -> Json:
    """The three ids; `user_id` only for an app that may know it."""
    may_know = "contact:user.employee_id:readonly" in app.scopes
    return {
        "open_id": world.open_id(app.id, union_id),
        "union_id": union_id,
        "user_id": world.people[union_id].user_id if may_know else None,
    }


def message_event(world: World, app: App, message: Message) -> Json:
    """The `event` of im.message.receive_v1."""
    chat = world.chats[message.chat_id]
    shown: Json = {
        "message_id": message.id,
        "create_time": str(message.created_at),
        "update_time": str(message.updated_at),
        "chat_id": chat.id,
        "chat_type": {"p2p": "p2p", "topic": "topic_group"}.get(chat.mode, "group"),
        "message_type": message.type,
        "content": message.content,
    }
    for name in ("root_id", "parent_id", "thread_id"):
        if getattr(message, name):
            shown[name] = getattr(message, name)
    if message.mentions:
        shown["mentions"] = [_mention_event(world, app, key, who) for key, who in message.mentions]
    sender: Json = {"sender_type": "user", "tenant_key": TENANT, "sender_id": {}}
    if message.by_app:
        sender["sender_type"] = "app"
        sender["sender_id"] = {"open_id": world.apps[message.sender].open_id, "union_id": None, "user_id": None}
    else:
        sender["sender_id"] = person_ids(world, app, message.sender)
    return {"sender": sender, "message": shown}


def message_item(world: World, app: App, message: Message) -> Json:
    """A message in the answer of a listing, of create and of reply."""
    shown: Json = {
        "message_id": message.id,
        "msg_type": message.type,
        "create_time": str(message.created_at),
        "update_time": str(message.updated_at),
        "deleted": message.is_deleted,
        "updated": len(message.versions) > 1,
        "chat_id": message.chat_id,
        "sender": {"id": message.sender, "id_type": "app_id", "sender_type": "app", "tenant_key": TENANT},
        "body": {"content": message.content},
    }
    if not message.by_app:
        open_id = world.open_id(app.id, message.sender)
        shown["sender"] = {"id": open_id, "id_type": "open_id", "sender_type": "user", "tenant_key": TENANT}
    for name in ("root_id", "parent_id", "thread_id"):
        if getattr(message, name):
            shown[name] = getattr(message, name)
    if message.mentions:
        shown["mentions"] = [_mention_item(world, app, key, who) for key, who in message.mentions]
    return shown


def posted(world: World, message: Message) -> Json:
    """A message as a test sees it, with everything it has been."""
    return {
        "message_id": message.id,
        "chat_id": message.chat_id,
        "app_id": message.sender if message.by_app else "",
        "type": message.type,
        "content": message.content,
        "versions": message.versions,
        "root_id": message.root_id,
        "parent_id": message.parent_id,
        "thread_id": message.thread_id,
        "uuid": message.uuid,
        "deleted": message.is_deleted,
        "reactions": [[emoji, who] for emoji, who in message.reactions.values()],
    }


def _mention_event(world: World, app: App, key: str, who: str) -> Json:
    if who in world.apps:
        ids = {"open_id": world.apps[who].open_id, "union_id": "on_" + who, "user_id": None}
        return {"key": key, "id": ids, "mentioned_type": "bot", "name": world.apps[who].name, "tenant_key": TENANT}
    person = world.people[who]
    ids = person_ids(world, app, who)
    return {"key": key, "id": ids, "mentioned_type": "user", "name": person.name, "tenant_key": TENANT}


def _mention_item(world: World, app: App, key: str, who: str) -> Json:
    in_event = _mention_event(world, app, key, who)
    return {
        "key": key,
        "id": in_event["id"]["open_id"],
        "id_type": "open_id",
        "name": in_event["name"],
        "tenant_key": TENANT,
    }
