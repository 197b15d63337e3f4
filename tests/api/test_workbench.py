"""The web client as the server gives it out, the snapshot it begins with, and the runs its socket watches."""

import gzip
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pal_server.api import workbench
from pal_server.api.run_stream import look
from pal_server.errors import Unavailable
from pal_server.storage.store import Store
from tests.support.patience import PATIENCE
from tests.support.server import ServerUnderTest, lease_of

PAGE = (
    '<!doctype html><html lang="en"><meta name="style-nonce" content="" /><style nonce="">body{}</style>'
    '<script type="module" src="/assets/index-abc.js"></script>'
)


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build as Vite leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "assets" / "index-abc.js").write_text("export {}")
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"export {}"))
    (tmp_path / "secret.js").write_text("not yours")
    monkeypatch.setattr(workbench, "DIST", tmp_path)
    workbench._read.cache_clear()
    return tmp_path


async def test_the_page_runs_nothing_but_its_own_scripts(server: ServerUnderTest, dist: Path) -> None:
    for path in ("/", "/needs", "/r/general/12", "/runs/4", "/settings/you"):
        response = await server.get(path, token=None)

        policy = response.headers["Content-Security-Policy"]
        nonce = re.search(r"style-src 'self' 'nonce-([\w-]+)'", policy)
        assert response.status == 200
        assert nonce is not None
        assert f'content="{nonce[1]}"'.encode() in response.body
        assert f'<style nonce="{nonce[1]}">'.encode() in response.body
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["Cache-Control"] == "no-cache"


async def test_the_page_comes_in_the_colours_that_were_chosen(server: ServerUnderTest, dist: Path) -> None:
    chosen = {"dark": b'<html data-mantine-color-scheme="dark" lang="en">', "'><script>": b'<html lang="en">'}

    for scheme, html in chosen.items():
        answer = await server.request("GET", "/needs", token=None, headers={"Cookie": f"pal_scheme={scheme}"})
        assert html in answer.body


async def test_a_person_at_a_wrong_address_gets_a_page_and_a_program_gets_json(server: ServerUnderTest) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    for path, status, said in (
        ("/nowhere", 404, b"There is nothing here"),
        ("/r/%3Cscript%3E", 400, b"This did not work"),
        ("/f/file_gone", 404, b"There is nothing here"),
    ):
        page = await server.request("GET", path, headers=browser)

        assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8"), path
        assert said in page.body
        assert b'<a href="/">' in page.body
        assert page.headers["X-Request-Id"].encode() in page.body
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert (await server.get(path)).code in ("not_found", "invalid")
    assert (await server.request("GET", "/f/file_gone", token=None, headers=browser)).status == 401
    assert (await server.request("GET", "/api/nowhere", headers=browser)).code == "not_found"


async def test_each_page_has_a_nonce_of_its_own(server: ServerUnderTest, dist: Path) -> None:
    first, second = [(await server.get("/", token=None)).headers["Content-Security-Policy"] for _ in range(2)]

    assert first != second


async def test_files_with_a_hash_are_kept_for_ever(server: ServerUnderTest, dist: Path) -> None:
    response = await server.request(
        "GET", "/assets/index-abc.js", token=None, headers={"Accept-Encoding": "gzip, deflate"}
    )

    assert response.body == b"export {}"
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["..%2Fsecret.js", "%2e%2e%2fsecret.js", "secret.js", "index-abc.js.gz", "nothing-x.js"]
)
async def test_nothing_else_is_given_out(server: ServerUnderTest, dist: Path, name: str) -> None:
    response = await server.get(f"/assets/{name}", token=None)

    assert response.status in (400, 404)
    assert b"not yours" not in str(response.body).encode()


async def test_without_a_build_a_plain_page_says_why(
    server: ServerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbench, "DIST", tmp_path)
    never = await server.get("/", token=None)
    (tmp_path / "why.txt").write_text("The web client could not be built: <npm> is away.\n")

    failed = await server.get("/needs", token=None)

    assert never.status == failed.status == 200
    assert b"no web client" in never.body
    assert b"&lt;npm&gt; is away" in failed.body
    assert b"pal console" in failed.body
    assert "script-src 'self'" in failed.headers["Content-Security-Policy"]


async def test_the_snapshot_and_the_stream_leave_no_gap(server: ServerUnderTest) -> None:
    await server.send("before")
    snapshot = (await server.get("/api/snapshot"))["snapshot"]

    await server.send("after")

    async with socket_of(server, after=snapshot["position"]) as socket:
        event = await next_of(socket)
    assert snapshot["topics"][0]["last"]["text"] == "before"
    assert (event["kind"], event["data"]["content"]) == ("message.created", "after")
    assert event["position"] == snapshot["position"] + 1


