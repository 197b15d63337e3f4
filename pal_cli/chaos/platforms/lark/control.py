"""The door for tests: what people do in the chat, what goes wrong, and what was seen. POST /control/<verb>."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pal_cli.chaos.platforms.lark import shapes
from pal_cli.chaos.platforms.lark.faults import Fault, Faults
from pal_cli.chaos.platforms.lark.journal import Journal
from pal_cli.chaos.platforms.lark.open_api import Door
from pal_cli.chaos.platforms.lark.registration import Registration
from pal_cli.chaos.platforms.lark.sockets import Event, Sockets
from pal_cli.chaos.platforms.lark.world import TENANT, App, Chat, Message, Person, Upload, World

Json = dict[str, Any]
CALLBACK_WITHIN = 3.0  # seconds a click waits for its answer
LONGEST_WAIT = 30.0  # seconds one look into the journal may wait


class Control:
    """Each verb is a method that takes and gives an object."""

    def __init__(
        self,
        world: World,
        journal: Journal,
        sockets: Sockets,
        faults: Faults,
        door: Door,
        registration: Registration,
    ) -> None:
        self._world = world
        self._journal = journal
        self._sockets = sockets
        self._faults = faults
        self._door = door
        self._registration = registration
        self._verbs: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "app": self._app,
            "person": self._person,
            "chat": self._chat,
            "upload": self._upload,
            "say": self._say,
            "edit": self._edit,
            "recall": self._recall,
            "react": self._react,
            "click": self._click,
            "join": self._join,
            "event": self._event,
            "again": self._again,
            "raw": self._raw,
            "fault": self._fault,
            "waiting_faults": self._waiting_faults,
            "calm": self._calm,
            "sockets": self._treat,
            "refuse": self._refuse,
            "lose_acks": self._lose_acks,
            "clock": self._clock,
            "schedule": self._schedule,
            "limits": self._limits,
            "tokens": self._tokens,
            "scan": self._scan,
            "journal": self._read_journal,
            "posted": self._posted,
        }

    async def handle(self, request: web.Request) -> web.Response:
        verb = self._verbs[request.match_info["verb"]]
        return web.json_response(await verb(json.loads(await request.read() or b"{}")))

    # --- the world

    async def _app(self, asked: Json) -> Json:
        """Make an app, or change one: id, secret, name, scopes, hears_all, is_active, token_life, config."""
        app = self._world.apps.get(asked["id"])
        if app is None:
            open_id = self._world.open_id(asked["id"], "bot")
            app = App(id=asked["id"], secret=asked["secret"], name=asked.get("name", "Bot"), open_id=open_id)
            self._world.apps[app.id] = app
        for name in ("secret", "name", "hears_all", "is_active", "token_life", "config", "most_sockets"):
            if name in asked:
                setattr(app, name, asked[name])
        if "scopes" in asked:
            app.scopes = set(asked["scopes"])
        return {"open_id": app.open_id, "scopes": sorted(app.scopes)}

    async def _person(self, asked: Json) -> Json:
        name = asked["name"]
        person = Person(union_id=self._world.new_id("on"), user_id=self._world.new_id("u"), name=name)
        self._world.people[person.union_id] = person
        open_ids = {app: self._world.open_id(app, person.union_id) for app in self._world.apps}
        return {"union_id": person.union_id, "user_id": person.user_id, "open_ids": open_ids}

    async def _chat(self, asked: Json) -> Json:
        if asked.get("mode") == "p2p":
            return {"chat_id": self._world.direct_chat(asked["apps"][0], asked["people"][0]).id}
        chat = Chat(
            id=self._world.new_id("oc"),
            name=asked.get("name", "Chat"),
            mode=asked.get("mode", "group"),
            people=asked.get("people", []),
            apps=asked.get("apps", []),
        )
        self._world.chats[chat.id] = chat
        return {"chat_id": chat.id}

    async def _upload(self, asked: Json) -> Json:
        """A file a person has; its key goes into the content of what they say."""
        key = self._world.new_id("img_v3" if asked["kind"] == "image" else "file_v3")
        content = bytes.fromhex(asked["hex"])
        mime = asked.get("mime", "application/octet-stream")
        self._world.uploads[key] = Upload(
            key=key, owner="", kind=asked["kind"], name=asked["name"], content=content, mime=mime
        )
        return {"key": key}

    # --- what people do

    async def _say(self, asked: Json) -> Json:
        """A person's message: `text`, or `type` and `content`. Pushed to who hears it, unless `push` is false.

        `mentions` are app ids, union ids; the text names them @_user_1, @_user_2 …
        """
        chat = self._world.chats[asked["chat"]]
        mentions = [(f"@_user_{place}", who) for place, who in enumerate(asked.get("mentions", []), 1)]
        content = asked.get("content")
        content = json.dumps({"text": asked["text"]} if content is None else content, ensure_ascii=False)
        message = self._world.add_message(
            chat,
            sender=asked["person"],
            by_app=asked["person"] in self._world.apps,
            type=asked.get("type", "text"),
            content=content,
            reply_to=asked.get("reply_to"),
            in_thread=asked.get("in_thread", False),
            mentions=mentions,
        )
        events = []
        for app_id in chat.apps:
            app = self._world.apps[app_id]
            if app_id != asked["person"] and _hears(app, chat, mentions):
                body = shapes.message_event(self._world, app, message)
                kind = "im.message.receive_v1"
                events.append(self._sockets.add(app, kind, body, parts=asked.get("parts", 1)))
        return await self._pushed(asked, events, message)

    async def _pushed(self, asked: Json, events: list[Event], message: Message | None = None) -> Json:
        if asked.get("push", True):
            for event in events:
                await self._sockets.push(event)
        answer: Json = {"events": [event.id for event in events]}
        if message is not None:
            answer |= {"message_id": message.id, "thread_id": message.thread_id}
        return answer

    async def _edit(self, asked: Json) -> Json:
        """A person edits: nobody is told, a later reading shows it."""
        message = self._world.messages[asked["message"]]
        self._world.change(message, json.dumps({"text": asked["text"]}, ensure_ascii=False))
        return {}

    async def _recall(self, asked: Json) -> Json:
        """A person or an administrator withdraws a message, the bot's too."""
        message = self._world.messages[asked["message"]]
        message.is_deleted = True
        chat = self._world.chats[message.chat_id]
        body = {
            "message_id": message.id,
            "chat_id": chat.id,
            "recall_time": str(self._world.now()),
            "recall_type": "message_owner",
        }
        return await self._to_all(asked, chat, "im.message.recalled_v1", body)

    async def _react(self, asked: Json) -> Json:
        """A reaction of a person; or of the app itself, when `person` is an app id."""
        message = self._world.messages[asked["message"]]
        chat = self._world.chats[message.chat_id]
        who = asked["person"]
        events = []
        for app_id in chat.apps:
            app = self._world.apps[app_id]
            body: Json = {
                "message_id": message.id,
                "reaction_type": {"emoji_type": asked["emoji"]},
                "action_time": str(self._world.now()),
            }
            if who in self._world.apps:
                body |= {"operator_type": "app", "app_id": who}
            else:
                body |= {"operator_type": "user", "user_id": shapes.person_ids(self._world, app, who)}
            events.append(self._sockets.add(app, "im.message.reaction.created_v1", body))
        return await self._pushed(asked, events)

    async def _click(self, asked: Json) -> Json:
        """A person clicks in a card; waits for the answer as the platform does. `{"code", "data"}` or `{"error"}`."""
        message = self._world.messages[asked["message"]]
        app = self._world.apps[asked.get("app") or message.sender]
        action: Json = {"tag": asked.get("tag", "button"), "value": asked["value"]}
        for name in ("form_value", "input_value", "option", "options", "name"):
            if name in asked:
                action[name] = asked[name]
        body = {
            "operator": {"tenant_key": TENANT, **shapes.person_ids(self._world, app, asked["person"])},
            "token": self._world.new_id("c"),
            "host": "im_message",
            "action": action,
            "context": {"open_message_id": message.id, "open_chat_id": message.chat_id},
        }
        event = self._sockets.add(app, "card.action.trigger", body)
        await self._sockets.push(event)
        try:
            answer = await asyncio.wait_for(event.answered, CALLBACK_WITHIN)
        except TimeoutError:
            return {"error": "timeout", "event": event.id}
        card = ((answer.get("data") or {}).get("card") or {}).get("data")
        if card is not None:
            self._world.change(message, json.dumps(card, ensure_ascii=False))
            self._journal.write("changed", app=app.id, message=message.id, version=len(message.versions))
        return {**answer, "event": event.id}

    async def _join(self, asked: Json) -> Json:
        """The bot is put into a chat, or out of it."""
        chat, app = self._world.chats[asked["chat"]], self._world.apps[asked["app"]]
        leaves = asked.get("leaves", False)
        if leaves:
            chat.apps.remove(app.id)
        else:
            chat.apps.append(app.id)
        operator = shapes.person_ids(self._world, app, asked["person"])
        body = {"chat_id": chat.id, "operator_id": operator, "external": False, "name": chat.name, "i18n_names": {}}
        kind = f"im.chat.member.bot.{'deleted' if leaves else 'added'}_v1"
        return await self._pushed(asked, [self._sockets.add(app, kind, body)])

    async def _event(self, asked: Json) -> Json:
        """Any event of any shape, to one app."""
        app = self._world.apps[asked["app"]]
        event = self._sockets.add(app, asked["type"], asked["event"], event_id=asked.get("id", ""))
        return await self._pushed(asked, [event])

    async def _to_all(self, asked: Json, chat: Chat, kind: str, body: Json) -> Json:
        events = [self._sockets.add(self._world.apps[app_id], kind, body) for app_id in chat.apps]
        return await self._pushed(asked, events)

    # --- what goes wrong

    async def _again(self, asked: Json) -> Json:
        """Push events, in this order, whether or not they were acked; with `renamed` under new event ids."""
        for event_id in asked["events"]:
            event = self._sockets.events[event_id]
            if asked.get("renamed"):
                app = self._world.apps[event.app_id]
                event = self._sockets.add(app, event.kind, event.body["event"])
            await self._sockets.push(event)
        return {}

    async def _raw(self, asked: Json) -> Json:
        await self._sockets.send_raw(asked["app"], asked["headers"], asked["payload"].encode())
        return {}

    async def _fault(self, asked: Json) -> Json:
        self._faults.order(Fault(**asked))
        return {}

    async def _waiting_faults(self, asked: Json) -> Json:
        return {"faults": self._faults.waiting}

    async def _calm(self, asked: Json) -> Json:
        self._faults.clear()
        return {}

    async def _treat(self, asked: Json) -> Json:
        """cut, close, deaf, frozen, live; without `do` only how many sockets there are."""
        count = len(self._sockets.of(asked["app"]))
        if asked.get("do"):
            count = await self._sockets.treat(asked["app"], asked["do"])
        return {"sockets": count}

    async def _refuse(self, asked: Json) -> Json:
        """The next handshakes get this status and these headers."""
        self._sockets.refusals += [(asked["status"], asked.get("headers", {}))] * asked.get("times", 1)
        return {}

    async def _lose_acks(self, asked: Json) -> Json:
        self._sockets.losses[asked["app"]] = asked["times"]
        return {}

    async def _clock(self, asked: Json) -> Json:
        self._world.ahead += asked.get("ahead", 0)
        self._sockets.look_again()
        return {"now": self._world.now()}

    async def _schedule(self, asked: Json) -> Json:
        """Milliseconds after which an event without an ack is pushed again."""
        self._sockets.push_again = tuple(asked["after"])
        return {}

    async def _limits(self, asked: Json) -> Json:
        self._door.limits_are_on = asked["on"]
        return {}

    async def _tokens(self, asked: Json) -> Json:
        """Every token of the app is invalid from now on."""
        self._world.apps[asked["app"]].tokens.clear()
        return {}

    async def _scan(self, asked: Json) -> Json:
        """Somebody scans the code; `answers` are told to polls before that."""
        self._registration.answers = asked.get("answers", [])
        self._registration.scanned_by = asked.get("person")
        return {}

    # --- what was seen

    async def _read_journal(self, asked: Json) -> Json:
        wait_for = min(LONGEST_WAIT, asked.get("wait", 0.0))
        return {"entries": await self._journal.after(asked.get("after", 0), wait_for=wait_for)}

    async def _posted(self, asked: Json) -> Json:
        """Messages of the app, or of the chat, in the order they were made."""
        wanted = [
            message
            for message in self._world.messages.values()
            if asked.get("app") in (None, message.sender) and asked.get("chat") in (None, message.chat_id)
        ]
        return {"messages": [shapes.posted(self._world, m) for m in wanted if m.by_app or asked.get("all")]}


def _hears(app: App, chat: Chat, mentions: list[tuple[str, str]]) -> bool:
    if chat.mode == "p2p" or app.hears_all:
        return True
    return "im:message.group_at_msg:readonly" in app.scopes and any(who == app.id for _, who in mentions)
