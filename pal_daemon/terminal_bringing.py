"""Brings one terminal to the server: dials, says what it lacks, passes on what is typed, comes back for ever."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import aiohttp
import msgspec

from pal_daemon.bus import ApiProblem, Unreachable
from pal_daemon.house import House
from pal_daemon.keeper_client import Keeper, KeeperGone, attach
from pal_daemon.patience import new_pauses
from pal_daemon.spool import Stream, parse_exit, read_spool
from pal_daemon.terminal_line import TerminalLine
from pal_daemon.terminal_tail import bounds, read_tail
from pal_server.client.aio import Client
from pal_server.contract.base import Request
from pal_server.contract.terminals import (
    TerminalBegin,
    TerminalEnd,
    TerminalNoted,
    TerminalReplay,
    TerminalResize,
)

REPLAY = 1 << 20  # bytes said again to a server that has none
PART = 1 << 16  # bytes in one frame
NOTED_WITHIN = 30.0  # seconds a server may take to store the end
PROVEN = 5.0  # seconds a connection has to hold before its end is no reason to wait longer for the next
UNWANTED = ("not_found", "conflict")  # it is unknown there, or has ended, or another daemon took over

_FRAMES = msgspec.json.Decoder(TerminalBegin | TerminalNoted | TerminalResize)
_encode = msgspec.json.Encoder().encode

log = logging.getLogger(__name__)


class _Broken(Exception):
    """The connection is over; the next one goes on."""


class Bringing:
    """One terminal; `run` is its task."""

    def __init__(self, house: House, client: Client, *, id: str, folder: Path, works_in: str) -> None:
        self.id = id
        self.folder = folder
        self._house = house
        self._client = client
        self._works_in = works_in

    async def run(self) -> bool:
        """Until its end is stored at the server: True; or the server does not want it: False."""
        pauses = new_pauses()
        while True:
            try:
                socket = await self._client.websocket(
                    f"/api/daemon/terminals/{quote(self.id, safe='')}/ws", headers=self._house.bus.headers
                )
            except (ApiProblem, Unreachable) as error:
                if isinstance(error, ApiProblem) and error.code in UNWANTED:
                    return False
                log.debug("a terminal cannot be brought now: %s", error)
            else:
                began = monotonic()
                try:
                    if await self._stay(socket):
                        return True
                finally:
                    await socket.close()
                if monotonic() - began > PROVEN:
                    pauses.reset()
            await asyncio.sleep(pauses.next())

    async def _stay(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        """Over one connection; whether the end was stored."""
        try:
            begin = await self._hear_begin(socket)
            keeper = await attach(self.folder)
            position = self._first_position(begin.from_)
            await _say(socket, TerminalReplay(from_=position, folder=self._works_in))
            if keeper is not None:
                position = await self._while_it_lives(socket, keeper, position=position)
            await self._bring_rest(socket, position=position)
            await _say(socket, self._end())
            return await self._hear_noted(socket)
        except (_Broken, OSError, aiohttp.ClientError, TimeoutError) as error:
            log.debug("a terminal's connection is over: %s", error)
            return False

    async def _while_it_lives(self, socket: aiohttp.ClientWebSocketResponse, keeper: Keeper, *, position: int) -> int:
        """Both ways until its keeper is gone; the position that was brought. Raises _Broken when the server goes."""
        try:
            async with keeper.line() as line:
                hearing = asyncio.create_task(line.hear(), name="terminal's keeper")
                typing = asyncio.create_task(self._hear(socket, line), name="terminal's keys")
                bringing = asyncio.create_task(
                    self._bring_all(socket, line, position=position), name="terminal's words"
                )
                try:
                    await asyncio.wait((typing, bringing), return_when=asyncio.FIRST_COMPLETED)
                    if not bringing.done():
                        raise _Broken("the server hung up")
                    position = await bringing
                    if await attach(self.folder) is not None:
                        raise _Broken("the keeper hung up")
                    return position
                finally:
                    for task in (hearing, typing, bringing):
                        task.cancel()
                    await asyncio.gather(hearing, typing, bringing, return_exceptions=True)
        except KeeperGone:
            return position

    async def _bring_all(self, socket: aiohttp.ClientWebSocketResponse, line: TerminalLine, *, position: int) -> int:
        while not line.is_gone:
            await line.wait(beyond=position)
            position = await self._bring_rest(socket, position=position)
        return position

    async def _bring_rest(self, socket: aiohttp.ClientWebSocketResponse, *, position: int) -> int:
        """All there is now, from `position` on; the position after it."""
        while True:
            at, data = read_tail(self.folder, position=position, length=PART)
            if not data:
                return position
            if at != position:  # it prints faster than the server takes it
                await _say(socket, TerminalReplay(from_=at, folder=self._works_in))
            await socket.send_bytes(data)
            position = at + len(data)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, line: TerminalLine) -> None:
        """What is typed, and how large people want it, until the server hangs up."""
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                await line.type(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                said = _read(message.data)
                if isinstance(said, TerminalResize):
                    await line.resize(cols=said.cols, rows=said.rows)

    async def _hear_begin(self, socket: aiohttp.ClientWebSocketResponse) -> TerminalBegin:
        async with asyncio.timeout(NOTED_WITHIN):
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    said = _read(message.data)
                    if isinstance(said, TerminalBegin):
                        return said
        raise _Broken("the server hung up")

    async def _hear_noted(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        async with asyncio.timeout(NOTED_WITHIN):
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and isinstance(_read(message.data), TerminalNoted):
                    return True
        return False

    def _first_position(self, wanted: int | None) -> int:
        """Where to begin: where the server is, if that is kept, else with as much as it keeps."""
        oldest, end = bounds(self.folder)
        if wanted is not None and oldest <= wanted <= end:
            return wanted
        return max(oldest, end - REPLAY)

    def _end(self) -> TerminalEnd:
        for record in read_spool(self.folder / "spool"):
            if record.stream is Stream.EXIT:
                ended = parse_exit(record)
                code = ended.code if ended.signal is None else 128 + ended.signal
                return TerminalEnd(exit=code, reason=ended.detail or "")
        return TerminalEnd(reason="its computer was switched off, or its keeper was killed")


def _read(text: str) -> TerminalBegin | TerminalNoted | TerminalResize | None:
    """None for a word of a newer server."""
    try:
        frame: TerminalBegin | TerminalNoted | TerminalResize = _FRAMES.decode(text)
    except msgspec.MsgspecError:
        return None
    return frame


async def _say(socket: aiohttp.ClientWebSocketResponse, what: Request) -> None:
    await socket.send_str(_encode(what).decode())