async def test_a_long_answer_is_packed_for_a_browser_alone(server: ServerUnderTest) -> None:
    browser = {"Sec-Fetch-Mode": "cors", "Accept-Encoding": "gzip, deflate"}
    await server.send("hello")
    short = await server.request("GET", "/api/messages", headers=browser)
    await server.send("a long story " * 1_000)

    packed = await server.request("GET", "/api/messages", headers=browser)
    plain = await server.request("GET", "/api/messages", headers={"Accept-Encoding": "gzip, deflate"})
    refused = await server.request("GET", "/api/messages", headers={**browser, "Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < 2_000
    assert packed.body == plain.body == refused.body
    assert not {"Content-Encoding"} & {*short.headers, *plain.headers, *refused.headers}


async def test_a_socket_watches_runs_beside_the_log(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()
    run = opened["run"]["id"]
    await tell(server, computer.key, claimed, run, first=1, texts=["one", "two"])

    async with socket_of(server) as socket:
        await socket.send_json({"type": "watch", "run": run, "after": 1})
        history = await next_of(socket, "run")
        await tell(server, computer.key, claimed, run, first=3, texts=["three"])
        live = await next_of(socket, "run")
        await server.finish(computer, claimed, opened["run"])
        ended = await next_of(socket, "run_end")

    assert [event["text"] for event in history["events"]] == ["two"]
    assert [event["text"] for event in live["events"]] == ["three"]
    assert ended == {"type": "run_end", "run": run, "status": "succeeded"}


async def test_a_database_that_is_away_for_a_moment_ends_no_watching(
    server: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer, claimed, opened = await server.running()
    run = opened["run"]["id"]
    await tell(server, computer.key, claimed, run, first=1, texts=["one"])
    monkeypatch.setattr("pal_server.api.run_watching.AGAIN", 0.0)
    read, troubles = Store.read, [1]

    async def broken(self: Store, query: Any, /, **arguments: Any) -> Any:
        if query is look and troubles:
            troubles.pop()
            raise Unavailable("PostgreSQL does not answer; send it again in a moment.")
        return await read(self, query, **arguments)

    monkeypatch.setattr(Store, "read", broken)
    async with socket_of(server) as socket:
        await socket.send_json({"type": "watch", "run": run})
        history = await next_of(socket, "run")

    assert (troubles, [event["text"] for event in history["events"]]) == ([], ["one"])


async def test_a_run_nobody_may_know_is_refused(server: ServerUnderTest) -> None:
    async with socket_of(server) as socket:
        await socket.send_json({"type": "watch", "run": 4711})
        refused = await next_of(socket, "run_refused")

    assert refused == {"type": "run_refused", "run": 4711, "code": "not_found"}


async def test_what_is_no_longer_watched_is_not_sent(server: ServerUnderTest) -> None:
    computer, claimed, opened = await server.running()
    run = opened["run"]["id"]

    async with socket_of(server) as socket:
        await socket.send_json({"type": "watch", "run": run})
        await socket.send_json({"type": "unwatch", "run": run})
        await socket.send_str("no json")
        await socket.send_json({"type": "something newer"})
        await socket.send_json({"type": "ping"})
        assert (await next_of(socket, "pong"))["type"] == "pong"
        await tell(server, computer.key, claimed, run, first=1, texts=["unseen"])
        await server.send("seen")
        event = await next_of(socket)

    assert event["kind"] in ("message.created", "run.changed")


def socket_of(server: ServerUnderTest, **params: Any) -> Any:
    headers = {"Authorization": f"Bearer {server.owner}"}
    return server.session.ws_connect(f"{server.url}/api/ws", params=params, headers=headers)


async def next_of(socket: aiohttp.ClientWebSocketResponse, kind: str | None = None) -> Any:
    """The next event of the log, or the next frame of that type."""
    while True:
        frame = await socket.receive_json(timeout=PATIENCE)
        if frame.get("type") == kind:
            return frame


async def tell(server: ServerUnderTest, key: str, claimed: Any, run: int, *, first: int, texts: list[str]) -> None:
    events = [{"seq": first + index, "kind": "message", "text": text} for index, text in enumerate(texts)]
    answer = await server.post(f"/api/runs/{run}/events", {**lease_of(claimed), "events": events}, token=key)
    assert answer.status == 200, answer.body
