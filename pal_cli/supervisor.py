"""`pal up` at work: a server and a daemon as child processes, started in order, kept alive, stopped in order."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from pal_cli import first_start
from pal_cli.child import Child
from pal_server.client.resolve import daemon_place, pal_home
from pal_server.client.sync import ApiProblem, Client, Unreachable
from pal_server.client.terminal.exits import BUG, DONE, REFUSED, TRY_AGAIN
from pal_server.client.terminal.line import Line
from pal_server.client.terminal.output import note, say

READY_WITHIN = 60.0  # seconds; a migration of a large database may take its time
LOOK_EVERY = 0.05  # seconds between two looks at a starting server
FIRST_PAUSE = 0.5  # seconds before a child that died is started again; doubled each time
LONGEST_PAUSE = 30.0  # seconds
STEADY_AFTER = 60.0  # seconds a child has to live for its earlier deaths to be forgotten
READY = "pal is ready"  # how the line begins that says so; `--detach` waits for it

_ONE_TIME_LINK = re.compile(r"https?://\S*pal_code_[\w-]+")
_NOT_FOR_CHILDREN = ("PAL_RUN_ID", "PAL_RUN_TOKEN", "PAL_AGENT_KEY", "PAL_ROOM", "PAL_TOPIC", "PAL_MESSAGE")
_NOT_FOR_THE_DAEMON = ("LOCK_API_KEY", "PAL_AGENT", "PAL_COMPUTER_ID", "PAL_COMPUTER_SECRET", "PAL_TOKEN")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The flags of `pal up`."""

    port: int | None
    local_port: int | None
    with_daemon: bool
    with_browser: bool


class Stopped(Exception):
    """A person, or the system, asked us to stop."""


