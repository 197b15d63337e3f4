"""One bot of a bridge: its connection, kept open, and how it stands."""

import asyncio
import logging
import random
from collections.abc import Callable
from time import monotonic, time

from pal_server.client.aio import Client
from pal_server.contract import bridges as wire

from .inbound import Event, Heard, Place, PlaceKind, Said, ToastKind
from .inbox import Inbox
from .platform import BadCredentials, BotSettings, Connection, Dropped, NotStored, NotTaken, Platform, ReadInPart

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds before the next try, by how many failed in a row
REFUSED_PAUSE = 300.0  # seconds after the platform would not have the bot
STEADY = 30.0  # seconds of an open socket after which earlier failures are forgotten
QUIET = 60.0  # seconds without a sign of the platform after which it is asked for one
PING_WITHIN = 15.0  # seconds
CLOSE_WITHIN = 1.5  # seconds
GAP_SHOWN = 3600.0  # seconds for which minutes that were lost are named
READ_BACK_PAUSES = (1.0, 5.0, 15.0, 60.0, 300.0)  # seconds before a gap that could not be read back is read again
PLACES = 50  # to look into after a gap
GAP_MIN = 5_000  # milliseconds; shorter ones are the blink of a reconnect
MARGIN = 60_000  # milliseconds our clock and the platform's may differ; what was heard already does no harm

log = logging.getLogger(__name__)


