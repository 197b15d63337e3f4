"""The composition root: the one file that knows all parts of a server, starts them in order and stops them in order."""

import asyncio
import hashlib
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web

from pal_server import tokens as secret_words
from pal_server.actions import setup, tokens
from pal_server.api.asking import Lines
from pal_server.api.auth import Credentials
from pal_server.api.http_server import HttpServer
from pal_server.api.middleware import Edge
from pal_server.api.openapi import document_of
from pal_server.api.origins import Origins
from pal_server.api.pace import Pace
from pal_server.api.routes import ROUTES
from pal_server.api.routing import Table
from pal_server.api.services import STOPPING, Lifetime, Readiness, Services
from pal_server.api.stream import Tailer
from pal_server.api.system import own_version
from pal_server.api.terminal_relay import Relays
from pal_server.api.throttle import Throttle
from pal_server.clock import Clock
from pal_server.config import Settings, prepare_home, read_key, write_private
from pal_server.domain.actors import Role, system
from pal_server.domain.terminals import Policy
from pal_server.errors import Unavailable
from pal_server.ids import new_id
from pal_server.loops.approval_deadlines import ApprovalDeadlines
from pal_server.loops.bridges import Bridges
from pal_server.loops.chat_notices import ChatNotices
from pal_server.loops.digests import Digests
from pal_server.loops.files import Files
from pal_server.loops.leader import Leader
from pal_server.loops.lease_reaper import LeaseReaper
from pal_server.loops.loop import FAILURES_ALLOWED, Context, Loop
from pal_server.loops.offline import Offline
from pal_server.loops.posting import Posting
from pal_server.loops.presence import Presence
from pal_server.loops.retention import Retention
from pal_server.loops.room_endings import RoomEndings
from pal_server.loops.terminal_reaper import TerminalReaper
from pal_server.loops.token_use import TokenUse
from pal_server.loops.webhooks import Webhooks
from pal_server.metrics import Metrics
from pal_server.storage.home_lock import hold_home
from pal_server.storage.store import Event, Store, Tx, open_store
from pal_server.wakeups.hub import Hub

SWITCH_INTERVAL = 0.0005  # seconds; the loop and the writer's thread share one interpreter lock (docs/performance.md)
FINISH_FOR = 5.0  # seconds that requests under way may take when the server stops
BACKLOG = 1024  # connections the system may hold until they are accepted
OPEN_FILES = 65_536  # connections and files this process asks the system for, as far as it allows
DISK_MIN = 32 * 1024 * 1024  # bytes; with less room the server calls itself not ready
PROBE_FOR = 2.0  # seconds the database may take to answer a probe

Part = Callable[[], Coroutine[None, None, None]]  # runs for ever
LOOPS: tuple[type[Loop], ...] = (LeaseReaper, Offline, Digests, ApprovalDeadlines, Presence, Retention, RoomEndings)

log = logging.getLogger(__name__)


class PortTaken(Unavailable):
    """Somebody else listens there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server. `login_link` is there on the very first start alone, and works once."""

    settings: Settings
    services: Services
    loops: tuple[Loop, ...]
    port: int
    url: str
    login_link: str | None

    @property
    def store(self) -> Store:
        return self.services.store

    def loop(self, name: str, /) -> Loop:
        """The loop of that name, for tests that step it by hand."""
        return next(loop for loop in self.loops if loop.name == name)


async def serve_until_stopped(settings: Settings, *, announce: Callable[[Server], None]) -> None:
    """Run a server until SIGTERM or SIGINT. A part that dies stops it, and its error is raised."""
    _allow_many_connections()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    async with running_server(settings) as server:
        announce(server)
        await stop.wait()
        log.info("stopping: finishing what is under way", extra={"action": "server.stopping"})


