"""RT-18, RT-14: real programs say which models and commands they have, without a model being asked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from pal_daemon.runtimes.acp_client.runtime import AcpRuntime
from pal_daemon.runtimes.offer import CannotTell, Offer, Offers
from pal_daemon.runtimes.openai.runtime import OpenAiRuntime
from pal_daemon.runtimes.opencode import OpenCodeRuntime
from pal_daemon.runtimes.registry import load_registry
from tests.runtimes.drivers import opencode
from tests.support.patience import LONG_PATIENCE
from tests.support.programs import COMPILED, need_program, node_path


def offer(name: str, program: str, home: Path, **env: str) -> Offer:
    runtime = load_registry().get(name)
    assert isinstance(runtime, Offers)
    given = {"HOME": str(home), "PATH": node_path("/usr/bin:/bin"), "TMPDIR": str(home), **env}
    given |= {"NODE_COMPILE_CACHE": str(COMPILED)}
    return runtime.offer(need_program(program), env=given, folder=home, args=())


@pytest.fixture
def unhurried_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """For programs that do tell some."""
    monkeypatch.setattr("pal_daemon.runtimes.acp_client.offer.COMMANDS_WITHIN", LONG_PATIENCE)


def test_claude_code_tells_models_efforts_and_commands(tmp_path):
    found = offer("claude-code", "claude", tmp_path)

    assert found.models is not None
    assert found.commands is not None
    assert {"default", "sonnet"} <= {model.id for model in found.models}
    assert "high" in next(model.efforts for model in found.models if model.is_default)
    assert "compact" in {command.name for command in found.commands}


def test_codex_tells_models_efforts_and_its_skills_as_commands(tmp_path):
    skill = tmp_path / ".agents" / "skills" / "paint" / "SKILL.md"
    skill.parent.mkdir(parents=True)
    skill.write_text("---\nname: paint\ndescription: How a door is painted.\n---\nWith a brush.\n")

    found = offer("codex", "codex", tmp_path)

    assert found.models
    assert any(model.is_default and "high" in model.efforts for model in found.models)
    assert ("paint", "How a door is painted.") in {(one.name, one.description) for one in found.commands or ()}


def test_gemini_tells_models_and_commands(tmp_path, unhurried_commands):
    found = offer("gemini", "gemini", tmp_path, GEMINI_API_KEY="test")

    assert "gemini-2.5-pro" in {model.id for model in found.models or ()}
    assert "memory" in {command.name for command in found.commands or ()}


def test_opencode_tells_models_of_its_providers_and_commands(tmp_path, unhurried_commands):
    env = opencode.DRIVER.account(url="http://127.0.0.1:9", home=tmp_path)["env"]
    opencode.seem_equipped(tmp_path / ".config" / "opencode")
    del env["OPENCODE_MODELS_PATH"]  # beside those it comes with

    found = offer("opencode", "opencode", tmp_path, **env)

    models = {model.id for model in found.models or ()}
    assert "loop/small" in models
    assert not any(model.startswith("opencode/") for model in models)  # its maker's, whom nobody has chosen
    assert "init" in {command.name for command in found.commands or ()}


def test_an_agent_without_a_model_to_choose_says_so(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(AcpRuntime, "offer", lambda self, program, *, env, folder, args: asked.append(env) or Offer())

    with pytest.raises(CannotTell, match="logged in"):
        OpenCodeRuntime().offer(tmp_path / "opencode", env={"HOME": str(tmp_path)}, folder=tmp_path, args=())
    (tmp_path / ".local/share/opencode").mkdir(parents=True)
    (tmp_path / ".local/share/opencode/auth.json").write_text('{"opencode": {"type": "api"}}')
    with pytest.raises(CannotTell):
        OpenCodeRuntime().offer(tmp_path / "opencode", env={"HOME": str(tmp_path)}, folder=tmp_path, args=())

    barred = [json.loads(env.get("OPENCODE_CONFIG_CONTENT", "{}")).get("disabled_providers") for env in asked]
    assert barred == [["opencode"], None]  # who is logged in to its maker has chosen it


def test_an_agent_nobody_is_logged_in_to_says_so(tmp_path):
    with pytest.raises(CannotTell) as refused:
        offer("gemini", "gemini", tmp_path)

    assert str(refused.value)


async def test_an_endpoint_gives_its_list_of_models(aiohttp_server, tmp_path):
    asked: list[str | None] = []

    async def models(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization"))
        return web.json_response({"data": [{"id": "one"}, {"name": "nameless"}, {"id": "two"}]})

    app = web.Application()
    app.router.add_get("/v1/models", models)
    server = await aiohttp_server(app)
    env = {"OPENAI_BASE_URL": str(server.make_url("/v1")), "OPENAI_API_KEY": "key-of-test"}

    found = await asyncio.to_thread(OpenAiRuntime().offer, None, env=env, folder=tmp_path, args=())
    bad = env | {"OPENAI_BASE_URL": str(server.make_url("/v2"))}
    with pytest.raises(CannotTell) as refused:
        await asyncio.to_thread(OpenAiRuntime().offer, None, env=bad, folder=tmp_path, args=())

    assert [model.id for model in found.models or ()] == ["one", "two"]
    assert asked == ["Bearer key-of-test"]
    assert "key-of-test" not in str(refused.value)


def test_an_agent_that_tells_no_commands_is_not_waited_for_long(tmp_path, monkeypatch):
    program = tmp_path / "agent"
    answers = [
        {"id": 1, "result": {"protocolVersion": 1, "authMethods": []}},
        {"id": 3, "result": {"sessionId": "s", "models": {"availableModels": [{"modelId": "m", "name": "M"}]}}},
    ]
    lines = "\n".join(f"read ask; echo '{json.dumps({'jsonrpc': '2.0', **answer})}'" for answer in answers)
    program.write_text(f"#!/bin/sh\n{lines}\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr("pal_daemon.runtimes.acp_client.offer.COMMANDS_WITHIN", 0.1)

    class Quiet(AcpRuntime):
        name = "quiet"

    found = Quiet().offer(program, env={"PATH": "/usr/bin:/bin"}, folder=tmp_path, args=())

    assert [model.id for model in found.models or ()] == ["m"]
    assert found.commands is None
