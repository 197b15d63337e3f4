"""Conversations of people and several agents on several computers, as they happen in a room."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from tests.support.stack import Api, Daemon, Json, Stack, eventually

HOPS = 8  # messages agents may pass on before a person is asked


def test_three_mentions_while_the_daemon_is_away_are_done_in_order_and_once(stack: Stack, box: Daemon) -> None:
    room = stack.room()
    agent = stack.agent(room, "heard", computer=box.computer)
    sent = [stack.send(room, f"number {n}", agent) for n in range(3)]
    messages = [int(answer["message"]["id"]) for answer in sent]
    assert sent[0]["receipts"][0]["outcome"] == "offline"

    box.start()

    assert [stack.wait_delivery(message)["status"] for message in messages] == ["acked"] * 3
    assert [mark["message"] for mark in stack.starts(agent=agent)] == messages
    assert stack.said_by(room, agent) == [f"answer to {message}" for message in messages]
    assert all(f"number {n}" in stack.report(f"heard-{message}") for n, message in enumerate(messages))
    runs = [stack.runs(message)[0] for message in messages]
    assert all(before["ended_at"] <= after["created_at"] for before, after in pairwise(runs))


def test_messages_to_a_busy_agent_wait_their_turn(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, "wait")
    first = stack.mention(room, agent)
    stack.wait_run(first, "running")

    queued = [stack.send(room, "more", agent) for _ in range(2)]

    assert [answer["receipts"][0]["place"] for answer in queued] == [1, 2]
    stack.let_go(agent)
    messages = [first, *(int(answer["message"]["id"]) for answer in queued)]
    assert [stack.wait_delivery(message)["status"] for message in messages] == ["acked"] * 3
    assert [mark["message"] for mark in stack.starts(agent=agent)] == messages


def test_other_topics_do_not_wait(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, "wait")
    topic = stack.api.post(f"/api/rooms/{room}/topics", {"title": "beside it"})["topic"]["id"]
    busy = stack.mention(room, agent)
    stack.wait_run(busy, "running")

    beside = stack.mention(room, agent, topic=topic)
    stack.let_go(beside)

    assert stack.wait_delivery(beside)["status"] == "acked"
    assert stack.delivery(busy)["status"] == "claimed"
    stack.let_go(busy)


def test_two_agents_who_call_each_other_stop_at_the_limit_and_one_card_asks(stack: Stack) -> None:
    room = stack.room()
    one = stack.agent(room, "pass_on", "hop-two", key="hop-one")
    other = stack.agent(room, "pass_on", "hop-one", key="hop-two")

    first = stack.send(room, "begin", one)["message"]
    pending = eventually("a person is asked", lambda: waiting_in(stack, first["topic"]))

    assert len(pending) == 1
    assert len(stack.starts(agent=one)) + len(stack.starts(agent=other)) == HOPS
    eventually("all is quiet", lambda: not stack.api.get("/api/deliveries", room=room, status="claimed")["deliveries"])
    assert len(waiting_in(stack, first["topic"])) == 1
    assert not stack.api.get("/api/deliveries", room=room, status="pending")["deliveries"]


def waiting_in(stack: Stack, topic: int) -> list[Json]:
    return list(stack.api.get("/api/interactions", status="pending", topic=topic)["interactions"])


def test_a_debate_is_the_agents_own_messages_in_turns(stack: Stack) -> None:
    room = stack.room()
    one, other = stack.agent(room, runtime="demo"), stack.agent(room, runtime="demo")

    debate = stack.pal_json(
        "cli", "debate", "start", "--chat", room, "--a", one, "--b", other, "--turns", "4", "tabs or spaces"
    )["debate"]

    def state() -> str:
        return str(stack.pal_json("cli", "debate", "show", debate["id"])["debate"]["status"])

    eventually("the debate is over", lambda: state() == "finished")
    said = [
        message["sender"]["name"]
        for message in stack.messages(room)
        if message["topic"] == debate["topic"] and message["sender"]["kind"] == "agent"
    ]
    assert said == [one, other, one, other]


def test_a_question_of_the_demo_agent_is_answered_from_the_command_line(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, runtime="demo")
    message = stack.mention(room, agent, "/ask Which branch?")
    asked = stack.interaction(stack.wait_run(message, "starting", "running", "waiting")["id"])
    assert (asked["kind"], asked["title"]) == ("question", "Which branch?")

    done = stack.pal("cli", "answer", str(asked["id"]), "main")

    assert done.returncode == 0, done.stderr
    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.said_by(room, agent) == ["You answered: main"]
    second = stack.pal("cli", "answer", str(asked["id"]), "other")
    assert second.returncode == 3


def test_an_approval_is_given_or_denied_from_the_command_line(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, runtime="demo")
    for words, answer in ((["approve"], "Approved: go"), (["deny", "--reason", "not today"], "Denied: go (not today)")):
        message = stack.mention(room, agent, "/approve go")
        run = stack.wait_run(message, "starting", "running", "waiting")
        asked = stack.interaction(run["id"])
        assert stack.wait_run(message, "waiting")["id"] == run["id"]

        done = stack.pal("cli", words[0], str(asked["id"]), *words[1:])

        assert done.returncode == 0, done.stderr
        assert stack.wait_delivery(message)["status"] == "acked"
        assert stack.said_by(room, agent)[-1] == answer


def test_three_agents_on_two_computers_and_a_guest_with_nothing_but_curl(stack: Stack, box: Daemon) -> None:
    box.start()
    room = stack.room()
    here = [stack.agent(room), stack.agent(room)]
    there = stack.agent(room, computer=box.computer)
    token = stack.pal_json("console", "tokens", "create", "--name", "guests")
    curl = Api(stack.server.url, token["secret"] if "secret" in token else token["token"]["secret"])

    message = stack.send(room, "all of you", *here, there, api=curl, sender="visitor")["message"]

    assert (message["sender"]["kind"], message["sender"]["name"]) == ("guest", "visitor")
    for agent in (*here, there):
        eventually(f"{agent} answers", partial(stack.said_by, room, agent))
    assert len(stack.starts(message["id"])) == 3
    members = {member["name"] for member in stack.pal_json("cli", "rooms", "members", "--room", room)["members"]}
    assert {*here, there} <= members
