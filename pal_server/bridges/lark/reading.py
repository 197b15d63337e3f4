"""Looking at what is there: what was said while nobody listened, and whether a post of ours arrived."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pal_server.bridges.inbound import Event, Place, PlaceKind
from pal_server.bridges.lark import markdown
from pal_server.bridges.lark.api import Api, Lost, NotLeft
from pal_server.bridges.lark.content import read_content
from pal_server.bridges.lark.inbound import Self, Unreadable, read_item
from pal_server.bridges.lark.people import People
from pal_server.bridges.lark.sending import MESSAGES, Sending, as_json, receiver_kind
from pal_server.bridges.outbound import (
    CannotTell,
    Found,
    NotThere,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Sent,
)
from pal_server.bridges.platform import BadCredentials, Dropped, ReadInPart

PAGE = 50
MOST_PAGES = 10  # of one place
SAME, OTHER = 0.9, 0.5  # share of words from which two texts are the same, and up to which they are not

Item = Mapping[str, Any]


class Reading:
    """One app's looks into its chats."""

    def __init__(self, api: Api, people: People, sending: Sending) -> None:
        self._api = api
        self._people = people
        self._sending = sending
        self._threads: dict[str, str] = {}  # a topic's first message → the topic's own id

    async def read_back(self, places: Iterable[Place], *, since: int, bot: Self) -> tuple[Event, ...]:
        """What people said in these places from `since` on, oldest first. `Dropped`, `BadCredentials`, `ReadInPart`.

        A listing of a chat shows only the first message of a topic, so topics are read one by one.
        """
        chats: dict[str, PlaceKind] = {}
        threads: dict[str, tuple[str, PlaceKind]] = {}
        for place in places:
            if receiver_kind(place.chat) != "chat_id":
                continue
            chats[place.chat] = place.kind
            if place.thread:
                self._threads.setdefault(place.thread, place.memo)
                threads[place.thread] = (place.chat, place.kind)
        events: dict[str, Event] = {}
        cut: dict[str, None] = {}  # chats in which more was said than is read
        try:
            for chat, kind in chats.items():
                async for item in self._of_chat(chat, since=since, when_cut=partial(cut.setdefault, chat)):
                    await self._take(item, kind=kind, bot=bot, events=events)
            for root, (chat, kind) in threads.items():
                async for item in self._of_thread(root, since=since, when_cut=partial(cut.setdefault, chat)):
                    await self._take(item, kind=kind, bot=bot, events=events)
        except (NotLeft, Lost) as error:
            raise Dropped(str(error)) from error
        found = tuple(sorted(events.values(), key=lambda event: event.at))
        if cut:
            raise ReadInPart(f"in {', '.join(cut)} more was said than is read back", events=found)
        return found

    async def _take(self, item: Item, *, kind: PlaceKind, bot: Self, events: dict[str, Event]) -> None:
        sender = item.get("sender") or {}
        if sender.get("sender_type") != "user":
            return
        person = await self._people.by_open_id(str(sender.get("id") or ""))
        try:
            for event in read_item(item, bot=bot, kind=kind, person=person):
                events[event.event] = event
        except Unreadable:
            return  # told live, it would have been passed over as well

    async def find(self, out: Outgoing, *, since: int) -> Found:
        """Whether a post is there, as far as its content tells: Lark keeps a key for an hour and shows it to nobody."""
        try:
            if isinstance(out, React):
                ref = await self._sending.own_reaction(out.message, out.emoji)
                return Sent(ref=ref) if ref else NotThere()
            if isinstance(out, PostText | PostCard | PostFile):
                return await self._find_post(out, since=since)
        except (NotLeft, Lost, Dropped) as error:
            return CannotTell(reason=str(error), again=True)
        except BadCredentials as error:
            return CannotTell(reason=str(error))
        return CannotTell(reason="a change shows the whole content: made again, it is made once")

    async def _find_post(self, out: PostText | PostCard | PostFile, *, since: int) -> Found:
        if receiver_kind(out.place.chat) != "chat_id":
            return CannotTell(reason="a chat that is only known by whom it is with cannot be listed")
        kinds = {PostText: ("post",), PostCard: ("interactive",), PostFile: ("file", "image")}[type(out)]
        cut: list[None] = []
        listed = [item async for item in self._of_chat(out.place.chat, since=since, when_cut=lambda: cut.append(None))]
        if out.place.thread:
            listed += [
                item async for item in self._of_thread(out.place.thread, since=since, when_cut=lambda: cut.append(None))
            ]
        unseen = CannotTell(reason="too much was said there since to look through") if cut else NotThere()
        own = [
            item
            for item in listed
            if (item.get("sender") or {}).get("id") == self._api.app_id and item.get("msg_type") in kinds
        ]
        if not own:
            return unseen
        if not isinstance(out, PostText):
            return CannotTell(reason="Lark shows cards and files not as they were sent")
        given = as_json(markdown.post(out.text))
        likeness, ref = max((_likeness(given, item), str(item.get("message_id"))) for item in own)
        if likeness >= SAME:
            return Sent(ref=ref)
        return unseen if likeness < OTHER else CannotTell(reason="a text much like it is there")

    # --- listings

    async def _of_chat(
        self, chat: str, *, since: int, when_cut: Callable[[], object] | None = None
    ) -> AsyncIterator[Item]:
        query = {"container_id_type": "chat", "container_id": chat, "sort_type": "ByCreateTimeAsc"}
        async for item in self._pages({**query, "start_time": str(since // 1000)}, when_cut=when_cut):
            if int(item.get("create_time") or 0) >= since:
                yield item

    async def _of_thread(
        self, root: str, *, since: int, when_cut: Callable[[], object] | None = None
    ) -> AsyncIterator[Item]:
        """A topic has no range of time: from its newest message backwards."""
        thread = self._threads.get(root) or await self._thread_of(root)
        if not thread:
            return  # replies that are only quoted are in the listing of the chat
        query = {"container_id_type": "thread", "container_id": thread, "sort_type": "ByCreateTimeDesc"}
        async for item in self._pages(query, when_cut=when_cut):
            if int(item.get("create_time") or 0) < since:
                return
            yield item

    async def _thread_of(self, root: str) -> str:
        answer = await self._api.call("GET", f"{MESSAGES}/{root}")
        items = answer.data.get("items") or [{}]
        self._threads[root] = str(items[0].get("thread_id") or "")
        return self._threads[root]

    async def _pages(
        self, query: Mapping[str, str], *, when_cut: Callable[[], object] | None = None
    ) -> AsyncIterator[Item]:
        """At most `MOST_PAGES`; `when_cut` is called when there are more."""
        token = ""
        for _ in range(MOST_PAGES):
            asked = {**query, "page_size": str(PAGE), **({"page_token": token} if token else {})}
            answer = await self._api.call("GET", MESSAGES, query=asked)
            if answer.status == 429 or answer.status >= 500 or answer.code is None:
                raise Dropped(f"the chat could not be read: HTTP {answer.status}, code {answer.code}")
            if not answer.is_good:
                return  # not, or no longer, in this chat, or without the scope to read: nothing to read back
            for item in answer.data.get("items") or []:
                yield item
            token = str(answer.data.get("page_token") or "")
            if not answer.data.get("has_more") or not token:
                return
        if when_cut is not None:
            when_cut()


def _likeness(given: str, item: Item) -> float:
    """The share of words that two texts have in common, 0 to 1."""
    ours, theirs = _words(given), _words(str((item.get("body") or {}).get("content") or ""))
    return (ours & theirs).total() / max(ours.total(), theirs.total(), 1)


def _words(content: str) -> Counter[str]:
    text = read_content("post", content, mentions=(), own_open_id="").text
    return Counter(re.findall(r"\w+", text))
