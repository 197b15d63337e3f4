"""`GET /api/runs/{id}/events`: a page as JSON, or everything from a number on and live, as the client accepts."""

from aiohttp.web_response import StreamResponse

from pal_server.actions import runs
from pal_server.api import runs as pages
from pal_server.api.answers import common_headers
from pal_server.api.auth import REVOKED
from pal_server.api.doors import SseDoor
from pal_server.api.present import render_run_event
from pal_server.api.routing import Call
from pal_server.api.services import STOPPING
from pal_server.contract.base import Answer
from pal_server.contract.runs import RunEventsQuery
from pal_server.domain.actors import Actor
from pal_server.domain.runs import RunEvent
from pal_server.errors import Invalid, PalError
from pal_server.storage.store import Tx

FLOOR = 4.0  # seconds; the longest a lost wake-up or a revocation elsewhere goes unnoticed
BEAT = 15.0  # seconds of silence after which the stream shows that it lives
PAGE = 200  # events read at a time


async def events(call: Call) -> Answer | StreamResponse:
    if "text/event-stream" in call.http.headers.get("Accept", ""):
        return await _stream(call)
    return await pages.list_events(call)


async def _stream(call: Call) -> StreamResponse:
    """`id:` is the event's number. Ends with a frame `end` once the run has ended and everything was sent."""
    after = _parse_after(call)
    await call.read(runs.get, actor=call.actor, id=call.number())  # a refusal is an answer, not a broken stream
    door = await SseDoor.open(call.http, headers=common_headers(call.request_id), first=f"run {call.number()}")
    hub, key = call.services.hub, f"run:{call.number()}"
    silent_for = 0.0
    while True:
        seen = hub.now
        if call.services.lifetime.is_stopping:
            return await door.end(b": stopping\n\n")
        try:
            actor = await call.services.credentials.actor(call.secret_hash)
            found, status = await call.read(look, actor=actor, id=call.number(), after=after)
        except PalError as exc:
            return await door.end(f": {exc.code}\n\n".encode())
        if found:
            after, silent_for = found[-1].seq, 0.0
            if not door.write(door.frame(b"".join(_frame(event) for event in found))):
                door.cut()
                return door.response
            await door.drain()
        elif status is not None:
            return await door.end(f'event: end\ndata: {{"status":"{status}"}}\n\n'.encode())
        elif silent_for >= BEAT:
            silent_for = 0.0
            if not door.beat():
                return door.response
        if len(found) < PAGE:
            await hub.wait(key, REVOKED, STOPPING, seen=seen, timeout=FLOOR)
            silent_for += FLOOR


def look(tx: Tx, *, actor: Actor, id: int, after: int) -> tuple[tuple[RunEvent, ...], str | None]:
    """The next events, and how the run ended if it has, on one snapshot: an ended run gets no more of them."""
    run = runs.get(tx, actor=actor, id=id)
    page = runs.events(tx, actor=actor, id=id, after=after, limit=PAGE)
    return page.items, None if run.is_live else run.status.value


def _frame(event: RunEvent) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, _word(event.kind), render_run_event(event))


def _word(kind: str) -> bytes:
    """A kind comes from a daemon: on one line, whatever it is."""
    return kind.replace("\n", " ").replace("\r", " ").encode()


def _parse_after(call: Call) -> int:
    text = call.http.headers.get("Last-Event-ID")
    if not text:
        return call.query(RunEventsQuery).after
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Invalid("Last-Event-ID is the number of an event.", field="Last-Event-ID")
    return int(text)
