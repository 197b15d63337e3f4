"""One long connection: the SDK's client, living on the running loop.

Of the SDK's client this keeps frames, pings and what the platform's control frames set. Replaced is what makes it
unfit: it runs on one loop per process captured at import, blocks that loop when it looks the address up, cannot be
stopped, dies in silence, and acks before any asynchronous work is done. Here the ack is sent when `on_event` returns.

Import this module only in the process that holds sockets; it loads the SDK (see `sdk.py`).
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.exceptions import InvalidHandshake, WebSocketException

from pal_server.bridges.lark import sdk
from pal_server.bridges.lark.hosts import is_own_computer
from pal_server.bridges.platform import BadCredentials, Dropped, NotStored

with sdk.lean():
    from lark_oapi.ws.client import Client, _new_ping_frame, _parse_ws_conn_exception
    from lark_oapi.ws.enum import FrameType
    from lark_oapi.ws.exception import ClientException, ConnectionClosedException, ServerException
    from lark_oapi.ws.pb.pbbp2_pb2 import Frame

sdk.hush()

log = logging.getLogger(__name__)

OPEN_WITHIN = 10.0  # seconds for the handshake
DEAD_AFTER = 20.0  # seconds: a ping of the WebSocket layer each, and as long for its answer
PONG_WITHIN = 15.0  # seconds for the platform's own pong, which the SDK never checks
PART_LIFE = 5.0  # seconds the parts of one event may lie apart
MOST_AT_ONCE = 64  # events in work; more wait in the socket
FULL = "1000040350"  # in Handshake-Autherrcode: too many connections of this app

Json = dict[str, Any]
Answer = Mapping[str, Any] | None


class Socket(Client):  # type: ignore[misc]  # the SDK comes without types
    """Make it inside the loop it lives on; `run` holds it until it ends or is cancelled, and leaves nothing behind."""

    def __init__(
        self, *, app_id: str, on_event: Callable[[Json], Awaitable[Answer]], on_sign: Callable[[], None]
    ) -> None:
        """`on_event` gets each event whole; it may raise `NotStored`. `on_sign` is told of each sign of life."""
        super().__init__(app_id, "")
        sdk.hush()  # the line above set the logger's level
        self._cache._cron.cancel()  # or every client ever made leaves a task until its loop ends
        self._on_event = on_event
        self._on_sign = on_sign
        self._parts: dict[str, tuple[float, list[bytes | None]]] = {}
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._pinging = asyncio.Lock()
        self._ponged = asyncio.Event()  # since the last ping
        self.last_event_at = time.monotonic()

    def configure(self, given: Any) -> None:
        """Take the ping interval out of a ClientConfig, whatever else is in it or missing from it.

        The SDK takes all four numbers as they are; a missing one ends its next reconnect with a TypeError.
        """
        interval = given.get("PingInterval") if isinstance(given, dict) else None
        if isinstance(interval, int) and interval > 0:
            self._ping_interval = interval

    async def connect(self, url: str) -> None:
        """Open the socket at the single-use `url`. `Dropped`, or `BadCredentials` when the app is refused."""
        query = parse_qs(urlsplit(url).query)
        try:
            self._conn = await websockets.connect(
                url,
                open_timeout=OPEN_WITHIN,
                ping_interval=DEAD_AFTER,
                ping_timeout=DEAD_AFTER,
                close_timeout=0.5,
                proxy=None if is_own_computer(url) else True,
            )
            self._conn_id = query["device_id"][0]
            self._service_id = query["service_id"][0]
        except InvalidHandshake as error:
            raise _why(error) from error
        except (OSError, TimeoutError, WebSocketException, KeyError) as error:
            # The address is a secret: of the error only its kind is told.
            raise Dropped(f"the socket does not open: {type(error).__name__}") from error
        self._on_sign()

    async def run(self) -> None:
        """Hear and ack until the socket ends: `Dropped`. Cancelling ends all work on events and the socket."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_alive(), name="lark-ping")
                await self._receive(tasks)
        except* Dropped as ended:
            raise Dropped(str(ended.exceptions[0])) from None
        finally:
            await asyncio.shield(self._end())

    async def _receive(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._room.acquire()
            try:
                data = await self._conn.recv()
            except (WebSocketException, OSError) as error:
                raise Dropped(f"the socket ended: {_close_words(error)}") from error
            self._on_sign()
            tasks.create_task(self._work(data), name="lark-event")

    async def _work(self, data: Any) -> None:
        try:
            await self._handle_message(data)
        except (WebSocketException, ConnectionClosedException) as error:
            log.info("an ack did not leave: %s", _close_words(error), extra={"action": "lark.ack_lost"})
        except Exception:
            log.exception("what came is no frame", extra={"action": "lark.no_frame"})
        finally:
            self._room.release()

    async def ping(self) -> None:
        """One round trip to the platform and back, over the socket. `Dropped` when no answer comes."""
        async with self._pinging:
            self._ponged.clear()
            try:
                await self._write_message(_new_ping_frame(int(self._service_id)).SerializeToString())
                async with asyncio.timeout(PONG_WITHIN):  # wait_for loses a cancel that comes with the pong
                    await self._ponged.wait()
            except TimeoutError as error:
                raise Dropped(f"no pong within {PONG_WITHIN:g} s") from error
            except Exception as error:
                raise Dropped(f"a ping could not be sent: {type(error).__name__}") from error

    async def _keep_alive(self) -> None:
        """Ping as often as the platform wants; a platform that does not answer is gone, whatever TCP thinks."""
        while True:
            await self.ping()
            await asyncio.sleep(self._ping_interval)

    async def _end(self) -> None:
        conn: websockets.ClientConnection | None = self._conn
        self._conn = None  # type: ignore[assignment]  # the SDK's own way to say that there is none
        if conn is not None:
            await conn.close()

    # --- what the SDK calls, and what it would do with it

    async def _handle_message(self, msg: bytes) -> None:
        frame = Frame()
        frame.ParseFromString(msg)
        if frame.method == FrameType.CONTROL.value:
            await self._handle_control_frame(frame)
        elif frame.method == FrameType.DATA.value:
            await self._handle_data_frame(frame)

    async def _handle_control_frame(self, frame: Any) -> None:
        if _headers(frame).get("type") == "pong":
            self._ponged.set()
            if frame.payload:
                self.configure(json.loads(frame.payload))

    async def _handle_data_frame(self, frame: Any) -> None:
        """One event, or one part of it: work first, then the ack, which is the same frame sent back."""
        started = time.monotonic()
        headers = _headers(frame)
        if headers.get("type") != "event":
            return  # the old kind of card callback, which the SDK does not ack either
        body = self._joined(headers, frame.payload)
        if body is None:
            return
        self.last_event_at = started
        try:
            answer = await self._on_event(json.loads(body))
            said: Json = {"code": 200}
            if answer is not None:
                said["data"] = base64.b64encode(json.dumps(answer, ensure_ascii=False).encode()).decode()
        except NotStored as error:
            log.warning("an event is not stored and will come again: %s", error, extra={"action": "lark.not_stored"})
            said = {"code": 500}
        except Exception:
            log.exception("an event failed and will come again", extra={"action": "lark.event_failed"})
            said = {"code": 500}
        took = frame.headers.add()
        took.key, took.value = "biz_rt", str(int((time.monotonic() - started) * 1000))
        frame.payload = json.dumps(said).encode()
        await self._write_message(frame.SerializeToString())

    def _joined(self, headers: Mapping[str, str], payload: bytes) -> bytes | None:
        """The whole event, once its last part is here. Parts come in any order.

        The SDK keeps a finished event and so takes the first part of its repeat for all of it; here it begins anew.
        """
        count, place, name = int(headers.get("sum", 1)), int(headers.get("seq", 0)), headers["message_id"]
        if count <= 1:
            return payload
        now = time.monotonic()
        self._parts = {key: value for key, value in self._parts.items() if value[0] > now}
        parts = self._parts.get(name, (0.0, [None] * count))[1]
        parts[place] = payload
        if None in parts:
            self._parts[name] = (now + PART_LIFE, parts)
            return None
        self._parts.pop(name, None)
        return b"".join(part for part in parts if part is not None)


def _headers(frame: Any) -> dict[str, str]:
    return {header.key: header.value for header in frame.headers}


def _why(error: InvalidHandshake) -> Exception:
    """What a refused handshake means, in the words of the SDK's own reading of it."""
    response = getattr(error, "response", None)
    if response is not None and response.headers.get("Handshake-Autherrcode") == FULL:
        # Those of a process that just died still count for a while, so this is worth another try soon.
        return Dropped("Lark allows no more connections of this app")
    try:
        _parse_ws_conn_exception(error)
    except ClientException as refused:
        return BadCredentials(f"Lark refuses the connection: {refused}")
    except ServerException as refused:
        return Dropped(f"Lark refuses the connection for now: {refused}")
    except Exception:
        status = getattr(response, "status_code", "no")
        return Dropped(f"the socket does not open: {status} status")
    return Dropped("the socket does not open")


def _close_words(error: BaseException) -> str:
    code = getattr(getattr(error, "rcvd", None), "code", None)
    return f"closed with {code}" if code else type(error).__name__
