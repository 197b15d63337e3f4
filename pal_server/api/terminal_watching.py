"""`GET /api/terminals/{id}/ws`: a terminal, seen and, by those who may, typed into.

    out: hello, then bytes as binary frames, size, state, typed, and closed after the last byte
    in:  bytes as binary frames, {"type": "resize", "cols": …, "rows": …}

What a viewer types who may not is forgotten, and they are told so once. What is typed while the terminal opens or its
computer is away waits for it (`terminal_typeahead`), and goes with the viewer. A viewer who reads too slowly for what
is kept gets another hello and goes on from there.
"""

import asyncio
from contextlib import suppress

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.web_response import StreamResponse

from pal_server.actions import terminals
from pal_server.api.answers import common_headers, encode
from pal_server.api.auth import REVOKED
from pal_server.api.events import end_tasks
from pal_server.api.present import present
from pal_server.api.routing import Call
from pal_server.api.services import STOPPING
from pal_server.api.terminal_relay import PART, Relay, Typist
from pal_server.api.terminal_typeahead import Typeahead
from pal_server.contract import terminals as contract
from pal_server.contract.base import Answer
from pal_server.domain.terminals import State, Terminal
from pal_server.errors import PalError

FLOOR = 4.0  # seconds; the longest a lost wake-up or a right that was taken back elsewhere goes unnoticed
PARTS = 16  # sent before state and rights are looked at again
AWAY = "its computer is away: what is typed waits for it, up to a minute"
NOT_KEPT = "what was typed was not kept: it waited for more than a minute, or was too much"
READ_ONLY = "you may watch this terminal, and not type into it"
_PINGS = 25.0  # seconds
_INCOMING = 1 << 20  # bytes; the largest paste
_NAME = 64  # characters of a typist's name

_decode = msgspec.json.Decoder(contract.TerminalResize).decode


async def socket(call: Call) -> StreamResponse:
    watching = await _begin(call)  # a refusal is an answer, not a broken socket
    response = web.WebSocketResponse(heartbeat=_PINGS, compress=False, max_msg_size=_INCOMING)
    response.headers.update(common_headers(call.request_id))
    await response.prepare(call.http)
    telling = asyncio.create_task(watching.tell(response), name="terminal viewer")
    reading = asyncio.create_task(watching.read(response), name="terminal viewer's keys")
    try:
        await asyncio.wait([telling, reading], return_when=asyncio.FIRST_COMPLETED)
        if telling.done():
            code, why = telling.result()
            await response.close(code=code, message=why.encode())
    finally:
        await end_tasks(telling, reading)
        watching.leave()
    return response


async def _begin(call: Call) -> "Watching":
    services = call.services
    terminal, may_type = await call.read(
        terminals.watched, actor=call.actor, policy=services.relays.policy, id=call.text()
    )
    if terminal.lives:
        await services.store.write(terminals.is_used, workspace_id=terminal.workspace_id, id=terminal.id)
    return Watching(call, terminal, may_type=may_type)


