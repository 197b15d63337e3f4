"""Wrong input, wrong files and taken places: one clear sentence, nothing lost, and the next request is fine."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port
from tests.support.stack import Refused, Server, Stack, segment

MANY = 10 * 1024 * 1024  # bytes


def refused(stack: Stack, method: str, path: str, content: bytes | None) -> tuple[int, str]:
    """Status and code of a request that has to be refused, in the one shape there is."""
    status, raw = stack.api.raw(method, path, content)
    error = json.loads(raw)["error"]
    assert set(error) == {"code", "message", "facts", "request_id"}
    assert error["message"]
    assert error["request_id"]
    return status, error["code"]


BODIES = [
    ("no JSON", b"{", (400, "invalid")),
    ("a list", b"[]", (400, "invalid")),
    ("broken UTF-8", b'{"room": "general", "content": "\xff\xfe"}', (400, "invalid")),
    ("a lone surrogate", b'{"room": "general", "content": "\\ud800"}', (400, "invalid")),
    ("nothing", b"", (400, "invalid")),
    ("ten megabytes", b'{"room": "general", "content": "' + b"x" * MANY + b'"}', (413, "too_large")),
    ("too deep", b"[" * 100_000, (400, "invalid")),
    ("an unknown field", b'{"room": "general", "content": "x", "colour": "red"}', (400, "invalid")),
    ("another type", b'{"room": "general", "content": 5}', (400, "invalid")),
    ("a huge number", b'{"room": "general", "content": "x", "topic": 99999999999999999999999}', (400, "invalid")),
    ("a missing room", b'{"room": "nowhere", "content": "x"}', (404, "not_found")),
    ("a missing parent", b'{"room": "general", "content": "x", "parent": 123456789}', (400, "invalid")),
]


@pytest.mark.parametrize(("content", "expected"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_body_that_cannot_be_meant_is_refused_and_nothing_is_stored(
    stack: Stack, content: bytes, expected: tuple[int, str]
) -> None:
    before = len(stack.messages("general"))

    assert refused(stack, "POST", "/api/messages", content) == expected

    assert len(stack.messages("general")) == before
    assert stack.send("general", "still here")["message"]["id"]


def test_a_nul_is_refused_or_kept_as_it_is(stack: Stack) -> None:
    room = stack.room()
    text = "before\0after"

    with suppress(Refused):
        stack.send(room, text)
    assert [message["content"] for message in stack.messages(room)] in ([], [text])
    assert stack.send(room, "fine")["message"]["content"] == "fine"


NAMES = ["a/b", "../up", "a b", "", ".", "..", "a\0b", "x" * 300, "a%2Fb", "<b>", "é\n"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_cannot_be_one_is_refused_everywhere(stack: Stack, name: str) -> None:
    for path, body in (
        ("/api/rooms", {"name": name}),
        ("/api/agents", {"agent_key": name, "runtime": "demo"}),
    ):
        assert refused(stack, "POST", path, json.dumps(body).encode()) == (400, "invalid")
    if name not in ("", ".", ".."):  # these are no segments of a path
        for place in ("rooms", "agents"):
            assert refused(stack, "GET", f"/api/{place}/{segment(name)}", None)[0] in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/api/messages/0",
        "/api/messages/99999999",
        "/api/runs/99999999",
        "/api/deliveries/99999999",
        "/api/interactions/99999999",
        "/api/computers/machine_nobody",
        "/api/agents/nobody",
        "/api/rooms/nowhere",
        "/api/nothing",
    ],
)
def test_what_does_not_exist_is_not_found(stack: Stack, path: str) -> None:
    assert refused(stack, "GET", path, None) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/messages/one", "/api/runs/-1", "/api/messages/99999999999999999999"])
def test_what_is_no_number_is_told_so(stack: Stack, path: str) -> None:
    assert refused(stack, "GET", path, None) == (400, "invalid")


def test_what_is_no_http_is_told_so_and_harms_nobody(stack: Stack) -> None:
    for junk in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"POST /api/messages HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", stack.server.port), timeout=LONG_PATIENCE) as line:
            line.sendall(junk)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(65536).startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"")), junk

    assert stack.api.get("/health")["status"] == "ok"


def test_a_request_that_breaks_off_stores_nothing(stack: Stack) -> None:
    room = stack.room()
    with socket.create_connection(("127.0.0.1", stack.server.port), timeout=LONG_PATIENCE) as line:
        body = json.dumps({"room": room, "content": "half"}).encode()
        head = f"POST /api/messages HTTP/1.1\r\nHost: 127.0.0.1:{stack.server.port}\r\n"
        head += f"Authorization: Bearer {stack.api.token}\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-5])

    assert stack.send(room, "whole")["message"]["seq"] == 1


# Places


def server_in(tmp_path: Path, stack: Stack, *, port: int | None = None, home: Path | None = None) -> Server:
    folder = tmp_path / "elsewhere"
    folder.mkdir(exist_ok=True)
    server = Server(folder / "home", port=port or free_port(), env=stack.env)
    if home is not None:
        server.env["PAL_HOME"] = str(home)
    return server


def ends_with_one_sentence(server: Server, *words: str) -> None:
    server.spawn()
    assert server.wait_end() not in (0, None)
    said = server.said().strip()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    assert all(word in said for word in words), said


def test_a_taken_port_ends_the_server_with_one_sentence(stack: Stack, tmp_path: Path) -> None:
    server = server_in(tmp_path, stack, port=stack.server.port)

    ends_with_one_sentence(server, str(stack.server.port), "--port")

    assert stack.api.get("/health")["status"] == "ok"


def test_a_home_in_use_ends_the_second_server_with_one_sentence(stack: Stack, tmp_path: Path) -> None:
    server = server_in(tmp_path, stack, home=stack.server.home)

    ends_with_one_sentence(server, str(stack.server.home))

    assert stack.api.get("/health")["status"] == "ok"


@pytest.mark.parametrize("where", ["home", "home/inside"])
def test_a_home_that_cannot_be_made_ends_the_server_with_one_sentence(stack: Stack, tmp_path: Path, where: str) -> None:
    """A file stands where the folder should be: modes would not stop a test that runs as root."""
    (tmp_path / "home").write_text("a file")
    server = server_in(tmp_path, stack, home=tmp_path / where)

    ends_with_one_sentence(server, str(tmp_path / where), "PAL_HOME")

    assert (tmp_path / "home").read_text() == "a file"


def test_a_home_that_cannot_be_made_ends_the_daemon_with_one_sentence(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    daemon = stack.add_daemon()
    stack.daemons.remove(daemon)
    daemon.env["PAL_HOME"] = str(tmp_path / "home")

    daemon.spawn()

    assert daemon.wait_end() not in (0, None)
    assert "Traceback" not in daemon.said()
    assert str(tmp_path / "home") in daemon.said()


def test_a_taken_local_port_ends_the_daemon_with_one_sentence(stack: Stack, tmp_path: Path) -> None:
    daemon = stack.add_daemon()
    stack.daemons.remove(daemon)

    daemon.spawn("--local-port", str(stack.server.port))

    assert daemon.wait_end() == 4
    assert str(stack.server.port) in daemon.said()
    assert "--local-port" in daemon.said()


def test_a_database_from_the_future_is_refused_and_left_as_it_is(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.server.start()
    stack.send("general", "keep me")
    assert stack.server.stop() == 0
    file = stack.server.home / "lock.sqlite"
    make_future(file)
    before = file.read_bytes()

    ends_with_one_sentence(stack.server, "newer pal", "restore")

    assert file.read_bytes() == before


def make_future(file: Path) -> None:
    """As a later version would leave it."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO schema_migrations VALUES (9999, 'of tomorrow', 'checksum', 0)")


def test_a_database_that_is_none_is_refused_with_one_sentence(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    file = stack.server.home / "lock.sqlite"
    file.write_bytes(b"this is no database" * 1000)

    ends_with_one_sentence(stack.server, str(file))

    assert file.read_bytes().startswith(b"this is no database")
