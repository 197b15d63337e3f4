"""Binding bots: credentials are checked before they are saved, sealed at rest, and told to nobody but the bridge."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from pal_server.api.bot_checks import CheckedBot
from pal_server.errors import Invalid
from tests.support.platforms.loopback import World, running_world
from tests.support.platforms.loopback.installed import install
from tests.support.server import ServerUnderTest, expect

SECRET = "a-very-secret-word"


@pytest_asyncio.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "installed"))
    async with running_world() as made:
        made.secrets = {"app-1": SECRET, "app-2": SECRET}
        yield made


def wanted(world: World, *, app_id: str = "app-1", secret: str = SECRET, **more: Any) -> dict[str, Any]:
    given = {"platform": "loopback", "app_id": app_id, "credentials": {"secret": secret}, "base_url": world.url}
    return {**given, "agent": "reviewer", **more}


async def bots(server: ServerUnderTest) -> list[Any]:
    found: list[Any] = expect(await server.get("/api/bots"), 200)["bots"]
    return found


# CB-8, CB-11


async def test_a_credential_is_checked_sealed_and_never_told(server: ServerUnderTest, world: World) -> None:
    await server.agent("reviewer")

    refused = await server.post("/api/bots", wanted(world, secret="wrong"))
    assert (refused.status, refused.facts["field"]) == (400, "credentials")
    assert "the secret is wrong: ask the loop for another" in refused.body["error"]["message"]
    assert await bots(server) == []

    saved = expect(await server.post("/api/bots", wanted(world)), 200)
    assert (saved["bot"]["name"], saved["bot"]["state"], saved["findings"][0]["ok"]) == ("Loop", "unverified", True)
    looked = expect(await server.post(f"/api/bots/{saved['bot']['id']}/check"), 200)
    assert looked["findings"][0]["text"] == "the secret is right"

    seen = [await server.get(path) for path in ("/api/bots", "/api/audit")]
    assert all(SECRET not in json.dumps(response.body) for response in seen)
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in server.home.glob("lock.sqlite*"))


async def test_one_bot_of_a_platform_for_each_agent(server: ServerUnderTest, world: World) -> None:
    await server.agent("reviewer")
    await server.agent("other")
    expect(await server.post("/api/bots", wanted(world, verify=False)), 200)

    taken = await server.post("/api/bots", wanted(world, agent="other", verify=False))
    second = await server.post("/api/bots", wanted(world, app_id="app-2", verify=False))
    assert (taken.status, second.status) == (409, 409)

    moved = expect(await server.post("/api/bots", wanted(world, agent="other", verify=False, rebind=True)), 200)
    assert moved["bot"]["agent"] == "other"
    free = expect(await server.post("/api/bots/unbind", {"agent": "other"}), 200)
    assert [bot["state"] for bot in free["bots"]] == ["unbound"]
    again = expect(await server.post("/api/bots", {"platform": "loopback", "app_id": "app-1", "agent": "other"}), 200)
    assert again["bot"]["agent"] == "other"  # its credential was kept

    expect(await server.delete("/api/agents/other"), 200)
    assert [(bot["app_id"], bot["agent"]) for bot in await bots(server)] == [("app-1", None)]


@pytest.mark.parametrize("who", ["member", "viewer"])
async def test_binding_is_for_admins(server: ServerUnderTest, world: World, who: str) -> None:
    await server.agent("reviewer")
    token = await server.user("someone", role=who)

    refused = await server.request("POST", "/api/bots", token=token, json=wanted(world, verify=False))

    assert refused.status == 403


async def test_a_bridge_of_another_platform_gets_nothing(server: ServerUnderTest, world: World) -> None:
    await server.agent("reviewer")
    expect(await server.post("/api/bots", wanted(world, verify=False)), 200)
    token = await server.token("owner", kind="bridge", scopes=["platform:lark"])

    beat = await server.post("/api/bridges/beat", {"platform": "loopback", "holder": "h"}, token=token)

    assert beat.status == 403


async def test_the_holder_alone_is_told_the_credential(server: ServerUnderTest, world: World) -> None:
    await server.agent("reviewer")
    expect(await server.post("/api/bots", wanted(world, verify=False)), 200)
    token = await server.token("owner", kind="bridge", scopes=["platform:loopback"])

    first = expect(await server.post("/api/bridges/beat", {"platform": "loopback", "holder": "a"}, token=token), 200)
    other = expect(await server.post("/api/bridges/beat", {"platform": "loopback", "holder": "b"}, token=token), 200)

    assert [bot["credentials"] for bot in first["bots"]] == [{"secret": SECRET}]
    assert other["bots"] == []


# CB-9


@pytest.mark.parametrize("platform", ["lark", "slack", "dingtalk"])
async def test_what_is_saved_without_a_reload_waits_for_it(server: ServerUnderTest, platform: str) -> None:
    await server.agent("reviewer")
    body = {"platform": platform, "app_id": "A1", "credentials": {"secret": "x"}, "agent": "reviewer"}

    saved = expect(await server.post("/api/bots", {**body, "verify": False, "reload": False}), 200)["bot"]
    assert (saved["agent"], saved["waits_for_reload"]) == (None, True)

    loaded = expect(await server.post(f"/api/{platform}/reload"), 200)
    assert [(bot["agent"], bot["waits_for_reload"]) for bot in loaded["bots"]] == [("reviewer", False)]


@pytest.mark.parametrize("wrong", ["no json", "no agent", "unknown agent", "open to others", "refused"])
async def test_a_wrong_file_changes_nothing(server: ServerUnderTest, world: World, wrong: str) -> None:
    await server.agent("reviewer")
    body = {"platform": "slack", "app_id": "A1", "credentials": {"bot_token": "x"}, "agent": "reviewer"}
    expect(await server.post("/api/bots", {**body, "verify": False}), 200)
    before = await bots(server)
    entry = {"bot_token": "xoxb-1", "app_token": "xapp-1-A2-1", "agent": "reviewer", "base_url": "http://127.0.0.1:9"}
    if wrong in ("no agent", "unknown agent"):
        entry["agent"] = "" if wrong == "no agent" else "nobody"
    path = server.home / "slack.json"
    path.write_text("{" if wrong == "no json" else json.dumps({"bots": [entry]}))
    path.chmod(0o644 if wrong == "open to others" else 0o600)

    refused = await server.post("/api/slack/reload")

    assert refused.status in (400, 503)
    assert "xoxb-1" not in json.dumps(refused.body)
    assert await bots(server) == before


@pytest.mark.parametrize("platform", ["lark", "slack", "dingtalk"])
@pytest.mark.parametrize("wrong", ["refused by the platform", "for an unknown agent"])
async def test_one_wrong_entry_of_many_changes_nothing(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch, platform: str, wrong: str
) -> None:
    """The bot that listens goes on under the same revision, so its bridge opens nothing anew; the entry is named."""
    await server.agent("reviewer")
    await server.agent("other")
    listens = {"platform": platform, "app_id": "A1", "credentials": {"secret": "x"}, "agent": "reviewer"}
    expect(await server.post("/api/bots", {**listens, "verify": False}), 200)
    token = await server.token("owner", kind="bridge", scopes=[f"platform:{platform}"])
    held = await beat(server, platform, token)
    before = await bots(server)

    async def check(platform: str, *, app_id: str, **more: Any) -> CheckedBot:
        if app_id == "A3" and wrong == "refused by the platform":
            raise Invalid("the platform does not accept these credentials", field="credentials")
        return CheckedBot(ok=True, app_id=app_id)

    monkeypatch.setattr("pal_server.api.bots.check", check)
    third = {"app_id": "A3", "app_secret": "s3", "agent": "nobody" if "agent" in wrong else "other"}
    first = {"app_id": "A1", "app_secret": "s1", "agent": "reviewer", "label": "New"}
    path = server.home / f"{platform}.json"
    path.write_text(json.dumps({"bots": [first, third]}))
    path.chmod(0o600)

    refused = await server.post(f"/api/{platform}/reload")

    assert refused.status == (404 if "agent" in wrong else 400)
    assert f"bots[1] of {path}" in refused.body["error"]["message"]
    assert await bots(server) == before
    again = await beat(server, platform, token, reports=[{**held, "listening": True}])
    assert (again["revision"], again.get("credentials")) == (held["revision"], None)
    assert [bot["state"] for bot in await bots(server)] == ["listening"]


async def beat(server: ServerUnderTest, platform: str, token: str, *, reports: Any = ()) -> dict[str, Any]:
    """What the one bot of a platform is told to its bridge."""
    told = [{name: one[name] for name in ("id", "lease_id", "revision", "listening")} for one in reports]
    body = {"platform": platform, "holder": "h", "bots": told}
    (held,) = expect(await server.post("/api/bridges/beat", body, token=token), 200)["bots"]
    return dict(held)
