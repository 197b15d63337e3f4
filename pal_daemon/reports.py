"""What one run has to tell the server, in order: numbered events in batches, and the steps between them.

Promises
- In order, at least once, accepted once: an event is named by its number and by where it ends in the spool
  (`source`); a batch says where the server must stand (`after_source`), and when it stands elsewhere its word counts
  and what it has is not sent again.
- All events of one spool record go up in one request, so "everything up to this source" is never half true.
- At most ten requests a second; texts that grow are joined in between. The first event goes at once.
- While the server is away everything waits: here up to WAITING_BYTES, then in the spool, because the reader of the
  spool waits too.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic

from pal_daemon.bus import ApiProblem, Bus, is_lease_lost, is_shut_out, is_worth_repeating
from pal_daemon.leases import HeldLease
from pal_daemon.patience import LONGEST_PAUSE, new_pauses
from pal_daemon.runtimes.base import Event
from pal_server.client.retry import AGAIN, Pauses
from pal_server.contract.runs import AddRunEvents, RunEventIn

FLUSH_EVERY = 0.1  # seconds
REQUEST_BYTES = 512 << 10  # a request is closed once it has this much; the next source begins another
JOINED_BYTES = 64 << 10  # a joined text is closed once it has this much
WAITING_BYTES = 4 << 20  # in memory for one run; beyond it the spool is read no further
TEXT_CHARS = 128 << 10  # a whole text is cut here, a piece in two; the spool has all of it
OVERHEAD = 160  # bytes of JSON around an event's text
REQUEST_EVENTS = 1000
FAULTS = 20  # times a server may break over the same events, more than a minute, before they are given up

log = logging.getLogger(__name__)
Step = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Waiting:
    """An event without its number yet."""

    kind: str
    at: int
    source: int
    lane: str
    text: str | None
    data: dict[str, object]
    size: int
    is_piece: bool = False


class Reports:
    """One run's way up. `event` and `step` are called by the reader of the spool, `run` is the one task that sends."""

    def __init__(
        self, bus: Bus, run: int, lease: HeldLease, *, last_seq: int = 0, last_source: int | None = None
    ) -> None:
        """`last_seq` and `last_source` say where the server stands; what ends there or before is not sent again."""
        self._bus = bus
        self._run = run
        self._lease = lease
        self._seq = last_seq
        self._source = last_source or 0  # bytes; 0 is the beginning
        self._queue: deque[_Waiting | Step] = deque()
        self._size = 0  # bytes waiting
        self._is_closed = False
        self._is_over = False
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._sent_at = float("-inf")
        self._faults = 0  # of the server in a row, over one batch

    def event(self, event: Event, *, at: int, source: int) -> None:
        """`at` in UTC ms; `source` is where its spool record ends."""
        if self._is_over or source <= self._source:
            return
        for text in _pieces(event):
            size = _size(text, event.data)
            self._add(_Waiting(event.kind, at, source, event.lane, text, dict(event.data), size, event.is_piece))

    def step(self, step: Step) -> None:
        """Something said between events: after those before it, before those after it. Repeated until it is heard."""
        self._queue.append(step)
        self._changed.set()

    async def room(self) -> None:
        """Return once there is room for more; what waits is not lost, only not read yet."""
        await self._has_room.wait()

    def close(self) -> None:
        """Nothing more comes: `run` returns when everything is sent."""
        self._is_closed = True
        self._changed.set()

    async def run(self) -> None:
        """Send until closed and empty, or until the lease is lost; then nothing waits for room any more."""
        try:
            await self._send_all()
        finally:
            self._is_over = True
            self._queue.clear()
            self._has_room.set()

    async def _send_all(self) -> None:
        while not self._lease.lost.is_set():
            if not self._queue:
                if self._is_closed:
                    return
                self._changed.clear()
                await self._changed.wait()
                continue
            head = self._queue[0]
            if isinstance(head, _Waiting):
                await self._wait_for_more()
                await self._send(self._next_batch())
            else:
                await self._repeat(head)
                self._queue.popleft()

    def _add(self, waiting: _Waiting) -> None:
        last = self._queue[-1] if self._queue else None
        if isinstance(last, _Waiting) and _may_join(last, waiting):
            last.text = f"{last.text}{waiting.text}"
            last.source = waiting.source
            last.size += waiting.size - OVERHEAD
            self._size += waiting.size - OVERHEAD
        else:
            self._queue.append(waiting)
            self._size += waiting.size
        if self._size > WAITING_BYTES:
            self._has_room.clear()
        self._changed.set()

    async def _wait_for_more(self) -> None:
        """Hold back until the flush is due; a full request or the end of the run is due now."""
        while not self._is_closed and self._size < REQUEST_BYTES:
            left = self._sent_at + FLUSH_EVERY - monotonic()
            if left <= 0:
                return
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _next_batch(self) -> list[_Waiting]:
        """Whole sources from the head of the queue up to a step or the size of a request; nothing joins them then."""
        batch: list[_Waiting] = []
        size = 0
        for item in self._queue:
            if not isinstance(item, _Waiting):
                break
            is_new_source = not batch or item.source != batch[-1].source
            if batch and is_new_source and (size + item.size > REQUEST_BYTES or len(batch) >= REQUEST_EVENTS):
                break
            batch.append(item)
            size += item.size
        for item in batch:
            self._queue.popleft()
            self._size -= item.size
        return batch

    async def _send(self, batch: list[_Waiting]) -> None:
        """Give the server this batch, however long it takes and wherever it stands."""
        pauses = new_pauses()
        while batch and not self._lease.lost.is_set():
            self._sent_at = monotonic()
            try:
                answer = await self._bus.add_events(self._run, self._request(batch))
            except Exception as error:
                batch = await self._after_failure(batch, error, pauses)
                continue
            self._seq, self._source = answer.last_seq, answer.last_source or 0
            break
        if self._size <= WAITING_BYTES // 2:
            self._has_room.set()

    def _request(self, batch: list[_Waiting]) -> AddRunEvents:
        events = [
            RunEventIn(
                seq=self._seq + number,
                kind=waiting.kind,
                at=waiting.at,
                text=waiting.text,
                source=waiting.source,
                lane=waiting.lane,
                data=waiting.data,
            )
            for number, waiting in enumerate(batch, 1)
        ]
        return AddRunEvents(lease_id=self._lease.id, fence=self._lease.fence, events=events, after_source=self._source)

    async def _after_failure(self, batch: list[_Waiting], error: Exception, pauses: Pauses) -> list[_Waiting]:
        """What is still to be sent of `batch`."""
        if self._has_lost(error):
            return batch
        if isinstance(error, ApiProblem) and error.code == "conflict" and "last_seq" in error.facts:
            self._seq = int(error.facts["last_seq"])
            self._source = int(error.facts.get("last_source") or 0)
            left = [waiting for waiting in batch if waiting.source > self._source]
            if len(left) == len(batch):  # it stands before us: what it lacks is not here any more
                await asyncio.sleep(pauses.next())
            return left
        self._faults = self._faults + 1 if _is_fault(error) else 0
        if (is_worth_repeating(error) and self._faults < FAULTS) or is_shut_out(error):
            await asyncio.sleep(pauses.next())
            return batch
        self._faults = 0
        log.error("the server refuses these run events: %s", error, extra={"action": "report", "run": self._run})
        if len(batch) == 1 and batch[0].kind == "error":
            return []
        last = batch[-1]
        text = f"{len(batch)} events could not be recorded: {error}"
        return [_Waiting("error", last.at, last.source, "main", text, {}, OVERHEAD)]

    async def _repeat(self, step: Step) -> None:
        pauses = new_pauses()
        while not self._lease.lost.is_set():
            try:
                await step()
                return
            except Exception as error:
                if self._has_lost(error):
                    return
                if not is_worth_repeating(error) and not is_shut_out(error):
                    log.error("the server refuses a report: %s", error, extra={"action": "report", "run": self._run})
                    return
                await asyncio.sleep(pauses.next(at_least=LONGEST_PAUSE if is_shut_out(error) else 0.0))

    def _has_lost(self, error: Exception) -> bool:
        if is_lease_lost(error) or (isinstance(error, ApiProblem) and error.code == "not_found"):
            self._lease.lost.set()
            return True
        return False


def _is_fault(error: Exception) -> bool:
    """The server broke over this very request; a server that is away is no fault of the request."""
    return isinstance(error, ApiProblem) and error.status >= 500 and error.code not in AGAIN


def _may_join(last: _Waiting, new: _Waiting) -> bool:
    return (
        last.is_piece
        and new.is_piece
        and last.kind == new.kind
        and last.lane == new.lane
        and last.data == new.data
        and last.size + new.size <= JOINED_BYTES
    )


def _pieces(event: Event) -> list[str | None]:
    """The event's text as the wire takes it: a piece in smaller pieces, a whole one cut with a word about it."""
    text = event.text
    if text is None or len(text) <= TEXT_CHARS:
        return [text]
    if event.is_piece:
        return [text[at : at + TEXT_CHARS] for at in range(0, len(text), TEXT_CHARS)]
    return [f"{text[:TEXT_CHARS]}\n[{len(text) - TEXT_CHARS:,} characters more]"]


def _size(text: str | None, data: object) -> int:
    length = 0 if text is None else len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return OVERHEAD + length + (len(str(data)) if data else 0)
