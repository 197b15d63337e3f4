"""`pal why`, `logs`, `attach`, `init`, `version` and `doctor`."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli import answers
from tests.cli.answers import page
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi, Told, problem

TRACE: dict[str, Any] = {
    "message": 12,
    "steps": [
        {"at": 1, "what": "stored", "text": "stored as message 12", "ok": True, "facts": {}},
        {"at": None, "what": "claimed", "text": "no computer has claimed it", "ok": False, "facts": {}},
        {"at": None, "what": "run", "text": "not started", "ok": None, "facts": {}},
    ],
    "broken": "claimed",
    "advice": "start the daemon of box",
}


def test_why_names_the_broken_link_and_the_advice(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/messages/12/trace"] = TRACE

    outcome = pal("why", "12")

    assert outcome.code == 0
    assert "FAIL" in outcome.out
    assert "stopped at: claimed" in outcome.out
    assert "start the daemon of box" in outcome.out
    assert json.loads(pal("why", "12", "--json").out) == TRACE


@pytest.mark.usefixtures("inside_run")
def test_why_works_inside_a_run_through_the_daemon(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/messages/12/trace"] = TRACE

    assert pal("why", "12").code == 0
    assert api.last().headers["authorization"] == "Bearer pal_run_secret"


def event(seq: int, kind: str, text: str) -> dict[str, Any]:
    return {"run": 7, "seq": seq, "kind": kind, "at": 1, "text": text, "lane": "main", "data": {}}


def test_logs_give_a_program_s_output_as_it_came(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/runs/7/events"] = [
        {"events": [event(1, "output", "one li"), event(2, "log", "careful\n")], "next": "2"},
        {"events": [event(3, "output", "ne\n")], "next": None},
    ]

    outcome = pal("logs", "7")

    assert (outcome.code, outcome.out, outcome.err) == (0, "one line\n", "careful\n")


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("failed", 1)])
def test_attach_follows_until_the_end_and_tells_it(status: str, code: int, pal: Pal, api: FakeApi) -> None:
    ended = {**answers.RUN, "status": status, "error": None}
    api.answers["GET /api/runs/7"] = [{"run": answers.RUN}, {"run": answers.RUN}, {"run": ended}]
    api.answers["GET /api/runs/7/events"] = [
        page("events", event(1, "output", "first\n")),
        page("events", event(2, "output", "last\n")),
        page("events"),
    ]

    outcome = pal("attach", "7")

    assert (outcome.code, outcome.out) == (code, "first\nlast\n")
    assert status in outcome.err


def test_init_writes_the_server_and_never_overwrites(pal: Pal, home: Path) -> None:
    first = pal("init", "--server", "http://127.0.0.1:5000", "--project", 'a "b"')
    written = Path(".pal.toml").read_text()

    again = pal("init", "--server", "http://127.0.0.1:6000")

    assert (first.code, again.code) == (0, 3)
    assert 'server = "http://127.0.0.1:5000"' in written
    assert Path(".pal.toml").read_text() == written
    assert "http://127.0.0.1:5000" in pal("console", "health").err


def test_version(pal: Pal, home: Path) -> None:
    assert pal("version").out.startswith("pal ")
    assert json.loads(pal("--version", "--json").out)["name"] == "pal"


def states(pal: Pal) -> dict[str, str]:
    """The state of each check; of several with one name the worst."""
    told: dict[str, str] = {}
    order = ["ok", "warn", "fail"]
    for check in json.loads(pal("doctor", "--json").out)["checks"]:
        told[check["name"]] = max(told.get(check["name"], "ok"), check["state"], key=order.index)
    return told


@pytest.fixture
def well(api: FakeApi) -> FakeApi:
    """A set-up in which nothing is wrong."""
    from pal_cli.version import installed_version

    api.answers.update(
        {
            "GET /api/version": {"name": "pal", "version": installed_version(), "protocol": 1},
            "GET /health/ready": {"status": "ok"},
            "GET /health": {
                "status": "ok",
                "connected": True,
                "server": api.url,
                "version": installed_version(),
                "troubles": {},
            },
            "GET /api/me": {"me": {"kind": "user", "name": "owner", "role": "owner"}},
            "GET /api/ws": Told(status=101, body={}),
            "GET /api/agents": page("agents", answers.AGENT),
            "GET /api/computers": page("computers", answers.COMPUTER),
        }
    )
    return api


def test_a_healthy_set_up_has_nothing_to_do(pal: Pal, well: FakeApi) -> None:
    outcome = pal("doctor")

    assert outcome.code == 0, outcome.out
    assert "FAIL" not in outcome.out


@pytest.mark.parametrize(
    ("request_", "answer", "check", "state"),
    [
        ("GET /api/version", Told(cut=True), "server", "fail"),
        ("GET /api/version", Told(raw=b"<html>"), "server", "fail"),
        ("GET /api/version", {"name": "pal", "version": "0", "protocol": 2}, "version", "fail"),
        ("GET /api/version", {"name": "pal", "version": "0", "protocol": 1}, "version", "warn"),
        ("GET /health/ready", problem(503, "unavailable"), "server", "fail"),
        ("GET /api/me", problem(401, "unauthenticated"), "token", "fail"),
        ("GET /health", problem(401, "unauthenticated"), "daemon", "fail"),
        ("GET /health", {"status": "ok", "connected": False}, "daemon", "fail"),
        ("GET /api/ws", problem(404, "not_found"), "websocket", "warn"),
        ("GET /api/agents", page("agents"), "agents", "fail"),
        ("GET /api/agents", page("agents", {**answers.AGENT, "computer": None}), "agents", "warn"),
        ("GET /api/agents", page("agents", {**answers.AGENT, "runtime_state": "unavailable"}), "agents", "warn"),
        ("GET /api/computers", page("computers", {**answers.COMPUTER, "status": "offline"}), "agents", "warn"),
    ],
)
def test_doctor_finds_what_is_wrong(
    request_: str, answer: Any, check: str, state: str, pal: Pal, well: FakeApi
) -> None:
    well.answers[request_] = answer

    assert states(pal)[check] == state


def test_doctor_finds_a_wrong_key(pal: Pal, well: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAL_API_KEY", "sk_machine_wrong")
    well.answers["GET /api/me"] = lambda asked: (
        problem(401, "unauthenticated", "this key was revoked")
        if "sk_machine" in asked.headers["authorization"]
        else Told(body={"me": {"kind": "user", "name": "owner"}})
    )

    assert states(pal)["key"] == "fail"


def test_doctor_finds_a_clock_that_is_off(pal: Pal, well: FakeApi) -> None:
    late = Told(body={"status": "ok"}, headers={"Date": "Thu, 01 Jan 2015 00:00:00 GMT"})
    well.answers["GET /health"] = late

    assert states(pal)["clock"] == "warn"


def test_doctor_finds_a_taken_port_and_by_what(pal: Pal, api: FakeApi) -> None:
    """The fake is a stranger here: it knows no /api/version."""
    outcome = pal("doctor")

    assert outcome.code == 1
    assert f"(pid {os.getpid()})" in outcome.out


def test_doctor_finds_what_is_wrong_at_home(pal: Pal, well: FakeApi, home: Path) -> None:
    (home / "owner.token").write_text("secret")
    (home / "owner.token").chmod(0o644)
    (home / "lock.sqlite").write_bytes(b"this is no database" * 100)

    found = states(pal)

    assert found["secrets"] == "fail"
    assert found["database"] == "fail"


def test_doctor_finds_that_pal_is_not_on_path(pal: Pal, well: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    outcome = pal("doctor")

    assert states(pal)["path"] == "warn"
    assert "to PATH" in outcome.out


def test_doctor_changes_nothing(pal: Pal, well: FakeApi, home: Path) -> None:
    pal("doctor")

    assert list(home.iterdir()) == []
    assert {asked.method for asked in well.asked} == {"GET"}
