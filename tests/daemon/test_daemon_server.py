"""The daemon with the real server: what people and agents see of it."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pal_daemon.daemon import Over
from pal_daemon.process_tree import find_left_over
from pal_daemon.settings import Settings
from pal_server.client.aio import Client
from tests.support.patience import PATIENCE
from tests.support.ports import free_port
from tests.support.server import MovableClock, ProvisionedComputer, ServerUnderTest, expect, start_server

SAY_VIA_DAEMON = """\
import json, os, urllib.request
body = json.dumps({"content": "from inside"}).encode()
request = urllib.request.Request(os.environ["PAL_DAEMON_URL"] + "/api/messages", data=body, method="POST")
request.add_header("Authorization", "Bearer " + os.environ["PAL_RUN_TOKEN"])
request.add_header("Content-Type", "application/json")
print(urllib.request.urlopen(request).status)
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerUnderTest]:
    async with start_server(tmp_path / "server", clock=MovableClock(), with_loops=True) as running:
        yield running


@pytest.fixture
async def computer(server: ServerUnderTest) -> ProvisionedComputer:
    return await server.provision()


@pytest.fixture
def settings(tmp_path: Path, server: ServerUnderTest, computer: ProvisionedComputer) -> Settings:
    return Settings(home=tmp_path / "home", server=server.url, key=computer.key, interval=0.3, local_port=0)


async def until_event(
    server: ServerUnderTest, kind: str, matching: Callable[[dict[str, Any]], bool] = lambda data: True
) -> dict[str, Any]:
    """The data of the first such event of the workspace, from the beginning on."""
    async with Client(server.url, server.owner) as client, asyncio.timeout(PATIENCE):
        async for event in client.events(after=0):
            data = event.data.get("run", event.data)
            if event.kind == kind and matching(data):
                return data
    raise AssertionError("the stream ended")


async def finished(server: ServerUnderTest, run: int) -> dict[str, Any]:
    await until_event(server, "run.finished", lambda data: data["id"] == run)
    return expect(await server.get(f"/api/runs/{run}"), 200)["run"]


async def said(server: ServerUnderTest) -> list[str]:
    return [message["content"] for message in (await server.get("/api/messages", room="general"))["messages"]]


async def test_a_mention_is_answered_once(server, computer, start_daemon):
    await server.agent("demo", computer=computer)
    await start_daemon()

    await server.send("@demo /echo good morning")

    assert (await finished(server, 1))["status"] == "succeeded"
    assert await said(server) == ["@demo /echo good morning", "good morning"]


async def test_a_question_goes_to_a_person_and_its_answer_to_the_program(server, computer, start_daemon):
    await server.agent("demo", computer=computer)
    await start_daemon()
    await server.send("@demo /ask Shall I?")
    await until_event(server, "interaction.opened")
    (asked,) = (await server.get("/api/interactions", status="pending"))["interactions"]

    expect(await server.post(f"/api/interactions/{asked['id']}/answer", {"answer": "yes"}), 200)

    assert (await finished(server, 1))["status"] == "succeeded"
    assert (await said(server))[-1] == "You answered: yes"
    assert (await server.get(f"/api/interactions/{asked['id']}"))["interaction"]["status"] == "applied"


async def test_restart_ends_one_run_and_starts_the_next_for_the_same_message(server, computer, start_daemon):
    await server.agent("demo", computer=computer)
    await start_daemon()
    await server.send("@demo /slow 300")
    await until_event(server, "run.changed", lambda data: data["status"] == "running")

    expect(await server.post("/api/runs/1/restart"), 200)

    assert (await finished(server, 1))["status"] == "cancelled"
    again = await until_event(server, "run.changed", lambda data: data["id"] == 2 and data["status"] == "running")
    assert again["restart_of"] == 1
    expect(await server.post("/api/runs/2/kill"), 200)
    assert (await finished(server, 2))["status"] == "cancelled"


async def test_three_messages_to_one_agent_are_done_in_order(server, computer, start_daemon):
    await server.agent("demo", computer=computer)
    await start_daemon()

    for word in ("one", "two", "three"):
        await server.send(f"@demo /echo {word}")

    for run in (1, 2, 3):
        assert (await finished(server, run))["status"] == "succeeded"
    assert [text for text in await said(server) if not text.startswith("@")] == ["one", "two", "three"]


async def test_an_agent_speaks_through_its_daemon_as_itself(server, computer, start_daemon, tmp_path):
    program = tmp_path / "say.py"
    program.write_text(SAY_VIA_DAEMON)
    command = f"{sys.executable} {program}"
    await server.agent("worker", computer=computer, runtime="command", command=command)
    await start_daemon()

    await server.send("@worker go")

    assert (await finished(server, 1))["status"] == "succeeded"
    messages = (await server.get("/api/messages", room="general"))["messages"]
    assert [(m["sender"]["name"], m["content"]) for m in messages[1:]] == [("worker", "from inside")]


async def test_an_agent_assigned_later_needs_no_restart(server, computer, start_daemon):
    await start_daemon()

    await server.agent("late", computer=computer)
    await server.send("@late /echo here")

    assert (await finished(server, 1))["status"] == "succeeded"


async def test_an_unassigned_agent_finishes_and_gets_nothing_new(server, computer, start_daemon):
    await server.agent("demo", computer=computer)
    daemon = await start_daemon()
    await server.send("@demo /ask go on?")
    await until_event(server, "interaction.opened")
    expect(await server.post("/api/agents/demo/assignment", {"computer_id": None}), 200)
    await server.send("@demo /echo not for you")

    (asked,) = (await server.get("/api/interactions", status="pending"))["interactions"]
    expect(await server.post(f"/api/interactions/{asked['id']}/answer", {"answer": "yes"}), 200)

    assert (await finished(server, 1))["status"] == "succeeded"
    assert await daemon.leave() == 0
    pending = (await server.get("/api/deliveries", status="pending"))["deliveries"]
    assert len(pending) == 1


