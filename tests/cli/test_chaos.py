"""BX-1: `pal chaos` breaks a pal of its own, and says what was lost, doubled, doubtful or run again."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pal_cli.chaos.command import Said, count
from pal_cli.throwaway import ROOMS, Throwaway
from tests.cli.living import PAL

Json = dict[str, Any]


@pytest.mark.timeout(900)
def test_it_breaks_and_counts_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PAL_HOME", str(tmp_path / "mine"))

    ended = subprocess.run(
        [*PAL, "chaos", "--seconds", "5", "--seed", "3", "--json"], capture_output=True, timeout=800, check=False
    )

    told = json.loads(ended.stdout)
    assert (ended.returncode, told["ok"], told["seed"]) == (0, True, 3), told
    assert (told["lost"], told["doubled"], told["silent_reruns"], told["unsettled"]) == (0, 0, 0, 0)
    assert told["sent"] > 1
    assert told["faults"] == sum(told["faults_by_kind"].values()) > 0
    assert list(tmp_path.iterdir()) == []


class Books(Throwaway):
    """What a pal without processes would answer."""

    def __init__(self, **lists: list[Json]) -> None:
        self.lists = lists

    def all_of(self, what: str, **query: object) -> list[Json]:
        return self.lists[what] if query.get("room") in (None, ROOMS[0]) else []


def asked(number: int, client_id: str) -> Json:
    return {"id": number, "kind": "text", "content": f"/echo {client_id}", "sender": {"kind": "user"}}


def answered(run: int) -> Json:
    return {"id": 1000 + run, "kind": "text", "content": "x", "run": run, "sender": {"kind": "agent"}}


def delivery(number: int, message: int, status: str = "acked") -> Json:
    return {"id": number, "message": message, "status": status, "run": number}


def test_what_was_answered_once_is_well() -> None:
    books = Books(messages=[asked(1, "a"), answered(7)], deliveries=[delivery(7, 1)], runs=[{"delivery": 7}])

    assert not any(count(books, Said(all=["a"], acknowledged={"a"})).values())


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"messages": [answered(7)]}, "lost"),
        ({"messages": [asked(1, "a")]}, "lost"),
        ({"deliveries": []}, "lost"),
        ({"messages": [asked(1, "a"), asked(2, "a"), answered(7)]}, "doubled"),
        ({"messages": [asked(1, "a"), answered(7), answered(7)]}, "doubled"),
        ({"deliveries": [delivery(7, 1), delivery(8, 1, "failed")]}, "doubled"),
        ({"deliveries": [delivery(7, 1, "interrupted")]}, "doubtful"),
        ({"runs": [{"delivery": 7}, {"delivery": 7}]}, "silent_reruns"),
    ],
)
def test_each_wrong_is_counted_under_its_name(change: dict[str, list[Json]], name: str) -> None:
    well: dict[str, list[Json]] = {
        "messages": [asked(1, "a"), answered(7)],
        "deliveries": [delivery(7, 1)],
        "runs": [{"delivery": 7}],
    }

    assert count(Books(**(well | change)), Said(all=["a"], acknowledged={"a"}))[name] > 0
