"""The daemon's life: puts its parts together, connects, takes up what an earlier one left, works, and goes.

Going away (SIGINT, SIGTERM) never ends an agent: keepers go on and the next daemon of this home finds them.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import platform
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack

from pal_daemon.bus import ApiProblem, Bus, Unreachable, is_struck_off
from pal_daemon.claims import Claims
from pal_daemon.commands import Commands
from pal_daemon.discovery import discover_runtimes
from pal_daemon.environment import link_program
from pal_daemon.heartbeat import Heartbeat
from pal_daemon.house import House
from pal_daemon.identity import HomeInUse, hold_home, local_token, machine_name, seal_key
from pal_daemon.journal import Journal, Line
from pal_daemon.local_api import LocalApi
from pal_daemon.logins import Logins
from pal_daemon.path_search import PathSearch
from pal_daemon.patience import new_pauses
from pal_daemon.probes import Probes
from pal_daemon.runs import Runs
from pal_daemon.runtimes.registry import load_registry
from pal_daemon.settings import Settings
from pal_daemon.terminals import Terminals
from pal_daemon.version import own_version
from pal_daemon.wakeup_socket import SentAway, WakeupSocket
from pal_server.client.aio import Client
from pal_server.client.retry import is_worth_repeating
from pal_server.contract.agents import ConnectComputer, ConnectedAnswer

DONE = 0
FAILED = 1  # a run failed under --once, or a bug
USAGE = 2
REFUSED = 3  # by the server, or by another daemon's presence
AWAY = 4  # nobody answers, or something is in the way that may pass

VOID_WITHIN = 0.6  # seconds a server may take to forget a void key
STRUCK_OFF = "this computer was revoked: its daemon ends, and its agents with it"

log = logging.getLogger(__name__)


class Over(Exception):
    """The daemon ends, with this exit code and a sentence for the person who started it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


