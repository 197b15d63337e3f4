"""`GET /api/daemon/terminals/{id}/ws`: a daemon brings one of its computer's terminals, for as long as that lives.

    out: begin, then what is typed as binary frames, resize, and noted when its end is stored
    in:  replay, then what the terminal prints as binary frames, and end after the last byte

The daemon dials, so its computer needs no inbound port. When it comes again, the connection before is cut.
"""

import asyncio
from time import monotonic

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.web_response import StreamResponse

from pal_server.actions import computers, terminals
from pal_server.api.answers import common_headers, encode
from pal_server.api.auth import REVOKED
from pal_server.api.events import end_tasks
from pal_server.api.routing import Call
from pal_server.api.services import STOPPING
from pal_server.api.terminal_relay import Link, Relay
from pal_server.contract import terminals as contract
from pal_server.contract.base import Answer, Request
from pal_server.domain.actors import Actor
from pal_server.domain.terminals import FOLDER_LIMIT, Terminal
from pal_server.errors import Conflict, Invalid, NotFound, PalError, Unavailable
from pal_server.storage.store import Tx

FLOOR = 4.0  # seconds; the longest a revocation on another server goes unnoticed
NOTE_EVERY = 60.0  # seconds between notes that it is used
_PINGS = 25.0  # seconds
_INCOMING = 1 << 20  # bytes; daemons send a sixteenth of it at a time

_decode = msgspec.json.Decoder(contract.TerminalReplay | contract.TerminalEnd).decode


async def socket(call: Call) -> StreamResponse:
    """404 or 409 before the handshake: nobody wants this terminal any more, and the daemon ends it."""
    terminal = await call.read(_own, actor=call.actor, epoch=call.epoch, id=call.text())
    response = web.WebSocketResponse(heartbeat=_PINGS, compress=False, max_msg_size=_INCOMING)
    response.headers.update(common_headers(call.request_id))
    await response.prepare(call.http)
    relays = call.services.relays
    relay = relays.of(terminal.id)
    serving = Serving(call, response, terminal, relay)
    relay.serve(serving.link)
    hearing = asyncio.create_task(serving.hear(), name="terminal")
    guarding = asyncio.create_task(serving.guard(), name="terminal guard")
    try:
        await asyncio.wait([hearing, guarding], return_when=asyncio.FIRST_COMPLETED)
        code = guarding.result() if guarding.done() else hearing.result()
        await response.close(code=code)
    finally:
        await end_tasks(hearing, guarding)
        relay.leave(serving.link)
        relays.let_go(terminal.id)
    return response


class Serving:
    """One connection of a daemon, for one terminal."""

    def __init__(self, call: Call, response: web.WebSocketResponse, terminal: Terminal, relay: Relay) -> None:
        self._call = call
        self._response = response
        self._terminal = terminal
        self._relay = relay
        self.link = Link(self._send)

    async def hear(self) -> int:
        """What the terminal prints, until it ends or the daemon goes; the close code."""
        relay = self._relay
        await self._say(contract.TerminalBegin(from_=relay.ring.end if relay.is_known else None))
        has_begun = False
        async for message in self._response:
            if message.type is WSMsgType.BINARY and has_begun:
                relay.put(message.data)
                continue
            try:
                said = _decode(message.data)
                if isinstance(said, contract.TerminalEnd):
                    return await self._end(said)
                await self._replay(said)
                has_begun = True
            except (msgspec.MsgspecError, Invalid):
                return WSCloseCode.POLICY_VIOLATION
            except (Conflict, NotFound):
                return WSCloseCode.OK  # it has ended here already; the daemon comes again and hears so
            except Unavailable:
                return WSCloseCode.TRY_AGAIN_LATER
        return WSCloseCode.OK

    async def guard(self) -> int:
        """Until this connection has to go; the close code. Notes now and then that the terminal is used."""
        services, relay, id = self._call.services, self._relay, self._terminal.id
        hub = services.hub
        every = min(NOTE_EVERY, services.relays.policy.idle_for / 4000)
        note_at = monotonic() + every
        while True:
            seen = hub.now
            if services.lifetime.is_stopping:
                return WSCloseCode.SERVICE_RESTART
            if self.link.is_replaced:
                return WSCloseCode.GOING_AWAY
            try:
                actor = await services.credentials.actor(self._call.secret_hash)
                await self._call.read(computers.need_epoch, actor=actor, epoch=self._call.epoch)
                if monotonic() >= note_at:
                    note_at = monotonic() + every
                    if relay.is_used or relay.viewers:
                        relay.is_used = False
                        await services.store.write(terminals.is_used, workspace_id=self._terminal.workspace_id, id=id)
            except Unavailable:
                return WSCloseCode.TRY_AGAIN_LATER
            except PalError:
                return WSCloseCode.POLICY_VIOLATION
            await hub.wait(relay.replaced, REVOKED, STOPPING, seen=seen, timeout=min(FLOOR, every))

    async def _replay(self, said: contract.TerminalReplay) -> None:
        if said.from_ < 0:
            raise Invalid("from is a position, 0 or more", field="from")
        now = await self._call.write(
            terminals.has_opened, actor=self._call.actor, id=self._terminal.id, folder=said.folder[:FOLDER_LIMIT]
        )
        self._relay.replay(position=said.from_, cols=now.cols, rows=now.rows)
        await self._say(contract.TerminalResize(cols=now.cols, rows=now.rows))
        self._relay.begin(self.link)

    async def _end(self, said: contract.TerminalEnd) -> int:
        await self._call.write(
            terminals.has_ended, actor=self._call.actor, id=self._terminal.id, exit=said.exit, reason=said.reason
        )
        await self._say(contract.TerminalNoted())
        return WSCloseCode.OK

    async def _send(self, what: bytes | contract.TerminalResize) -> bool:
        try:
            if isinstance(what, bytes):
                await self._response.send_bytes(what)
            else:
                await self._say(what)
        except ConnectionError:
            return False
        return True

    async def _say(self, what: Answer | Request) -> None:
        await self._response.send_str(encode(what).decode())


def _own(tx: Tx, *, actor: Actor, epoch: int | None, id: str) -> Terminal:
    computers.need_epoch(tx, actor=actor, epoch=epoch)
    return terminals.own(tx, actor=actor, id=id)
