"""One bot on Lark: holds its socket, tells what people say, sends, looks.

A socket that hears nothing for long is replaced by a new one while it still stands: one that answers pings and
delivers nothing looks just like one in a quiet chat, and Lark pushes what got no ack to any socket of the app.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from pal_server.bridges.inbound import Attachment, CardAction, Event, Heard, Person, Place, PlaceKind, Said, ToastKind
from pal_server.bridges.lark import cards, limits
from pal_server.bridges.lark.api import Api, Lost, NotLeft
from pal_server.bridges.lark.chats import Chats
from pal_server.bridges.lark.files import fetch
from pal_server.bridges.lark.hosts import host_of
from pal_server.bridges.lark.inbound import Self, Unreadable, read_event
from pal_server.bridges.lark.people import People
from pal_server.bridges.lark.reading import Reading
from pal_server.bridges.lark.sending import Sending
from pal_server.bridges.outbound import Found, Outcome, Outgoing
from pal_server.bridges.platform import BadCredentials, BotSettings, Charge, Dropped, Ears, NotStored

if TYPE_CHECKING:
    from pal_server.bridges.lark.socket import Socket

log = logging.getLogger(__name__)

LOOK_UP_WITHIN = 10.0  # seconds
QUIET_FOR = 600.0  # seconds without any event after which a socket is replaced
AGAIN = (1, 1000040343)  # codes of the look-up that mean: try again

Json = dict[str, Any]


class LarkConnection:
    """A `Connection`; see `platform.py` for its promises."""

    def __init__(self, bot: BotSettings, *, quiet_for: float = QUIET_FOR) -> None:
        origin = host_of(bot.base_url).api
        self._bot = Self(app_id=bot.secrets.get("app_id") or bot.app_id, open_id=bot.bot_id)
        self._api = Api(origin=origin, app_id=self._bot.app_id, secret=bot.secrets["app_secret"])
        self._people = People(self._api)
        self._chats = Chats(self._api)
        self._sending = Sending(self._api, in_threads=bot.options.get("replies", "thread") != "quote")
        self._reading = Reading(self._api, self._people, self._sending)
        self._socket: Socket | None = None  # set by `listen` alone
        self._quiet_for = quiet_for
        self._in_order: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # --- hearing

    async def listen(self, ears: Ears) -> None:
        """Hold a socket and tell `ears` everything, until cancelled. `Dropped`, `BadCredentials`."""
        if not self._bot.open_id:
            await self._who_am_i()
        socket, held = await self._open(ears)
        ears.up()
        try:
            while True:
                self._socket = socket
                await _quiet(socket, held, self._quiet_for)
                log.info("nothing came for long: the socket is replaced", extra={"action": "lark.renew"})
                fresh, held_fresh = await self._open(ears)
                await _end(held)
                socket, held = fresh, held_fresh
        finally:
            self._socket = None
            await _end(held)

    async def try_socket(self) -> float:
        """Open a socket, wait for the answer to its first ping, close it: the seconds it took. For a check.

        What Lark pushes to it meanwhile is refused, and so pushed again. `Dropped`, `BadCredentials`.
        """
        socket, held = await self._open(_Deaf())
        try:
            started = time.monotonic()
            await socket.ping()
            return time.monotonic() - started
        finally:
            await _end(held)

    async def _open(self, ears: Ears) -> tuple[Socket, asyncio.Task[None]]:
        """A socket that is open, and the task that holds it."""
        from pal_server.bridges.lark.socket import Socket  # loads the SDK: here alone

        async def heard(event: Json) -> Mapping[str, Any] | None:
            return await self._heard(event, ears)

        socket = Socket(app_id=self._bot.app_id, on_event=heard, on_sign=ears.alive)
        try:
            found = await self._api.look_up(within=LOOK_UP_WITHIN)
        except (NotLeft, Lost) as error:
            raise Dropped(f"no address for a socket: {error}") from error
        if found.code is None or found.status != 200 or found.code in AGAIN:
            raise Dropped(f"no address for a socket: HTTP {found.status}, code {found.code}")
        if found.code != 0:
            raise BadCredentials(f"Lark refuses the app: {found.msg} ({found.code})")
        socket.configure(found.data.get("ClientConfig"))
        await socket.connect(str(found.data.get("URL") or ""))
        return socket, asyncio.create_task(socket.run(), name=f"lark-socket {self._bot.app_id}")

    async def _heard(self, event: Json, ears: Ears) -> Mapping[str, Any] | None:
        """Tell one event and return what is acked with it. `NotStored` when it must come again."""
        try:
            said = read_event(event, bot=self._bot)
        except Unreadable as error:
            kind = (event.get("header") or {}).get("event_type")
            log.warning("an event cannot be read: %s", error, extra={"action": "lark.unreadable", "kind": kind})
            ears.lost("something that was said cannot be read: the bridge's log has why")
            return None
        if said is None:
            return None
        if isinstance(said, CardAction):
            return await self._pressed(said, ears)
        if said.person.id:
            self._people.learn(said.person)
        async with self._lock_of(said.place.chat):  # what is said in a chat is stored in the order it came
            if isinstance(said, Said) and said.place.kind is PlaceKind.GROUP and said.addressed:
                title = await self._chats.title_of(said.place.chat)
                said = replace(said, place=replace(said.place, title=title))
            await ears.hear(said)
        return None

    async def _pressed(self, action: CardAction, ears: Ears) -> Mapping[str, Any]:
        """A press is never pushed again, so one that is not stored says so to whoever pressed."""
        try:
            return cards.answer(await ears.hear(action))
        except NotStored:
            return cards.answer(Heard(text="This could not be stored. Please press again.", kind=ToastKind.ERROR))

    def _lock_of(self, chat: str) -> asyncio.Lock:
        lock = self._in_order.get(chat)
        if lock is None:
            lock = self._in_order[chat] = asyncio.Lock()
        return lock

    # --- sending and looking

    def charges(self, out: Outgoing) -> tuple[Charge, ...]:
        return limits.charges(self._bot.app_id, out)

    async def send(self, out: Outgoing) -> Outcome:
        return await self._sending.send(out)

    async def find(self, out: Outgoing, *, since: int) -> Found:
        return await self._reading.find(out, since=since)

    async def read_back(self, places: tuple[Place, ...], *, since: int) -> tuple[Event, ...]:
        return await self._reading.read_back(places, since=since, bot=self._bot)

    def fetch(self, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
        return fetch(self._api, message, attachment)

    async def name_of(self, person: Person) -> str:
        return await self._people.name_of(person)

    async def ping(self) -> None:
        """A round trip over the socket, which costs none of a tenant's calls; without one, over the API."""
        if self._socket is not None:
            await self._socket.ping()
        else:
            await self._who_am_i()

    async def answers(self) -> None:
        await self._who_am_i()

    async def _who_am_i(self) -> None:
        """Ask Lark who the bot is. `Dropped`, `BadCredentials`."""
        try:
            answer = await self._api.call("GET", "/open-apis/bot/v3/info")
        except (NotLeft, Lost) as error:
            raise Dropped(str(error)) from error
        if answer.code is None or answer.status >= 500 or answer.status == 429:
            raise Dropped(f"Lark answered HTTP {answer.status}, code {answer.code}")
        if not answer.is_good:
            raise BadCredentials(f"Lark refuses the bot: {answer.msg} ({answer.code})")
        open_id = str((answer.data.get("bot") or {}).get("open_id") or "")
        self._bot = Self(app_id=self._bot.app_id, open_id=open_id or self._bot.open_id)

    async def close(self) -> None:
        await self._api.close()


class _Deaf:
    """Ears that store nothing."""

    async def hear(self, event: Event) -> Heard:
        raise NotStored("only a check")

    def up(self, *, detail: str = "") -> None: ...

    def alive(self) -> None: ...

    def down(self, reason: str) -> None: ...

    def lost(self, what: str) -> None: ...


async def _quiet(socket: Socket, held: asyncio.Task[None], quiet_for: float) -> None:
    """Return when no event came for `quiet_for` seconds. Raises what ended the socket."""
    while True:
        left = socket.last_event_at + quiet_for - time.monotonic()
        if left <= 0:
            return
        done, _ = await asyncio.wait([held], timeout=left)
        if done:
            held.result()
            raise Dropped("the socket ended")


async def _end(held: asyncio.Task[None]) -> None:
    held.cancel()
    with suppress(asyncio.CancelledError, Dropped):
        await held
