"""What `--probe` waits for: the computer's word on the one stream, and no longer than it is worth."""

import json
from typing import Any

import pytest

from pal_server.client.sync import Client
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi, events

MODEL = {"id": "large", "name": "Large", "efforts": ["high"], "description": "", "default": False}


def known(*models: dict[str, Any], at: int) -> dict[str, Any]:
    return {"models": list(models), "found_at": at, "tried_at": at, "error": None, "is_stale": False}


def looked(position: int, computer: str) -> dict[str, Any]:
    data = {"computer": computer, "runtime": "codex", "account": None, "agent": None, "kinds": ["models"]}
    return {"position": position, "kind": "finding.changed", "at": 1, "room": None, "data": data}


def test_a_look_is_waited_for_on_the_stream_from_where_it_was_ordered(pal: Pal, api: FakeApi) -> None:
    before, after = known(at=1), known(MODEL, at=2)
    api.answers["GET /api/agents/codex/models"] = [before, before, after]
    api.answers["POST /api/agents/codex/probe"] = {"computer": "machine_a", "is_online": True, "position": 7}
    other = {**looked(8, "machine_a"), "kind": "run.started"}
    api.answers["GET /api/events"] = [
        events(other, looked(9, "machine_b"), looked(10, "machine_a")),
        events(looked(11, "machine_a")),
    ]

    outcome = pal("console", "agents", "models", "codex", "--probe", "--json")

    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["models"] == [MODEL]
    streams = [asked.headers.get("last-event-id") for asked in api.asked if asked.path == "/api/events"]
    assert streams == ["7", "10"]
    assert sum(asked.path.endswith("/models") for asked in api.asked) == 3


def test_a_computer_that_is_away_is_not_waited_for(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/agents/codex/models"] = known(MODEL, at=1)
    api.answers["POST /api/agents/codex/probe"] = {"computer": "machine_a", "is_online": False, "position": 7}

    outcome = pal("console", "agents", "models", "codex", "--probe")

    assert "large" in outcome.out
    assert "is away" in outcome.err


@pytest.mark.parametrize("told", [(), (looked(8, "machine_b"),)])
def test_a_stream_ends_when_its_time_is_up(api: FakeApi, told: tuple[dict[str, Any], ...]) -> None:
    api.answers["GET /api/events"] = events(*told)

    heard = list(Client(api.url).stream("/api/events", 7, within=0.3))

    assert {event["position"] for event in heard} <= {8}