@asynccontextmanager
async def running_server(
    settings: Settings, *, clock: Callable[[], int] | None = None, with_loops: bool = True
) -> AsyncIterator[Server]:
    """A server that accepts requests for as long as the block runs.

    Raises `Conflict` when the home is in use, `PortTaken`, or `Unavailable` with a sentence that says what to do. When
    a part of the server dies, the block is cancelled and the part's error is raised. Leaving the block stops accepting,
    finishes requests under way, tells streams to come back, and closes the database last.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    prepare_home(settings.home)
    async with AsyncExitStack() as stack:
        stack.enter_context(hold_home(settings.home))
        listener = stack.enter_context(_listen(settings.host, settings.port))
        server, parts = await _assemble(settings, stack=stack, listener=listener, clock=clock or Clock())
        if with_loops:
            parts += [(loop.name, loop.run) for loop in server.loops]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_for_ever(name, part), name=name) for name, part in parts]
            try:
                yield server
            finally:
                _tell_streams(server.services)
                for task in tasks:
                    task.cancel()


def _allow_many_connections() -> None:
    """The usual soft limit of 1024 open files is about 900 watchers."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _assemble(
    settings: Settings, *, stack: AsyncExitStack, listener: socket.socket, clock: Callable[[], int]
) -> tuple[Server, list[tuple[str, Part]]]:
    home = settings.home
    key = read_key(home / "secret.key")
    hub, metrics = Hub(), Metrics()
    store = await open_store(
        settings.database,
        clock=clock,
        new_id=new_id,
        audit_key=_derive(key, "audit"),
        hub_wake=hub.wake_all,
        on_events=lambda events: _count_events(metrics, events),
        backups=home / "backups",
    )
    stack.push_async_callback(store.close)
    workspace_id, code = await _first_start(store, home=home)
    last = await store.read(setup.last_moment, workspace_id=workspace_id)
    if isinstance(clock, Clock) and last is not None:
        clock.go_on_from(last)
    port = int(listener.getsockname()[1])
    url = settings.url(port)
    credentials = Credentials(
        authenticate=lambda secret_hash: store.read(tokens.authenticate, secret_hash=secret_hash),
        is_struck_off=lambda secret_hash: store.read(tokens.is_struck_off, secret_hash=secret_hash),
        hub=hub,
        clock=clock,
        monotonic=time.monotonic,
    )
    leader = Leader(store=store, holder=new_id("server"), is_alone=settings.is_embedded)
    stack.push_async_callback(_let_go, leader)
    context = Context(store=store, hub=hub, clock=clock, metrics=metrics, leader=leader, workspace_id=workspace_id)
    token_use = TokenUse(context, take=credentials.take_used)
    bridges = Bridges(context, url=lambda: url, is_on=settings.bridges)
    posting = Posting(context, url=lambda: url)
    ended_files = Files(context, root=settings.files)
    policy = _terminal_policy(settings)
    loops: tuple[Loop, ...] = (
        *(kind(context) for kind in LOOPS),
        ended_files,
        token_use,
        posting,
        TerminalReaper(context, policy=policy),
        ChatNotices(context, url=lambda: url),
        Webhooks(context, url=lambda: url, key=key, allowed=frozenset(settings.webhook_hosts)),
        bridges,
    )
    stack.push_async_callback(bridges.close)
    stack.push_async_callback(_last_step, token_use)
    tailer = Tailer(store=store, hub=hub, credentials=credentials, workspace_id=workspace_id)
    services = Services(
        store=store,
        hub=hub,
        clock=clock,
        settings=settings,
        metrics=metrics,
        credentials=credentials,
        origins=Origins(host=settings.host, allowed=settings.allowed_hosts),
        throttle=Throttle(clock=clock),
        pace=Pace(clock=clock),
        tailer=tailer,
        lines=Lines(),
        relays=Relays(policy=policy, hub=hub),
        workspace_id=workspace_id,
        cookie=f"pal_session_{workspace_id[-8:]}",
        key=key,
        url=lambda: url,
        api_document=document_of(ROUTES, version=own_version()),
        lifetime=Lifetime(),
        readiness=lambda: _readiness(store, loops=loops, home=home),
    )
    metrics.gauge("pal_streams", "Streams open.", lambda: {(("door", kind),): n for kind, n in tailer.watching.items()})
    edge = Edge(table=Table(ROUTES), services=services, with_access_log=settings.access_log)
    runner = web.ServerRunner(HttpServer(edge), shutdown_timeout=FINISH_FOR)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener, backlog=BACKLOG).start()
    place = home / "server.json"
    write_private(place, msgspec.json.encode({"url": url, "pid": os.getpid()}).decode())
    stack.callback(place.unlink, missing_ok=True)
    server = Server(
        settings=settings,
        services=services,
        loops=loops,
        port=port,
        url=url,
        login_link=None if code is None else f"{url}/login?code={code}",
    )

    parts: list[tuple[str, Part]] = [
        ("event tailer", tailer.run),
        ("stream guard", tailer.guard),
        ("stream beat", tailer.beat),
    ]
    return server, parts