async def test_the_computer_says_what_it_can(server, computer, start_daemon):
    await start_daemon()

    (seen,) = (await server.get("/api/computers"))["computers"]

    assert seen["status"] == "online"
    assert seen["daemon_version"]
    runtimes = {runtime["name"]: runtime for runtime in seen["runtimes"]}
    assert runtimes["demo"]["available"]
    assert not runtimes["codex"]["available"]
    assert "npm install" in runtimes["codex"]["note"]


@pytest.mark.parametrize(("how", "why"), [("rotate", "no longer good"), ("revoke", "was revoked")])
async def test_a_key_that_is_void_ends_the_daemon(server, computer, start_daemon, how, why):
    daemon = await start_daemon(interval=60)

    expect(await server.post(f"/api/computers/{computer.id}/{how}"), 200)

    async with asyncio.timeout(PATIENCE):  # the next beat would be later
        with pytest.raises(Over, match=why) as ended:
            await daemon.end()
    assert ended.value.code == 3


async def test_another_machine_with_the_same_key_is_refused(server, start_daemon, settings, tmp_path):
    await start_daemon()

    with pytest.raises(Over, match="another machine") as refused:
        await start_daemon(home=tmp_path / "elsewhere")

    assert refused.value.code == 3


async def test_a_run_outlives_its_server_and_its_daemon(tmp_path, settings):
    home, clock = tmp_path / "lasting", MovableClock()
    port = free_port()
    async with start_server(home, clock=clock, with_loops=True, port=port) as first:
        computer = await first.provision()
        await first.agent("demo", computer=computer)
        own = replace(settings, server=first.url, key=computer.key, home=tmp_path / "lasting-daemon")
        daemon = await running(own)
        await first.send("@demo /slow 2")
        await until_event(first, "run.changed", lambda data: data["status"] == "running")
    await daemon.vanish()

    async with start_server(home, clock=clock, with_loops=True, port=port) as second:
        daemon = await running(own)

        ended = await finished(second, 1)

        assert ended["status"] == "succeeded"
        assert (await said(second))[-1] == "Done after 2 seconds."
        events = (await second.get("/api/runs/1/events"))["events"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert [event["text"] for event in events if event["kind"] == "status"] == [
            "1 of 2 seconds",
            "2 of 2 seconds",
        ]
        await daemon.leave()


async def running(settings: Settings) -> Any:
    from tests.support.daemons import RunningDaemon

    return await RunningDaemon(settings).ready()


async def test_the_local_door_needs_a_token_and_is_for_this_computer(server, computer, start_daemon, settings):
    daemon = await start_daemon()
    file = settings.folder / "token"
    token = file.read_text().strip()

    async def ask(path: str = "/health", **headers: str) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as session, session.get(daemon.url + path, headers=headers) as answer:
            return answer.status, await answer.json()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    status, health = await ask(Authorization=f"Bearer {token}")
    assert (status, health["computer"], health["connected"]) == (200, computer.id, True)
    assert (await ask())[0] == 401
    assert (await ask(Authorization="Bearer wrong"))[0] == 401
    assert (await ask(Authorization=f"Bearer {token}", Host="evil.example"))[0] == 403
    assert (await ask(Authorization=f"Bearer {token}", Origin="http://evil.example"))[0] == 403
    assert (await ask("/elsewhere", Authorization=f"Bearer {token}"))[0] == 404
    status, me = await ask("/api/me", Authorization=f"Bearer {token}")
    assert (status, me["me"]["kind"]) == (200, "computer")


async def test_in_one_home_the_local_operator_is_the_owner(server, computer, start_daemon, settings):
    daemon = await start_daemon(home=server.home)
    token = (server.home / "daemon" / "token").read_text().strip()

    async with (
        aiohttp.ClientSession() as session,
        session.get(daemon.url + "/api/me", headers={"Authorization": f"Bearer {token}"}) as answer,
    ):
        me = (await answer.json())["me"]

    assert (me["kind"], me["role"]) == ("user", "owner")


async def test_a_run_whose_agent_is_deleted_is_killed(server, computer, start_daemon, settings):
    await server.agent("demo", computer=computer)
    await start_daemon()
    await server.send("@demo /slow 300")
    await until_event(server, "run.changed", lambda data: data["status"] == "running")

    assert (await server.delete("/api/agents/demo")).status == 200

    assert (await finished(server, 1))["status"] == "cancelled"
    assert find_left_over(settings.runs_folder / "1") == []


async def test_attached_files_are_in_the_runs_folder_with_a_label_in_the_prompt(
    server, computer, settings, start_daemon
):
    await server.agent("reader", computer=computer, runtime="command", command="cat")
    upload = {"name": "my notes.txt", "room": "general"}
    kept = await server.request("POST", "/api/artifacts", data=b"words to read", params=upload)
    ended = await server.request("POST", "/api/artifacts", data=b"x", params={"name": "ended.txt", "room": "general"})
    files = [kept["artifact"]["id"], ended["artifact"]["id"]]
    await server.send("@reader look", files=files)
    expect(await server.post(f"/api/artifacts/{files[1]}/revoke"), 200)

    await start_daemon()
    run = await finished(server, 1)

    path = settings.runs_folder / str(run["id"]) / "files" / "1-my notes.txt"
    prompt = (await said(server))[-1]
    assert path.read_bytes() == b"words to read"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f'[1] "{path}" (text/plain, 13 bytes)' in prompt
    assert '[2] "ended.txt" is not offered any more' in prompt
