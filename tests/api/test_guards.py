"""Who may come in: log-in, cookies, foreign pages, throttling, revocation."""

import asyncio
import json
from typing import Any

import pytest

from pal_server.actions import tokens
from pal_server.storage.store import Store
from tests.support.patience import PATIENCE
from tests.support.server import Response, ServerUnderTest, expect, start_server


async def logged_in(server: ServerUnderTest, **credential: Any) -> tuple[Response, str]:
    """The answer to a log-in and the cookie it set."""
    response = await server.post("/api/login", credential, token=None)
    return response, response.headers.get("Set-Cookie", "")


async def test_a_log_in_sets_one_cookie_that_scripts_and_other_sites_cannot_use(server: ServerUnderTest) -> None:
    response, cookie = await logged_in(server, token=server.owner)

    assert expect(response, 200)["me"]["name"] == "owner"
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    me = await server.request("GET", "/api/me", token=None, headers={"Cookie": cookie.partition(";")[0]})
    assert me["me"]["role"] == "owner"


async def test_logging_out_ends_the_session_on_the_server(server: ServerUnderTest) -> None:
    _, cookie = await logged_in(server, token=server.owner)
    headers = {"Cookie": cookie.partition(";")[0], "Origin": server.url}

    await server.request("POST", "/api/logout", token=None, headers=headers)

    assert (await server.request("GET", "/api/me", token=None, headers=headers)).status == 401
    assert (await server.get("/api/me")).status == 200


async def test_the_log_in_link_works_once(server: ServerUnderTest) -> None:
    link = server.app.login_link
    assert link is not None
    page = await server.get("/login?code=x", token=None)
    code = link.partition("code=")[2]

    first, _ = await logged_in(server, code=code)
    second, _ = await logged_in(server, code=code)

    assert page.status == 200
    assert first.status == 200
    assert second.status == 401


async def test_there_is_no_link_on_the_second_start(server: ServerUnderTest, tmp_path: Any) -> None:
    async with start_server(tmp_path / "other") as first:
        assert first.app.login_link is not None
        owner = first.owner

    async with start_server(tmp_path / "other") as second:
        assert second.app.login_link is None
        assert second.owner == owner
        assert (await second.get("/api/me")).status == 200


async def test_a_lost_owner_token_is_made_anew_by_the_next_start(tmp_path: Any) -> None:
    async with start_server(tmp_path / "home") as first:
        (first.home / "owner.token").unlink()

    async with start_server(tmp_path / "home") as second:
        assert (await second.get("/api/me"))["me"]["role"] == "owner"


async def test_a_session_ends_with_the_token_it_was_begun_with(server: ServerUnderTest) -> None:
    made = expect(await server.post("/api/tokens", {"name": "laptop"}), 201)
    hour = server.clock() + 3_600_000
    short = expect(await server.post("/api/tokens", {"name": "for an hour", "expires_at": hour}), 201)["secret"]
    _, session = await logged_in(server, token=made["secret"])
    _, short_session = await logged_in(server, token=short)
    long, brief = ({"Cookie": cookie.partition(";")[0]} for cookie in (session, short_session))
    before = [(await server.request("GET", "/api/me", token=None, headers=one)).status for one in (long, brief)]

    await server.post(f"/api/tokens/{made['token']['id']}/revoke")
    revoked = await server.request("GET", "/api/me", token=None, headers=long)
    server.clock.advance(3601)
    expired = await server.request("GET", "/api/me", token=None, headers=brief)

    assert before == [200, 200]
    assert (revoked.status, expired.status) == (401, 401)


