"""The wake-up channel of daemons, and who of two daemons may go on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.support.patience import PATIENCE
from tests.support.server import ProvisionedComputer, ServerUnderTest, expect


@asynccontextmanager
async def woken(
    server: ServerUnderTest, computer: ProvisionedComputer, *, epoch: int | None = None
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """The channel, after its first looks."""
    headers = {"Authorization": f"Bearer {computer.key}"}
    if epoch is not None:
        headers["X-Pal-Epoch"] = str(epoch)
    async with server.session.ws_connect(server.url + "/api/daemon/ws", headers=headers) as socket:
        assert [await frame(socket), await frame(socket)] == [
            {"type": "look", "what": "deliveries"},
            {"type": "look", "what": "commands"},
        ]
        yield socket


async def frame(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return json.loads(await socket.receive_str(timeout=PATIENCE))


async def test_a_message_wakes_the_computer_of_its_agent_alone(server: ServerUnderTest) -> None:
    mine, other = await server.provision("mine"), await server.provision("other")
    await server.agent("reviewer", computer=mine)

    async with woken(server, mine) as socket, woken(server, other) as quiet:
        await server.send("@reviewer go")
        looked = await frame(socket)
        await quiet.send_str('{"type":"ping"}')

        assert looked == {"type": "look", "what": "deliveries"}
        assert await frame(quiet) == {"type": "pong"}


async def test_an_order_wakes_for_commands(server: ServerUnderTest) -> None:
    computer, _, opened = await server.running()

    async with woken(server, computer) as socket:
        await server.post(f"/api/runs/{opened['run']['id']}/kill")
        while (looked := await frame(socket))["what"] != "commands":
            pass
        beat = await server.post(f"/api/computers/{computer.id}/heartbeat", {}, token=computer.key)

    assert looked["type"] == "look"
    assert [(order["kind"], order["run"]) for order in beat["commands"]] == [("kill", opened["run"]["id"])]
    done = f"/api/computers/{computer.id}/commands/{beat['commands'][0]['id']}/done"
    assert (await server.post(done, {}, token=computer.key)).status == 200
    assert (await server.post(done, {}, token=computer.key)).status == 200
    assert (await server.post(f"/api/computers/{computer.id}/heartbeat", {}, token=computer.key))["commands"] == []


async def test_a_delivery_that_waits_for_its_burst_wakes_when_it_is_due(server: ServerUnderTest) -> None:
    computer = await server.provision()
    await server.connect(computer)
    await server.agent("reviewer", computer=computer, mode="all")

    async with woken(server, computer) as socket:
        await server.send("something for everybody")
        server.clock.advance(5)
        async with asyncio.timeout(PATIENCE):
            while not (claimed := await server.claim(computer)):
                assert (await frame(socket))["type"] == "look"

    assert claimed[0]["agent"] == "reviewer"


@pytest.mark.parametrize("verb", ["rotate", "revoke"])
async def test_a_daemon_whose_key_ended_is_told_to_go(server: ServerUnderTest, verb: str) -> None:
    computer = await server.provision()
    await server.connect(computer)

    async with woken(server, computer) as socket:
        expect(await server.post(f"/api/computers/{computer.id}/{verb}"), 200)
        bye = await frame(socket)
        while bye["type"] == "look":
            bye = await frame(socket)
        closed = await socket.receive(timeout=PATIENCE)

    assert bye["type"] == "bye"
    assert bye["retry"] is False
    assert closed.data == 1008
    refused = await server.post("/api/deliveries/claim", {}, token=computer.key)
    assert refused.status == 401
    assert refused.facts.get("reason") == ("revoked" if verb == "revoke" else None)


async def test_a_daemon_that_was_replaced_is_shut_out_everywhere(server: ServerUnderTest) -> None:
    computer = await server.provision()
    old = (await server.connect(computer, machine="one"))["epoch"]

    async with woken(server, computer, epoch=old) as socket:
        busy = await server.post("/api/computers/connect", {"machine": "two"}, token=computer.key)
        server.clock.advance(31)
        new = (await server.connect(computer, machine="two"))["epoch"]
        bye = await frame(socket)
        while bye["type"] == "look":
            bye = await frame(socket)

    assert busy.status == 409
    assert new > old
    assert (bye["code"], bye["retry"]) == ("conflict", False)
    headers = {"X-Pal-Epoch": str(old)}
    for path, body in (
        ("/api/deliveries/claim", {}),
        (f"/api/computers/{computer.id}/heartbeat", {}),
        ("/api/deliveries/1/renew", {"lease_id": "x", "fence": 1}),
        ("/api/runs/1/events", {"lease_id": "x", "fence": 1, "events": []}),
    ):
        refused = await server.post(path, body, token=computer.key, headers=headers)
        assert (refused.status, refused.code) == (409, "conflict")
    upgrade = {
        **headers,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    socket_refused = await server.request("GET", "/api/daemon/ws", token=computer.key, headers=upgrade)
    assert socket_refused.status == 409


async def test_connect_tells_what_the_server_believes(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()

    again = await server.connect(computer)

    assert again["agents"] == ["reviewer"]
    assert [(run["id"], run["delivery"]) for run in again["runs"]] == [(opened["run"]["id"], claimed["id"])]
    assert again["runs"][0]["lease_id"] == claimed["lease"]["id"]
    assert again["lease_for"] <= 60_000
    assert again["now"] == server.clock.now


async def test_the_command_of_a_new_computer_is_one_shell_line(server: ServerUnderTest) -> None:
    answer = await server.post("/api/computers/provision", {"name": "far", "server_url": "https://pal.example.com/"})
    wrong = await server.post("/api/computers/provision", {"name": "b", "server_url": "ftp://x; rm -rf /"})

    assert answer["command"] == f"pal daemon --server https://pal.example.com --api-key {answer['api_key']}"
    assert wrong.status == 400
    assert wrong.facts["field"] == "server_url"


async def answered(socket: aiohttp.ClientWebSocketResponse, **found: Any) -> Any:
    """What the computer is asked next, after it has answered so."""
    while (asked := await frame(socket))["type"] != "find":
        pass
    await socket.send_json({"type": "found", "ask": asked["ask"], **found})
    return asked


async def test_a_person_finds_files_in_the_folder_of_an_agent_of_the_room(server: ServerUnderTest) -> None:
    computer = await server.provision()
    await server.agent("reviewer", computer=computer, cwd="/work")
    topic = (await server.send("in the topic"))["message"]["topic"]

    async with woken(server, computer) as socket:
        asking = asyncio.create_task(server.get(f"/api/topics/{topic}/paths", agent="reviewer", q="app", limit=5))
        asked = await answered(socket, paths=["src/app.py"], total=900)
        found = await asking

    assert {name: asked[name] for name in ("agent", "cwd", "q", "limit")} == {
        "agent": "reviewer",
        "cwd": "/work",
        "q": "app",
        "limit": 5,
    }
    assert (found["paths"], found["total"], found["computer"]) == (["src/app.py"], 900, computer.id)


async def test_a_computer_that_is_away_or_refuses_is_said(server: ServerUnderTest) -> None:
    computer = await server.provision()
    await server.agent("reviewer", computer=computer)
    topic = (await server.send("in the topic"))["message"]["topic"]
    path = f"/api/topics/{topic}/paths"

    away = await server.get(path, agent="reviewer")
    async with woken(server, computer) as socket:
        asking = asyncio.create_task(server.get(path, agent="reviewer"))
        await answered(socket, error="its folder does not exist")
        refused = await asking
        gone = asyncio.create_task(server.get(path, agent="reviewer"))
        while (await frame(socket))["type"] != "find":
            pass
    went = await gone

    assert (away.status, away.code) == (503, "unavailable")
    assert (refused.status, refused["error"]["message"]) == (503, "its folder does not exist")
    assert went.status == 503


async def test_nobody_looks_into_folders_of_agents_that_are_not_in_the_room(server: ServerUnderTest) -> None:
    computer = await server.provision()
    expect(await server.post("/api/rooms", {"name": "studio"}), 201)
    await server.agent("reviewer", computer=computer, room="studio")
    await server.agent("stranger", computer=computer)
    topic = (await server.send("in the topic", room="studio"))["message"]["topic"]

    for agent in ("stranger", "nobody", "../reviewer"):
        assert (await server.get(f"/api/topics/{topic}/paths", agent=agent)).status == 404
    assert (await server.get("/api/topics/999999/paths", agent="reviewer")).status == 404
    machine = await server.get(f"/api/topics/{topic}/paths", agent="reviewer", token=computer.key)
    assert machine.status == 403
