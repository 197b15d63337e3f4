"""Every creating request may carry a `client_id`, and the same one again answers with the first result."""

from typing import Any

import pytest

from pal_server.api.routes import ROUTES
from tests.support.server import ServerUnderTest, expect, lease_of

REPEATED = "said once"
ARTIFACT = {"name": "x.txt"}
# Never told twice; a token's own answer is compared by its id.
SECRETS = {"secret", "api_key", "command", "token", "url"}
# What each creating route is asked; `$` names stand for what `Scene` made.
BODIES: dict[str, dict[str, Any]] = {
    "/api/users": {"username": "mia", "password": "correct horse battery"},
    "/api/tokens": {"name": "script"},
    "/api/projects": {"key": "build"},
    "/api/projects/{project}/decisions": {"title": "Sell tea"},
    "/api/tasks": {"project": "shop", "title": "Sell tea", "acceptance": ["it sells"]},
    "/api/tasks/{task}/start": {"agent": "other", "force": True},
    "/api/tasks/{task}/verifications": {"command": "make test", "exit_code": 0},
    "/api/topics/{id}/task": {"body": "All of it.", "depends_on": ["T-1"]},
    "/api/rooms": {"name": "build"},
    "/api/rooms/{room}/agents": {"agent": "other", "mode": "muted"},
    "/api/rooms/{room}/users": {"user": "zoe"},
    "/api/rooms/{room}/topics": {"title": "plans"},
    "/api/debates": {"room": "general", "a": "reviewer", "b": "other", "subject": "tea"},
    "/api/saved": {"topic": "$topic", "content": "later"},
    "/api/messages": {"room": "general", "content": "hello"},
    "/api/deliveries": {"message": "$plain", "agent": "reviewer"},
    "/api/computers/provision": {"name": "desk"},
    "/api/agents": {"agent_key": "third", "runtime": "demo"},
    "/api/agents/onboard": {"agent_key": "fourth", "runtime": "demo"},
    "/api/accounts": {"computer": "laptop", "runtime": "command", "label": "work", "env": {"KEY": "value"}},
    "/api/runs": {"agent": "reviewer", "topic": "$topic", "status": "succeeded", "text": "done"},
    "/api/runs/{id}/interactions": {"key": "k", "kind": "question", "title": "which?", "$lease": True},
    "/api/sessions": {"topic": "$topic", "agent": "reviewer", "fresh": True},
    "/api/interactions": {"title": "which?"},
    "/api/agents/{key}/duplicate": {"key": "second"},
    "/api/posts": {"platform": "lark", "app_id": "cli_1", "to": "oc_1", "text": "hello"},
    "/api/shares": {"topic": "$topic", "rights": "comment"},
    "/api/terminals": {"room": "general", "computer": "laptop"},
    "/api/invites": {"room": "general"},
    "/api/invited/{token}/join": {"name": "Ada"},
    "/api/shared/{token}/messages": {"name": "Ada", "content": "hello"},
}
CREATING = [route for route in ROUTES if route.status == 201]


def test_every_creating_route_is_asked_here() -> None:
    assert {route.template for route in CREATING} == {*BODIES, "/api/artifacts"}


@pytest.mark.parametrize("template", [route.template for route in CREATING])
async def test_the_same_creating_request_again_is_the_first_result(server: ServerUnderTest, template: str) -> None:
    ask = await _asking(server, template)

    first = await ask(REPEATED)
    again = await ask(REPEATED)

    assert first.status == 201, first.body
    assert again.status in (200, 201), again.body
    assert _plain(again.body) == _plain(first.body)


@pytest.mark.parametrize("template", [t for t in BODIES if BODIES[t].keys() & {"username", "label", "message"}])
async def test_without_it_a_repeat_is_refused_as_before(server: ServerUnderTest, template: str) -> None:
    ask = await _asking(server, template)

    expect(await ask(None), 201)
    again = await ask(None)

    assert again.code == "already_exists"


async def test_a_lost_secret_is_replaced_until_the_token_is_used(server: ServerUnderTest) -> None:
    ask = await _asking(server, "/api/tokens")

    lost = (await ask(REPEATED))["secret"]
    heard = (await ask(REPEATED))["secret"]
    by_lost = await server.get("/api/me", token=lost)
    by_heard = await server.get("/api/me", token=heard)
    await server.step("token_use")
    used = await ask(REPEATED)
    other = await server.post("/api/tokens", {"name": "another", "client_id": REPEATED})

    assert (by_lost.status, by_heard.status) == (401, 200)
    assert (used.code, other.code) == ("conflict", "conflict")


async def _asking(server: ServerUnderTest, template: str) -> Any:
    """A function that asks the route, under a `client_id` unless it is None."""
    computer, claimed, opened = await server.running()
    await server.agent("other", computer=computer)
    await server.user("zoe")
    plain = await server.send("for nobody")
    given = {"$plain": plain["message"]["id"], "$topic": plain["message"]["topic"]}
    path = template.replace("{room}", "general").replace("{id}", str(opened["run"]["id"])).replace("{key}", "other")
    token = {"/api/interactions": opened["token"], "/api/runs/{id}/interactions": computer.key}.get(
        template, server.owner
    )
    if "{token}" in path:
        link, what = ("/api/shares", {"topic": given["$topic"], "rights": "comment"})
        if "invited" in path:
            link, what = ("/api/invites", {"room": "general"})
        path, token = path.replace("{token}", expect(await server.post(link, what), 201)["token"]), None
    if template == "/api/posts":
        await _bot(server)
    if "task" in template or "{project}" in template:
        expect(await server.post("/api/projects", {"key": "shop", "room": "general"}), 201)
        path = path.replace("{project}", "shop")
    if "task" in template:
        expect(await server.post("/api/tasks", {"project": "shop", "title": "a", "verification": "make test"}), 201)
        topic = expect(await server.post("/api/rooms/general/topics", {"title": "b"}), 201)["topic"]["id"]
        path = path.replace("{task}", "T-1").replace(f"/topics/{opened['run']['id']}", f"/topics/{topic}")

    async def ask(client_id: str | None) -> Any:
        key = {} if client_id is None else {"client_id": client_id}
        if template == "/api/artifacts":
            query = "&".join(f"{name}={value.replace(' ', '+')}" for name, value in {**ARTIFACT, **key}.items())
            return await server.request("POST", f"{path}?{query}", data=b"content")
        body = {name: given.get(value, value) if isinstance(value, str) else value for name, value in _said(template)}
        if "$lease" in BODIES[template]:
            body |= lease_of(claimed)
        return await server.post(path, {**body, **key}, token=token)

    return ask


async def _bot(server: ServerUnderTest) -> None:
    credentials = {"app_id": "cli_1", "app_secret": "never asked for"}
    wanted = {"platform": "lark", "app_id": "cli_1", "agent": "other", "credentials": credentials, "verify": False}
    expect(await server.post("/api/bots", wanted), 200)


def _said(template: str) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in BODIES[template].items() if name != "$lease"]


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """The answer without secrets and without what time or a reader's place changes."""
    told = {name: value for name, value in body.items() if name not in SECRETS}
    if "token" in body and isinstance(body["token"], dict):
        told["token"] = body["token"]["id"]
    return told
