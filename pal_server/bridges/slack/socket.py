"""One socket to Slack in Socket Mode, held by the SDK and watched by us.

What the SDK does by itself: pings, a new socket after a cut or an announced end. What it does not, and is done here:

- It acknowledges before a listener has run, or not at all when none matches. Everything goes through one middleware in
  front of all of them, whose answer is the acknowledgement: it stores first.
- With a bad app token it tries for ever and says nothing. The token is checked by the first call, whose ticket is used.
- Refused at a socket address, it tries the same address for ever, also when its ticket has died. The address is taken
  away after two looks, and after a minute the whole socket is given up.
- On its end it leaves listeners running, and one that is reconnecting sleeps on. They are waited for, then cancelled.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from pal_server.bridges.platform import BadCredentials, Dropped, Ears, NotStored

from .web import Failed, Web

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse

Json = dict[str, Any]

UNANSWERED = 503  # any status but 200 keeps Bolt from acknowledging, so that Slack tells it again
MOST_HELLO = 4_000  # characters; longer frames are events


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds."""

    ping: float = 5.0  # between pings; also the least between two attempts of the SDK to reconnect
    connect: float = 10.0  # until a socket is open
    hello: float = 10.0  # until Slack greets on it
    look: float = 5.0  # between two looks at the socket
    give_up: float = 60.0  # without a socket, until a new one is begun from the start
    quiet: float = 300.0  # without an event, until it is asked whether there were any
    fresh: float = 20.0  # in which an event may still be on its way
    finish: float = 0.4  # for what is being stored when the socket ends


class Socket:
    """`take` gets (kind, payload) of everything Slack tells and gives the body of the acknowledgement, or None.

    Kinds are `event_callback`, `block_actions`, `view_submission`, … and `command`.
    """

    def __init__(
        self,
        *,
        app_token: str,
        app_id: str,
        web: Web,
        take: Callable[[str, Json], Awaitable[Json | None]],
        looks: Callable[[], Awaitable[str]],
        log: logging.Logger,
        patience: Patience,
    ) -> None:
        self._app_token = app_token
        self._app_id = app_id
        self._web = web
        self._take = take
        self._looks = looks
        self._log = log
        self._patience = patience
        self._tasks: set[asyncio.Task[None]] = set()
        self._hello = asyncio.Event()
        self._end: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self._is_ending = False
        self._ears: Ears | None = None

    def fail(self, reason: BadCredentials | Dropped) -> None:
        """End `run` with this."""
        if not self._end.done():
            self._end.set_exception(reason)

    async def run(self, ears: Ears) -> None:
        """Until cancelled. Raises Dropped and BadCredentials; leaves no task and no socket."""
        self._ears = ears
        url = await self.ticket()
        handler = self._handler(url)
        try:
            await self._within(handler.connect_async(), self._patience.connect, "the socket Slack named does not open")  # type: ignore[no-untyped-call]
            await self._within(self._hello.wait(), self._patience.hello, "Slack does not greet on the socket")
            ears.up()
            await self._watch(handler, ears)
        finally:
            await self._close(handler)

    async def ticket(self) -> str:
        """An address for one socket. Raises BadCredentials for a token Slack will not have."""
        try:
            return str((await self._web.call("apps.connections.open", token=self._app_token))["url"])
        except Failed as failed:
            raise failed.for_listening() from failed

    def _handler(self, url: str) -> AsyncSocketModeHandler:
        from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
        from slack_bolt.async_app import AsyncApp

        app = AsyncApp(
            name="pal",
            client=self._web.client,
            logger=self._log,
            before_authorize=self._answer,
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
        )
        handler = AsyncSocketModeHandler(
            app,
            self._app_token,
            logger=self._log,
            web_client=self._web.client,
            proxy=self._web.proxy,
            ping_interval=self._patience.ping,
        )
        client = handler.client
        client.wss_uri = url
        client.on_message_listeners.append(self._frame)
        listeners = client.run_message_listeners

        async def tracked(message: Json, raw_message: str) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await listeners(message, raw_message)

        client.run_message_listeners = tracked  # type: ignore[method-assign]  # the SDK forgets these tasks
        return handler

    async def _answer(self, req: AsyncBoltRequest) -> BoltResponse:
        """In front of Bolt's own middleware: no authorization is asked for, no event goes by unanswered."""
        from slack_bolt.response import BoltResponse

        payload: Json = req.body
        if self._is_ending:
            return BoltResponse(status=UNANSWERED)
        if self._ears is not None:
            self._ears.alive()
        try:
            body = await self._take("command" if "command" in payload else str(payload.get("type")), payload)
        except NotStored as missed:
            self._log.warning("an event of Slack was not stored and will come again: %s", missed)
            return BoltResponse(status=UNANSWERED)
        return BoltResponse(status=200, body=body or "")

    async def _frame(self, message: Any) -> None:
        """Frames that are about the socket itself, as they come."""
        raw = message.data if isinstance(message.data, str) else ""
        if self._ears is not None:
            self._ears.alive()
        if len(raw) > MOST_HELLO or ('"hello"' not in raw and '"disconnect"' not in raw):
            return
        try:
            said = json.loads(raw)
        except ValueError:
            return
        if said.get("type") == "hello":
            self._greeted(said)
        elif said.get("type") == "disconnect" and said.get("reason") == "link_disabled":
            self.fail(BadCredentials("Socket Mode of the Slack app was switched off"))

    def _greeted(self, said: Json) -> None:
        other = str((said.get("connection_info") or {}).get("app_id") or "")
        if self._app_id and other and other != self._app_id:
            text = (
                f"the app token is of {other}, the bot token of {self._app_id}: they would hear nothing of each other"
            )
            self.fail(BadCredentials(text))
        if self._hello.is_set() and self._ears is not None:
            self._ears.up(detail="connected again")
        self._hello.set()

    async def _within(self, work: Any, seconds: float, wrong: str) -> None:
        """Done, or the socket's own end, or too late."""
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait((task, self._end), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._end in done:
                self._end.result()
            if not done:
                raise Dropped(wrong)
            task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, handler: AsyncSocketModeHandler, ears: Ears) -> NoReturn:
        client, loop = handler.client, asyncio.get_running_loop()
        down_since: float | None = None
        looks, last_pong = 0, client.last_ping_pong_time
        while True:
            await asyncio.wait((self._end,), timeout=self._patience.look)
            if self._end.done():
                self._end.result()
            if client.last_ping_pong_time != last_pong:
                last_pong = client.last_ping_pong_time
                ears.alive()
            if await client.is_connected():
                down_since, looks = None, 0
                if deaf := await self._looks():
                    raise Dropped(deaf)
                continue
            looks += 1
            if down_since is None:
                down_since = loop.time()
                ears.down("the socket is gone, another is on its way")
            if looks >= 2:
                client.wss_uri = None  # else the SDK tries an address whose ticket may have died, for ever
            if loop.time() - down_since > self._patience.give_up:
                raise Dropped("no new socket within a minute")

    async def _close(self, handler: AsyncSocketModeHandler) -> None:
        """What is being stored gets a moment; then everything of the SDK's ends."""
        self._is_ending = True
        if self._end.done() and not self._end.cancelled():
            self._end.exception()  # it was looked at, also when something else ended the socket first
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._patience.finish)
        client = handler.client
        own = [client.message_processor, client.current_session_monitor, client.message_receiver]
        await handler.close_async()  # type: ignore[no-untyped-call]
        left = [task for task in (*own, *self._tasks) if task is not None]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