async def test_repeated_wrong_log_ins_meet_429(server: ServerUnderTest) -> None:
    await server.user("alice", password="correct horse battery")
    wrong = {"username": "alice", "password": "not this one"}

    answers = [(await server.post("/api/login", wrong, token=None)).status for _ in range(6)]
    right = {"username": "Alice ", "password": "correct horse battery"}
    shut = await server.post("/api/login", right, token=None)
    server.clock.advance(61)
    opened = await server.post("/api/login", right, token=None)

    assert answers == [401] * 5 + [429]
    assert shut.status == 429
    assert shut.code == "rate_limited"
    assert 0 < int(shut.headers["Retry-After"]) <= 62
    assert opened.status == 200


async def test_wrong_log_ins_that_come_at_once_are_counted_too(server: ServerUnderTest) -> None:
    await server.user("alice", password="correct horse battery")
    wrong = {"username": "alice", "password": "not this one"}

    answers = await asyncio.gather(*(server.post("/api/login", wrong, token=None) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 3


async def test_wrong_tokens_are_slowed_down_by_address(server: ServerUnderTest) -> None:
    answers = [(await server.post("/api/login", {"token": f"guess {n}"}, token=None)).status for n in range(21)]

    assert answers == [401] * 20 + [429]


async def test_a_right_token_or_link_passes_where_guesses_are_slowed_down(server: ServerUnderTest) -> None:
    assert server.app.login_link is not None
    code = server.app.login_link.partition("code=")[2]
    alice = await server.user("alice", password="correct horse battery")
    for n in range(20):
        await server.post("/api/login", {"token": f"guess {n}"}, token=None)

    by_token = await server.post("/api/login", {"token": alice}, token=None)
    by_code = await server.post("/api/login", {"code": code}, token=None)
    code_again = await server.post("/api/login", {"code": code}, token=None)
    by_password = {"username": "alice", "password": "correct horse battery"}
    shut = await server.post("/api/login", by_password, token=None)

    assert (by_token.status, by_code.status) == (200, 200)
    assert (code_again.status, shut.status) == (429, 429)
    assert "Retry-After" in code_again.headers


async def test_an_empty_file_is_refused_and_leaves_nothing_on_the_disk(server: ServerUnderTest) -> None:
    refused = await server.request("POST", "/api/artifacts?name=x.txt", data=b"")

    assert refused.status == 400
    assert [path for path in server.app.settings.files.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Host": "evil.example"},
        {"Host": "evil.example:4127"},
        {"Host": "127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
async def test_a_foreign_page_can_neither_write_nor_listen(server: ServerUnderTest, headers: dict[str, str]) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    write = await server.post("/api/rooms", {"name": "x"}, headers=headers)
    log_in = await server.post("/api/login", {"token": server.owner}, token=None, headers=headers)
    socket = await server.request("GET", "/api/ws", headers={**headers, **upgrade})
    daemon = await server.request("GET", "/api/daemon/ws", headers={**headers, **upgrade})

    for response in (write, log_in, socket, daemon):
        assert response.status == 403
        assert response.code == "forbidden"
    assert (await server.get("/api/rooms/x")).status == 404


async def test_our_own_page_may(server: ServerUnderTest) -> None:
    headers = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}

    response = await server.post("/api/rooms", {"name": "x"}, headers=headers)

    assert response.status == 201


async def test_names_can_be_added_for_a_proxy(tmp_path: Any) -> None:
    async with start_server(tmp_path / "home", allowed_hosts=("pal.example.com",)) as server:
        headers = {"Host": "pal.example.com", "Origin": "https://pal.example.com"}

        allowed = await server.post("/api/rooms", {"name": "a"}, headers=headers)
        other = await server.post("/api/rooms", {"name": "b"}, headers={"Host": "other.example.com"})

    assert allowed.status == 201
    assert other.status == 403


async def test_a_cookie_alone_does_not_write(server: ServerUnderTest) -> None:
    _, cookie = await logged_in(server, token=server.owner)
    headers = {"Cookie": cookie.partition(";")[0]}
    form = {**headers, "Content-Type": "text/plain"}

    plain = await server.request("POST", "/api/rooms", token=None, data=b'{"name":"x"}', headers=form)
    ours = {**headers, "X-Pal-Client": "test"}
    shown = await server.request("POST", "/api/rooms", token=None, json={"name": "x"}, headers=ours)

    assert plain.status == 403
    assert shown.status == 201


async def test_a_revoked_token_ends_at_once(server: ServerUnderTest) -> None:
    token = await server.user("alice")
    assert (await server.get("/api/me", token=token)).status == 200

    await server.revoke_tokens()

    assert (await server.get("/api/me", token=token)).status == 401


async def test_roles_follow_their_user_at_once(server: ServerUnderTest) -> None:
    token = await server.user("alice", role="admin")
    assert (await server.get("/api/audit", token=token)).status == 200

    await server.patch("/api/users/alice", {"role": "viewer"})

    assert (await server.get("/api/audit", token=token)).status == 403
    assert (await server.post("/api/messages", {"room": "general", "content": "x"}, token=token)).status == 403


async def test_many_requests_at_once_cost_one_look_up(server: ServerUnderTest, monkeypatch: Any) -> None:
    token = await server.user("alice")
    asked = 0
    read = Store.read

    async def counted(self: Store, query: Any, /, **arguments: Any) -> Any:
        nonlocal asked
        asked += query is tokens.authenticate
        return await read(self, query, **arguments)

    monkeypatch.setattr(Store, "read", counted)
    monkeypatch.setattr("pal_server.api.auth.KEPT_FOR", PATIENCE)
    answers = await asyncio.gather(*[server.get("/api/me", token=token) for _ in range(64)])

    assert {answer.status for answer in answers} == {200}
    assert asked == 1


async def test_no_secret_is_in_any_answer_or_event(server: ServerUnderTest) -> None:
    computer, _, opened = await server.running()
    password = "correct horse battery"
    token = await server.user("alice", password=password)
    await server.post("/api/login", {"username": "alice", "password": password}, token=None)
    await server.post(
        "/api/accounts",
        {"computer": computer.id, "runtime": "demo", "label": "a", "env": {"API_KEY": "sesame-4711"}},
    )

    shown = ""
    for path in ("users", "tokens", "computers", "agents", "accounts", "runs", "deliveries", "audit", "messages"):
        query = {"room": "general"} if path == "messages" else {}
        shown += json.dumps(expect(await server.get(f"/api/{path}", **query), 200))
    shown += json.dumps(expect(await server.get("/api/openapi.json"), 200))
    shown += (await server.get("/metrics")).body.decode()
    async with asyncio.timeout(PATIENCE):
        async with server.session.get(
            server.url + "/api/events?after=0", headers={"Authorization": f"Bearer {server.owner}"}
        ) as stream:
            await server.send("the last one")
            while "the last one" not in shown:
                shown += (await stream.content.readany()).decode()

    for secret in (server.owner, computer.key, opened["token"], token, password, "sesame-4711"):
        assert secret not in shown


async def test_pages_are_plain_and_carry_their_headers(server: ServerUnderTest) -> None:
    for path in ("/", "/login", "/?utm_source=x"):
        page = await server.get(path, token=None)

        assert page.status == 200
        assert page.headers["Content-Type"].startswith("text/html")
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert server.owner.encode() not in page.body


async def test_a_file_is_never_run_in_our_name(server: ServerUnderTest) -> None:
    html = await server.request(
        "POST", "/api/artifacts?name=x.html", data=b"<script>alert(1)</script>", headers={"Content-Type": "text/html"}
    )
    file = expect(html, 201)["artifact"]

    got = await server.get(file["url"])
    part = await server.request("GET", file["url"], headers={"Range": "bytes=1-6"})

    assert got.body == b"<script>alert(1)</script>"
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert part.status == 206
    assert part.body == b"script"
    assert (await server.get(file["url"], token=None)).status == 401
    await server.post(f"/api/artifacts/{file['id']}/revoke")
    assert (await server.get(file["url"])).status == 404
