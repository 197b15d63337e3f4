"""SK-2: what a skill shows an agent is done as it stands there, inside a run, against a real server and daemon."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from pal_cli.shipped_skills import Skill, shipped
from tests.support.patience import LONG_PATIENCE
from tests.support.stack import FINAL, PAL, Json, Stack, eventually

FOR_ADMINS = "provision"  # what it shows no run may do
FOR_TASKS = ("workflow", "issues")  # what they show is done in a topic that is a task
SKILLS = [skill for skill in shipped() if skill.name != FOR_ADMINS]


def blocks(skill: Skill) -> list[str]:
    """What a skill shows to be typed, block by block."""
    return re.findall(r"```sh\n(.*?)```", skill.text, re.S)


def given_agents(stack: Stack, room: str) -> None:
    """The ones the skills name, in that room."""
    known = {agent["key"] for agent in stack.api.get("/api/agents", limit=200)["agents"]}
    for key in ("reviewer", "writer"):
        if key in known:
            stack.api.post(f"/api/rooms/{room}/agents", {"agent": key})
        else:
            stack.agent(room, key=key)


def answer_all(stack: Stack, run: int) -> bool:
    """Answer what the run asks, as a person does who says yes to everything."""
    for one in stack.api.get("/api/interactions", status="pending", run=run)["interactions"]:
        said = {"answer": (one["options"] or ["yes"])[0]} if one["kind"] == "question" else {"decision": "approve"}
        stack.api.post(f"/api/interactions/{one['id']}/answer", said)
    return False


def started_task(stack: Stack, room: str, agent: str) -> int:
    """The message by which a task of a project of its own was started."""
    stack.api.post("/api/projects", {"key": room, "room": room})
    planned = {"project": room, "title": "Empty the cache", "agent": agent, "verification": 'test -n "$PAL_TOPIC"'}
    task = stack.api.post("/api/tasks", planned)["task"]
    return int(stack.api.post(f"/api/tasks/{task['id']}/start")["message"]["id"])


def done_in_a_run(stack: Stack, skill: Skill) -> tuple[int, list[Json]]:
    """The message of a run that did what the skill shows, each block in a shell of its own, and what came of each."""
    room = stack.room()
    given_agents(stack, room)
    shells = [json.dumps(["sh", "-e", "-c", block]) for block in blocks(skill)]
    agent = stack.agent(room, "commands", *shells)
    message = started_task(stack, room, agent) if skill.name in FOR_TASKS else stack.mention(room, agent)
    run = int(eventually("there is a run", lambda: stack.delivery(message)["run"]))
    stack.api.post(f"/api/rooms/{room}/agents", {"agent": agent, "mode": "muted"})  # answers to it start it once only
    eventually("everything is done", lambda: answer_all(stack, run) or stack.delivery(message)["status"] in FINAL)
    return message, list(stack.report(f"commands-{message}")["outcomes"])


@pytest.mark.parametrize("skill", SKILLS, ids=[skill.name for skill in SKILLS])
def test_every_command_of_a_skill_does_what_it_says(stack: Stack, skill: Skill) -> None:
    message, outcomes = done_in_a_run(stack, skill)

    assert len(outcomes) == len(blocks(skill)) > 0
    wrong = [(block, one) for block, one in zip(blocks(skill), outcomes, strict=True) if one["code"]]
    assert wrong == []
    check = CHECKS.get(skill.name)
    if check is not None:
        check(stack, message, outcomes)


def test_every_command_for_an_admin_does_what_it_says(stack: Stack) -> None:
    (skill,) = (skill for skill in shipped() if skill.name == FOR_ADMINS)
    env = {**stack.env, "PAL_HOME": str(stack.server.home), "PAL_DAEMON_URL": stack.daemon.url}
    env["PATH"] = os.pathsep.join((str(Path(PAL).parent), env["PATH"]))

    for block in blocks(skill):
        done = subprocess.run(
            ["sh", "-e", "-c", block],
            env=env,
            cwd=stack.folder,
            capture_output=True,
            text=True,
            timeout=LONG_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"

    (computer,) = (one for one in stack.api.get("/api/computers")["computers"] if one["name"] == "build-box")
    assert computer["status"] == "revoked"


def test_an_agent_finds_its_skills_in_the_folder_it_works_in(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, command="sed -n 2p .agents/skills/pal-room/SKILL.md .claude/skills/pal-ask/SKILL.md")
    eventually("the daemon knows it", lambda: agent in stack.daemon.health()["agents"])

    installed = stack.pal("cli", "skills", "install")
    message = stack.mention(room, agent)

    assert installed.returncode == 0, installed.stderr
    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.said_by(room, agent) == ["name: pal-room"]


def asked_and_answered(stack: Stack, message: int, outcomes: list[Json]) -> None:
    question, twice, decision, _, _ = (one["out"].splitlines() for one in outcomes)
    assert question == ["main"]
    assert twice == ["yes", "yes"]
    assert decision == ["deleting"]
    asked = stack.api.get("/api/interactions", run=stack.runs(message)[0]["id"])["interactions"]
    assert len(asked) == 4
    assert stack.runs(message)[0]["result"]["status"] == "needs_input"


def reported(stack: Stack, message: int, outcomes: list[Json]) -> None:
    result = stack.runs(message)[0]["result"]
    assert (result["status"], result["next_steps"]) == ("needs_input", ["choose one of them"])
    room = stack.api.get(f"/api/rooms/{stack.runs(message)[0]['room']}")["room"]["name"]
    first, added = stack.api.get("/api/tasks", project=room)["tasks"]
    assert (first["status"], first["waiting_reason"]) == ("waiting", "agent_blocked")
    assert first["result"] == {**result, "run": stack.runs(message)[0]["id"]}
    assert first["verified_at"] is not None
    assert (added["title"], added["status"], added["project"]) == ("Remove the old cache", "backlog", room)
    (proposed,) = stack.api.get(f"/api/projects/{room}/decisions")["decisions"]
    assert (proposed["code"], proposed["status"]) == ("D-1", "proposed")


def handed_over(stack: Stack, message: int, outcomes: list[Json]) -> None:
    asked = [one for one in stack.messages(str(stack.runs(message)[0]["room"])) if "reviewer" in one["mentions"]]
    assert [one["content"].split()[0] for one in asked] == ["Review", "Goal:", "Is", "Leave"]
    assert [file["name"] for file in asked[1]["files"]] == ["timings.csv"]
    for one in asked:
        assert stack.wait_delivery(one["id"])["status"] == "acked"


def split(stack: Stack, message: int, outcomes: list[Json]) -> None:
    room = str(stack.runs(message)[0]["room"])
    given = [one for one in stack.messages(room) if one["mentions"] and one["id"] > message]
    assert [one["mentions"] for one in given] == [["reviewer"], ["writer"]]
    assert len({one["topic"] for one in given}) == 2
    for one in given:
        assert stack.wait_delivery(one["id"])["status"] == "acked"
    assert stack.runs(message)[0]["result"]["next_steps"] == ["merge both branches"]


def passed_on(stack: Stack, message: int, outcomes: list[Json]) -> None:
    room = str(stack.runs(message)[0]["room"])
    (asked,) = [one for one in stack.messages(room) if one["mentions"] and one["id"] > message]
    assert (asked["mentions"], asked["content"][:2]) == (["reviewer"], "> ")


def planned_once(stack: Stack, message: int, outcomes: list[Json]) -> None:
    room = stack.api.get(f"/api/rooms/{stack.runs(message)[0]['room']}")["room"]["name"]
    _, planned = stack.api.get("/api/tasks", project=room)["tasks"]
    assert (planned["title"], planned["type"], planned["status"]) == (
        "Names with a space are uploaded",
        "bug",
        "backlog",
    )
    assert planned["references"] == ["https://example.com/shop/issues/12"]
    before, chosen, added, allowed = (one["out"] for one in outcomes)
    assert planned["code"] not in before
    assert chosen == "12 with 15\n"
    assert added.count(f"{planned['code']} is planned") == 2
    assert allowed


CHECKS = {
    "issues": planned_once,
    "ask": asked_and_answered,
    "workflow": reported,
    "delegate": handed_over,
    "dispatch": split,
    "relay": passed_on,
}
