"""BX-6 by real processes: one of two approves, all is killed and comes back, and only the second one lets it go."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.stack import Api, Json, Refused, Stack, eventually


def second_person(stack: Stack) -> Api:
    stack.api.post("/api/users", {"username": "second", "password": "a long enough word", "role": "member"})
    made = stack.api.post("/api/tokens", {"name": "second", "user": "second"})
    return Api(stack.server.url, made["secret"])


def approve(api: Api, asked: Json) -> Json:
    return dict(api.post(f"/api/interactions/{asked['id']}/answer", {"decision": "approve", "hash": asked["hash"]}))


def test_a_restart_between_two_approvals_executes_nothing(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack().start()
    second = second_person(stack)
    room = stack.room()
    agent = stack.agent(room, runtime="demo")
    stack.api.call("PATCH", f"/api/rooms/{room}", {"approvers": 2})
    message = stack.mention(room, agent, "/approve the move")
    run = stack.wait_run(message, "waiting")
    asked = stack.interaction(run["id"])

    assert approve(stack.api, asked)["interaction"]["status"] == "pending"
    for part in (stack.server, stack.daemon):
        part.kill()
        part.start()
    eventually("the server is back", lambda: stack.api.get(f"/api/runs/{run['id']}")["run"]["status"] == "waiting")
    with pytest.raises(Refused):
        approve(stack.api, asked)
    assert stack.said_by(room, agent) == []
    assert approve(second, asked)["interaction"]["status"] in ("answered", "applied")

    assert stack.wait_delivery(message)["status"] == "acked"
    assert stack.said_by(room, agent) == ["Approved: the move"]
