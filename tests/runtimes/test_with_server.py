"""A real program at a real server: what people do from outside, and what they see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pal_daemon.settings import Settings
from pal_server.client.aio import Client
from tests.runtimes.drivers.claude_code import DRIVER
from tests.support.models.server import Model, Refuse, Say, Text, Wait, serve
from tests.support.patience import LONG_PATIENCE
from tests.support.server import MovableClock, ProvisionedComputer, ServerUnderTest, expect, start_server


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


@dataclass
class Bench:
    """An agent `coder` at work for a server."""

    server: ServerUnderTest
    computer: str
    model: Model
    folder: Path

    async def event(self, kind: str, matching: Callable[[dict[str, Any]], bool] = lambda data: True) -> dict[str, Any]:
        """The data of the first such event of the workspace."""
        async with Client(self.server.url, self.server.owner) as client, asyncio.timeout(LONG_PATIENCE):
            async for event in client.events(after=0):
                data = event.data["run"] if isinstance(event.data.get("run"), dict) else event.data
                if event.kind == kind and matching(data):
                    return data
        raise AssertionError("the stream ended")

    async def finished(self, run: int) -> dict[str, Any]:
        await self.event("run.finished", lambda data: data["id"] == run)
        return expect(await self.server.get(f"/api/runs/{run}"), 200)["run"]

    async def shows(self, run: int, words: str) -> None:
        """Return once the live transcript has these words."""
        headers = {"Authorization": f"Bearer {self.server.owner}", "Accept": "text/event-stream"}
        url = f"{self.server.url}/api/runs/{run}/events"
        async with (
            asyncio.timeout(LONG_PATIENCE),
            aiohttp.ClientSession(headers=headers) as session,
            session.get(url) as answer,
        ):
            async for line in answer.content:
                if words.encode() in line:
                    return
        raise AssertionError("the transcript ended")

    async def said(self) -> list[str]:
        messages = (await self.server.get("/api/messages", room="general"))["messages"]
        return [message["content"] for message in messages if message["sender"]["name"] == "coder"]

    async def told(self, run: int, kind: str) -> list[dict[str, Any]]:
        events = (await self.server.get(f"/api/runs/{run}/events", limit=500))["events"]
        return [event for event in events if event["kind"] == kind]


@pytest.fixture
async def bench(server, computer, start_daemon, tmp_path) -> AsyncIterator[Bench]:
    folder, home = tmp_path / "work", tmp_path / "agent-home"
    DRIVER.program()
    folder.mkdir()
    home.mkdir()
    async with serve(*DRIVER.dialects) as model:
        account = DRIVER.account(url=model.url, home=home)
        body = {"computer": computer.id, "runtime": "claude-code", **account}
        made = expect(await server.post("/api/accounts", body), 201)["account"]
        await server.agent(
            "coder", computer=computer, runtime="claude-code", cwd=str(folder), account=made["id"], model="sonnet"
        )
        await start_daemon()
        yield Bench(server, computer.id, model, folder)


async def test_a_permission_is_answered_from_outside_and_the_session_goes_on(bench):
    bench.model.script(
        DRIVER.command("echo made > here.txt"), Text(text="It is made."), Text(text="You said: make it.")
    )

    await bench.server.send("@coder make it")
    asked = await bench.event("interaction.opened")
    waiting = expect(await bench.server.get("/api/runs/1"), 200)["run"]["status"]
    expect(await bench.server.post(f"/api/interactions/{asked['id']}/answer", {"decision": "approve"}), 200)
    first = await bench.finished(1)
    await bench.server.send("@coder what did I say?")
    await bench.finished(2)

    assert (asked["kind"], asked["hash"] != "") == ("approval", True)
    assert "here.txt" in asked["body"]
    assert waiting == "waiting"
    assert first["status"] == "succeeded", first
    assert (bench.folder / "here.txt").read_text() == "made\n"
    assert (await bench.said())[-2:] == ["It is made.", "You said: make it."]
    assert "make it" in str(bench.model.questions[2].body["messages"][0])
    assert first["usage"]["input_tokens"] == 200


async def test_a_refusal_with_its_reason_reaches_the_agent(bench):
    bench.model.script(DRIVER.command("echo made > here.txt"), Text(text="Then not."))

    await bench.server.send("@coder make it")
    asked = await bench.event("interaction.opened")
    no = {"decision": "deny", "reason": "it is much too early"}
    expect(await bench.server.post(f"/api/interactions/{asked['id']}/answer", no), 200)
    await bench.finished(1)

    assert not (bench.folder / "here.txt").exists()
    assert "it is much too early" in bench.model.questions[1].text
    (result,) = await bench.told(1, "tool_result")
    assert result["data"]["status"] == "refused"


async def test_a_message_to_a_busy_agent_is_read_in_its_run(bench):
    until = asyncio.Event()
    bench.model.script(Say(parts=(Text(text="Working."), Wait(until=until))), Text(text="With honey."))

    await bench.server.send("@coder make tea")
    await bench.model.asked(1)
    sent = await bench.server.send("@coder with honey please", steer="steer")
    await bench.shows(1, '"queued"')
    until.set()
    read = await bench.event("message.read")
    await bench.finished(1)

    assert sent["receipts"][0]["outcome"] == "steered"
    assert (read["run"], read["agent"]) == (1, "coder")
    assert "with honey please" in bench.model.questions[1].text
    assert len((await bench.server.get("/api/runs"))["runs"]) == 1


async def test_a_used_up_quota_lets_the_delivery_wait_until_it_is_there_again(bench):
    reset = bench.server.clock.now // 1000 + 3600
    limit = "anthropic-ratelimit-unified"
    headers = {f"{limit}-status": "rejected", f"{limit}-reset": str(reset)}
    headers |= {f"{limit}-representative-claim": "five_hour", f"{limit}-5h-reset": str(reset)}
    headers |= {f"{limit}-5h-status": "rejected", f"{limit}-5h-utilization": "1.0"}
    bench.model.script(Refuse(status=429, message="limit", headers=headers))
    account = DRIVER.account(url=bench.model.url, home=bench.folder / "subscription") | {"label": "subscription"}
    account["env"] |= {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-test"}
    body = {"computer": bench.computer, "runtime": "claude-code", **account}
    made = expect(await bench.server.post("/api/accounts", body), 201)["account"]
    expect(await bench.server.patch("/api/agents/coder", {"account": made["id"]}), 200)

    await bench.server.send("@coder hello")
    run = await bench.finished(1)

    (delivery,) = (await bench.server.get("/api/deliveries"))["deliveries"]
    assert (run["status"], run["error_kind"], run["resume_at"]) == ("failed", "rate_limit", reset * 1000)
    assert (delivery["status"], delivery["not_before"]) == ("pending", reset * 1000)
    assert "5-hour limit" in run["error"]
