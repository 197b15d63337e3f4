"""`GET /api/daemon/ws`: tells a daemon to look again. Without it all is right, only slower: the heartbeat finds it.

What people in front of a screen ask a computer goes this way too (`asking.py`), as nothing depends on it.
"""

import asyncio

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.web_response import StreamResponse

from pal_server.actions import daemons
from pal_server.api.answers import common_headers, encode
from pal_server.api.asking import Line
from pal_server.api.auth import REVOKED
from pal_server.api.events import end_tasks
from pal_server.api.routing import Call
from pal_server.api.services import STOPPING
from pal_server.contract.events import Bye, Look
from pal_server.domain.actors import Actor
from pal_server.domain.computers import check_epoch
from pal_server.errors import Conflict, PalError, Unauthenticated
from pal_server.storage.store import Tx

FLOOR = 4.0  # seconds; a revocation on another server is noticed within it
_PINGS = 25.0  # seconds
_INCOMING = 64 * 1024  # bytes; daemons say nothing but pings and short answers here


async def socket(call: Call) -> StreamResponse:
    """Refused before the handshake when another daemon has taken over; later that ends it with `bye`."""
    await call.read(_stand, actor=call.actor, epoch=call.epoch)
    response = web.WebSocketResponse(heartbeat=_PINGS, compress=False, max_msg_size=_INCOMING)
    response.headers.update(common_headers(call.request_id))
    await response.prepare(call.http)
    line = Line(response.send_str)
    call.services.lines.add(call.actor.id, line)
    telling = asyncio.create_task(_tell(call, response), name="daemon socket")
    reading = asyncio.create_task(_read(response, line), name="daemon socket reader")
    try:
        await asyncio.wait([telling, reading], return_when=asyncio.FIRST_COMPLETED)
        if telling.done() and not response.closed:
            bye = telling.result()
            await response.send_str(encode(bye).decode())
            code = WSCloseCode.SERVICE_RESTART if bye.retry else WSCloseCode.POLICY_VIOLATION
            await response.close(code=code, message=bye.code.encode())
    finally:
        call.services.lines.remove(call.actor.id, line)
        await end_tasks(telling, reading)
    return response


async def _read(response: web.WebSocketResponse, line: Line) -> None:
    """Until the daemon goes."""
    async for message in response:
        if message.type is not WSMsgType.TEXT:
            continue
        if message.data == _PING:
            await response.send_str('{"type":"pong"}')
        else:
            line.hear(message.data)


async def _tell(call: Call, response: web.WebSocketResponse) -> Bye:
    """Say look whenever there may be something, until the daemon has to go."""
    hub = call.services.hub
    work, orders = f"computer:{call.actor.id}", f"commands:{call.actor.id}"
    seen_work, seen_orders = -1, -1  # the first look is at once: something may have come before this socket
    while True:
        seen = hub.now
        if call.services.lifetime.is_stopping:
            return Bye(code="unavailable", message="The server is stopping; come back.", retry=True)
        try:
            actor = await call.services.credentials.actor(call.secret_hash)
            due = await call.read(_stand, actor=actor, epoch=call.epoch)
        except Unauthenticated as exc:
            code = "revoked" if exc.facts.get("reason") == "revoked" else exc.code
            return Bye(code=code, message=exc.message, retry=False)
        except Conflict as exc:
            return Bye(code=exc.code, message=exc.message, retry=False)
        except PalError as exc:
            return Bye(code=exc.code, message=exc.message, retry=True)
        now = call.services.clock()
        is_due = due is not None and due <= now
        if (count := hub.count(work)) > seen_work or is_due:
            seen_work = count
            await response.send_str(_LOOK)
        if (count := hub.count(orders)) > seen_orders:
            seen_orders = count
            await response.send_str(_LOOK_AT_COMMANDS)
        pause = FLOOR if due is None or is_due else min(FLOOR, max(0.01, (due - now) / 1000))
        await hub.wait(work, orders, REVOKED, STOPPING, seen=seen, timeout=pause)


def _stand(tx: Tx, *, actor: Actor, epoch: int | None) -> int | None:
    """When a delivery that is held back may be claimed; `Conflict` when another daemon has taken over."""
    current, due = daemons.standing(tx, actor=actor)
    check_epoch(current, epoch)
    return due


_PING = '{"type":"ping"}'
_LOOK = encode(Look(what="deliveries")).decode()
_LOOK_AT_COMMANDS = encode(Look(what="commands")).decode()
