"""The two doors to the workspace's events: SSE for programs, one WebSocket per tab for the workbench."""

import asyncio

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.web_response import StreamResponse

from pal_server.api.answers import common_headers
from pal_server.api.doors import SseDoor, WebSocketDoor
from pal_server.api.routing import INTEGER_MAX, Call
from pal_server.api.run_watching import RunWatching
from pal_server.contract.events import EventsQuery
from pal_server.errors import Invalid

_PINGS = 25.0  # seconds
_INCOMING = 64 * 1024  # bytes; readers have little to say
_CLOSE_CODES = {
    "stopping": WSCloseCode.SERVICE_RESTART,
    "revoked": WSCloseCode.POLICY_VIOLATION,
    "behind": WSCloseCode.TRY_AGAIN_LATER,
}


async def stream(call: Call) -> StreamResponse:
    """`GET /api/events`: `Last-Event-ID: N` and `?after=N` mean the same, the header wins because it is newer."""
    tailer = call.services.tailer
    position = await tailer.start_position(parse_after(call))
    headers = common_headers(call.request_id)
    door = await SseDoor.open(call.http, headers=headers, first=f"position {position}", position=position)
    reason = await tailer.serve(door, actor=call.actor, secret_hash=call.secret_hash, position=position)
    if reason in ("gone", "behind"):
        door.cut()
        return door.response
    return await door.end(f": {reason}\n\n".encode())


async def socket(call: Call) -> StreamResponse:
    """`GET /api/ws?after=N`: the same events, one JSON text frame each, and those of the runs it asks to watch."""
    tailer = call.services.tailer
    position = await tailer.start_position(parse_after(call))
    response = web.WebSocketResponse(heartbeat=_PINGS, compress=False, max_msg_size=_INCOMING)
    response.headers.update(common_headers(call.request_id))
    await response.prepare(call.http)
    door = WebSocketDoor(call.http, response)
    serving = asyncio.create_task(
        tailer.serve(door, actor=call.actor, secret_hash=call.secret_hash, position=position), name="event socket"
    )
    watching = RunWatching(call, door)
    reading = asyncio.create_task(watching.read(response), name="event socket reader")
    try:
        await asyncio.wait([serving, reading], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            reason = serving.result()
            await response.close(code=_CLOSE_CODES.get(reason, WSCloseCode.OK), message=reason.encode())
    finally:
        await end_tasks(serving, reading)
        await watching.close()
    return response


async def read_pings(response: web.WebSocketResponse, /) -> None:
    """Until the reader goes: its close and pings are answered by aiohttp, a text `{"type": "ping"}` here."""
    async for message in response:
        if message.type is WSMsgType.TEXT and '"ping"' in message.data:
            await response.send_str('{"type":"pong"}')


async def end_tasks(*tasks: "asyncio.Task[object]") -> None:
    """Cancel them and await their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def parse_after(call: Call, /) -> int | None:
    """The position a reader has, or None for "from now on"."""
    text = call.http.headers.get("Last-Event-ID")
    after = call.query(EventsQuery).after
    if text:
        if not (text.isascii() and text.isdigit()):
            raise Invalid("Last-Event-ID is the id of an event, a whole number.", field="Last-Event-ID")
        after = int(text)
    if after is not None and not 0 <= after <= INTEGER_MAX:
        raise Invalid("after is the position of an event, a whole number from 0 up.", field="after")
    return after
