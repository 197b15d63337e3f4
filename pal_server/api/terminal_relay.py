"""What terminals print, between the daemon that has one and everybody who watches it here.

One relay for each terminal that a daemon serves or somebody watches on this server. It keeps the newest bytes in a
ring, by position, and nothing else: a server that was started anew gets them from the daemon again. A viewer reads the
ring at their own pace; one who falls behind goes on at its beginning, so nobody waits for a slow one and nothing grows.
Everything here belongs to one event loop.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pal_server.contract.terminals import TerminalResize
from pal_server.domain.terminals import Policy
from pal_server.wakeups.hub import Hub

RING = 1 << 20  # bytes kept of each terminal; what a new viewer is shown at most
PART = 1 << 16  # bytes handed to a viewer at a time
TYPISTS = 64  # that are remembered of a terminal


class Ring:
    """The newest `limit` bytes of something that only grows, by position."""

    __slots__ = ("_bytes", "_limit", "start")

    def __init__(self, *, limit: int = RING) -> None:
        self.start = 0  # position of the first byte that is kept
        self._bytes = bytearray()
        self._limit = limit

    @property
    def end(self) -> int:
        return self.start + len(self._bytes)

    def restart(self, position: int) -> None:
        """Bytes from `position` on follow. What is kept stays when they follow it or are in it already."""
        if not self.start <= position <= self.end:
            self._bytes.clear()
            self.start = position
        else:
            del self._bytes[position - self.start :]

    def add(self, data: bytes) -> None:
        self._bytes += data
        if (over := len(self._bytes) - self._limit) > 0:
            del self._bytes[:over]
            self.start += over

    def read(self, position: int, length: int) -> bytes:
        """What is kept from `position` on, which lies within the ring."""
        offset = position - self.start
        return bytes(memoryview(self._bytes)[offset : offset + length])


@dataclass(slots=True)
class Typist:
    """One who types, over all connections they make. The newest of those alone is heard."""

    taken: int = 0  # bytes: passed on, or dropped aloud
    connections: int = 0


class Relay:
    """One terminal. Whoever looks at it waits for the hub's keys `printed` and `changed`."""

    def __init__(self, hub: Hub, id: str) -> None:
        self.printed = f"terminal-output:{id}"  # woken by everything that happens here
        self.changed = f"terminal:{id}"  # woken by what is stored
        self.replaced = f"terminal-link:{id}"  # woken when a daemon comes
        self.ring = Ring()
        self.is_known = False  # where the ring begins, a daemon has said
        self.cols = 0
        self.rows = 0
        self.viewers = 0
        self._typists: dict[str, Typist] = {}
        self.is_used = False  # somebody typed, or it printed; taken back by who has noted it
        self._link: Link | None = None
        self._hub = hub

    @property
    def is_served(self) -> bool:
        return self._link is not None

    @property
    def is_heard(self) -> bool:
        """What is typed now reaches the daemon: it has said where the terminal stands, and listens from then on."""
        return self._link is not None and self._link.has_begun

    def serve(self, link: "Link") -> None:
        """A daemon comes with the terminal. The link before it goes."""
        if self._link is not None:
            self._link.is_replaced = True
            self._hub.wake(self.replaced)
        self._link = link

    def leave(self, link: "Link") -> None:
        if self._link is link:
            self._link = None
            self.wake()

    def begin(self, link: "Link") -> None:
        """The daemon has what comes first: from now on it hears what is typed."""
        link.has_begun = True
        self.wake()

    def replay(self, *, position: int, cols: int, rows: int) -> None:
        """The daemon says where it begins, and how the terminal is."""
        self.ring.restart(position)
        self.is_known = True
        self.resized(cols=cols, rows=rows)

    def put(self, data: bytes) -> None:
        """It printed this."""
        self.ring.add(data)
        self.is_used = True
        self.wake()

    def resized(self, *, cols: int, rows: int) -> None:
        self.cols, self.rows = cols, rows
        self.wake()

    def typist(self, name: str) -> tuple[Typist, bool]:
        """Of that name, and whether they were here before. The one who was there longest is forgotten for a new one."""
        found = self._typists.pop(name, None)
        typist = self._typists[name] = found or Typist()
        typist.connections += 1
        if len(self._typists) > TYPISTS:
            del self._typists[next(iter(self._typists))]
        return typist, found is not None

    async def type(self, data: bytes) -> bool:
        """To the daemon; False when it does not hear it now."""
        self.is_used = True
        link = self._link
        return link is not None and link.has_begun and await link.send(data)

    async def resize(self, *, cols: int, rows: int) -> None:
        """For all who look, and for the program."""
        self.resized(cols=cols, rows=rows)
        if self._link is not None and self._link.has_begun:  # before that it is told with what comes first
            await self._link.send(TerminalResize(cols=cols, rows=rows))

    def wake(self) -> None:
        self._hub.wake(self.printed)


class Link:
    """The way to the daemon that serves a terminal. `send` is False once it is broken."""

    def __init__(self, send: Callable[[bytes | TerminalResize], Awaitable[bool]]) -> None:
        self.send = send
        self.has_begun = False  # the daemon hears; what it got before its first word it would not know what to do with
        self.is_replaced = False  # the daemon came again, and this is not the way any more


class Relays:
    """The relays of this server. One that nobody serves or watches is forgotten."""

    def __init__(self, *, policy: Policy, hub: Hub) -> None:
        self.policy = policy
        self._hub = hub
        self._relays: dict[str, Relay] = {}

    def of(self, id: str) -> Relay:
        found = self._relays.get(id)
        if found is None:
            found = self._relays[id] = Relay(self._hub, id)
        return found

    def let_go(self, id: str) -> None:
        """Whoever came with `of` goes."""
        relay = self._relays.get(id)
        if relay is not None and not relay.is_served and not relay.viewers:
            del self._relays[id]
