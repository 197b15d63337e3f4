"""The commands with which people are in control of what runs ask the API for it."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli import answers
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

STEERED = {
    "run": answers.RUN,
    "message": answers.MESSAGE,
    "receipt": {"agent": "codex", "outcome": "steered", "text": "codex is told while it works, in run 7"},
}

RULE = {
    "id": 3,
    "scope": "topic",
    "room": "room_a",
    "topic": 3,
    "agent": "codex",
    "decision": "approve",
    "title": "make",
    "used": 2,
    "made_by": "owner",
    "revoked_at": None,
}

PROJECT = {
    "id": "project_a",
    "key": "shop",
    "name": "Shop",
    "goal": "tea",
    "rules": ["Be kind."],
    "tech_stack": ["python"],
    "archived_at": None,
}

DOC = {"name": "a.md", "size": 3, "inject": True, "written_by": "owner", "updated_at": 1_700_000_000_000}

DECISION = {
    "code": "D-3",
    "title": "Use tea",
    "rationale": "It is warm.",
    "status": "superseded",
    "superseded_by": "D-5",
    "proposed_by": "codex",
    "decided_by": "owner",
    "reason": "fine",
}

ROOM = {"name": "general", "busy": "queue", "deny_after": None, "approvers": 1, "fresh": False, "hop_limit": 8}

LINES: dict[str, tuple[str, dict[str, Any]]] = {
    'cli send --room general --mention codex --steer "mind the tests"': (
        "POST /api/messages",
        {"mentions": ["codex"], "steer": "steer"},
    ),
    'cli send --room general --mention codex --interrupt "this first"': ("POST /api/messages", {"steer": "interrupt"}),
    'cli send --room general --mention codex "this"': ("POST /api/messages", {"steer": None}),
    'console send --chat general --mention codex --busy queue "later"': ("POST /api/messages", {"steer": "queue"}),
    'cli run-action 7 steer "mind the tests"': ("POST /api/runs/7/steer", {"text": "mind the tests"}),
    'console run-action 7 steer "mind the tests"': ("POST /api/runs/7/steer", {"text": "mind the tests"}),
    'cli topics rename 3 "The login page"': ("PATCH /api/topics/3", {"title": "The login page"}),
    "cli topics archive 3": ("PATCH /api/topics/3", {"archived": True}),
    "cli topics archive 3 --undo": ("PATCH /api/topics/3", {"archived": False}),
    "cli topics create --room general": ("POST /api/rooms/general/topics", {"title": None}),
    "cli approve 7": ("POST /api/interactions/7/answer", {"decision": "approve", "scope": None}),
    "cli approve 7 --for topic": ("POST /api/interactions/7/answer", {"decision": "approve", "scope": "topic"}),
    "cli deny 7 --for project": ("POST /api/interactions/7/answer", {"decision": "deny", "scope": "project"}),
    "cli rules list --agent codex": ("GET /api/approval-rules", {"agent": "codex"}),
    "cli rules revoke 3": ("POST /api/approval-rules/3/revoke", {}),
    "cli ask Which? --option a --option b --multiple": (
        "POST /api/interactions",
        {
            "options": None,
            "questions": [{"text": "Which?", "options": [{"label": "a"}, {"label": "b"}], "multiple": True}],
        },
    ),
    "cli answer 7 --message 41": ("POST /api/interactions/7/answer", {"message": 41}),
    "cli run-action 7 rebuild": ("POST /api/runs/7/rebuild", {}),
    "cli queue list --topic 3 --agent codex --json": (
        "GET /api/deliveries",
        {"topic": "3", "agent": "codex", "status": "pending"},
    ),
    "cli queue first 5": ("POST /api/deliveries/5/front", {}),
    "cli queue merge 6 5": ("POST /api/deliveries/6/merge", {"into": 5}),
    "cli queue drop 5": ("POST /api/deliveries/5/cancel", {}),
    "cli draft 41 revise": ("POST /api/messages/41/draft", {"choice": "revise"}),
    "cli rooms set --room general --busy steer --fresh on": (
        "PATCH /api/rooms/general",
        {"busy": "steer", "fresh": True, "approvers": None},
    ),
    "cli rooms set --room general --approvers 2 --deny-after 60": (
        "PATCH /api/rooms/general",
        {"approvers": 2, "deny_after": 60_000},
    ),
    "cli rooms set --room general --hops 3": ("PATCH /api/rooms/general", {"hop_limit": 3}),
    "cli rooms set --room general --deny-after never": ("PATCH /api/rooms/general", {"deny_after": None}),
    "cli rooms set --room general --project shop": ("PATCH /api/rooms/general", {"project": "shop"}),
    "cli rooms set --room general --project none": ("PATCH /api/rooms/general", {"project": None}),
    "cli projects list": ("GET /api/projects", {}),
    "cli projects show shop": ("GET /api/projects/shop", {}),
    "console projects list": ("GET /api/projects", {}),
    "console projects show shop": ("GET /api/projects/shop", {}),
    "console projects create shop --goal tea --rule a --rule b --stack python": (
        "POST /api/projects",
        {"key": "shop", "goal": "tea", "rules": ["a", "b"], "tech_stack": ["python"]},
    ),
    "console projects update shop --no-rules": ("PATCH /api/projects/shop", {"rules": [], "goal": None}),
    "console projects update shop --archive": ("PATCH /api/projects/shop", {"archived": True}),
    "cli docs list --project shop": ("GET /api/projects/shop/docs", {}),
    "cli docs show a.md --project shop": ("GET /api/projects/shop/docs/a.md", {}),
    "console docs list --project shop": ("GET /api/projects/shop/docs", {}),
    "console docs show a.md --project shop": ("GET /api/projects/shop/docs/a.md", {}),
    "console docs update a.md --keep --project shop": ("PATCH /api/projects/shop/docs/a.md", {"inject": False}),
    "console docs update a.md --archive --project shop": ("PATCH /api/projects/shop/docs/a.md", {"archived": True}),
    "cli decisions list --project shop --q tea --status approved": (
        "GET /api/projects/shop/decisions",
        {"q": "tea", "status": "approved"},
    ),
    "cli decisions show D-3 --project shop": ("GET /api/projects/shop/decisions/D-3", {}),
    'cli decisions propose "Use tea" --rationale warm --supersedes D-1 --topic 3 --project shop': (
        "POST /api/projects/shop/decisions",
        {"title": "Use tea", "rationale": "warm", "supersedes": "D-1", "topic": 3},
    ),
    "cli decisions approve D-3 --project shop": (
        "POST /api/projects/shop/decisions/D-3/answer",
        {"decision": "approve", "reason": None},
    ),
    "cli decisions reject D-3 --reason early --project shop": (
        "POST /api/projects/shop/decisions/D-3/answer",
        {"decision": "deny", "reason": "early"},
    ),
    "cli decisions supersede D-3 --by D-5 --project shop": (
        "POST /api/projects/shop/decisions/D-3/supersede",
        {"by": "D-5"},
    ),
    "cli choose 7 start-over": ("POST /api/runs/7/choose", {"choice": "start_over"}),
    "console deliveries list --topic 3 --status pending": (
        "GET /api/deliveries",
        {"topic": "3", "status": "pending", "agent": None},
    ),
    "console deliveries front 5": ("POST /api/deliveries/5/front", {}),
    "console deliveries merge 6 5": ("POST /api/deliveries/6/merge", {"into": 5}),
}

KNOWN: dict[str, Any] = {
    "POST /api/messages": answers.SENT,
    "POST /api/runs/7/steer": STEERED,
    "POST /api/interactions": {"interaction": answers.INTERACTION},
    "POST /api/messages/41/draft": {"message": {**answers.MESSAGE, "card": {"status": "revised"}}},
    "PATCH /api/rooms/general": {"room": ROOM},
    "GET /api/projects/shop/docs": {"docs": [DOC], "next": None},
    "GET /api/projects/shop/docs/a.md": {"doc": DOC, "content": "tea"},
    "PATCH /api/projects/shop/docs/a.md": {"doc": DOC, "content": "tea"},
    "PUT /api/projects/shop/docs/a.md": {"doc": DOC, "content": "tea"},
    "GET /api/projects/shop/decisions": {"decisions": [DECISION], "next": None},
    "POST /api/projects/shop/decisions": {"decision": DECISION},
    "GET /api/projects/shop/decisions/D-3": {"decision": DECISION},
    "POST /api/projects/shop/decisions/D-3/answer": {"decision": DECISION},
    "POST /api/projects/shop/decisions/D-3/supersede": {"decision": DECISION},
    "GET /api/projects": {"projects": [PROJECT], "next": None},
    "POST /api/projects": {"project": PROJECT},
    "GET /api/projects/shop": {"project": PROJECT},
    "PATCH /api/projects/shop": {"project": PROJECT},
    "POST /api/runs/7/rebuild": {"run": answers.RUN},
    "POST /api/runs/7/choose": {"run": answers.RUN},
    "POST /api/interactions/7/answer": {"interaction": answers.INTERACTION},
    "GET /api/approval-rules": {"rules": [RULE], "next": None},
    "POST /api/approval-rules/3/revoke": {"rule": RULE},
    "GET /api/deliveries": {"deliveries": [], "next": None},
    "POST /api/deliveries/5/cancel": {"delivery": {"id": 5, "agent": "codex", "status": "cancelled"}},
    "POST /api/deliveries/5/front": {"delivery": {"id": 5, "agent": "codex", "status": "pending"}},
    "POST /api/deliveries/6/merge": {"delivery": {"id": 5, "agent": "codex", "status": "pending"}},
    "PATCH /api/topics/3": {"topic": answers.TOPIC},
    "POST /api/rooms/general/topics": {"topic": answers.TOPIC},
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_asks_for_what_it_says(line: str, pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)

    outcome = pal(*shlex.split(line))

    request, given = LINES[line]
    asked = api.last()
    assert (outcome.code, f"{asked.method} {asked.path}") == (0, request), outcome.err
    carried = asked.query | (asked.body if isinstance(asked.body, dict) else {})
    assert {name: carried.get(name) for name in given} == given


def test_a_told_run_answers_with_its_receipt(pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)

    outcome = pal("cli", "run-action", "7", "steer", "mind the tests")

    assert outcome.out.strip() == "codex is told while it works, in run 7"


@pytest.mark.parametrize("line", ["cli run-action 7 steer", "cli run-action 7 kill now", "console run-action 7 steer"])
def test_text_belongs_to_steer_alone(line: str, pal: Pal, api: FakeApi) -> None:
    outcome = pal(*shlex.split(line))

    assert outcome.code == 2
    assert "TEXT" in outcome.err


def test_the_queue_is_shown_as_it_will_run_and_its_words_are_changed(pal: Pal, api: FakeApi) -> None:
    waiting = [
        {"id": id, "agent": "codex", "topic": 3, "message": id, "ahead": ahead}
        for id, ahead in ((7, 0), (6, 1), (5, 0))
    ]
    said = {f"GET /api/messages/{id}": {"message": {**answers.MESSAGE, "content": f"words {id}"}} for id in (5, 6, 7)}
    api.answers.update({"GET /api/deliveries": {"deliveries": waiting, "next": None}, **said})
    api.answers["PATCH /api/messages/6"] = {"message": answers.MESSAGE}

    listed = pal("cli", "queue", "list")
    edited = pal("cli", "queue", "edit", "6", "@codex otherwise")

    assert [line.split()[0] for line in listed.out.splitlines()] == ["6", "5", "7"]
    assert "words 6" in listed.out
    assert (edited.code, api.last().path, api.last().body) == (0, "/api/messages/6", {"content": "@codex otherwise"})
    assert pal("cli", "queue", "edit", "8", "x").code == 2


@pytest.mark.parametrize("flags", ["", "--deny-after soon", "--deny-after 0", "--approvers 3"])
def test_a_room_is_set_to_what_can_be(flags: str, pal: Pal) -> None:
    assert pal("cli", "rooms", "set", "--room", "general", *shlex.split(flags)).code == 2


def test_one_message_does_one_thing_to_a_busy_agent(pal: Pal) -> None:
    outcome = pal("cli", "send", "--room", "general", "--steer", "--interrupt", "hi")

    assert outcome.code == 2


@pytest.mark.parametrize("part", ["cli", "console"])
def test_a_project_file_names_the_project_of_a_command(part: str, pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)
    api.answers["GET /api/projects/tea"] = {"project": PROJECT}

    nameless = pal(part, "projects", "show")
    Path(".pal.toml").write_text('project = "shop"\n', "utf-8")
    named = pal(part, "projects", "show")

    assert (nameless.code, named.code) == (2, 0)
    assert api.last().path == "/api/projects/shop"
    assert named.out.splitlines() == ["shop: Shop", "goal: tea", "rule: Be kind.", "stack: python"]
    assert pal(part, "projects", "show", "tea").code == 0
    assert api.last().path == "/api/projects/tea"


def test_inside_a_run_the_project_is_that_of_its_room(pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.answers.update(KNOWN)
    api.answers["GET /api/rooms/general"] = {"room": {**ROOM, "project": "shop"}}
    Path(".pal.toml").write_text('project = "tea"\n', "utf-8")
    monkeypatch.setenv("PAL_RUN_TOKEN", "run token")
    monkeypatch.setenv("PAL_ROOM", "general")

    outcome = pal("cli", "projects", "show")

    assert (outcome.code, api.last().path) == (0, "/api/projects/shop"), outcome.err


def test_a_decision_is_shown_with_who_settled_it_and_why(pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)

    outcome = pal("cli", "decisions", "show", "D-3", "--project", "shop")

    assert outcome.out.splitlines() == [
        "D-3 superseded by D-5: Use tea",
        "It is warm.",
        "proposed by codex, settled by owner: fine",
    ]


def test_a_document_is_written_from_a_file(pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)
    Path("a.md").write_text("tea", "utf-8")

    outcome = pal("console", "docs", "write", "a.md", "a.md", "--project", "shop")

    assert (api.last().method, api.last().body) == ("PUT", {"content": "tea"})
    assert outcome.out.strip() == "a.md: 3 characters, told to runs"
