"""A share link from outside: the API behind it, its page, its stream, and everything it must not open."""

import asyncio
import logging
from typing import Any

import pytest

from pal_server.api.routes import ROUTES
from pal_server.api.shared_words import Words
from tests.support.patience import PATIENCE
from tests.support.server import ServerUnderTest, expect, lease_of, start_server

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


async def link(server: ServerUnderTest, **what: Any) -> Any:
    return expect(await server.post("/api/shares", what), 201)


async def comment(server: ServerUnderTest, token: str, form: bytes) -> Any:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": server.url}
    return await server.request("POST", f"/s/{token}", token=None, data=form, headers=headers)


async def test_a_link_opens_its_topic_without_a_log_in_and_sets_no_cookie(server: ServerUnderTest) -> None:
    sent = await server.send("hello world")
    made = await link(server, topic=sent["message"]["topic"], expires_at=server.clock() + 60_000)
    token = made["token"]

    look = await server.get(f"/api/shared/{token}", token=None)
    messages = await server.get(f"/api/shared/{token}/messages", token=None)
    page = await server.get(f"/s/{token}", token=None)

    assert made["url"] == f"{server.url}/s/{token}"
    assert look["shared"]["kind"] == "topic"
    assert [message["content"] for message in messages["messages"]] == ["hello world"]
    assert b"hello world" in page.body
    assert b"Shared by Owner until 2027-01-15 08:01 UTC" in page.body
    for response in (look, messages, page):
        assert response.status == 200
        assert "Set-Cookie" not in response.headers
    [listed] = (await server.get("/api/shares"))["shares"]
    assert listed["uses"] == 2


async def test_the_token_opens_nothing_else(server: ServerUnderTest) -> None:
    made = await link(server, room="general", rights="comment")
    token = made["token"]

    for route in ROUTES:
        if route.who.is_open:
            continue
        path = route.template
        for name, is_integer in route.parameters:
            path = path.replace("{" + name + "}", "1" if is_integer else "general")
        for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"{server.app.services.cookie}={token}"}):
            response = await server.request(route.method, path, token=None, headers=headers)
            assert response.status in (401, 404), route.template


