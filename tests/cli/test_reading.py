"""What people see: tables and lines without anything that could drive their terminal; `--json` as the API answered."""

import json
from typing import Any

import pytest

from tests.cli import answers
from tests.cli.answers import page
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

SAME: dict[str, tuple[str, dict[str, Any]]] = {
    "cli messages show 12": ("GET /api/messages/12", {"message": answers.MESSAGE}),
    "cli inbox --agent codex": (
        "GET /api/inbox",
        {"messages": [answers.MESSAGE], "items": [{"message": answers.MESSAGE, "reason": "mention"}], "next": None},
    ),
    "cli interactions list --topic 3": ("GET /api/interactions", page("interactions", answers.INTERACTION)),
    "cli interactions show 4": ("GET /api/interactions/4", {"interaction": answers.INTERACTION}),
    "logs 7 --prompt": ("GET /api/runs/7/prompt", {"prompt": "You are the agent"}),
    "cli rooms members --room general": ("GET /api/rooms/general/members", page("members", answers.MEMBER)),
    "cli topics list --room general": ("GET /api/rooms/general/topics", page("topics", answers.TOPIC)),
    "cli rooms list": ("GET /api/rooms", page("rooms", answers.ROOM)),
    "cli agents": ("GET /api/agents", page("agents", answers.AGENT)),
    "cli runs": ("GET /api/runs", page("runs", answers.RUN)),
    "cli health": ("GET /health", {"status": "ok", "connected": True, "troubles": {"disk": "full"}}),
    "console computers list": ("GET /api/computers", page("computers", answers.COMPUTER)),
    "console chats": ("GET /api/chats", page("rooms", answers.ROOM)),
    "console users list": (
        "GET /api/users",
        page("users", {"username": "owner", "role": "owner", "disabled": False, "display_name": "Owner"}),
    ),
    "console tokens list": (
        "GET /api/tokens",
        page("tokens", {"id": "token_a", "kind": "user", "subject": "owner", "name": "build"}),
    ),
    "console accounts list": (
        "GET /api/accounts",
        page(
            "accounts",
            {"id": "account_a", "computer": "machine_a", "runtime": "codex", "label": "work", "disabled": False},
        ),
    ),
    "console audit list": (
        "GET /api/audit",
        page("audit", {"id": 1, "at": 1, "actor": "owner", "action": "token.created", "target": "token_a"}),
    ),
    "console deliveries list": (
        "GET /api/deliveries",
        page(
            "deliveries",
            {
                "id": 5,
                "agent": "codex",
                "status": "pending",
                "message": 12,
                "reason": "mention",
                "attempts": 0,
                "max_attempts": 3,
                "created_at": 1,
            },
        ),
    ),
}


@pytest.mark.parametrize("line", SAME)
def test_json_is_the_answer_and_words_tell_of_it(line: str, pal: Pal, api: FakeApi) -> None:
    request, answer = SAME[line]
    api.answers[request] = answer

    machine, person = pal(*line.split(), "--json"), pal(*line.split())

    assert (machine.code, person.code) == (0, 0), person.err
    assert json.loads(machine.out) == answer
    assert machine.err == ""
    assert person.out != ""


