"""A bridge: holds the bots of one platform as long as it lives, hears what they hear, sends what they shall say."""

import asyncio
import logging
import os
import secrets
from time import monotonic

import msgspec

from pal_server.client.aio import ApiProblem, Client, Unreachable
from pal_server.contract import bridges as wire
from pal_server.contract.base import Done
from pal_server.contract.platforms import PLATFORMS

from .bot import RunningBot
from .buckets import Buckets
from .calls import ahead_of_us
from .outbox import Outbox
from .platform import BadCredentials, BotSettings, Platform

BEAT = 5.0  # seconds; a lease lasts six of them
DEFECT_PAUSE = 300.0  # seconds before a bot that broke while it was opened is opened again
START_AT_ONCE = 16  # bots that connect at the same time

log = logging.getLogger(__name__)


class NotAccepted(Exception):
    """The server does not take this bridge's token."""


class Bridge:
    def __init__(self, *, platform: Platform, client: Client, holder: str | None = None) -> None:
        """`holder` is its name among bridges, made up when nobody gave it one."""
        self._platform = platform
        self._client = client
        self._holder = holder or f"bridge_{secrets.token_hex(8)}"
        self._bots: dict[str, RunningBot] = {}
        self._broken: dict[str, tuple[wire.HeldBot, str, float]] = {}  # bots that could not even be opened, until when
        self._again = asyncio.Event()
        self._starting = asyncio.Semaphore(START_AT_ONCE)
        form = PLATFORMS.get(platform.name)
        chosen = None if form is None else os.environ.get(form.reaction_variable)
        self._base_url = None if form is None else os.environ.get(form.base_url_variable)
        self._outbox = Outbox(
            client=client,
            platform=platform,
            bots=self._bots,
            buckets=Buckets(clock=monotonic),
            emoji=chosen or platform.working,
            changed=self._again.set,
        )

    @property
    def bots(self) -> frozenset[str]:
        """Ids of those it holds open."""
        return frozenset(self._bots)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then everything is closed and the bots are let go. `NotAccepted` ends it too."""
        beating = asyncio.create_task(self._beat(), name="beat")
        sending = asyncio.create_task(self._outbox.run(), name="outbox")
        stopping = asyncio.create_task(_wait(stop), name="stop")
        try:
            done, _ = await asyncio.wait([beating, sending, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                _raise_end(task)
        finally:
            for task in (beating, sending, stopping):
                task.cancel()
            await asyncio.gather(beating, sending, stopping, return_exceptions=True)
            await asyncio.gather(*(bot.stop() for bot in self._bots.values()))
            await self._let_go()

    async def _beat(self) -> None:
        while True:
            self._again.clear()
            try:
                await self._beat_once()
            except ApiProblem as problem:
                if problem.status in (401, 403):
                    raise
                log.warning("the server refused: %s", problem, extra={"action": "bridge.beat"})
            except Unreachable as error:
                log.warning("the server is away: %s", error, extra={"action": "bridge.away"})
            try:
                async with asyncio.timeout(BEAT):
                    await self._again.wait()
            except TimeoutError:
                continue

    async def _beat_once(self) -> None:
        reports = [bot.report() for bot in self._bots.values()]
        reports += [
            wire.BotReport(id=held.id, lease_id=held.lease_id, revision=held.revision, listening=False, error=why)
            for held, why, until in self._broken.values()
            if monotonic() < until  # of one that is not named the server gives the credentials again
        ]
        beat = wire.BridgeBeat(platform=self._platform.name, holder=self._holder, bots=reports)
        answer = await self._client.call("POST", "/api/bridges/beat", body=beat, answer=wire.BeatAnswer)
        ahead = ahead_of_us(answer.now)
        wanted = {held.id: _in_our_time(held, ahead=ahead) for held in answer.bots}
        for bot_id in [bot_id for bot_id in self._bots if bot_id not in wanted]:
            await self._bots.pop(bot_id).stop()
        for bot_id in [bot_id for bot_id in self._broken if bot_id not in wanted]:
            del self._broken[bot_id]
        await asyncio.gather(*(self._bring(held) for held in wanted.values()))

    async def _bring(self, held: wire.HeldBot) -> None:
        """Start it, start it anew with other settings, or leave it as it is."""
        running = self._bots.get(held.id)
        if held.credentials is None:
            if running is not None:
                running.lease_id = held.lease_id
            return
        async with self._starting:
            if running is not None:
                if running.revision == held.revision and running.lease_id != held.lease_id:
                    running.keep(held)
                    return
                await self._bots.pop(held.id).stop()
            await self._start(held)

    async def _start(self, held: wire.HeldBot) -> None:
        self._broken.pop(held.id, None)
        settings = BotSettings(
            id=held.id,
            app_id=held.app_id,
            secrets=held.credentials or {},
            base_url=held.base_url or self._base_url,
            options=held.options,
            bot_id=held.bot_id,
        )
        bot = RunningBot(
            held=held, settings=settings, platform=self._platform, client=self._client, lost=self._again.set
        )
        try:
            await bot.start()
        except BadCredentials as refused:
            self._broken[held.id] = (held, str(refused), float("inf"))
        except Exception as defect:  # the edge of one bot: an SDK that cannot be opened harms no other bot
            log.exception("a bot could not be opened", extra={"action": "bot.open", "bot": held.id})
            self._broken[held.id] = (held, f"a defect: {type(defect).__name__}", monotonic() + DEFECT_PAUSE)
        else:
            self._bots[held.id] = bot

    async def _let_go(self) -> None:
        told = wire.LetGo(platform=self._platform.name, holder=self._holder)
        try:
            async with asyncio.timeout(1.0):
                await self._client.call("POST", "/api/bridges/release", body=told, answer=Done)
        except (ApiProblem, Unreachable, TimeoutError):
            log.info("the bots' leases run out by themselves", extra={"action": "bridge.release"})


def _in_our_time(held: wire.HeldBot, *, ahead: int) -> wire.HeldBot:
    since = held.deaf_since
    return held if since is None or not ahead else msgspec.structs.replace(held, deaf_since=max(0, since - ahead))


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


def _raise_end(task: "asyncio.Task[None]") -> None:
    error = task.exception()
    if isinstance(error, ApiProblem):
        raise NotAccepted(str(error)) from error
    if error is not None:
        raise error
    raise RuntimeError(f"{task.get_name()} has ended, which it never should")
