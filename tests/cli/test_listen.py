"""RM-21: listening prints one object per message, comes back after a cut, tells nothing twice, spills long texts."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.answers import MESSAGE, ROOM
from tests.cli.conftest import Pal
from tests.support.fake_api import Asked, FakeApi, Told, events


def created(position: int, id: int, **fields: Any) -> dict[str, Any]:
    message = {**MESSAGE, "id": id, **fields}
    return {
        "position": position,
        "kind": "message.created",
        "at": 1,
        "room": message["room"],
        "data": {"message": message},
    }


@pytest.fixture(autouse=True)
def _known(api: FakeApi) -> None:
    api.answers["GET /api/me"] = {"me": {"kind": "user", "name": "owner", "workspace": "w"}}
    api.answers["GET /api/rooms/general"] = {"room": ROOM}


def test_one_object_per_message(pal: Pal, api: FakeApi) -> None:
    other = {"position": 2, "kind": "run.started", "at": 1, "room": "room_a", "data": {}}
    api.answers["GET /api/events"] = events(created(1, 10), other, created(3, 11))

    outcome = pal("cli", "listen", "--json", "--after", "0", "--limit", "2")

    told = [json.loads(line) for line in outcome.out.splitlines()]
    assert [(one["id"], one["position"]) for one in told] == [(10, 1), (11, 3)]
    assert outcome.code == 0


def test_a_cut_stream_is_taken_up_and_nothing_is_told_twice(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/events"] = [events(created(1, 10)), events(created(1, 10), created(2, 11))]

    outcome = pal("cli", "listen", "--json", "--after", "0", "--limit", "2")

    resumed = [asked.headers.get("last-event-id") for asked in api.asked if asked.path == "/api/events"]
    assert [json.loads(line)["id"] for line in outcome.out.splitlines()] == [10, 11]
    assert resumed == ["0", "1"]


def test_only_the_room_and_topic_that_were_named(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/events"] = events(
        created(1, 10, room="room_b"), created(2, 11, topic=4), created(3, 12, topic=3)
    )

    outcome = pal("cli", "listen", "--json", "--room", "general", "--topic", "3", "--limit", "1", "--after", "0")

    assert [json.loads(line)["id"] for line in outcome.out.splitlines()] == [12]


def test_a_long_text_goes_into_a_file_of_ones_own(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/events"] = events(created(1, 10, content="ü" * 5000))

    outcome = pal("cli", "listen", "--json", "--after", "0", "--limit", "1", "--spill-above", "1000")

    told = json.loads(outcome.out)
    path = Path(told["spilled"]["path"])
    assert path.read_text("utf-8") == "ü" * 5000
    assert told["spilled"]["bytes"] == 10_000
    assert len(told["content"]) < 1000
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_who_may_not_listen_is_told_at_once(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/me"] = Told(status=401, body={"error": {"code": "unauthenticated", "message": "who are you"}})

    outcome = pal("cli", "listen")

    assert outcome.code == 3
    assert "who are you" in outcome.err


def test_a_refusal_ends_a_stream(pal: Pal, api: FakeApi) -> None:
    def answer(asked: Asked) -> Told:
        return events(created(1, 10)) if asked.headers.get("last-event-id") == "0" else gone

    gone = Told(status=401, body={"error": {"code": "unauthenticated", "message": "the token was revoked"}})
    api.answers["GET /api/events"] = answer

    outcome = pal("cli", "listen", "--after", "0")

    assert outcome.code == 3
    assert "hello" in outcome.out
    assert "the token was revoked" in outcome.err
