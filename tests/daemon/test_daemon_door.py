"""The local door's relay, what is kept of finished runs, and the socket that falls silent."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from pal_daemon.bus import Bus
from pal_daemon.environment import link_program, run_environment
from pal_daemon.folders import remove_old_runs, runs_with_processes, working_folder
from pal_daemon.house import House
from pal_daemon.journal import Journal
from pal_daemon.local_api import LocalApi
from pal_daemon.logins import Logins
from pal_daemon.logs import redact
from pal_daemon.runtimes.base import CannotStart
from pal_daemon.runtimes.registry import Registry
from pal_daemon.settings import Settings
from pal_server.client.aio import Client


async def test_a_request_goes_through_with_body_and_query(bus, start_daemon, settings):
    daemon = await start_daemon()
    token = (settings.folder / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}

    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(daemon.url + "/api/echo?room=a%20b", json={"a": 1}) as answer,
    ):
        told = await answer.json()

    assert told == {"method": "POST", "as": f"Bearer {settings.key}", "query": "room=a b", "body": {"a": 1}}


async def test_the_token_of_a_run_goes_through_as_it_is_and_only_while_it_lives(bus, start_daemon):
    daemon = await start_daemon()
    delivery = await bus.given_delivery(content="/ask may I?")
    run = await bus.run_of(delivery)
    await bus.until(lambda: run.interactions)

    async def ask() -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {run.token}"}
        async with aiohttp.ClientSession() as session, session.get(daemon.url + "/api/echo", headers=headers) as answer:
            return answer.status, await answer.json()

    status, told = await ask()
    assert (status, told["as"]) == (200, f"Bearer {run.token}")
    await bus.given_command("kill", run.id)
    await bus.end_of(delivery)
    assert (await ask())[0] == 401


async def test_a_server_that_is_away_is_told_as_unavailable(bus, start_daemon, settings):
    daemon = await start_daemon()
    token = (settings.folder / "token").read_text().strip()
    await bus.close()

    async with (
        aiohttp.ClientSession() as session,
        session.get(daemon.url + "/api/echo", headers={"Authorization": f"Bearer {token}"}) as answer,
    ):
        assert answer.status == 503
        assert (await answer.json())["error"]["code"] == "unavailable"


async def test_a_stream_and_a_large_upload_pass_piece_by_piece(tmp_path):
    told: dict[str, int] = {}
    go_on = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await go_on.wait()
        await response.write(b"data: 2\n\n")
        return response

    async def upload(request: web.Request) -> web.Response:
        told["size"] = sum([len(piece) async for piece in request.content.iter_any()])
        return web.json_response({})

    handlers = {"/api/stream": stream, "/api/upload": upload}
    async with relayed(tmp_path, handlers) as (url, headers), aiohttp.ClientSession(headers=headers) as session:
        async with session.get(url + "/api/stream") as answer:
            assert await answer.content.readuntil(b"\n\n") == b"data: 1\n\n"
            go_on.set()
            assert await answer.content.readuntil(b"\n\n") == b"data: 2\n\n"
        async with session.post(url + "/api/upload", data=b"x" * (12 << 20)) as answer:
            assert answer.status == 200

    assert told["size"] == 12 << 20


async def test_a_socket_that_is_silent_is_opened_again(bus, start_daemon, monkeypatch):
    monkeypatch.setattr("pal_daemon.wakeup_socket.SILENCE", 0.3)
    opened = 0

    async def mute(request: web.Request) -> web.StreamResponse:
        nonlocal opened
        opened += 1
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        async with bus._changed:
            bus._changed.notify_all()
        async for _ in socket:
            pass
        return socket

    bus.websocket = mute
    await start_daemon()

    await bus.until(lambda: opened >= 2)


# Folders and environment


def given_run(settings: Settings, run: int, *, size: int, age: float) -> None:
    folder = settings.runs_folder / str(run)
    folder.mkdir(parents=True)
    (folder / "spool").write_bytes(b"x" * size)
    at = os.stat(folder).st_mtime - age
    os.utime(folder / "spool", (at, at))


def test_old_and_large_finished_runs_are_removed_and_live_ones_never(settings):
    settings = replace(settings, keep_bytes=1000, keep_for=1000.0)
    given_run(settings, 1, size=100, age=10_000)
    given_run(settings, 2, size=600, age=30)
    given_run(settings, 3, size=600, age=20)
    given_run(settings, 4, size=10, age=10_000)

    removed = remove_old_runs(settings, live={4})

    assert removed == 2
    assert sorted(path.name for path in settings.runs_folder.iterdir()) == ["3", "4"]


def test_a_run_that_is_begun_at_this_moment_is_not_taken_for_an_old_one(settings):
    """Its files are brought before its spool is there."""
    (settings.runs_folder / "7" / "files").mkdir(parents=True)

    assert remove_old_runs(settings, live=set()) == 0


def test_nobodys_processes_are_no_runs_of_ours(settings):
    given_run(settings, 1, size=1, age=1)

    assert runs_with_processes(settings) == set()


@pytest.mark.parametrize("key", ["../up", "a/b", "", ".", "-x", "a\0b"])
def test_no_folder_is_made_for_a_key_that_is_no_name(settings, key):
    with pytest.raises(CannotStart):
        working_folder(settings, agent=key, cwd=None)


def test_an_agents_own_folder_comes_before_the_daemons(settings, tmp_path):
    settings = replace(settings, cwd=tmp_path)

    assert working_folder(settings, agent="a", cwd=None) == tmp_path
    assert working_folder(settings, agent="a", cwd="/") != tmp_path
    assert working_folder(replace(settings, cwd=None), agent="a", cwd=None) == settings.home / "agents" / "a"


def test_an_agents_own_folder_is_for_its_user_alone(tmp_path):
    settings = Settings(home=tmp_path / "home", server="http://127.0.0.1:1", key="k")
    before = os.umask(0)
    try:
        folder = working_folder(settings, agent="worker", cwd=None)
    finally:
        os.umask(before)

    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}


def test_the_path_begins_with_a_folder_that_holds_pal_alone(tmp_path):
    folder = link_program(tmp_path / "bin")

    assert folder == tmp_path / "bin"
    assert [path.name for path in folder.iterdir()] == ["pal"]
    assert link_program(tmp_path / "bin") == folder


def test_a_profile_cannot_replace_what_names_the_run():
    env = run_environment(
        {"PATH": "/bin", "PAL_TOKEN": "secret", "HOME": "/h"},
        run=1,
        token="t",
        agent="a",
        room="r",
        topic=2,
        message=3,
        daemon_url="d",
        server_url="s",
        program_folder=None,
        more={"PAL_RUN_TOKEN": "stolen", "X": "1", "BAD=NAME": "x"},
    )

    assert (env["PAL_RUN_TOKEN"], env["X"], env["PATH"]) == ("t", "1", "/bin")
    assert "PAL_TOKEN" not in env
    assert "BAD=NAME" not in env


def test_no_secret_reaches_the_log():
    assert redact("key sk_machine_abcdef123456 and pal_run_abcdefg-_1") == "key sk_machine_… and pal_run_…"


@asynccontextmanager
async def relayed(home: Path, handlers: dict[str, Any]) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The address of a local door whose server is these handlers, and what it asks for."""
    app = web.Application(client_max_size=64 << 20)
    for path, handler in handlers.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = f"http://127.0.0.1:{runner.addresses[0][1]}"
    house = House(
        settings=Settings(home=home, server=server, key="sk_machine_x", local_port=0),
        bus=Bus(Client(server)),
        journal=Journal(home / "journal"),
        registry=Registry({}),
        clock=lambda: 0,
        seal="",
    )
    door = LocalApi(house, tokens=("secret",), health=dict, logins=Logins(house))
    await door.start()
    yield door.url, {"Authorization": "Bearer secret"}
    await door.close()
    await runner.cleanup()