class Watching:
    """One viewer. Only `tell` sends."""

    def __init__(self, call: Call, terminal: Terminal, *, may_type: bool) -> None:
        self._call = call
        self._terminal = terminal
        self._may_type = may_type
        self._relay: Relay = call.services.relays.of(terminal.id)
        self._relay.viewers += 1
        query = call.query(contract.TerminalWatchQuery)
        self._position = query.from_  # of the next byte, as the viewer knows it
        name = (query.typist or "")[:_NAME]
        self._is_named = name != ""
        # Named within the actor: nobody takes another's place by a guess.
        self._typist, is_known = self._relay.typist(f"{call.actor.id} {name}") if name else (Typist(), False)
        self._connection = self._typist.connections
        self._typed_before = self._told_typed = self._typist.taken if is_known else 0
        self._is_known = is_known
        self._received = 0  # bytes of this connection
        self._is_greeted = False
        self._size = (terminal.cols, terminal.rows)  # as the viewer knows it
        self._state: tuple[State, str | None] = (terminal.state, None)  # the same
        self._typeahead = Typeahead()
        self._passing = asyncio.Lock()  # both tasks pass on what is typed, and it stays in order
        self._has_lost = False  # something of what was typed last was not kept
        self._was_refused = False  # typed, and may not
        self._is_told_so = False
        self._revoked = call.services.hub.count(REVOKED)  # when the rights were looked at last
        self._look_at = asyncio.get_running_loop().time() + FLOOR

    def leave(self) -> None:
        self._relay.viewers -= 1
        self._call.services.relays.let_go(self._terminal.id)

    async def tell(self, response: web.WebSocketResponse) -> tuple[int, str]:
        """Everything there is to see, until the terminal ends or the viewer may not look any more: the close code and
        a word.
        """
        services, relay = self._call.services, self._relay
        hub, now = services.hub, asyncio.get_running_loop().time
        changes = (relay.changed, REVOKED, STOPPING)
        seen_changes, look_at = hub.now, now() + FLOOR
        try:
            while True:
                seen = hub.now
                if services.lifetime.is_stopping:
                    return WSCloseCode.SERVICE_RESTART, "stopping"
                if hub.count(*changes) > seen_changes or now() >= look_at:
                    seen_changes, look_at = seen, now() + FLOOR
                    try:
                        await self._look()
                    except PalError as exc:
                        return WSCloseCode.POLICY_VIOLATION, exc.code
                if not self._passing.locked():  # a daemon that takes nothing holds up who types, and not who looks
                    await self._pass_on()
                await self._show(response)
                if not self._terminal.lives and not self._has_more:
                    last = contract.TerminalClosed(reason=self._terminal.reason, exit=self._terminal.exit)
                    await _send(response, last)
                    return WSCloseCode.OK, self._terminal.state.value
                if not self._has_more:
                    await hub.wait(relay.printed, *changes, seen=seen, timeout=max(0.0, look_at - now()))
        except ConnectionError:  # the viewer went
            return WSCloseCode.GOING_AWAY, "gone"

    async def read(self, response: web.WebSocketResponse) -> None:
        """What the viewer types, until they go or may not look any more."""
        async for message in response:
            try:
                await self._look_if_due()
            except PalError:
                return
            if self._typist.connections != self._connection:  # they came again, and say again what was not taken
                return
            if message.type is WSMsgType.BINARY:
                self._received += len(message.data)
            if not self._may_type:
                self._was_refused = True
                self._relay.wake()
            elif message.type is WSMsgType.BINARY:
                self._typeahead.add(message.data, now=asyncio.get_running_loop().time())
                await self._pass_on()
            elif message.type is WSMsgType.TEXT:
                await self._resize(message.data)

    async def _pass_on(self) -> None:
        """What was typed, to the daemon, as soon as that hears it."""
        async with self._passing:
            if self._typist.connections == self._connection:
                await self._pass_on_all()
                self._note_taken()

    def _note_taken(self) -> None:
        taken = self._typed_before + self._received - self._typeahead.waiting
        if self._is_named and taken != self._typist.taken:
            self._typist.taken = taken
            self._relay.wake()

    async def _pass_on_all(self) -> None:
        waiting, now = self._typeahead, asyncio.get_running_loop().time()
        if not waiting:
            return
        waiting.look(now=now)
        if not self._may_type:
            waiting.lose()
        has_lost = waiting.is_lost
        if self._relay.is_heard and (data := waiting.take()):
            self._note_taken()  # before it is on its way: who comes again meanwhile must not say it again
            if await self._relay.type(data):
                self._has_lost = False
                return
            waiting.add(data, now=now)
        if has_lost and not self._has_lost:
            self._has_lost = True
            self._relay.wake()

    async def _resize(self, text: str) -> None:
        try:
            wanted = _decode(text)
        except msgspec.MsgspecError:  # a word of a newer page
            return
        services = self._call.services
        with suppress(PalError):  # an impossible size, or a right that was taken back
            now = await services.store.write(
                terminals.resize,
                actor=self._call.actor,
                policy=services.relays.policy,
                id=self._terminal.id,
                cols=wanted.cols,
                rows=wanted.rows,
            )
            await self._relay.resize(cols=now.cols, rows=now.rows)

    async def _look_if_due(self) -> None:
        """Before they type: a viewer who reads nothing holds `tell` up, and must not keep their rights by that."""
        is_late = asyncio.get_running_loop().time() >= self._look_at
        if is_late or self._call.services.hub.count(REVOKED) > self._revoked:
            await self._look()

    async def _look(self) -> None:
        """Who they are now, what they may, and how the terminal is."""
        services = self._call.services
        self._revoked, self._look_at = services.hub.count(REVOKED), asyncio.get_running_loop().time() + FLOOR
        actor = await services.credentials.actor(self._call.secret_hash)
        self._terminal, self._may_type = await self._call.read(
            terminals.watched, actor=actor, policy=services.relays.policy, id=self._terminal.id
        )

    async def _show(self, response: web.WebSocketResponse) -> None:
        position = self._next_position()
        if not self._is_greeted or position != self._position:
            self._is_greeted, self._position, self._size = True, position, self._now_size()
            self._state = (self._terminal.state, None)
            hello = contract.TerminalHello(
                terminal=present(self._terminal, contract.Terminal),
                may_type=self._may_type,
                cols=self._size[0],
                rows=self._size[1],
                from_=position,
                typed=self._typist.taken if self._is_known else None,
            )
            self._is_known = self._is_named
            await _send(response, hello)
        if (size := self._now_size()) != self._size:
            self._size = size
            await _send(response, contract.TerminalSize(cols=size[0], rows=size[1]))
        if self._is_named and (taken := self._typist.taken) != self._told_typed:
            self._told_typed = taken
            await _send(response, contract.TerminalTyped(bytes=taken))
        await self._show_bytes(response)
        await self._show_state(response)

    async def _show_bytes(self, response: web.WebSocketResponse) -> None:
        ring = self._relay.ring
        for _ in range(PARTS):
            if self._position is None or not self._has_more or not ring.start <= self._position:
                return
            part = ring.read(self._position, PART)
            self._position += len(part)
            await response.send_bytes(part)

    async def _show_state(self, response: web.WebSocketResponse) -> None:
        terminal = self._terminal
        if not terminal.lives:
            return
        is_away = terminal.state is State.OPEN and not self._relay.is_served
        state = (terminal.state, NOT_KEPT if self._has_lost else AWAY if is_away else terminal.reason)
        if self._was_refused and not self._is_told_so:
            self._is_told_so = True
            await _send(response, contract.TerminalStateChange(state=terminal.state.value, reason=READ_ONLY))
        if state != self._state:
            self._state = state
            await _send(response, contract.TerminalStateChange(state=state[0].value, reason=state[1]))

    @property
    def _has_more(self) -> bool:
        """Something is kept that the viewer has not, or they have to be told where what is kept begins."""
        return self._relay.is_known and self._position != self._relay.ring.end

    def _next_position(self) -> int:
        ring = self._relay.ring
        if not self._relay.is_known:
            return self._position or 0
        is_kept = self._position is not None and ring.start <= self._position <= ring.end
        return self._position if self._position is not None and is_kept else ring.start

    def _now_size(self) -> tuple[int, int]:
        relay = self._relay
        return (relay.cols, relay.rows) if relay.is_known else (self._terminal.cols, self._terminal.rows)


async def _send(response: web.WebSocketResponse, answer: Answer) -> None:
    await response.send_str(encode(answer).decode())