class RunningBot:
    """Started with `start`, ended with `stop`; nothing it does or suffers touches another bot."""

    def __init__(
        self, *, held: wire.HeldBot, settings: BotSettings, platform: Platform, client: Client, lost: Callable[[], None]
    ) -> None:
        self.id = held.id
        self.lease_id = held.lease_id
        self.revision = held.revision
        self.connection: Connection
        self._held = held
        self._settings = settings
        self._platform = platform
        self._client = client
        self._lost = lost
        self._inbox: Inbox | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_up = False
        self._up_at = 0.0
        self._error: str | None = None
        self._heard_at: int | None = None
        self._deaf_since: int | None = held.deaf_since or _now()
        self._unread: dict[asyncio.Task[None], int] = {}  # since when, of each gap that is being read back
        self._waiting: set[asyncio.Task[None]] = set()  # those of them that wait for their next try
        self._unread_why: str | None = None  # the newest try failed
        self._is_ending = False
        self._gap: tuple[str, float] | None = None  # minutes that were lost, and when that was found out
        self._places = {
            (one.chat, one.thread): Place(
                chat=one.chat, thread=one.thread, kind=PlaceKind(one.kind), title=one.title, memo=one.memo
            )
            for one in reversed(held.places)
        }  # where people spoke, the latest last
        self._has_more_places = len(held.places) >= PLACES

    async def start(self) -> None:
        """Open it. `BadCredentials` when they are of no possible shape."""
        self.connection = await self._platform.open(self._settings)
        self._inbox = Inbox(
            client=self._client,
            bot=self.id,
            connection=self.connection,
            lease=lambda: self.lease_id,
            lost=self._lost,
        )
        for waiting in self._held.waiting:
            self._inbox.fetch(waiting)
        self._task = asyncio.create_task(self._live(), name=f"bot {self.id}")

    def keep(self, held: wire.HeldBot) -> None:
        """Ours again after its lease had run out: what the server could not take meanwhile is made up for, though the
        socket stood all the time.
        """
        self.lease_id = held.lease_id
        assert self._inbox is not None, "it was started"
        for waiting in held.waiting:
            self._inbox.fetch(waiting)
        if held.deaf_since is None or not self._platform.capabilities.read_back:
            return
        if self._is_up:
            self._catch_up(held.deaf_since)
        else:
            self._deaf_since = min(held.deaf_since, self._deaf_since or held.deaf_since)

    async def stop(self) -> None:
        """End it within two seconds."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                self._is_ending = True
                for waiting in self._waiting:  # the server knows of the gap
                    waiting.cancel()
                if self._task is not None:
                    self._task.cancel()
                    await asyncio.gather(self._task, *self._unread, return_exceptions=True)
                if self._inbox is not None:
                    await self._inbox.close()
                await self.connection.close()
        except TimeoutError:
            log.warning("a bot did not end in time", extra={"action": "bot.stop", "bot": self.id})

    def report(self) -> wire.BotReport:
        gap = self._gap
        named = gap[0] if gap is not None and monotonic() - gap[1] < GAP_SHOWN else None
        return wire.BotReport(
            id=self.id,
            lease_id=self.lease_id,
            revision=self.revision,
            listening=self._is_up,
            error=self._error or (self._unread_why if self._unread else None) or named,
            heard_at=self._heard_at,
            deaf_since=min([*self._unread.values(), *filter(None, [self._deaf_since])], default=None),
        )

    # Ears

    async def hear(self, event: Event) -> Heard:
        self.alive()
        assert self._inbox is not None, "it is made before it listens"
        self._note(event.place)
        heard = await self._inbox.hear(event)
        if heard.kind is ToastKind.ERROR and isinstance(event, Said):  # whoever said it is shown no toast
            self.lost(f"something that was said was refused: {heard.text}")
        return heard

    def up(self, *, detail: str = "") -> None:
        self.alive()
        self._is_up, self._error, self._up_at = True, None, monotonic()
        since, self._deaf_since = self._deaf_since, None
        log.info("listening", extra={"action": "bot.up", "bot": self.id, "detail": detail})
        if since is not None and (self._places or self._platform.capabilities.read_back):
            self._catch_up(since)  # a platform may know of places where the bot was called and never heard anything

    def alive(self) -> None:
        self._heard_at = _now()

    def down(self, reason: str) -> None:
        if self._deaf_since is None:
            self._deaf_since = self._heard_at or _now()
        self._is_up, self._error = False, reason

    def lost(self, what: str) -> None:
        self._gap = (what, monotonic())

    def refused(self, reason: str) -> None:
        """The platform would not take what was sent because of who sends."""
        self._error = reason

    def _note(self, place: Place) -> None:
        self._places.pop((place.chat, place.thread), None)
        self._places[(place.chat, place.thread)] = place
        if len(self._places) > PLACES:
            del self._places[next(iter(self._places))]
            self._has_more_places = True

    async def _live(self) -> None:
        pinging = asyncio.create_task(self._ping_when_quiet(), name=f"ping of {self.id}")
        try:
            await self._listen()
        finally:
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)

    async def _listen(self) -> None:
        failures = 0
        while True:
            self._up_at = monotonic()
            pause: float
            try:
                await self.connection.listen(self)
                reason = "the connection ended by itself"
            except Dropped as dropped:
                reason = str(dropped) or "the connection was cut"
            except BadCredentials as refused:
                reason = f"the platform refuses this bot: {refused}"
            except NotStored as error:
                reason = f"the server is away: {error}"
            except Exception as defect:  # the edge of one bot: its SDK may break in any way
                log.exception("a connection broke", extra={"action": "bot.broke", "bot": self.id})
                reason = f"a defect: {type(defect).__name__}"
            if self._is_up and monotonic() - self._up_at > STEADY:
                failures = 0
            self.down(reason)
            log.warning("not listening: %s", reason, extra={"action": "bot.down", "bot": self.id})
            pause = REFUSED_PAUSE if "refuses this bot" in reason else PAUSES[min(failures, len(PAUSES) - 1)]
            failures += 1
            await asyncio.sleep(pause * random.uniform(0.7, 1.0))

    async def _ping_when_quiet(self) -> None:
        """A quiet chat and a dead one look alike: a round trip tells them apart."""
        while True:
            await asyncio.sleep(QUIET / 4)
            if not self._is_up or _now() - (self._heard_at or 0) < QUIET * 1000:
                continue
            try:
                async with asyncio.timeout(PING_WITHIN):
                    await self.connection.ping()
                self.alive()
                self._error = None
            except (Dropped, BadCredentials, TimeoutError, OSError) as error:
                self._error = f"no round trip: {error or type(error).__name__}"

    def _catch_up(self, since: int) -> None:
        if self._platform.capabilities.read_back:
            for waiting in list(self._waiting):  # what it waits to read is read with this
                since = min(since, self._unread.get(waiting, since))
                waiting.cancel()
            task = asyncio.create_task(self._read_back(since), name=f"read back {self.id}")
            self._unread[task] = (
                since  # told to the server: a bridge that dies while it reads leaves the gap to the next
            )
            task.add_done_callback(self._unread.pop)
        elif _now() - since > GAP_MIN:
            self._name_gap(since)

    async def _read_back(self, since: int) -> None:
        """Tried again until it is read, and from the beginning: what was heard already does no harm. A gap that breaks
        us, or has something the server will not have, is tried for a while.
        """
        tries = 0
        while True:
            tries += 1
            is_last = tries > len(READ_BACK_PAUSES)
            try:
                left_out = await self._hear_missed(since, with_refused=is_last)
            except (OSError, TimeoutError, Dropped, BadCredentials, NotStored) as error:
                self._unread_why = (
                    f"what was said while it was deaf is not read back yet: {error or type(error).__name__}"
                )
                log.warning("a gap could not be read back: %s", error, extra={"action": "bot.gap", "bot": self.id})
            except Exception:  # the edge of one bot: a gap nobody can read is named, whatever the reason
                log.exception("reading a gap back broke", extra={"action": "bot.gap", "bot": self.id})
                if is_last:
                    self._name_gap(since)
                    return
            else:
                self._unread_why = None
                if left_out:
                    self._name_gap(since, left_out)
                return
            if self._is_ending:
                return
            await self._wait_to_read(READ_BACK_PAUSES[min(tries, len(READ_BACK_PAUSES)) - 1])

    async def _wait_to_read(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None, "a gap is read by a task of its own"
        self._waiting.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._waiting.discard(task)

    async def _hear_missed(self, since: int, *, with_refused: bool) -> str:
        """What of the gap is left out; empty when nothing is. What the server will not have is left out
        `with_refused`, else it is raised once all else has been told.
        """
        left_out = []
        try:
            events = await self.connection.read_back(tuple(self._places.values()), since=max(0, since - MARGIN))
        except ReadInPart as part:
            events = part.events
            left_out.append(str(part))
        if self._has_more_places and _now() - since > GAP_MIN:
            left_out.append(f"only the {PLACES} places where people spoke last were looked into")
        refused: list[NotTaken] = []
        for event in events:
            try:
                await self.hear(event)
            except NotTaken as error:
                refused.append(error)
        if refused and not with_refused:
            raise refused[0]
        if refused:
            left_out.append(f"{len(refused)} of what was said was not taken: {refused[0]}")
        return "; ".join(left_out)

    def _name_gap(self, since: int, what: str = "what was said then is not known here") -> None:
        seconds = (_now() - since) // 1000
        self.lost(f"deaf for {seconds} s: {what}")
        log.warning("words may be lost", extra={"action": "bot.gap", "bot": self.id, "since": since})


def _now() -> int:
    return int(time() * 1000)