async def test_words_are_markdown_that_does_nothing(server: ServerUnderTest) -> None:
    text = (
        f"**bold** `code` [out](https://example.com/x) [bad](javascript:alert(3)) [worse](data:text/html,x)\n\n"
        f"{SCRIPT}\n\n"
        "![pixel](https://tracker.example/p.png)\n\n```html\n<b>as it is</b>\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    sent = await server.send(text)
    long = await server.send("**x** " * 5_000)
    await server.send("[" * 1_001)
    token = (await link(server, topic=sent["message"]["topic"]))["token"]

    page = (await server.get(f"/s/{token}", token=None)).body.decode()

    assert "<strong>bold</strong> <code>code</code>" in page
    assert '<a href="https://example.com/x">out</a>' in page
    assert "&lt;b&gt;as it is&lt;/b&gt;" in page
    assert "<td>1</td>" in page
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert 'href="data' not in page
    assert "<pre>**x** **x**" in page  # long ones stand as they are
    assert "<pre>[[[" in page  # and those that would take long
    assert f"id=m{long['message']['id']}" in page


async def test_cells_that_nobody_wrote_are_counted() -> None:
    words = Words()
    table = "|a" * 3_000 + "\n" + "|-" * 3_000 + "\n" + "x\n" * 3_900

    shown = [words.html(table) for _ in range(5)]

    assert [one.startswith("<pre>") for one in shown] == [False, False, True, True, True]


async def test_a_shared_run_shows_what_it_said_and_did(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()
    run = opened["run"]
    events = [
        {"seq": 1, "kind": "reasoning", "text": "Let me ", "data": {"id": "r"}},
        {"seq": 2, "kind": "reasoning", "text": "think.", "data": {"id": "r"}},
        {"seq": 3, "kind": "command", "text": "make test", "data": {"id": "t"}},
        {"seq": 4, "kind": "tool_result", "text": "<b>2 failed</b>", "data": {"id": "t"}},
        {"seq": 5, "kind": "message", "text": "I will **", "data": {"id": "m"}},
        {"seq": 6, "kind": "message", "text": "fix** it.", "data": {"id": "m"}},
    ]
    body = {"events": events, **lease_of(claimed)}
    expect(await server.post(f"/api/runs/{run['id']}/events", body, token=computer.key), 200)
    token = (await link(server, run=run["id"]))["token"]

    page = (await server.get(f"/s/{token}", token=None)).body.decode()

    assert "Let me think." in page
    assert "make test" in page
    assert "&lt;b&gt;2 failed&lt;/b&gt;" in page
    assert "I will <strong>fix</strong> it." in page


async def test_a_shared_task_is_its_topic_below_its_plan(server: ServerUnderTest) -> None:
    project = expect(await server.post("/api/projects", {"key": "shop", "room": "general"}), 201)["project"]["key"]
    planned = {"project": project, "title": "Pour the tea", "body": "Green **only**", "acceptance": ["no milk"]}
    task = expect(await server.post("/api/tasks", planned), 201)["task"]
    await server.send("which cup?", topic=task["topic"])
    made = await link(server, task=f"{project}.{task['code']}")

    look = await server.get(f"/api/shared/{made['token']}", token=None)
    page = (await server.get(f"/s/{made['token']}", token=None)).body.decode()

    assert (made["share"]["kind"], made["share"]["target"]) == ("topic", str(task["topic"]))
    assert look["shared"]["title"] == "T-1: Pour the tea"
    assert look["task"] == {"code": "T-1", "status": "backlog", "body": "Green **only**", "acceptance": ["no milk"]}
    assert "Green <strong>only</strong>" in page
    assert "<li>no milk</li>" in page
    assert "which cup?" in page
    assert (await server.post("/api/shares", {"task": "T-9"})).status == 404


async def test_a_guest_comments_through_the_form(server: ServerUnderTest) -> None:
    token = (await link(server, room="general", rights="comment"))["token"]

    said = await comment(server, token, b"name=Mia&content=nice+%3Cb%3Ework%3C%2Fb%3E")
    taken = await comment(server, token, b"name=owner&content=hi")
    foreign = await server.request(
        "POST", f"/s/{token}", token=None, data=b"name=Mia&content=x", headers={"Origin": "https://evil.example"}
    )

    assert said.status == 303
    assert said.headers["Location"].startswith(f"/s/{token}")
    assert taken.status == 400
    assert b"is the name of somebody here" in taken.body
    assert foreign.status == 403
    [message] = (await server.get("/api/messages", room="general"))["messages"]
    assert message["content"] == "nice <b>work</b>"
    assert message["sender"]["kind"] == "guest"
    assert "share link" in message["sender"]["origin"]


async def test_nothing_others_wrote_becomes_markup(server: ServerUnderTest) -> None:
    expect(await server.patch("/api/rooms/general", {"title": SCRIPT}), 200)
    upload = await server.request(
        "POST", "/api/artifacts", data=b"x", params={"name": "a.txt", "title": SCRIPT, "room": "general"}
    )
    await server.send(SCRIPT, files=[upload["artifact"]["id"]])
    token = (await link(server, room="general", rights="comment"))["token"]
    await comment(server, token, b"name=%26lt%3Bx&content=%3Cscript%3E")

    page = await server.get(f"/s/{token}", token=None)
    file_page = await server.get(f"/s/{(await link(server, file=upload['artifact']['id']))['token']}", token=None)

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert page.headers["Referrer-Policy"] == "same-origin"
    for body in (page.body, file_page.body):
        assert b"<script" not in body
        assert b"<img src=x" not in body


async def test_a_flood_of_comments_is_slowed_down(server: ServerUnderTest) -> None:
    token = (await link(server, room="general", rights="comment"))["token"]
    body = {"name": "Mia", "content": "again"}

    statuses = [(await server.post(f"/api/shared/{token}/messages", body, token=None)).status for _ in range(21)]
    server.clock.advance(61)
    later = await server.post(f"/api/shared/{token}/messages", body, token=None)

    assert statuses == [201] * 20 + [429]
    assert later.status == 201


async def test_a_shared_file_is_served_as_safely_as_any(server: ServerUnderTest) -> None:
    upload = await server.request("POST", "/api/artifacts", data=b"<script>1</script>", params={"name": "a.html"})
    file = upload["artifact"]["id"]
    token = (await link(server, file=file))["token"]

    got = await server.get(f"/api/shared/{token}/files/{file}", token=None)
    other = await server.get(f"/api/shared/{token}/files/file_nothing", token=None)
    expect(await server.post(f"/api/artifacts/{file}/revoke"), 200)
    gone = await server.get(f"/api/shared/{token}/files/{file}", token=None)

    assert got.body == b"<script>1</script>"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert (other.status, gone.status) == (404, 404)


async def test_the_stream_brings_what_is_said_and_ends_with_the_link(server: ServerUnderTest) -> None:
    made = await link(server, room="general")
    async with server.session.get(f"{server.url}/api/shared/{made['token']}/events") as stream:
        await server.send("news")
        async with asyncio.timeout(PATIENCE):
            while b"news" not in await stream.content.readline():
                pass
        expect(await server.post(f"/api/shares/{made['share']['id']}/revoke"), 200)
        async with asyncio.timeout(PATIENCE):
            assert b"not_found" in await stream.content.read()

    after = await server.get(f"/api/shared/{made['token']}", token=None)
    page = await server.get(f"/s/{made['token']}", token=None)
    assert (after.status, page.status) == (404, 404)


async def test_no_log_holds_a_token(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with start_server(tmp_path / "home", access_log=True) as server:
        token = (await link(server, room="general"))["token"]
        with caplog.at_level(logging.INFO):
            await server.get(f"/s/{token}", token=None)
            await server.get(f"/api/shared/{token}/nothing", token=None)

    assert "/s/…" in caplog.text
    assert token not in caplog.text
    assert all(token not in str(vars(record)) for record in caplog.records)