@pytest.mark.parametrize(
    ("card", "shown"),
    [
        (
            {"type": "interaction", "interaction": 4, "kind": "approval", "status": "pending"},
            "pal cli approve 4, or pal cli deny 4",
        ),
        ({"type": "interaction", "interaction": 4, "kind": "question", "status": "pending"}, "pal cli answer 4"),
        ({"type": "interaction", "interaction": 4, "status": "applied", "answered_by": "ann"}, "[answered by ann]"),
        ({"type": "interaction", "interaction": 4, "status": "expired"}, "[expired]"),
        (
            {"type": "interrupted", "run": 9, "status": "pending", "actions": ["resume", "keep_files"]},
            "pal cli choose 9 resume|keep-files",
        ),
        ({"type": "draft", "run": 9, "status": "held"}, "pal cli draft 12 send|revise|drop"),
    ],
)
def test_a_card_says_what_answers_it_or_who_did(card: dict[str, Any], shown: str, pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/messages/12"] = {"message": {**answers.MESSAGE, "kind": "card", "card": card}}

    assert shown in pal("cli", "messages", "show", "12").out


def test_all_of_a_question_is_shown(pal: Pal, api: FakeApi) -> None:
    first = {"text": "Which?", "options": [{"label": "a", "description": "the old one"}], "multiple": True}
    asked = {**answers.INTERACTION, "body": "In the shop.", "questions": [first]}
    api.answers["GET /api/interactions/4"] = {"interaction": asked}

    outcome = pal("cli", "interactions", "show", "4")

    for part in ("Which branch?", "In the shop.", "1: Which? (several may be chosen)", "a: the old one"):
        assert part in outcome.out
    assert "pal cli answer 4" in outcome.err


def test_control_characters_of_others_are_made_visible(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/messages/12"] = {"message": {**answers.MESSAGE, "content": "a\x1b]0;owned\x07b\u202ec"}}

    told = pal("cli", "messages", "show", "12").out

    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "a\\x1b]0;owned" in told


def test_an_empty_list_says_what_to_do(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/agents"] = page("agents")

    outcome = pal("console", "agents", "list")

    assert (outcome.code, outcome.out) == (0, "")
    assert "agents onboard --interactive" in outcome.err


def test_a_further_page_is_told_of(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/messages"] = {"messages": [answers.MESSAGE], "next": "12"}

    assert "--after 12" in pal("cli", "messages", "list").err


def test_names_become_one_part_of_a_path(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/rooms/a/b?c/members"] = page("members")

    assert pal("cli", "rooms", "members", "--room", "a/b?c").code == 0


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1.5"])
def test_a_limit_is_a_positive_number(limit: str, pal: Pal, api: FakeApi) -> None:
    for command in ("cli", "console"):
        outcome = pal(command, "runs", "--limit", limit)

        assert outcome.code == 2
        assert "--limit" in outcome.err
    assert api.asked == []


@pytest.mark.parametrize("line", ["cli rooms list", "console health", "why 1", "logs 1"])
def test_nobody_there_exits_4_and_says_what_to_start(line: str, pal: Pal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAL_SERVER", "http://127.0.0.1:9")
    monkeypatch.setenv("PAL_DAEMON_URL", "http://127.0.0.1:9")

    outcome = pal(*line.split())

    assert (outcome.code, outcome.out) == (4, "")
    assert "pal up" in outcome.err


def test_a_bug_is_one_line_and_no_traceback(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/runs"] = {"runs": [{"nothing": "expected"}]}

    outcome = pal("cli", "runs")

    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1
    assert "PAL_DEBUG=1" in outcome.err


def test_a_computer_shows_its_programs_their_logins_and_what_to_install(pal: Pal, api: FakeApi) -> None:
    runtimes = [
        {"name": "codex", "available": True, "version": "0.169.0", "login": "out", "note": "nobody is logged in"},
        {"name": "gemini", "available": False, "install": "npm install -g @google/gemini-cli"},
    ]
    computer = {
        "id": "machine_a",
        "name": "desk",
        "status": "online",
        "os": "Linux 6",
        "host": "desk.local",
        "daemon_version": "1",
        "runtimes": runtimes,
        "agents": ["codex"],
        "live_runs": 1,
        "max_runs": 20,
        "checkouts": [{"root": "/src/shop", "branch": "payments", "used_at": 1}],
        "last_seen_at": 1,
        "created_at": 1,
    }
    api.answers["GET /api/computers/desk"] = {"computer": computer}
    api.answers["GET /api/runs"] = page("runs", {**answers.RUN, "id": 4711})

    shown = pal("console", "computers", "show", "desk")

    assert shown.code == 0, shown.err
    for word in ("Linux 6", "desk.local", "1 of 20 runs", "0.169.0", "logged out", "npm install -g @google/gemini-cli"):
        assert word in shown.out
    for word in ("/src/shop", "payments", "4711"):
        assert word in shown.out
