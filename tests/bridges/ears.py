"""A bridge's ears for tests of one connection: they store what they hear in a list, or refuse to."""

import asyncio
from typing import Any

from pal_server.bridges.inbound import Event, Heard
from pal_server.bridges.platform import NotStored, NotTaken
from tests.support.patience import PATIENCE


class ListeningEars:
    """`refuses` of the next events are not stored; `takes` seconds go by before an event is."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.states: list[str] = []
        self.losses: list[str] = []
        self.lives = 0
        self.refuses = 0
        self.unwanted = ""  # what is never taken, of messages that say this
        self.answer = Heard()
        self.hold: asyncio.Event | None = None
        self.began = asyncio.Event()  # something came to be stored
        self._changed = asyncio.Condition()

    async def hear(self, event: Event) -> Heard:
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.unwanted and getattr(event, "text", "") == self.unwanted:
            raise NotTaken("not this one")
        if self.refuses:
            self.refuses -= 1
            raise NotStored("the server is away")
        async with self._changed:
            self.heard.append(event)
            self._changed.notify_all()
        return self.answer

    def up(self, *, detail: str = "") -> None:
        self._say("up")

    def alive(self) -> None:
        self.lives += 1

    def down(self, reason: str) -> None:
        self._say("down")

    def lost(self, what: str) -> None:
        self.losses.append(what)

    def _say(self, state: str) -> None:
        self.states.append(state)
        task = asyncio.get_running_loop().create_task(self._tell(), name="tell of a state")
        task.add_done_callback(lambda done: done.cancelled() or done.result())

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, look: Any, what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                await self._changed.wait_for(look)
        except TimeoutError:
            raise AssertionError(f"not within {PATIENCE:g} s: {what}; heard {self.heard}, {self.states}") from None

    async def events(self, count: int = 1) -> list[Event]:
        await self.until(lambda: len(self.heard) >= count, f"{count} events")
        return self.heard

    async def is_up(self, times: int = 1) -> None:
        await self.until(lambda: self.states.count("up") >= times, f"up {times} times")