class Ended(Exception):
    """A child ended before everything was ready; `code` is what we exit with."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit {code}")
        self.code = code


class Supervisor:
    """Both children and their life. `run` is called once."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._home = pal_home().absolute()
        self._link: str | None = None
        self._stop = asyncio.Event()
        self._server = Child(name="server", argv=["server", "run"], env=self._server_env(), keeps=self._keeps_link)
        self._daemon: Child | None = None
        self._url = ""
        port = wishes.local_port
        self._local_port = urlsplit(daemon_place().url).port or 80 if port is None else port

    async def run(self) -> int:
        """Start everything, say when it is ready, keep it running until asked to stop; the exit code."""
        self._listen_to_signals()
        try:
            await self._start()
            self._announce()
            return await self._keep_running()
        except Stopped:
            return DONE
        except Ended as ended:
            return ended.code
        finally:
            self._tell_link_once()
            await asyncio.shield(self._stop_children())

    async def _start(self) -> None:
        await self._server.start()
        self._url = await self._or_end(self._server_url(), child=self._server)
        if self._wishes.port == 0:  # it picked a free one, and a restart must be found where this one was
            self._server.env["PAL_PORT"] = str(urlsplit(self._url).port)
        if not self._wishes.with_daemon:
            return
        owner = first_start.owner_line(url=self._url, home=self._home)
        key = await asyncio.to_thread(first_start.computer_key, owner, home=self._home)
        computer = await asyncio.to_thread(first_start.computer_of, self._url, key)
        assert computer is not None
        is_first = not first_start.is_set_up(self._home)
        if is_first:
            await asyncio.to_thread(first_start.make_demo_agent, owner, computer=computer)
        self._daemon = daemon = Child(name="daemon", argv=self._daemon_argv(), env=self._daemon_env(key))
        await daemon.start()
        await self._or_end(self._online(owner, computer=computer, is_first=is_first), child=daemon)

    async def _server_url(self) -> str:
        """The address of our own server, once it answers there."""
        while True:
            url = _told_address(self._home, pid=self._server.pid)
            if url is not None and await asyncio.to_thread(_is_ready, url):
                return url
            await asyncio.sleep(LOOK_EVERY)

    async def _online(self, owner: Line, *, computer: str, is_first: bool) -> None:
        """Return once the daemon is online, its agents made. A daemon that takes longer is told of, not waited for."""

        def is_over() -> bool:
            return self._stop.is_set() or self._daemon is None or not self._daemon.is_running

        def is_connected() -> bool:
            daemon = self._daemon
            if daemon is None or self._local_port == 0:  # it picked a port we do not know
                return daemon is not None
            place = daemon_place(daemon=f"http://127.0.0.1:{self._local_port}")
            return first_start.is_connected_daemon(place, pid=daemon.pid)

        found = await asyncio.to_thread(
            first_start.wait_until_online, owner, computer=computer, is_connected=is_connected, is_over=is_over
        )
        if found is None:
            if not is_over():
                note("the daemon is not online yet; `pal doctor` finds out why")
            return
        if is_first:
            await asyncio.to_thread(first_start.make_program_agents, owner, home=self._home, computer=found)

    async def _or_end(self, work: Awaitable[T], *, child: Child) -> T:
        """The result of the work, unless the child ends or we are stopped before: Ended, Stopped."""
        working = asyncio.ensure_future(work)
        ending = asyncio.create_task(child.wait(), name=f"end of {child.name}")
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        tasks: set[asyncio.Future[T] | asyncio.Task[int] | asyncio.Task[bool]] = {working, ending, stopping}
        try:
            async with asyncio.timeout(READY_WITHIN):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                raise Stopped
            if ending.done():
                raise Ended(ending.result() or BUG)
            return working.result()
        except TimeoutError:
            note(f"the {child.name} was not ready within {READY_WITHIN:.0f} s")
            raise Ended(TRY_AGAIN) from None
        finally:
            for task in tasks:
                task.cancel()

    async def _keep_running(self) -> int:
        """Start again what dies, until we are asked to stop."""
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(self._keep(child), name=f"keep {child.name}") for child in self._children()]
            await self._stop.wait()
            say("stopping; running agents go on")
            for task in keeping:
                task.cancel()
        return DONE

    async def _keep(self, child: Child) -> None:
        pause = FIRST_PAUSE
        while True:
            since = time.monotonic()
            code = await child.wait()
            if child is self._daemon and code == REFUSED:
                note("the daemon was refused, so it stays off. `pal up` started anew gets it a new key if it needs one")
                return
            if time.monotonic() - since > STEADY_AFTER:
                pause = FIRST_PAUSE
            note(f"the {child.name} ended unexpectedly ({_how(code)}); starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            await child.start()

    async def _stop_children(self) -> None:
        """The daemon first, so that it can still say goodbye to the server."""
        for child in reversed(self._children()):
            await child.stop()

    def _children(self) -> list[Child]:
        return [self._server] if self._daemon is None else [self._server, self._daemon]

    def _announce(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            say(f"{READY}. Log in here (the link works once): {link}")
        else:
            say(f"{READY}: {self._url}")
        if self._daemon is not None:
            here = daemon_place().url
            if self._local_port not in (0, urlsplit(here).port):
                say(f"For pal cli in another terminal: export PAL_DAEMON_URL=http://127.0.0.1:{self._local_port}")
            say('Say hello with: pal cli send --room general --mention demo "hello"')
        say("Ctrl-C stops server and daemon; running agents go on.")
        sys.stdout.flush()
        if self._wishes.with_browser and _has_display():
            _open_browser(link or self._url)

    def _tell_link_once(self) -> None:
        """A link that was not announced is still the only way in: never swallow it."""
        if self._link is not None:
            say(f"Log in here (the link works once): {self._link}")
            self._link = None

    def _keeps_link(self, line: str) -> bool:
        """The log-in link waits until everything is ready, so that who follows it finds everything there."""
        found = _ONE_TIME_LINK.search(line)
        if found is None:
            return False
        self._link = found.group()
        return True

    def _server_env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_CHILDREN}
        env["PAL_HOME"] = str(self._home)
        if self._wishes.port is not None:
            env.pop("LOCK_PORT", None)
            env["PAL_PORT"] = str(self._wishes.port)
        return env

    def _daemon_env(self, key: str) -> dict[str, str]:
        env = {name: value for name, value in self._server_env().items() if name not in _NOT_FOR_THE_DAEMON}
        return env | {"PAL_API_KEY": key}  # not on the command line, where everybody on this computer could read it

    def _daemon_argv(self) -> list[str]:
        return ["daemon", "--server", self._url, "--local-port", str(self._local_port)]

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is None:
                continue
            with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
                loop.add_signal_handler(number, self._asked_to_stop)

    def _asked_to_stop(self) -> None:
        """The first time gently; the second time at once."""
        if self._stop.is_set():
            for child in self._children():
                child.kill()
        self._stop.set()


def _told_address(home: Path, *, pid: int) -> str | None:
    """What the server with that pid wrote about itself; None while it has not."""
    try:
        told = json.loads((home / "server.json").read_text("utf-8"))
        return str(told["url"]).rstrip("/") if told["pid"] == pid else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_ready(url: str) -> bool:
    try:
        Client(url, timeout=5).call("GET", "/health/ready")
    except (ApiProblem, Unreachable):
        return False
    return True


def _how(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _has_display() -> bool:
    if not sys.stdout.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_browser(url: str) -> None:
    import webbrowser

    with suppress(webbrowser.Error):
        webbrowser.open(url)