def _terminal_policy(settings: Settings) -> Policy:
    return Policy(
        per_topic=settings.terminals_per_topic,
        per_computer=settings.terminals_per_computer,
        idle_for=settings.terminal_idle * 1000,
        driver=Role(settings.terminal_role),
    )


async def _first_start(store: Store, *, home: Path) -> tuple[str, str | None]:
    """The workspace's id, and the one-time code when it was made just now.

    The owner's token is on disk before it is valid: a crash in between leaves a file whose token the next start makes
    valid, never a workspace nobody can enter.
    """
    path = home / "owner.token"
    existing = await store.read(setup.workspace)
    if existing is not None and path.exists():
        return existing, None
    if path.exists():
        secret = path.read_text().strip()
    else:
        secret, _ = secret_words.new_secret(secret_words.USER)
        write_private(path, secret + "\n")
    owner_hash = secret_words.hash_secret(secret)
    code, code_hash = secret_words.new_secret(secret_words.CODE)
    start = await store.write(setup.first_start, owner_hash=owner_hash, code_hash=code_hash)
    if start.is_first:
        return start.workspace_id, code
    await store.write(setup.new_owner_token, actor=system(start.workspace_id), owner_hash=owner_hash)
    return start.workspace_id, None


def _tell_streams(services: Services) -> None:
    """They say goodbye, and their readers come back to whoever answers then."""
    services.lifetime.is_stopping = True
    services.hub.wake(STOPPING)
    services.tailer.stop()


async def _readiness(store: Store, *, loops: Iterable[Loop], home: Path) -> Readiness:
    checks = {"database": await _probe(store), "disk": _disk(home)}
    failing = [loop.name for loop in loops if loop.failures >= FAILURES_ALLOWED]
    checks["loops"] = "failing: " + ", ".join(failing) if failing else "ok"
    return Readiness(checks=checks)


async def _probe(store: Store) -> str:
    try:
        async with asyncio.timeout(PROBE_FOR):
            await store.write(_nothing)
    except TimeoutError:
        return f"no answer within {PROBE_FOR:g} s"
    except Unavailable as exc:
        return exc.message
    return "ok"


def _nothing(_: Tx) -> None:
    return None


def _disk(home: Path) -> str:
    free = shutil.disk_usage(home).free
    if free < DISK_MIN:
        return f"only {free // 1024} KiB left on the disk of PAL_HOME"
    return "ok" if os.access(home, os.W_OK) else "PAL_HOME cannot be written"


def _count_events(metrics: Metrics, events: list[Event]) -> None:
    for event in events:
        metrics.count("pal_events_total", "Facts written to the log, by kind.", kind=event.kind)
    metrics.count("pal_commits_total", "Commits that wrote events.")


async def _let_go(leader: Leader) -> None:
    with suppress(Unavailable):
        await leader.let_go()


async def _last_step(loop: Loop) -> None:
    with suppress(Unavailable):
        await loop.step()


def _derive(key: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, so that none can stand in for another."""
    return hashlib.blake2b(purpose.encode(), key=key, digest_size=32).digest()


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket that refuses connections until the server is ready."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as exc:
        raise Unavailable(f"{host} is not an address of this computer: {exc.strerror}.", host=host) from exc
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as exc:
        listener.close()
        raise PortTaken(
            f"Port {port} of {host} cannot be used ({exc.strerror}). Stop what uses it or choose another with --port.",
            host=host,
            port=port,
        ) from exc
    return listener


async def _for_ever(name: str, part: Part) -> None:
    await part()
    raise RuntimeError(f"{name} has ended, which it never should")
