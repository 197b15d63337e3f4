"""An outside agent with nothing but HTTP: the guide is true, and nothing beyond it is open."""

import asyncio
import re
from typing import Any

from pal_server.api.routes import ROUTES
from tests.support.patience import PATIENCE
from tests.support.server import ServerUnderTest, expect

BLOCK = re.compile(r"```http\n(.*?)```", re.S)


async def invited(server: ServerUnderTest, **more: Any) -> Any:
    return expect(await server.post("/api/invites", {"room": "general", **more}), 201)


async def joined(server: ServerUnderTest, token: str, name: str = "visitor") -> str:
    return str(expect(await server.post(f"/api/invited/{token}/join", {"name": name}, token=None), 201)["token"])


def requests_of(guide: str) -> list[tuple[str, str, str]]:
    """Method, path and body of every request the guide shows."""
    found = []
    for block in BLOCK.findall(guide):
        lines = block.splitlines()
        for number, line in enumerate(lines):
            method, _, path = line.partition(" ")
            if method in ("GET", "POST"):
                body = lines[number + 1] if method == "POST" else ""
                found.append((method, path, body))
    return found


async def test_every_request_of_the_guide_works_in_its_order(server: ServerUnderTest) -> None:
    expect(await server.patch("/api/rooms/general", {"rules": "Be kind."}), 200)
    sent = await server.send("welcome")
    link = await invited(server)
    guide = (await server.get(f"/i/{link['token']}", token=None)).body.decode()
    assert link["url"] == f"{server.url}/i/{link['token']}"
    assert "> Be kind." in guide
    token, known = None, {"{message}": str(sent["message"]["id"]), "{file}": ""}

    shown = requests_of(guide)
    uploads = [one for one in shown if one[1].startswith("/api/artifacts")]
    for method, path, body in [shown[0], *uploads, *[one for one in shown[1:] if one not in uploads]]:
        for word, value in known.items():
            path = path.replace(word, value)
        if path.startswith("/api/events"):
            async with (
                server.session.get(server.url + path, headers={"Authorization": f"Bearer {token}"}) as stream,
                asyncio.timeout(PATIENCE),
            ):
                while b"welcome" not in await stream.content.readline():
                    pass
            continue
        is_file = path.startswith("/api/artifacts")
        headers = {} if is_file or not body else {"Content-Type": "application/json"}
        answer = await server.request(method, path, token=token, data=body.encode() or None, headers=headers)
        assert answer.status in (200, 201), (method, path, answer.body)
        if token is None:
            token = answer["token"]
        if is_file:
            known["{file}"] = answer["artifact"]["id"]

    assert (await server.get("/api/me", token=token)).status == 401  # it left


async def test_the_guide_shows_all_a_guest_may_and_nothing_else_is_open(server: ServerUnderTest) -> None:
    link = await invited(server)
    guide = (await server.get(f"/i/{link['token']}", token=None)).body.decode()
    token = await joined(server, link["token"])
    shown = {(method, path.partition("?")[0]) for method, path, _ in requests_of(guide)}

    for route in ROUTES:
        if route.who.is_open:
            continue
        path = route.template.replace("{room}", "general")
        if route.path == "/f/{id}":
            path = "/f/{file}"
        if route.path == "/api/messages/{id:int}":
            path = "/api/messages/{message}"
        assert route.who.guest == ((route.method, path) in shown), route.template
        if route.who.guest or route.upgrades:
            continue
        for name, is_integer in route.parameters:
            path = path.replace("{" + name + "}", "1" if is_integer else "general")
        path = path.replace("{message}", "1").replace("{file}", "file_x")
        answer = await server.request(route.method, path, token=token, json={})
        assert answer.status == 403, route.template
    for headers in ({"Authorization": f"Bearer {link['token']}"},):
        assert (await server.request("GET", "/api/me", token=None, headers=headers)).status == 401


async def test_a_guests_stream_has_what_is_said_and_nothing_of_the_work(server: ServerUnderTest) -> None:
    link = await invited(server)
    token = await joined(server, link["token"])
    await server.running("@reviewer go")
    await server.send("last words")

    lines = b""
    async with (
        server.session.get(f"{server.url}/api/events?after=0", headers={"Authorization": f"Bearer {token}"}) as stream,
        asyncio.timeout(PATIENCE),
    ):
        while b"last words" not in lines:
            lines += await stream.content.readline()

    kinds = set(re.findall(rb"event: (\S+)", lines))
    assert b"message.created" in kinds
    assert all(kind.startswith((b"message.", b"member.", b"topic.")) for kind in kinds)


async def test_revoking_ends_everything_at_once(server: ServerUnderTest) -> None:
    link = await invited(server)
    token = await joined(server, link["token"])
    headers = {"Authorization": f"Bearer {token}"}
    async with server.session.get(f"{server.url}/api/events", headers=headers) as stream:
        expect(await server.post(f"/api/invites/{link['invite']['id']}/revoke"), 200)
        async with asyncio.timeout(PATIENCE):
            await stream.content.read()

    assert (await server.post("/api/messages", {"room": "general", "content": "x"}, token=token)).status == 401
    assert (await server.get(f"/i/{link['token']}", token=None)).status == 404
    again = await server.post(f"/api/invited/{link['token']}/join", {"name": "other"}, token=None)
    assert again.status == 404


async def test_a_name_that_is_online_is_409(server: ServerUnderTest) -> None:
    link = await invited(server)
    token = await joined(server, link["token"])
    server.clock.advance(80)
    await server.get("/api/me", token=token)
    await server.step("token_use")
    server.clock.advance(80)

    taken = await server.post(f"/api/invited/{link['token']}/join", {"name": "Visitor"}, token=None)
    server.clock.advance(20)
    free = await server.post(f"/api/invited/{link['token']}/join", {"name": "Visitor"}, token=None)

    assert (taken.status, taken.code) == (409, "already_exists")
    assert free.status == 201
    assert (await server.get("/api/me", token=token)).status == 401


async def test_a_guest_that_floods_is_slowed_down_and_people_never(server: ServerUnderTest) -> None:
    token = await joined(server, (await invited(server))["token"])
    body = {"room": "general", "content": "again"}

    by_guest = [(await server.post("/api/messages", body, token=token)).status for _ in range(21)]
    upload = await server.request("POST", "/api/artifacts?name=a.txt", data=b"x", token=token)
    by_person = [(await server.post("/api/messages", body)).status for _ in range(21)]

    assert by_guest == [201] * 20 + [429]
    assert upload.status == 429
    assert by_person == [201] * 21
