"""The workspace's events, live, to everyone who watches.

One tailer per server reads the log after its position, in order. Each event is encoded once; what is waiting is
joined and written straight to the transports of those who may see it. History and tail are one query: a watcher
reads pages of the log until it has caught up with the tailer and joins it in the same step, so nothing is missed and
nothing comes twice.

Bounds: a watcher whose transport holds more than `BEHIND` bytes is cut off and comes back to its position. A lost
wake-up delays everyone by `FLOOR` at most. The stream of a revoked credential ends within `GUARD_EVERY`, here at
once.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from pal_server.actions import log as actions
from pal_server.actions.log import Sight
from pal_server.api.auth import REVOKED, Credentials
from pal_server.domain.actors import Actor
from pal_server.errors import Unauthenticated, Unavailable
from pal_server.storage.store import Event, Store
from pal_server.wakeups.hub import Hub

FLOOR = 15.0  # seconds; the longest a lost wake-up can delay anyone, and the pause between beats
AGAIN = 1.0  # seconds before the log is read again that could not be
GUARD_EVERY = 2.0  # seconds between looks at the credentials of streams
PAGE = 200  # events read at a time
BEHIND = 1024 * 1024  # bytes waiting in a transport; more is a reader that does not keep up
DRAIN_FOR = 60.0  # seconds a reader of history may stand still

log = logging.getLogger(__name__)

_CHANGES_SIGHT = ("member.", "room.", "agent.", "user.")


class Door(Protocol):
    """How events leave: SSE or WebSocket. Doors of one `kind` encode alike."""

    kind: str

    def encode(self, texts: Sequence[tuple[Event, bytes]], /) -> bytes:
        """Frames of these events, ready for the transport."""

    def write(self, frames: bytes, /) -> bool:
        """Straight to the transport; False when the reader is gone or too far behind."""

    def beat(self) -> bool:
        """Show that the stream lives; False when the reader is gone."""

    async def drain(self) -> None:
        """Wait until the reader has taken most of what was written."""

    def cut(self) -> None:
        """Drop the connection at once."""


class Watcher:
    """One reader of the log. Written by its own task until it joins, then by the tailer alone."""

    __slots__ = ("actor", "closed", "door", "position", "secret_hash", "sight")

    def __init__(self, *, actor: Actor, secret_hash: str, sight: Sight, position: int, door: Door) -> None:
        self.actor = actor
        self.secret_hash = secret_hash
        self.sight = sight
        self.position = position  # it has everything up to here
        self.door = door
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def close(self, reason: str, /) -> None:
        """`revoked`, `behind`, `gone` or `stopping`; the first one counts."""
        if not self.closed.done():
            self.closed.set_result(reason)


class Tailer:
    """Reads the log of one workspace for all watchers of this server."""

    def __init__(self, *, store: Store, hub: Hub, credentials: Credentials, workspace_id: str) -> None:
        self._store = store
        self._hub = hub
        self._credentials = credentials
        self._workspace_id = workspace_id
        self._key = f"events:{workspace_id}"
        self._position = 0  # everything up to here was handed to all who had joined
        self._watchers: set[Watcher] = set()
        self._catching_up: set[Watcher] = set()
        self._is_stopping = False

    @property
    def watching(self) -> dict[str, int]:
        """How many watch, by kind of door."""
        counts: dict[str, int] = {}
        for watcher in [*self._watchers, *self._catching_up]:
            counts[watcher.door.kind] = counts.get(watcher.door.kind, 0) + 1
        return counts

    async def start_position(self, after: int | None, /) -> int:
        """Where a stream begins: at `after`, or now when it is None or lies in the future (of a restored backup)."""
        newest = await self._store.read(actions.newest_position, workspace_id=self._workspace_id)
        return newest if after is None else min(after, newest)

    async def serve(self, door: Door, /, *, actor: Actor, secret_hash: str, position: int) -> str:
        """Send everything after `position` that the actor may see, until the reader is gone; why it ended."""
        sight = (await self._store.read(actions.sights, actors=[actor]))[actor]
        watcher = Watcher(actor=actor, secret_hash=secret_hash, sight=sight, position=position, door=door)
        self._catching_up.add(watcher)
        try:
            if self._is_stopping:
                return "stopping"
            await self._catch_up(watcher)
            return await watcher.closed
        finally:
            self._catching_up.discard(watcher)
            self._watchers.discard(watcher)

    async def run(self) -> None:
        """Tail the log for ever; a database that is away for a while delays it."""
        while True:
            seen = self._hub.count(self._key)
            try:
                await self.step()
            except Unavailable as exc:
                log.warning("the log cannot be read now: %s", exc, extra={"action": "stream.wait"})
                await asyncio.sleep(AGAIN)
                continue
            await self._hub.wait(self._key, seen=seen, timeout=FLOOR)

    async def guard(self) -> None:
        """End the streams of credentials that are no longer good, for ever."""
        while True:
            seen = self._hub.count(REVOKED)
            try:
                await self.check_credentials()
            except Unavailable as exc:
                log.warning("credentials cannot be looked at now: %s", exc, extra={"action": "stream.wait"})
                await asyncio.sleep(GUARD_EVERY)
                continue
            await self._hub.wait(REVOKED, seen=seen, timeout=GUARD_EVERY)

    async def beat(self) -> None:
        """Show every watcher that its stream lives, for ever."""
        while True:
            await asyncio.sleep(FLOOR)
            for watcher in list(self._watchers):
                if not watcher.door.beat():
                    watcher.close("gone")

    async def step(self) -> None:
        """Hand out everything that is in the log now."""
        while self._watchers:
            events = await self._read(self._position)
            if not events:
                return
            if any(event.kind.startswith(_CHANGES_SIGHT) for event in events):
                await self._look_again(self._watchers)
            self._hand_out(events)
            if len(events) < PAGE:
                return

    async def check_credentials(self) -> None:
        """Close the watchers whose credential has ended; see with new eyes for those whose rights changed."""
        everyone = [*self._watchers, *self._catching_up]
        changed: dict[Watcher, Actor] = {}
        for secret_hash in {watcher.secret_hash for watcher in everyone}:
            mine = [watcher for watcher in everyone if watcher.secret_hash == secret_hash]
            try:
                actor = await self._credentials.actor(secret_hash)
            except Unauthenticated:
                for watcher in mine:
                    watcher.close("revoked")
                continue
            for watcher in mine:
                if watcher.actor != actor:
                    changed[watcher] = actor
        if changed:
            sights = await self._store.read(actions.sights, actors=set(changed.values()))
            for watcher, actor in changed.items():  # both or neither: who looks again looks at what is new
                watcher.actor, watcher.sight = actor, sights.get(actor, watcher.sight)

    def stop(self) -> None:
        """Tell every watcher to come back later; no new ones are served."""
        self._is_stopping = True
        for watcher in [*self._watchers, *self._catching_up]:
            watcher.close("stopping")

    async def _catch_up(self, watcher: Watcher) -> None:
        """Read history until the watcher stands where the tailer stands, and join it without a wait in between."""
        while not watcher.closed.done():
            handed_out = self._position
            events = await self._read(watcher.position)
            if events:
                if any(event.kind.startswith(_CHANGES_SIGHT) for event in events):
                    await self._look_again([watcher])
                frames = _frames(watcher.door, watcher, [(event, encode_event(event)) for event in events])
                watcher.position = events[-1].position
                if frames and not watcher.door.write(frames):
                    watcher.close("gone")
                    return
            else:  # retention may have removed what the tailer handed out before
                watcher.position = max(watcher.position, handed_out)
            if len(events) < PAGE and (not self._watchers or watcher.position >= self._position):
                if not watcher.door.beat():  # a beat here says that history ends
                    watcher.close("gone")
                    return
                self._join(watcher)
                return
            try:
                async with asyncio.timeout(DRAIN_FOR):
                    await watcher.door.drain()
            except TimeoutError:
                watcher.close("behind")

    def _join(self, watcher: Watcher) -> None:
        if not self._watchers:
            self._position = watcher.position
        self._catching_up.discard(watcher)
        self._watchers.add(watcher)
        # What was committed since this watcher's last read may have been announced before it joined.
        self._hub.wake(self._key)

    def _hand_out(self, events: list[Event]) -> None:
        """No wait in here, so that joining and handing out cannot cross."""
        first, self._position = events[0].position, events[-1].position
        encoded = [(event, encode_event(event)) for event in events]
        shared: dict[tuple[str, Sight], bytes] = {}
        for watcher in list(self._watchers):
            if watcher.position >= self._position:
                continue
            if watcher.position < first:
                key = (watcher.door.kind, watcher.sight)
                frames = shared.get(key)
                if frames is None:
                    frames = shared[key] = _frames(watcher.door, watcher, encoded)
            else:
                frames = _frames(watcher.door, watcher, encoded)
            watcher.position = self._position
            if frames and not watcher.door.write(frames):
                watcher.close("behind")
                self._watchers.discard(watcher)

    async def _look_again(self, watchers: Iterable[Watcher]) -> None:
        seen = await self._store.read(actions.sights, actors={watcher.actor for watcher in watchers})
        for watcher in list(watchers):
            watcher.sight = seen.get(watcher.actor, watcher.sight)

    async def _read(self, position: int) -> list[Event]:
        return await self._store.read(
            actions.events_after, workspace_id=self._workspace_id, position=position, limit=PAGE
        )


def encode_event(event: Event, /) -> bytes:
    """The event as JSON; `data` was encoded when it was stored."""
    room = "null" if event.room_id is None else f'"{event.room_id}"'
    return (
        f'{{"position":{event.position},"kind":"{event.kind}","room":{room},"at":{event.at},"data":{event.data}}}'
    ).encode()


def _frames(door: Door, watcher: Watcher, encoded: Sequence[tuple[Event, bytes]]) -> bytes:
    """What of it the watcher may see and does not have."""
    seen = [pair for pair in encoded if pair[0].position > watcher.position and watcher.sight.sees(pair[0])]
    return door.encode(seen) if seen else b""
