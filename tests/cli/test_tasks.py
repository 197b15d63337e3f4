"""Tasks at the command line: both lines ask for the same, a verification runs here, a wizard sends what flags would."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from pal_server.client.terminal.task_verbs import run_here
from tests.cli.conftest import Pal
from tests.cli.test_console import Terminal
from tests.support.fake_api import FakeApi, problem

TASK: dict[str, Any] = {
    "id": "task_a",
    "code": "T-3",
    "project": "shop",
    "topic": 3,
    "room": "room_a",
    "title": "Sell tea",
    "body": "All of it.",
    "acceptance": ["it sells"],
    "verification": "",
    "verification_required": False,
    "paths": [],
    "references": [],
    "type": "task",
    "depends_on": ["T-1"],
    "blocked_by": ["T-1"],
    "is_ready": False,
    "status": "backlog",
    "waiting_reason": None,
    "waiting_note": "",
    "result": None,
}
STARTED = {"task": TASK, "message": {}, "delivery": 1, "receipt": {"agent": "codex", "text": "codex starts now"}}
LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "list --status ready --q tea": ("GET /api/tasks", {"project": "shop", "status": "ready", "q": "tea"}),
    "show T-3": ("GET /api/tasks/T-3", {"project": "shop"}),
    'add "Sell tea" --accept a --accept b --verify "make test" --require-verify --depends-on T-1 --order 2': (
        "POST /api/tasks",
        {
            "title": "Sell tea",
            "project": "shop",
            "acceptance": ["a", "b"],
            "verification": "make test",
            "verification_required": True,
            "depends_on": ["T-1"],
            "order": 2.0,
        },
    ),
    "add --topic 3 --agent codex": ("POST /api/topics/3/task", {"agent": "codex"}),
    "start T-3 --agent codex --force": ("POST /api/tasks/T-3/start", {"agent": "codex", "force": True}),
    "edit T-3 --title Tea --clear agent --clear depends_on --archive": (
        "PATCH /api/tasks/T-3",
        {"title": "Tea", "agent": None, "depends_on": [], "archived": True, "project": "shop"},
    ),
    "move T-3 review": ("PATCH /api/tasks/T-3", {"status": "review"}),
    "done T-3": ("PATCH /api/tasks/T-3", {"status": "done"}),
    "block T-3 --reason later": ("PATCH /api/tasks/T-3", {"status": "waiting", "waiting_note": "later"}),
}


@pytest.fixture(autouse=True)
def answered(api: FakeApi, home: Path) -> None:
    for asked in ("GET /api/tasks/T-3", "POST /api/tasks", "POST /api/topics/3/task", "PATCH /api/tasks/T-3"):
        api.answers[asked] = {"task": TASK}
    api.answers["GET /api/tasks"] = {"tasks": [TASK], "next": None}
    api.answers["DELETE /api/tasks/task_a"] = {"task": TASK}
    api.answers["POST /api/tasks/T-3/start"] = STARTED


@pytest.mark.parametrize("part", ["cli", "console"])
@pytest.mark.parametrize("line", LINES)
def test_both_lines_ask_the_api_for_the_same(line: str, part: str, pal: Pal, api: FakeApi) -> None:
    Path(".pal.toml").write_text('project = "shop"\n')

    outcome = pal(part, "tasks", *shlex.split(line))

    assert outcome.code == 0, outcome.err
    assert "T-3" in outcome.out
    asked, said = api.last(), LINES[line]
    assert f"{asked.method} {asked.path}" == said[0]
    told = asked.query if asked.method == "GET" else asked.body
    assert said[1].items() <= told.items()


@pytest.mark.parametrize("part", ["cli", "console"])
def test_a_task_is_deleted_after_a_yes_alone(part: str, pal: Pal, api: FakeApi) -> None:
    refused = pal(part, "tasks", "delete", "T-3")
    assert (refused.code, "shop.T-3 Sell tea" in refused.err) == (2, True)
    assert "DELETE" not in {asked.method for asked in api.asked}

    outcome = pal(part, "tasks", "delete", "T-3", "--yes")

    assert "T-3 is gone" in outcome.out
    assert (api.last().method, api.last().path) == ("DELETE", "/api/tasks/task_a")


def test_the_project_is_the_flags_else_the_environments_else_the_folders(
    pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".pal.toml").write_text('project = "shop"\n')
    monkeypatch.setenv("PAL_PROJECT", "tea")
    asked = []
    for flags in ([], ["--project", "all"]):
        pal("cli", "tasks", "list", *flags)
        asked.append(api.last().query["project"])

    assert asked == ["tea", "all"]


def test_task_is_another_word_for_tasks(pal: Pal, api: FakeApi) -> None:
    assert pal("cli", "task", "show", "T-3").out == pal("cli", "tasks", "show", "T-3").out != ""


def test_a_task_is_shown_with_its_plan(pal: Pal) -> None:
    told = pal("cli", "tasks", "show", "T-3").out

    assert "shop T-3: Sell tea" in told
    for line in ("status: backlog, blocked", "acceptance: it sells", "blocked by: T-1", "All of it."):
        assert line in told.splitlines()


def test_inside_a_run_it_is_the_runs_own(pal: Pal, api: FakeApi, inside_run: None) -> None:
    api.answers["GET /api/tasks/task_a"] = {"task": TASK}

    assert pal("cli", "tasks", "show").code == 0

    assert [(asked.path, asked.query) for asked in api.asked] == [
        ("/api/tasks", {"topic": "3"}),
        ("/api/tasks/task_a", {}),
    ]
    api.answers["GET /api/tasks"] = {"tasks": [], "next": None}
    assert pal("cli", "tasks", "done").code == 2


@pytest.mark.parametrize(("exit_code", "status"), [(0, "done"), (3, "review")])
@pytest.mark.parametrize("part", ["cli", "console"])
def test_a_verification_runs_here_and_is_reported(
    pal: Pal, api: FakeApi, part: str, exit_code: int, status: str
) -> None:
    Path("here.txt").write_text("it is here\n")
    command = f"cat here.txt; exit {exit_code}"
    found = {**TASK, "verification": command}
    api.answers["GET /api/tasks/T-3"] = {"task": found}
    verification = {"exit_code": exit_code, "passed": exit_code == 0}
    api.answers["POST /api/tasks/task_a/verifications"] = {
        "task": {**found, "status": status},
        "verification": verification,
    }

    outcome = pal(part, "tasks", "verify", "T-3")

    assert outcome.code == (1 if exit_code else 0)
    body = api.last().body
    assert (body["command"], body["exit_code"], body["output"]) == (command, exit_code, "it is here\n")
    assert "it is here" in outcome.err
    assert ("passed" in outcome.out) == (exit_code == 0)


def test_a_verification_that_is_not_ones_own_or_archived_runs_nothing(pal: Pal, api: FakeApi, inside_run: None) -> None:
    other = {**TASK, "topic": 4, "verification": "touch ran"}
    for found, hint in ((other, "not this run's"), ({**other, "topic": 3, "archived_at": 1}, "archived")):
        api.answers["GET /api/tasks/T-3"] = {"task": found}

        outcome = pal("cli", "tasks", "verify", "T-3")

        assert outcome.code == 2
        assert hint in outcome.err
        assert api.last().method == "GET"
    assert not Path("ran").exists()


def test_what_a_verification_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    try:
        found = run_here(f"echo begun; cat {shlex.quote(str(held))} & echo ended; exit 3")
    finally:
        held.write_text("")  # what was left ends

    assert found == (3, "begun\nended\n")


def test_the_wizard_plans_what_the_flags_would(pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.answers["GET /api/projects"] = {"projects": [{"key": "shop"}], "next": None}
    api.answers["GET /api/agents"] = {"agents": [{"key": "codex"}], "next": None}
    monkeypatch.setattr(sys, "stdin", Terminal("\nSell tea\nAll of it.\nit sells\n\nmake test\ncodex\n"))

    outcome = pal("cli", "tasks", "add", "--interactive")

    assert outcome.code == 0, outcome.err
    body = api.last().body
    assert body.pop("client_id")
    assert body == {
        "title": "Sell tea",
        "project": "shop",
        "body": "All of it.",
        "acceptance": ["it sells"],
        "verification": "make test",
        "agent": "codex",
    }


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("add", "TITLE"),
        ("add x", "which project"),
        ("add x --topic 3", "either TITLE or --topic"),
        ("edit T-3", "nothing to change"),
        ("edit T-3 --agent codex --clear agent", "both given and cleared"),
        ("block T-3", "--reason"),
        ("verify T-3", "no verification"),
        ("show", "tasks list"),
    ],
)
def test_what_cannot_be_asked_is_said(line: str, hint: str, pal: Pal) -> None:
    outcome = pal("cli", "tasks", *shlex.split(line))

    assert outcome.code == 2
    assert hint in outcome.err


def test_a_code_of_several_projects_lists_them(pal: Pal, api: FakeApi) -> None:
    message = "T-3 could mean other.T-3, shop.T-3: give more of it"
    api.answers["GET /api/tasks/T-3"] = problem(409, "conflict", message, candidates=["other.T-3", "shop.T-3"])

    outcome = pal("cli", "tasks", "show", "T-3")

    assert outcome.code == 3
    assert "other.T-3, shop.T-3" in outcome.err
