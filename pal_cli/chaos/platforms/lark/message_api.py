"""Messages over the API: send, reply, edit, change a card, withdraw, read, react."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.lark import shapes
from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.open_api import PER_CHAT, PER_MESSAGE, Door, Refusal, fine
from pal_cli.chaos.platforms.lark.world import UUID_HOLDS, App, Chat, Message, World

Json = dict[str, Any]
TEXT_BYTES, CARD_BYTES = 150_000, 30_000
MOST_TABLES = 5
MOST_EDITS = 20
CARD_LIFE = 14 * 86_400_000  # milliseconds
EMOJI = {"Typing", "OK", "THUMBSUP", "DONE", "OnIt", "OneSecond", "SMILE", "CrossMark", "CheckMark", "Get"}


class MessageApi:
    """The routes below /open-apis/im/v1/messages."""

    def __init__(self, world: World, journal: Journal, door: Door) -> None:
        self._world = world
        self._journal = journal
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        base = "/open-apis/im/v1/messages"
        needs = self._door.needs
        return [
            web.post(base, needs("im:message:send_as_bot", self._create)),
            web.get(base, needs("im:message", self._list)),
            web.get(base + "/{id}", needs("im:message", self._get)),
            web.post(base + "/{id}/reply", needs("im:message:send_as_bot", self._reply)),
            web.put(base + "/{id}", needs("im:message", self._edit)),
            web.patch(base + "/{id}", needs("im:message:send_as_bot", self._patch)),
            web.delete(base + "/{id}", needs("im:message", self._withdraw)),
            web.post(base + "/{id}/reactions", needs("im:message.reactions:write_only", self._react)),
            web.get(base + "/{id}/reactions", needs("im:message", self._reactions)),
            web.delete(base + "/{id}/reactions/{reaction}", needs("im:message.reactions:write_only", self._unreact)),
        ]

    async def _create(self, app: App, request: web.Request) -> web.Response:
        asked = await request.json()
        kind = request.query.get("receive_id_type", "")
        chat = self._chat(app, kind, str(asked.get("receive_id", "")))
        return self._send(app, chat, asked)

    async def _reply(self, app: App, request: web.Request) -> web.Response:
        target = self._message(request.match_info["id"])
        if target.is_deleted:
            raise Refusal(230011, "The message was withdrawn.")
        asked = await request.json()
        return self._send(app, self._member_chat(app, target.chat_id), asked, reply_to=target.id)

    def _send(self, app: App, chat: Chat, asked: Json, *, reply_to: str | None = None) -> web.Response:
        uuid = str(asked.get("uuid") or "")
        if len(uuid) > 50:
            raise Refusal(230001, "invalid request param, ext=uuid is longer than 50")
        before = self._world.uuids.get((app.id, uuid)) if uuid else None
        if before and self._world.now() - before[1] < UUID_HOLDS:
            self._journal.write("repeated", app=app.id, uuid=uuid, message=before[0])
            return fine(shapes.message_item(self._world, app, self._world.messages[before[0]]))
        _check_content(str(asked.get("msg_type")), asked.get("content"))
        self._door.hold_speed(f"chat {chat.id}", PER_CHAT)
        message = self._world.add_message(
            chat,
            sender=app.id,
            by_app=True,
            type=asked["msg_type"],
            content=asked["content"],
            reply_to=reply_to,
            in_thread=bool(asked.get("reply_in_thread")),
            uuid=uuid,
        )
        if uuid:
            self._world.uuids[(app.id, uuid)] = (message.id, self._world.now())
        self._journal.write("posted", app=app.id, message=message.id, chat=chat.id, type=message.type, uuid=uuid)
        return fine(shapes.message_item(self._world, app, message))

    async def _edit(self, app: App, request: web.Request) -> web.Response:
        message = self._own(app, request.match_info["id"])
        asked = await request.json()
        if message.type not in ("text", "post"):
            raise Refusal(230001, "invalid request param, ext=only text and post can be edited")
        if len(message.versions) > MOST_EDITS:
            raise Refusal(230072, "The message has reached the number of times it can be edited.")
        _check_content(message.type, asked.get("content"))
        self._change(app, message, asked["content"])
        return fine(shapes.message_item(self._world, app, message))

    async def _patch(self, app: App, request: web.Request) -> web.Response:
        message = self._own(app, request.match_info["id"])
        if message.type != "interactive":
            raise Refusal(230001, "invalid request param, ext=not a card")
        if self._world.now() - message.created_at > CARD_LIFE:
            raise Refusal(230031, "The message is too old to be changed.")
        asked = await request.json()
        _check_content("interactive", asked.get("content"))
        self._door.hold_speed(f"message {message.id}", PER_MESSAGE)
        self._change(app, message, asked["content"])
        return fine()

    def _change(self, app: App, message: Message, content: str) -> None:
        self._world.change(message, content)
        self._journal.write("changed", app=app.id, message=message.id, version=len(message.versions))

    async def _withdraw(self, app: App, request: web.Request) -> web.Response:
        message = self._own(app, request.match_info["id"])
        message.is_deleted = True
        self._journal.write("withdrawn", app=app.id, message=message.id)
        return fine()

    async def _get(self, app: App, request: web.Request) -> web.Response:
        message = self._message(request.match_info["id"])
        self._member_chat(app, message.chat_id)
        return fine({"items": [shapes.message_item(self._world, app, message)]})

    async def _list(self, app: App, request: web.Request) -> web.Response:
        query = request.query
        place = query.get("container_id", "")
        if query.get("container_id_type") == "thread":
            found = self._world.of_thread(place)
            if found:
                self._member_chat(app, found[0].chat_id)
            if "start_time" in query or "end_time" in query:
                raise Refusal(230001, "invalid request param, ext=a thread has no range of time")
        else:
            found = self._world.of_chat(self._member_chat(app, place).id)
        start = int(query.get("start_time", "0")) * 1000
        found = [m for m in found if m.created_at >= start and not m.is_deleted]
        found.sort(key=lambda m: m.created_at, reverse=query.get("sort_type") == "ByCreateTimeDesc")
        size = min(50, int(query.get("page_size", "20")))
        first = int(query.get("page_token") or "0")
        page = found[first : first + size]
        more = first + size < len(found)
        items = [shapes.message_item(self._world, app, message) for message in page]
        return fine({"items": items, "has_more": more, "page_token": str(first + size) if more else ""})

    async def _react(self, app: App, request: web.Request) -> web.Response:
        message = self._message(request.match_info["id"])
        if message.is_deleted:
            raise Refusal(231003, "The message is not found, deleted or withdrawn.")
        emoji = (await request.json())["reaction_type"]["emoji_type"]
        if emoji not in EMOJI:
            raise Refusal(231001, "reaction type is invalid.")
        reaction = self._world.new_id("react")
        message.reactions[reaction] = (emoji, app.id)
        self._journal.write("reacted", app=app.id, message=message.id, emoji=emoji)
        return fine({"reaction_id": reaction, "reaction_type": {"emoji_type": emoji}})

    async def _reactions(self, app: App, request: web.Request) -> web.Response:
        message = self._message(request.match_info["id"])
        wanted = request.query.get("reaction_type")
        items = [
            {
                "reaction_id": id,
                "operator": {"operator_id": who, "operator_type": "app" if who in self._world.apps else "user"},
                "reaction_type": {"emoji_type": emoji},
            }
            for id, (emoji, who) in message.reactions.items()
            if wanted in (None, emoji)
        ]
        return fine({"items": items, "has_more": False, "page_token": ""})

    async def _unreact(self, app: App, request: web.Request) -> web.Response:
        message = self._message(request.match_info["id"])
        emoji, who = message.reactions.get(request.match_info["reaction"], ("", ""))
        if who != app.id:
            raise Refusal(231007, "The reaction is not yours.")
        del message.reactions[request.match_info["reaction"]]
        self._journal.write("unreacted", app=app.id, message=message.id, emoji=emoji)
        return fine({"reaction_id": request.match_info["reaction"]})

    # --- who may

    def _message(self, id: str) -> Message:
        message = self._world.messages.get(id)
        if message is None:
            raise Refusal(230001, "invalid request param, ext=message not found")
        return message

    def _own(self, app: App, id: str) -> Message:
        message = self._message(id)
        if message.sender != app.id:
            raise Refusal(230071, "The operator is not the sender of the message.")
        if message.is_deleted:
            raise Refusal(230011, "The message was withdrawn.")
        return message

    def _member_chat(self, app: App, chat_id: str) -> Chat:
        chat = self._world.chats.get(chat_id)
        if chat is None or app.id not in chat.apps:
            raise Refusal(230002, "Bot/User can NOT be out of the chat.")
        return chat

    def _chat(self, app: App, kind: str, receiver: str) -> Chat:
        if kind == "chat_id":
            return self._member_chat(app, receiver)
        person = self._world.person_by(app.id, kind, receiver)
        if person is None:
            foreign = kind == "open_id" and any(self._world.person_by(a, kind, receiver) for a in self._world.apps)
            raise Refusal(99992361 if foreign else 230001, "open_id cross app" if foreign else "no such receiver")
        return self._world.direct_chat(app.id, person.union_id)


def _check_content(kind: str, content: Any) -> None:
    """Refusal as the platform would: shape, size, tables of a card."""
    if not isinstance(content, str):
        raise Refusal(230001, "invalid request param, ext=content is not a string")
    try:
        body = json.loads(content)
    except ValueError:
        raise Refusal(230001, "invalid request param, ext=content is not in JSON format") from None
    if not isinstance(body, dict) or (kind == "post" and "post" in body):
        raise Refusal(230001, "invalid request param, ext=content has the wrong shape")
    if kind == "text" and not body.get("text"):
        raise Refusal(230001, "invalid request param, ext=text is empty")
    size = len(json.dumps(content, ensure_ascii=False).encode())  # with the escapes it has inside the request
    if size > (TEXT_BYTES if kind == "text" else CARD_BYTES):
        raise Refusal(230025, "The length of the message content reaches its limit.")
    if kind == "interactive":
        _check_card(body)


def _check_card(card: Json) -> None:
    elements = card.get("body", {}).get("elements", [])
    if card.get("schema") != "2.0" or not isinstance(elements, list):
        raise Refusal(230099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: wrong schema")
    tables = sum(_tables_in(str(e.get("content", ""))) for e in elements if e.get("tag") == "markdown")
    if tables > MOST_TABLES:
        raise Refusal(230099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit")
    if _count(card) > 200:
        raise Refusal(230099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: element exceeds the limit")


def _tables_in(markdown: str) -> int:
    lines = markdown.splitlines()
    return sum(1 for line in lines if set(line.strip()) <= set("|-: ") and "|" in line and "-" in line)


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return ("tag" in value) + sum(_count(inner) for inner in value.values())
    return sum(_count(inner) for inner in value) if isinstance(value, list) else 0
