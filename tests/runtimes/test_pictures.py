"""Attached pictures are shown to the model by every program that can, each in its own words."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from pal_daemon.runtimes.acp_client.dialect import Dialect
from pal_daemon.runtimes.acp_client.handshake import Handshake, Task
from pal_daemon.runtimes.claude_code.control import render_text
from pal_daemon.runtimes.jsonrpc import Result
from pal_daemon.runtimes.openai.program import shown
from pal_daemon.runtimes.pictures import LARGEST, MOST, Picture, pictures_of
from pal_daemon.runtimes.registry import BUILT_IN, load_registry
from pal_server.contract.deliveries import AgentProfile, Work

PIXEL = b"\x89PNG pixel"


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    path = tmp_path / "1-a.png"
    path.write_bytes(PIXEL)
    return Picture(path=str(path), mime="image/png")


def work(*files: dict[str, Any]) -> Work:
    profile = AgentProfile(key="a", display_name="A", runtime="x")
    return Work(
        agent=profile,
        prompt="p",
        content="c",
        room="r",
        room_name="general",
        topic=1,
        message=1,
        session="s",
        files=list(files),
    )


def file(path: str | None = "p", mime: str = "image/png", size: int = 10) -> dict[str, Any]:
    return {"id": "f", "name": "n", "mime": mime, "size": size, "path": path}


def test_only_pictures_that_are_here_and_small_enough_are_shown() -> None:
    given = work(file(), file(path=None), file(mime="image/svg+xml"), file(mime="text/plain"), file(size=LARGEST + 1))

    assert len(pictures_of(given)) == 1
    assert len(pictures_of(work(*[file()] * 30))) == MOST
    assert len(pictures_of(work(*[file(size=LARGEST)] * 9))) == 2
    assert pictures_of(work(file(size=11)), room=10) == ()


def test_claude_code_gets_blocks(picture: Picture) -> None:
    said = json.loads(render_text("look", uuid="u", pictures=[picture]))

    image, text = said["message"]["content"]
    assert image["source"] == {"type": "base64", "media_type": "image/png", "data": b64encode(PIXEL).decode()}
    assert text == {"type": "text", "text": "look"}


def test_an_endpoint_gets_parts() -> None:
    assert shown({"text": "look", "pictures": []}) == "look"
    assert shown({"text": "look", "pictures": ["data:image/png;base64,AA=="]}) == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]


@pytest.mark.parametrize(("declares", "takes"), [({"image": True}, True), ({}, False)])
def test_an_acp_agent_gets_them_if_it_says_that_it_can(declares: dict[str, bool], takes: bool) -> None:
    handshake = Handshake(Task(prompt="p", folder="/x"), Dialect())

    handshake.begun(Result(id=1, result={"protocolVersion": 1, "agentCapabilities": {"promptCapabilities": declares}}))

    assert handshake.takes_pictures is takes


def test_who_can_says_so() -> None:
    able = {runtime.name for runtime in load_registry() if runtime.capabilities.images and runtime.name in BUILT_IN}

    assert able == {"claude-code", "codex", "gemini", "opencode", "cursor", "acp", "openai"}
