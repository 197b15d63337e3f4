"""What the platform knows: apps, people, chats, messages, uploads. No I/O; time is the platform's own clock.

Every person has one `union_id` and, in each app, another `open_id`. A message keeps all its versions.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
SCOPES = (
    "im:message.p2p_msg:readonly",
    "im:message.group_at_msg:readonly",
    "im:message:send_as_bot",
    "im:message",
    "im:message.reactions:write_only",
    "im:resource",
    "im:chat:readonly",
    "contact:user.base:readonly",
)
UUID_HOLDS = 3_600_000  # milliseconds a uuid keeps a second message from being made
TENANT = "2ca1d211f64f6438"


@dataclass(slots=True, kw_only=True)
class App:
    """One self-made app with a bot."""

    id: str
    secret: str
    name: str
    open_id: str
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    is_active: bool = True
    hears_all: bool = False
    token_life: int = 7200  # seconds
    tokens: dict[str, int] = field(default_factory=dict)  # token → moment of its end
    config: Json | None = None  # ClientConfig of the socket; None: not told
    most_sockets: int = 50


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody with the chat client."""

    union_id: str
    user_id: str
    name: str


@dataclass(slots=True, kw_only=True)
class Chat:
    """`mode` is group, topic or p2p; a p2p chat has one person and one app."""

    id: str
    name: str
    mode: str
    people: list[str]
    apps: list[str]


@dataclass(slots=True, kw_only=True)
class Message:
    """`sender` is a union_id or an app id; `mentions` are keys with the same."""

    id: str
    chat_id: str
    sender: str
    by_app: bool
    type: str
    content: str
    created_at: int
    updated_at: int
    root_id: str = ""
    parent_id: str = ""
    thread_id: str = ""
    mentions: list[tuple[str, str]] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    is_deleted: bool = False
    uuid: str = ""
    reactions: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → emoji, who


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file or an image; `message_id` once a person sent it in one."""

    key: str
    owner: str
    kind: str
    name: str
    content: bytes
    mime: str = "application/octet-stream"


class World:
    """The whole state. Ids are words with a counter, so a test that fails can be read."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.people: dict[str, Person] = {}
        self.chats: dict[str, Chat] = {}
        self.messages: dict[str, Message] = {}
        self.uploads: dict[str, Upload] = {}
        self.uuids: dict[tuple[str, str], tuple[str, int]] = {}
        self.ahead = 0  # milliseconds this clock is before the computer's
        self._numbers = itertools.count(1)

    def now(self) -> int:
        return int(time.time() * 1000) + self.ahead

    def new_id(self, word: str) -> str:
        return f"{word}_{next(self._numbers):06d}{hashlib.sha1(word.encode()).hexdigest()[:6]}"

    def open_id(self, app_id: str, union_id: str) -> str:
        """The person's id in this app; another one in every app."""
        return "ou_" + hashlib.sha1(f"{app_id}:{union_id}".encode()).hexdigest()[:24]

    def person_by(self, app_id: str, kind: str, value: str) -> Person | None:
        """Whoever has that id of that kind, as this app sees people."""
        for person in self.people.values():
            known = {
                "union_id": person.union_id,
                "user_id": person.user_id,
                "open_id": self.open_id(app_id, person.union_id),
                "email": f"{person.user_id}@example.com",
            }
            if known.get(kind) == value:
                return person
        return None

    def direct_chat(self, app_id: str, union_id: str) -> Chat:
        """The chat of the two, made when they have none."""
        for chat in self.chats.values():
            if chat.mode == "p2p" and chat.apps == [app_id] and chat.people == [union_id]:
                return chat
        chat = Chat(id=self.new_id("oc"), name="", mode="p2p", people=[union_id], apps=[app_id])
        self.chats[chat.id] = chat
        return chat

    def add_message(
        self,
        chat: Chat,
        *,
        sender: str,
        by_app: bool,
        type: str,
        content: str,
        reply_to: str | None = None,
        in_thread: bool = False,
        mentions: list[tuple[str, str]] | None = None,
        uuid: str = "",
    ) -> Message:
        """A new message with the root, parent and topic that a reply has."""
        now = self.now()
        message = Message(
            id=self.new_id("om"),
            chat_id=chat.id,
            sender=sender,
            by_app=by_app,
            type=type,
            content=content,
            created_at=now,
            updated_at=now,
            mentions=mentions or [],
            versions=[content],
            uuid=uuid,
        )
        if reply_to:
            self._put_below(message, self.messages[reply_to], in_thread=in_thread)
        elif chat.mode == "topic":
            message.thread_id = self.new_id("omt")
        self.messages[message.id] = message
        return message

    def _put_below(self, message: Message, parent: Message, *, in_thread: bool) -> None:
        root = self.messages[parent.root_id] if parent.root_id else parent
        message.root_id = root.id
        message.parent_id = parent.id
        if in_thread and not root.thread_id:
            root.thread_id = self.new_id("omt")
        message.thread_id = root.thread_id
        if message.thread_id:
            message.parent_id = root.id  # inside a topic both are the root

    def change(self, message: Message, content: str) -> None:
        message.content = content
        message.versions.append(content)
        message.updated_at = self.now()

    def of_chat(self, chat_id: str) -> list[Message]:
        """What a listing of the chat shows: of a topic its first message alone."""
        return [m for m in self.messages.values() if m.chat_id == chat_id and (not m.thread_id or not m.root_id)]

    def of_thread(self, thread_id: str) -> list[Message]:
        return [m for m in self.messages.values() if m.thread_id == thread_id]
