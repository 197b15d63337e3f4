"""One DingTalk bot, connected: what people say goes in, what pal says goes out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from pal_server.bridges.inbound import Attachment, CardAction, Event, Heard, Person, Place, ToastKind
from pal_server.bridges.outbound import CannotTell, Doubtful, Found, Outcome, Outgoing, PostCard, PostText, Sent
from pal_server.bridges.platform import BotSettings, Charge, Ears, NotStored, NotTaken

from . import events, files, posts, rates, sdk, search, template
from .names import Names
from .redaction import Redacted
from .socket import Patience, Socket
from .web import Failed, Web

Json = dict[str, Any]

NAME_WITHIN = 1.0  # seconds
NAME_OF_PRESS_WITHIN = 0.4
SEND_WITHIN = 14.5  # seconds; the core gives up after 15
MOST_KEYS = 10_000  # of texts that are remembered
OK, NOT_STORED = 200, 500


class DingTalkConnection:
    """Made inside the running loop. `listen` may be called again after it has ended; calls work without it."""

    def __init__(self, bot: BotSettings, *, patience: Patience | None = None) -> None:
        sdk.load()
        self._app = bot.secrets["client_id"]
        self._robot = robot_of(bot)
        self._patience = patience or Patience()
        self._log = logging.getLogger(f"pal.bridge.dingtalk.{bot.id}")
        self._log.addFilter(Redacted([bot.secrets["client_secret"]]))
        self._web = Web(
            client_id=self._app, client_secret=bot.secrets["client_secret"], base_url=bot.base_url, log=self._log
        )
        self._names = Names(self._web)
        self._ears: Ears | None = None
        self._as_text: OrderedDict[str, None] = OrderedDict()  # keys of texts sent, some in place of a card
        self._after: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def listen(self, ears: Ears) -> None:
        self._ears = ears
        socket = Socket(web=self._web, take=self._take, log=self._log, patience=self._patience)
        try:
            await socket.run(ears)
        finally:
            await self._finish()

    # In

    async def _take(self, topic: str, data: Json) -> tuple[int, Any]:
        """Stored when this returns 200. What is nothing for pal is acknowledged and forgotten."""
        try:
            if topic == sdk.PRESSES:
                return await self._press(data)
            said = events.said_of(data)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._log.exception("a message of DingTalk is of no shape that is known: %s", data.get("msgId"))
            assert self._ears is not None  # set before a socket is opened
            self._ears.lost("something that was said cannot be read: the bridge's log has why")
            return OK, None  # told again it would have the same shape
        self._names.learn(said.person.id, said.person.name)
        heard = await self._hear(said, within=self._patience.message)
        return (OK if heard is not None else NOT_STORED), None

    async def _press(self, data: Json) -> tuple[int, Any]:
        """The answer to a press puts the card's new state in place at once."""
        action = events.action_of(data, at=int(time.time() * 1000))
        if action is None:
            return OK, {}
        name = await self._names.of(action.person.id, within=NAME_OF_PRESS_WITHIN)
        heard = await self._hear(replace(action, person=replace(action.person, name=name)), within=self._patience.press)
        if heard is None:
            return NOT_STORED, {}
        if heard.text and heard.kind in (ToastKind.WARNING, ToastKind.ERROR):
            self._later(self._whisper(action, heard.text))
        if heard.card is None:
            return OK, {}
        return OK, {"cardData": {"cardParamMap": template.render_card(heard.card)}}

    async def _hear(self, event: Event, *, within: float) -> Heard | None:
        """In a chat one after the other. DingTalk tells nothing twice, so what is not stored is tried again from here;
        what the server will not have holds up the chat no longer than a press may.

        None when `within` seconds were not enough: then it is lost, and said to be.
        """
        assert self._ears is not None  # set before a socket is opened
        loop = asyncio.get_running_loop()
        began, wait = loop.time(), self._patience.again
        async with self._turn(event.place.chat):
            while True:
                try:
                    return await self._ears.hear(event)
                except NotStored as missed:
                    most = min(within, self._patience.press) if isinstance(missed, NotTaken) else within
                    if loop.time() + wait > began + most:
                        self._log.error("%s is lost, it could not be stored: %s", event.event, missed)
                        self._ears.lost(f"something that was said could not be stored and is lost: {missed}")
                        return None
                    self._log.warning("%s is not stored yet, and is tried again: %s", event.event, missed)
                await asyncio.sleep(wait)
                wait = min(2 * wait, self._patience.again_most)

    def _turn(self, chat: str) -> asyncio.Lock:
        turn = self._turns.get(chat)
        if turn is None:
            turn = self._turns[chat] = asyncio.Lock()
        return turn

    async def _whisper(self, action: CardAction, text: str) -> None:
        """Why a press did nothing, to the one who pressed: DingTalk has no word on the card itself."""
        try:
            await posts.tell(self._web, action.person.id, text, robot=self._robot)
        except Failed as failed:
            self._log.info("what was said to the one who pressed a button did not arrive: %s", failed.reason)

    # Out

    def charges(self, out: Outgoing) -> tuple[Charge, ...]:
        return rates.charges(out, app=self._app, is_card=self._robot.is_card)

    async def send(self, out: Outgoing) -> Outcome:
        if isinstance(out, PostText) and not self._robot.is_card:
            self._remember(out.key)
        try:
            async with asyncio.timeout(SEND_WITHIN):
                outcome = await posts.send(self._web, out, robot=self._robot, now=int(time.time() * 1000))
        except TimeoutError:
            return Doubtful(reason="DingTalk took too long")
        if isinstance(outcome, Sent):
            self._ears_alive()
        return outcome

    async def find(self, out: Outgoing, *, since: int) -> Found:
        if isinstance(out, PostCard) and out.key in self._as_text:
            return CannotTell(reason="it went as text, which DingTalk keeps no record of")
        return await search.find(self._web, out, robot=self._robot)

    async def fetch(self, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
        async for piece in files.fetch(self._web, attachment, robot=self._robot.code):
            yield piece

    async def name_of(self, person: Person) -> str:
        return person.name or await self._names.of(person.id, within=NAME_WITHIN)

    async def read_back(self, places: tuple[Place, ...], *, since: int) -> tuple[Event, ...]:
        """DingTalk keeps no history for robots: what was said meanwhile cannot be had."""
        return ()

    async def ping(self) -> None:
        """A ticket proves the app and its secret; unused, it lapses."""
        try:
            await self._web.ticket([{"type": "CALLBACK", "topic": sdk.PRESSES}], agent="pal")
        except Failed as failed:
            raise failed.for_listening() from failed
        self._ears_alive()

    async def answers(self) -> None:
        await self.ping()

    async def close(self) -> None:
        await self._finish()
        await self._web.close()

    def _remember(self, key: str) -> None:
        """A card that was refused goes as text under the same key: that no card is there then says nothing."""
        self._as_text[key] = None
        if len(self._as_text) > MOST_KEYS:
            self._as_text.popitem(last=False)

    def _ears_alive(self) -> None:
        if self._ears is not None:
            self._ears.alive()

    def _later(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name="dingtalk: after the ack")
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    async def _finish(self) -> None:
        """End what was begun after an acknowledgement."""
        tasks = tuple(self._after)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def robot_of(bot: BotSettings) -> posts.Robot:
    """How a bot posts, by its settings."""
    app = bot.secrets["client_id"]
    return posts.Robot(
        code=bot.options.get("robot_code") or app,
        app=app,
        template=bot.options.get("card_template") or template.TEMPLATE,
        is_card=bot.options.get("answers") == "card",
    )
