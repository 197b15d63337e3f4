"""One Slack bot, connected: what people say goes in, what pal says goes out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

import aiohttp

from pal_server.bridges.inbound import Attachment, CardAction, Event, Heard, Person, Place
from pal_server.bridges.outbound import CannotTell, Found, Outcome, Outgoing, PostCard, PostText, Sent
from pal_server.bridges.platform import BadCredentials, BotSettings, Charge, Dropped, Ears

from . import events, files, posts, rates, search
from .mrkdwn import render
from .names import Names
from .pulse import Pulse
from .reading_back import Missed
from .redaction import Redacted
from .socket import Patience, Socket
from .web import Failed, Web

Json = dict[str, Any]

NAMES_WITHIN = 0.4  # seconds of the three that an acknowledgement may take
NAME_WITHIN = 1.0


class SlackConnection:
    """Made inside the running loop. `listen` may be called again after it has ended; calls work without it."""

    def __init__(self, bot: BotSettings, *, patience: Patience | None = None, pulse: Pulse | None = None) -> None:
        self._bot = bot
        self._token = bot.secrets["bot_token"]
        self._app_token = bot.secrets["app_token"]
        self._patience = patience or Patience()
        self._log = logging.getLogger(f"pal.bridge.slack.{bot.id}")
        if self._log.getEffectiveLevel() < logging.INFO:
            self._log.setLevel(logging.INFO)  # at DEBUG the SDK logs what people say
        self._redacted = Redacted(bot.secrets.values())
        self._log.addFilter(self._redacted)
        self._web = Web(token=self._token, base_url=bot.base_url, log=self._log)
        self._names = Names(self._web)
        self._pulse = pulse or Pulse()
        self._missed = Missed(self._web, self._names, fresh=self._patience.fresh)
        self._since = 0.0  # seconds since 1970; when the newest socket was begun
        self._event_at = 0.0  # the same; when something came over it last, pongs not counted
        self._deaf_from: float | None = None  # the same; from when on a deaf socket may have kept things back
        self._me: events.Me | None = None
        self._ears: Ears | None = None
        self._socket: Socket | None = None
        self._after: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def listen(self, ears: Ears) -> None:
        me = await self.me()
        self._ears = ears
        self._socket = Socket(
            app_token=self._app_token,
            app_id=me.app,
            web=self._web,
            take=self._take,
            looks=self._deaf,
            log=self._log,
            patience=self._patience,
        )
        self._pulse.connected(time.monotonic())
        self._since = self._event_at = time.time()
        try:
            await self._socket.run(ears)
        finally:
            self._socket = None
            await self._finish()

    async def me(self) -> events.Me:
        """Who the bot is; asked once. Raises as `listen` does."""
        if self._me is None:
            try:
                who = await self._web.call("auth.test")
                app = await self._app_of(str(who.get("bot_id") or ""))
            except Failed as failed:
                raise failed.for_listening() from failed
            if not who.get("bot_id"):
                raise BadCredentials("the bot token is none of a bot: it begins with xoxb-")
            self._me = events.Me(user=str(who["user_id"]), bot=str(who["bot_id"]), team=str(who["team_id"]), app=app)
        return self._me

    async def _app_of(self, bot: str) -> str:
        """The app of the bot token; the one that is configured where Slack does not say."""
        try:
            answer = await self._web.call("bots.info", bot=bot)
        except Failed as failed:
            if failed.code != "missing_scope":
                raise
            return self._bot.app_id
        return str((answer.get("bot") or {}).get("app_id") or self._bot.app_id)

    # In

    async def _take(self, kind: str, payload: Json) -> Json | None:
        """Stored when this returns. Raises NotStored; what is nothing for pal is acknowledged and forgotten."""
        me = await self.me()
        self._event_at = time.time()
        async with self._turn(_chat_of(payload)):
            match kind:
                case "event_callback":
                    await self._event(payload, me)
                case "block_actions":
                    await self._action(payload, me)
                case "command":
                    return await self._command(payload, me)
        return None

    def _turn(self, chat: str) -> asyncio.Lock:
        """One after the other in a chat, as they came: who waits for a name does not fall behind the next words."""
        turn = self._turns.get(chat)
        if turn is None:
            turn = self._turns[chat] = asyncio.Lock()
        return turn

    async def _event(self, payload: Json, me: events.Me) -> None:
        event = payload.get("event") or {}
        is_own = events.is_own(event, me=me)
        ts = str(event.get("ts") or "")
        chat = str(event.get("channel") or "")
        self._pulse.heard(
            time.monotonic(), chat=chat, ts=ts, is_own=is_own, ahead=events.moment(ts) / 1000 - time.time()
        )
        if payload.get("team_id", me.team) != me.team:
            self._log.warning("an event of another workspace, %s, is not for this bot", payload.get("team_id"))
            return
        if event.get("type") == "app_uninstalled" or _is_revoked(event, me=me):
            self._fail("the Slack app was taken out of the workspace, or its token revoked")
        if event.get("type") not in ("message", "app_mention") or is_own:
            return
        names = await self._names.of((*events.people_of(payload), chat), within=NAMES_WITHIN)
        try:
            heard = events.event_of(payload, me=me, names=names)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._log.exception("an event of Slack is of no shape that is known: %s", payload.get("event_id"))
            assert self._ears is not None  # set before the socket is opened
            self._ears.lost("something that was said cannot be read: the bridge's log has why")
            return  # told again it would have the same shape
        if heard is not None:
            await self._hear(heard)

    async def _action(self, payload: Json, me: events.Me) -> None:
        self._pulse.heard(time.monotonic())
        person = str((payload.get("user") or {}).get("id") or "")
        action = events.action_of(payload, me=me, names=await self._names.of([person], within=NAMES_WITHIN))
        if action is None:
            return
        heard = await self._hear(action)
        if heard.text:
            self._later(self._whisper(str(payload.get("response_url") or ""), heard.text, action))

    async def _command(self, payload: Json, me: events.Me) -> Json:
        self._pulse.heard(time.monotonic())
        names = await self._names.of([str(payload.get("user_id") or "")], within=NAMES_WITHIN)
        heard = await self._hear(events.command_of(payload, me=me, names=names, now=int(time.time() * 1000)))
        return {"response_type": "ephemeral", "text": render(heard.text)} if heard.text else {}

    async def _hear(self, event: Event) -> Heard:
        assert self._ears is not None  # set before the socket is opened
        titled = replace(event.place, title=self._names.known(event.place.chat))
        return await self._ears.hear(replace(event, place=titled))

    async def _whisper(self, url: str, text: str, action: CardAction) -> None:
        """Words for the one who pressed; lost when Slack does not take them, for the card says the same."""
        if not files.is_slack(url, self._web.base_url):
            return
        body = {"response_type": "ephemeral", "replace_original": False, "text": render(text)}
        if action.place.thread and action.place.thread != action.message:
            body["thread_ts"] = action.place.thread
        try:
            async with self._web.session.post(url, json=body, proxy=self._web.proxy) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as broken:
            self._log.info("what was said to the one who pressed a button did not arrive: %s", type(broken).__name__)

    def _fail(self, reason: str) -> None:
        self._me = None  # a new installation may have another bot user
        if self._socket is not None:
            self._socket.fail(BadCredentials(reason))

    async def _deaf(self) -> str:
        """Why the socket brings nothing any more though it answers; empty when nothing speaks for that."""
        now = time.monotonic()
        why = ""
        if self._pulse.is_deaf(now):
            why = "what the bot posted did not come back"
        elif self._pulse.quiet_for(now) >= self._patience.quiet:
            if await self._missed.anything(self._pulse, me=await self.me(), since=self._since):
                why = "there is a message it did not bring"
            self._pulse.heard(time.monotonic())  # not again before the next quiet time
        if not why:
            return ""
        self._deaf_from = self._event_at
        return f"the socket answers pings and brings no events: {why}"

    # Out

    def charges(self, out: Outgoing) -> tuple[Charge, ...]:
        return rates.charges(out, app=self._bot.app_id)

    async def send(self, out: Outgoing) -> Outcome:
        outcome = await posts.send(self._web, out)
        if isinstance(outcome, Sent):
            self._ears_alive()
            if isinstance(out, PostText | PostCard):
                channel, ts = posts.split_ref(out.place, outcome.ref)
                self._pulse.posted(channel, ts, time.monotonic())
        return outcome

    async def find(self, out: Outgoing, *, since: int) -> Found:
        try:
            me = await self.me()
        except (BadCredentials, Dropped) as wrong:
            return CannotTell(reason=str(wrong), again=True)
        return await search.find(self._web, out, since=since, me=me)

    async def fetch(self, message: str, attachment: Attachment) -> AsyncIterator[bytes]:
        async for piece in files.fetch(self._web, attachment, token=self._token):
            yield piece

    async def name_of(self, person: Person) -> str:
        return (await self._names.of([person.id], within=NAME_WITHIN)).get(person.id, "")

    async def read_back(self, places: tuple[Place, ...], *, since: int) -> tuple[Event, ...]:
        """A deaf socket was alive to the last: then it is read from the last thing it brought."""
        deaf_from, self._deaf_from = self._deaf_from, None
        begin = since if deaf_from is None else min(since, int(deaf_from * 1000))
        return await self._missed.since(places, since=begin, me=await self.me())

    async def ping(self) -> None:
        try:
            await self._web.call("auth.test")
        except Failed as failed:
            raise failed.for_listening() from failed
        self._ears_alive()

    async def answers(self) -> None:
        await self.ping()

    async def close(self) -> None:
        await self._finish()
        await self._web.close()
        self._log.removeFilter(self._redacted)

    def _ears_alive(self) -> None:
        if self._ears is not None:
            self._ears.alive()

    def _later(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work, name="slack: after the ack")
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    async def _finish(self) -> None:
        """End what was begun after an acknowledgement."""
        tasks = tuple(self._after)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _chat_of(payload: Json) -> str:
    event = payload.get("event") or {}
    channel = event.get("channel") or (payload.get("channel") or {}) or payload.get("channel_id") or ""
    return str(channel.get("id") or "") if isinstance(channel, dict) else str(channel)


def _is_revoked(event: Json, *, me: events.Me) -> bool:
    bots = (event.get("tokens") or {}).get("bot") or ()
    return event.get("type") == "tokens_revoked" and me.user in bots