async def run_daemon(settings: Settings, *, stop: asyncio.Event, ready: Callable[[str], None] | None = None) -> int:
    """Be this home's daemon until `stop` is set or there is nothing more to do; the exit code.

    `ready` is called once with the local API's address when the server knows us. Raises Over with the reason when it
    cannot go on.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_home(settings.folder))
            own_token, machine = local_token(settings.folder), machine_name(settings.folder)
            seal = seal_key(settings.folder)
            journal = Journal(settings.folder / "journal")
            stack.callback(journal.close)
            entries = journal.open()
        except HomeInUse as error:
            raise Over(REFUSED, f"{error}: stop it, or choose another PAL_HOME") from error
        except OSError as error:
            raise Over(REFUSED, f"{settings.folder} cannot be used: {error.strerror or error}") from error
        daemon = _Daemon(settings, stop, journal=journal, machine=machine, seal=seal)
        tokens = (own_token,) if settings.local_token is None else (own_token, settings.local_token)
        return await daemon.live(ready, entries=entries, local_tokens=tokens)


class _Daemon:
    def __init__(self, settings: Settings, stop: asyncio.Event, *, journal: Journal, machine: str, seal: str) -> None:
        self._settings = settings
        self._machine = machine
        self._stop = stop
        self._client = Client(settings.server, settings.key)
        self._house = House(
            settings=settings,
            bus=Bus(self._client),
            journal=journal,
            registry=load_registry(),
            clock=_utc_ms,
            seal=seal,
        )
        self._claims: Claims
        self._runs = Runs(self._house, ended=self._on_end)
        self._logins = Logins(self._house)
        self._probes = Probes(self._house, self._logins)
        self._terminals = Terminals(self._house, self._client)
        self._commands = Commands(self._house, self._runs, self._probes, self._terminals)
        self._claims = Claims(self._house, self._runs, is_ours=self._is_assigned)
        self._heartbeat = Heartbeat(self._house, self._runs, self._claims, self._commands)
        self._paths = PathSearch(settings)
        self._socket = WakeupSocket(
            self._client, self._house.bus, self._heartbeat, self._claims, find=self._paths.answer
        )
        self._has_connected = False

    async def live(
        self, ready: Callable[[str], None] | None, *, entries: list[Line], local_tokens: tuple[str, ...]
    ) -> int:
        settings, house = self._settings, self._house
        async with AsyncExitStack() as stack:
            house.program_folder = link_program(settings.folder / "bin")
            stack.push_async_callback(self._client.close)
            local_api = LocalApi(house, tokens=local_tokens, health=self._tell_health, logins=self._logins)
            await self._listen(local_api)
            stack.push_async_callback(local_api.close)
            house.daemon_url = local_api.url
            connected = await self._connect()
            if connected is None:
                return DONE
            self._has_connected = True
            stack.push_async_callback(self._paths.close)
            stack.push_async_callback(self._runs.leave)
            stack.push_async_callback(self._terminals.leave)
            stack.push_async_callback(self._commands.leave)
            self._terminals.take_up()
            await self._runs.take_up(entries, connected.runs)
            self._commands.take(connected.commands)
            self._claims.is_paused = settings.is_drain or connected.computer.status == "draining"
            log.info(
                "computer %s is connected to %s, local API on %s",
                connected.computer.name,
                settings.server,
                local_api.url,
            )
            if ready is not None:
                ready(local_api.url)
            return await self._work()

    async def _listen(self, local_api: LocalApi) -> None:
        try:
            await local_api.start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            port = self._settings.local_port
            raise Over(
                AWAY, f"port {port} is taken, perhaps by another daemon: choose another with --local-port"
            ) from error

    # Connecting

    async def _connect(self) -> ConnectedAnswer | None:
        """The server's answer; None when we were asked to stop before it came."""
        runtimes = await discover_runtimes(self._house.registry)
        settings = self._settings
        request = ConnectComputer(
            machine=self._machine,
            host=socket.gethostname(),
            os=f"{platform.system()} {platform.release()}",
            daemon_version=own_version(),
            runtimes=runtimes,
            interval=int(settings.interval * 1000),
            legacy_agent=settings.legacy_agent,
        )
        pauses = new_pauses()
        is_told = False
        while not self._stop.is_set():
            try:
                connected = await self._house.bus.connect(request)
            except (ApiProblem, Unreachable) as error:
                if is_struck_off(error):
                    await self._runs.end_orphans()
                    await self._terminals.end_all()
                    raise Over(REFUSED, STRUCK_OFF) from error
                self._check_refusal(error)
                if not is_told:
                    log.warning("the server at %s does not answer, trying on: %s", settings.server, error)
                is_told = True
                await self._pause(pauses.next())
                continue
            self._house.computer = connected.computer.id
            self._heartbeat.begin(connected.agents, runtimes)
            return connected
        return None

    def _check_refusal(self, error: ApiProblem | Unreachable) -> None:
        """Raise Over unless it is worth another try."""
        server = self._settings.server
        if is_worth_repeating(error):
            if self._settings.is_once:
                raise Over(AWAY, f"the server at {server} does not answer: {error}")
            return
        assert isinstance(error, ApiProblem)
        if error.code in ("unauthenticated", "forbidden"):
            raise Over(
                REFUSED, f"the server at {server} does not accept this key: copy it again, or provision the computer"
            )
        raise Over(USAGE if error.code == "invalid" else REFUSED, f"the server at {server} refused: {error}")

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass

    # Working

    async def _work(self) -> int:
        """Until somebody says stop, or the work that was asked for is done."""
        goal = asyncio.create_task(self._reach_goal(), name="goal")
        jobs = [self._heartbeat.run(), self._socket.run(), self._probes.watch()]
        if not self._settings.is_once and not self._settings.is_drain:
            jobs.append(self._claims.run())
        self._claims.look()
        tasks: list[asyncio.Task[None]] = [asyncio.create_task(job) for job in jobs]
        leaving = asyncio.create_task(self._stop.wait(), name="stop")
        try:
            await asyncio.wait((goal, leaving, *tasks), return_when=asyncio.FIRST_COMPLETED)
            for task in (goal, *tasks):
                if task.done() and (error := task.exception()) is not None:
                    raise await self._explain_end(error) from error
            return goal.result() if goal.done() else DONE
        finally:
            for other in (goal, leaving, *tasks):
                other.cancel()
            await asyncio.gather(goal, leaving, *tasks, return_exceptions=True)

    async def _explain_end(self, error: BaseException) -> BaseException:
        """Why we cannot go on. Runs are ended only when somebody else answers for them or nobody may."""
        if not isinstance(error, ApiProblem | SentAway):
            return error
        void = error if error.code in ("revoked", "unauthenticated") else await self._why_key_is_void()
        if void is not None and (void.code == "revoked" or is_struck_off(void)):
            await self._end_all()
            return Over(REFUSED, STRUCK_OFF)
        if void is not None:
            text = "this computer's key is no longer good, it was rotated or revoked: start with the new key"
            return Over(REFUSED, f"{text}. Agents that run go on until then")
        if error.code == "conflict":
            await self._end_all()
            return Over(REFUSED, "another daemon has taken over this computer: this one ends, and its agents with it")
        return Over(REFUSED, f"the server sent this daemon away: {error}")

    async def _end_all(self) -> None:
        """Nothing here may go on."""
        await self._runs.kill_all()
        await self._terminals.end_all()

    async def _why_key_is_void(self) -> ApiProblem | None:
        """A key that is rotated or revoked also fences us out; the server may say that first."""
        for _ in range(3):
            try:
                await self._heartbeat.step()
            except (ApiProblem, Unreachable) as error:
                if isinstance(error, ApiProblem) and error.code == "unauthenticated":
                    return error
            await asyncio.sleep(VOID_WITHIN / 3)
        return None

    async def _reach_goal(self) -> int:
        """The exit code once there is nothing more to do; without --once and --drain there always is."""
        if self._settings.is_once:
            return await self._work_once()
        if self._settings.is_drain:
            return await self._work_off()
        return await asyncio.Future()

    async def _work_once(self) -> int:
        """The backlog, whatever it sets off on this computer, and then the end."""
        while True:
            try:
                has_more = await self._claims.step()
                if has_more:
                    continue
                if not len(self._runs):
                    answer = await self._heartbeat.step()
                    if not answer.pending or self._claims.is_paused:
                        return FAILED if self._runs.failed else DONE
                    await self._pause(self._settings.interval / 10)
                    continue
            except (ApiProblem, Unreachable) as error:
                if not is_worth_repeating(error):
                    raise
                log.warning("the server does not answer: %s", error)
                await self._pause(self._settings.interval)
                continue
            await self._runs.wait_one()

    async def _work_off(self) -> int:
        """What runs, and then the end."""
        while len(self._runs):
            await self._runs.wait_one()
        return DONE

    def _on_end(self) -> None:
        """There is room for more, and perhaps a delivery that waited for this one."""
        self._claims.look()

    def _is_assigned(self, agent: str, since: float) -> bool:
        return self._heartbeat.is_assigned(agent, since)

    # Health

    def _tell_health(self) -> dict[str, object]:
        heartbeat = self._heartbeat
        return {
            "status": "degraded" if self._house.troubles else "ok",
            "pid": os.getpid(),
            "version": own_version(),
            "computer": self._house.computer or None,
            "server": self._settings.server,
            "connected": self._has_connected and heartbeat.is_heard,
            "socket": heartbeat.has_socket,
            "draining": self._claims.is_paused,
            "agents": sorted(heartbeat.agents),
            "runs": self._runs.running(),
            "stalled": self._runs.stalled(),
            "troubles": dict(self._house.troubles),
        }


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000
