"""What runs do, over the one socket of a browser: it says which runs it shows, and gets their events as they come.

A browser allows six connections to a host, so a stream for each run would stop everything else.

in:  {"type": "watch", "run": 12, "after": 40}    {"type": "unwatch", "run": 12}    {"type": "ping"}
out: {"type": "run", "run": 12, "events": [...]}  {"type": "run_end", "run": 12, "status": "succeeded"}
     {"type": "run_refused", "run": 12, "code": "not_found"}                        {"type": "pong"}

Events come in order and once for each `watch`. Watching a run anew begins anew. At most `MOST` at a time; the one that
was watched for longest makes room. A transport that holds too much is cut off, as for the log.
"""

import asyncio

import msgspec
from aiohttp import WSMsgType, web

from pal_server.api.auth import REVOKED
from pal_server.api.doors import WebSocketDoor, text_frame
from pal_server.api.present import render_run_event
from pal_server.api.routing import INTEGER_MAX, Call
from pal_server.api.run_stream import FLOOR, PAGE, look
from pal_server.api.services import STOPPING
from pal_server.errors import PalError, Unavailable

AGAIN = 1.0  # seconds before a run is looked at again that could not be
MOST = 24  # runs one socket watches; a wall of them fits


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser says. Unknown fields and types are ignored, as a newer one may say more."""

    type: str
    run: int = 0
    after: int = 0


_decode = msgspec.json.Decoder(Said).decode


class RunWatching:
    """The runs one socket watches. Used by the task that reads the socket alone."""

    def __init__(self, call: Call, door: WebSocketDoor) -> None:
        self._call = call
        self._door = door
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def read(self, response: web.WebSocketResponse, /) -> None:
        """Do what the browser says until it goes."""
        async for message in response:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                said = _decode(message.data)
            except msgspec.MsgspecError:
                continue
            match said.type:
                case "ping":
                    self._tell(b'{"type":"pong"}')
                case "watch" if 0 < said.run <= INTEGER_MAX and 0 <= said.after <= INTEGER_MAX:
                    await self._watch(said.run, after=said.after)
                case "unwatch":
                    await self._end(said.run)

    async def close(self) -> None:
        for run in list(self._tasks):
            await self._end(run)

    async def _watch(self, run: int, *, after: int) -> None:
        await self._end(run)
        while len(self._tasks) >= MOST:
            await self._end(next(iter(self._tasks)))
        self._tasks[run] = asyncio.create_task(self._follow(run, after=after), name=f"watching run {run}")

    async def _end(self, run: int) -> None:
        task = self._tasks.pop(run, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self, run: int, *, after: int) -> None:
        call, hub = self._call, self._call.services.hub
        while True:
            seen = hub.now
            try:
                actor = await call.services.credentials.actor(call.secret_hash)
                found, status = await call.read(look, actor=actor, id=run, after=after)
            except Unavailable:  # for a moment: a log that is being watched goes on
                await asyncio.sleep(AGAIN)
                continue
            except PalError as exc:
                self._tell(b'{"type":"run_refused","run":%d,"code":"%b"}' % (run, exc.code.encode()))
                return
            if found:
                after = found[-1].seq
                events = b",".join(render_run_event(event) for event in found)
                if not self._tell(b'{"type":"run","run":%d,"events":[%b]}' % (run, events)):
                    return
                await self._door.drain()
            elif status is not None:
                self._tell(b'{"type":"run_end","run":%d,"status":"%b"}' % (run, status.encode()))
                return
            if len(found) < PAGE:
                await hub.wait(f"run:{run}", REVOKED, STOPPING, seen=seen, timeout=FLOOR)

    def _tell(self, text: bytes) -> bool:
        return self._door.write(text_frame(text))
