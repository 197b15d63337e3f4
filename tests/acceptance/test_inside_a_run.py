"""What an agent can do with `pal` inside its run: with the variables of the run, an empty home and nothing else."""

from __future__ import annotations

import json

from tests.support.stack import Api, Json, Refused, Stack, eventually

VARIABLES = {
    "PAL_RUN_ID",
    "PAL_RUN_TOKEN",
    "PAL_AGENT_KEY",
    "PAL_ROOM",
    "PAL_TOPIC",
    "PAL_MESSAGE",
    "PAL_DAEMON_URL",
}


def within_a_run(stack: Stack, *commands: list[str]) -> tuple[str, str, int, Json]:
    """Room, agent and message of a run that was given these commands, and what came of them."""
    room = stack.room()
    agent = stack.agent(room, "commands", *(json.dumps(words) for words in commands))
    message = stack.mention(room, agent)
    report = stack.report(f"commands-{message}")
    stack.wait_delivery(message)
    return room, agent, message, dict(report)


def test_the_verbs_of_an_agent_need_nothing_but_the_runs_variables(stack: Stack) -> None:
    room, agent, message, report = within_a_run(
        stack,
        ["pal", "cli", "send", "from inside"],
        ["pal", "cli", "ask", "May I?", "--option", "yes", "--json"],
        ["pal", "cli", "result", "done", "all is well"],
        ["pal", "cli", "rooms", "list", "--json"],
        ["pal", "cli", "rooms", "members", "--json"],
        ["pal", "cli", "topics", "list", "--json"],
        ["pal", "cli", "messages", "list", "--json"],
        ["pal", "cli", "inbox", "--json"],
        ["pal", "cli", "health", "--json"],
    )

    outcomes = report["outcomes"]
    assert [one["code"] for one in outcomes] == [0] * len(outcomes), outcomes
    env = report["env"]
    assert set(env) >= VARIABLES
    assert (env["PAL_ROOM"], env["PAL_MESSAGE"], env["PAL_AGENT_KEY"]) == (room, str(message), agent)
    assert env["PAL_TOPIC"].isdigit()
    sent = stack.messages(room)[1]
    assert (sent["sender"]["kind"], sent["sender"]["name"], sent["content"]) == ("agent", agent, "from inside")
    assert (sent["topic"], sent["run"]) == (int(env["PAL_TOPIC"]), int(env["PAL_RUN_ID"]))
    listed = [json.loads(outcomes[at]["out"]) for at in range(3, 9)]
    assert room in {one["name"] for one in listed[0]["rooms"]}
    assert agent in {one["name"] for one in listed[1]["members"]}
    assert listed[4]["messages"][-1]["id"] == message
    result = stack.runs(message)[0]["result"]
    assert (result["status"], result["summary"]) == ("done", "all is well")


def test_a_run_that_spoke_does_not_repeat_itself(stack: Stack) -> None:
    room, agent, _, _ = within_a_run(stack, ["pal", "cli", "send", "I say it myself"])

    assert stack.said_by(room, agent) == ["I say it myself"]


def test_what_a_run_may_not_do_exits_3(stack: Stack) -> None:
    other = stack.room()
    _, _, _, report = within_a_run(
        stack,
        ["pal", "cli", "send", "--room", other, "not my room"],
        ["pal", "cli", "send", "--from", "owner", "not my name"],
        ["pal", "cli", "rooms", "create", "mine"],
        ["pal", "cli", "run-action", "1", "kill"],
        ["pal", "cli", "answer", "1", "yes"],
    )

    assert [one["code"] for one in report["outcomes"]] == [3] * 5, report["outcomes"]
    assert stack.messages(other) == []


def test_the_token_dies_with_the_run(stack: Stack) -> None:
    room, _, _, report = within_a_run(stack, ["pal", "cli", "health"])
    token = report["env"]["PAL_RUN_TOKEN"]

    for url in (stack.server.url, report["env"]["PAL_DAEMON_URL"]):
        status = eventually("the token is dead", lambda url=url: status_of(Api(url, token), room))
        assert status == 401
    late = stack.pal("cli", "send", "too late", env=report["env"])
    assert late.returncode == 3
    assert "too late" not in [message["content"] for message in stack.messages(room)]


def status_of(api: Api, room: str) -> int | None:
    try:
        api.get("/api/messages", room=room)
    except Refused as refusal:
        return refusal.status
    return None


def test_no_secret_of_the_daemon_reaches_the_agent(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, command="env")
    message = stack.mention(room, agent)
    stack.wait_delivery(message)

    printed = stack.said_by(room, agent)[0]

    assert stack.daemon.env["PAL_API_KEY"] not in printed
    assert str(stack.api.token) not in printed
    assert (stack.daemon.home / "daemon" / "token").read_text().strip() not in printed
