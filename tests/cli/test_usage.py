"""`pal console usage`: what it asks for and how it prints it."""

from typing import Any

from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi


def used(name: str, **more: Any) -> dict[str, Any]:
    row = {"key": name, "name": name, "runs": 2, "failed": 1, "input_tokens": 1200, "output_tokens": 10}
    return {**row, "with_tokens": 2, "cost_usd": 0.5, "with_cost": 2, "duration_ms": 3_600_000, **more}


def answer(*rows: dict[str, Any], next: str | None = None, **total: Any) -> dict[str, Any]:
    return {"usage": list(rows), "total": used("", **total), "since": 1, "until": 2, "next": next}


def test_it_is_a_table_with_a_line_for_all(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/usage"] = answer(used("bot"), used("other"), runs=4, with_cost=3, with_tokens=4)

    outcome = pal("console", "usage", "--by", "agent", "--days", "7")

    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].split()[:2] == ["AGENT", "RUNS"]
    assert lines[1].split() == ["bot", "2", "1", "1,200", "10", "0.50", "1.00"]
    assert lines[3].startswith("all")
    assert "1 gave no cost" in outcome.err
    asked = api.last()
    assert asked.query["by"] == "agent"
    assert int(asked.query["since"]) > 0


def test_what_was_not_said_is_no_zero(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/usage"] = answer(used("bot", with_cost=0, with_tokens=0), with_cost=0, with_tokens=0)

    outcome = pal("console", "usage")

    assert outcome.out.splitlines()[1].split() == ["bot", "2", "1", "-", "-", "-", "1.00"]


def test_csv_has_a_line_each_and_no_formula(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/usage"] = answer(used("bot"), used("=evil()"))

    outcome = pal("console", "usage", "--by", "day", "--csv")

    lines = outcome.out.splitlines()
    assert lines[0].startswith("key,name,runs,failed,input_tokens")
    assert lines[1] == "bot,bot,2,1,1200,10,2,0.5,2,3600000"
    assert ",'=evil()," in lines[2]


def test_ways_that_exclude_each_other_are_refused(pal: Pal) -> None:
    assert pal("console", "usage", "--csv", "--json").code == 2
    assert pal("console", "usage", "--days", "1", "--since", "5").code == 2
