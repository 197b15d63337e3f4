"""What was said while nobody listened: read from the histories of the chats the bot is in."""

from __future__ import annotations

import time
from typing import Any

from pal_server.bridges.inbound import Event, Place, Said
from pal_server.bridges.outbound import Refused, Why
from pal_server.bridges.platform import ReadInPart

from . import events, reading
from .names import Names
from .pulse import Pulse
from .search import said_there
from .web import Failed, Web

Json = dict[str, Any]

MOST_CHATS = 40  # of histories a minute Slack gives fifty
PAGES = 3  # of each
RECENT = 3  # chats that are asked whether the socket kept something back
HOUR = 3600.0  # seconds
FRESH = 20.0  # seconds in which an event may still be on its way
KINDS = "public_channel,private_channel,im,mpim"
NAMES_WITHIN = 1.0  # seconds


class Missed:
    def __init__(self, web: Web, names: Names, *, fresh: float = FRESH) -> None:
        self._fresh = fresh
        self._web = web
        self._names = names
        self._cut: dict[str, None] = {}  # what the newest reading left out, in words

    async def since(self, places: tuple[Place, ...], *, since: int, me: events.Me) -> tuple[Event, ...]:
        """Messages since then (UTC ms), oldest first: of the threads given, and of every chat the bot is in.

        A chat that may not be read is left out. `Dropped` when Slack has no answer now, `BadCredentials`; `ReadInPart`
        when there is more than may be asked for.
        """
        chats = dict.fromkeys(place.chat for place in places)
        wanted = [(place.chat, place.thread) for place in places if place.thread]
        found: dict[str, Event] = {}
        self._cut.clear()
        try:
            chats |= dict.fromkeys(await self._mine())
            wanted += [(chat, "") for chat in chats][:MOST_CHATS]
            if len(chats) > MOST_CHATS:
                self._cut[f"{len(chats) - MOST_CHATS} of the {len(chats)} chats were not looked into"] = None
            for chat, thread in dict.fromkeys(wanted):
                for event in await self._of(chat, thread, since=since, me=me):
                    found[event.event] = event
        except Failed as failed:
            raise failed.for_listening() from failed
        events_found = tuple(sorted(found.values(), key=lambda event: event.at))
        if self._cut:
            raise ReadInPart("; ".join(self._cut), events=events_found)
        return events_found

    async def _of(self, chat: str, thread: str, *, since: int, me: events.Me) -> list[Event]:
        said = await self._read(chat, thread, since=since)
        for root in [message for message in said if not thread and message.get("reply_count")]:
            said += await self._read(chat, str(root["ts"]), since=since)
        people = [user for message in said for user in events.people_of({"event": message})]
        names = await self._names.of(people, within=NAMES_WITHIN)
        heard = [events.message_of(message, me=me, names=names, raw=events.raw_of(message)) for message in said]
        return [event for event in heard if isinstance(event, Said)]

    async def _read(self, chat: str, thread: str, *, since: int) -> list[Json]:
        """Nothing of a chat that may not be read (any more); Failed when nothing at all is to be had now."""
        pages = said_there(
            self._web,
            chat,
            oldest=since / 1000,
            thread=thread or None,
            most=PAGES,
            when_cut=lambda: self._cut.setdefault(f"in {chat} more was said than is read back"),
        )
        try:
            return [{**said, "channel": chat} async for said in pages if events.moment(str(said["ts"])) >= since]
        except Failed as failed:
            if isinstance(failed.outcome, Refused) and failed.outcome.why is not Why.CREDENTIALS:
                return []
            raise

    async def _mine(self) -> tuple[str, ...]:
        """Chats the bot is in; none when the app may not ask. Failed when nothing is to be had now."""
        try:
            answer = await self._web.call("users.conversations", types=KINDS, exclude_archived=True, limit=200)
        except Failed as failed:
            if isinstance(failed.outcome, Refused):
                return ()
            raise
        if (answer.get("response_metadata") or {}).get("next_cursor"):
            self._cut["the bot is in more chats than are looked into"] = None
        return tuple(str(channel["id"]) for channel in answer.get("channels") or ())

    async def _mine_if_told(self) -> tuple[str, ...]:
        try:
            return await self._mine()
        except Failed:
            return ()

    async def anything(self, pulse: Pulse, *, me: events.Me, since: float) -> bool:
        """Whether somebody called the bot in one of the newest chats since then (seconds) and the socket was silent."""
        now = time.time() + pulse.ahead
        since += pulse.ahead
        for chat in (pulse.chats or await self._mine_if_told())[:RECENT]:
            try:
                messages = said_there(self._web, chat, oldest=max(since, now - HOUR), thread=None, most=1)
                async for message in messages:
                    ts = str(message["ts"])
                    is_for_us = chat.startswith("D") or reading.mentions(str(message.get("text") or ""), user=me.user)
                    is_due = since < float(ts) < now - self._fresh
                    if is_for_us and is_due and not events.is_own(message, me=me) and not pulse.was_heard(ts):
                        return True
            except Failed:
                return False
        return False
