"""Terminals on a real computer: server, daemon and keeper as processes, killed one after the other."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.repo.tree import ROOT
from tests.support.faults import is_alive
from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port
from tests.support.proxy import Proxy
from tests.support.stack import PAL, Json, Stack, eventually

CHILD = re.compile(rb"pid=(\d+)=")
PLUGIN = "[pal.runtimes]\ntalking = tests.support.talking_runtime:TalkingRuntime\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for this file: its daemon knows the runtime `talking`, as another package would bring it."""
    folder = tmp_path_factory.mktemp("terminals")
    package = folder / "talking-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: talking\nVersion: 1\n")
    (package / "entry_points.txt").write_text(PLUGIN)
    made = Stack(folder / "stack")
    made.env |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "SHELL": "/bin/sh"}
    made.server.env |= made.env
    try:
        yield made.start()
    finally:
        made.close()


class Screen:
    """One viewer: everything it was shown, and what it was told last of each type."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.shown = b""
        self.told: dict[str, Json] = {}

    async def until(self, is_there: Callable[[], object]) -> None:
        """Read on until it is so."""
        async with asyncio.timeout(LONG_PATIENCE):
            while not is_there():
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.shown += message.data
                    continue
                assert message.type is aiohttp.WSMsgType.TEXT, f"{message.type}, shown {self.shown[-300:]!r}"
                frame = json.loads(message.data)
                if frame["type"] == "hello":  # begins anew, with its computer there unless the next word says otherwise
                    self.told.pop("state", None)
                self.told[frame["type"]] = frame

    async def shows(self, text: bytes) -> None:
        await self.until(lambda: text in self.shown)

    async def is_served(self) -> None:
        """Its computer is there again: what is typed is heard. It was away, or what it printed has come."""
        await self.until(lambda: self.told.get("state", {}).get("reason") is None)

    async def types(self, text: bytes) -> None:
        await self.socket.send_bytes(text)


@asynccontextmanager
async def watching(stack: Stack, id: str) -> AsyncIterator[Screen]:
    headers = {"Authorization": f"Bearer {stack.api.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{stack.server.url}/api/terminals/{id}/ws", headers=headers, max_msg_size=0) as socket,
    ):
        screen = Screen(socket)
        await screen.until(lambda: "hello" in screen.told)
        yield screen


def opened(stack: Stack, room: str, **more: Any) -> str:
    body = {"room": room, "computer": stack.daemon.computer, "cols": 90, "rows": 20, **more}
    id = str(stack.api.post("/api/terminals", body)["terminal"]["id"])
    eventually("the terminal is open", lambda: terminal(stack, id)["state"] == "open" or terminal(stack, id)["reason"])
    assert terminal(stack, id)["state"] == "open", terminal(stack, id)
    return id


def terminal(stack: Stack, id: str) -> Json:
    return dict(stack.api.get(f"/api/terminals/{id}")["terminal"])


async def test_a_shell_outlives_daemon_and_server_and_ends_with_what_runs_in_it(stack: Stack, tmp_path: Path) -> None:
    id = opened(stack, stack.room(), folder=str(tmp_path))

    async with watching(stack, id) as one, watching(stack, id) as other:
        await one.types(b"pwd; stty size; env | grep -c -e ^LOCK_ -e PAL_HOME -e PAL_API_KEY\n")
        for screen in (one, other):
            await screen.shows(b"20 90\r\n0\r\n")
            assert str(tmp_path).encode() in screen.shown
        await other.socket.send_json({"type": "resize", "cols": 120, "rows": 33})
        await one.until(lambda: one.told.get("size", {}).get("cols") == 120)
        await one.types(b"stty size\n")
        await one.shows(b"33 120\r\n")

        stack.daemon.kill()
        await one.until(lambda: one.told.get("state", {}).get("reason"))
        stack.daemon.start()
        await one.is_served()
        await one.types(b"i=0; while [ $i -lt 40000 ]; do echo line-$i; i=$((i+1)); done; echo al''l\n")
        await one.shows(b"all\r\n")
        await other.shows(b"all\r\n")
    whole = one.shown.rpartition(b"all\r\n")[0]  # a prompt may have come to one of them
    assert whole == other.shown.rpartition(b"all\r\n")[0]
    assert len(whole) > 256 << 10

    stack.server.kill()
    stack.server.start()
    async with watching(stack, id) as late:
        await late.shows(b"all\r\n")
        replayed = late.shown.rpartition(b"all\r\n")[0]
        assert whole.endswith(replayed)
        assert len(replayed) > 256 << 10
        await late.is_served()
        await late.types(b"sleep 1000 & echo pid=$!=\n")
        await late.until(lambda: CHILD.search(late.shown))
        found = CHILD.search(late.shown)
        assert found is not None
        child = int(found[1])
        stack.api.post(f"/api/terminals/{id}/close")
        await late.until(lambda: "closed" in late.told)

    assert not is_alive(child)
    assert (terminal(stack, id)["state"], terminal(stack, id)["reason"]) == ("closed", "by owner")


async def test_messages_wait_for_an_agents_terminal_and_go_on_in_the_same_conversation(stack: Stack) -> None:
    room = stack.room()
    agent = stack.agent(room, runtime="talking")
    stack.wait_delivery(stack.mention(room, agent), "acked")
    (first,) = stack.said_by(room, agent)
    id = opened(stack, room, kind="agent", agent=agent)

    async with watching(stack, id) as screen:
        await screen.shows(b"hand on conversation-")
        sent = stack.send(room, "and you?", agent)
        why = stack.api.get(f"/api/messages/{sent['message']['id']}/trace")
        await screen.types(b"still he''re\n")
        await screen.shows(b"still he''re\r\nstill he''re")
        waiting = stack.delivery(sent["message"]["id"])
        stack.api.post(f"/api/terminals/{id}/close")
        await screen.until(lambda: "closed" in screen.told)
    stack.wait_delivery(sent["message"]["id"], "acked")

    assert first.removeprefix("this is ").encode() in screen.shown
    assert waiting["status"] == "pending"
    assert "terminal" in sent["receipts"][0]["text"]
    assert any("terminal" in step["text"] for step in why["steps"])
    assert stack.said_by(room, agent) == [first, first]


def test_the_command_line_is_a_terminal_and_gives_back_its_own(stack: Stack, tmp_path: Path) -> None:
    room = stack.room()
    env = {**stack.env, "PAL_HOME": str(stack.server.home), "TERM": "xterm"}
    argv = [PAL, "shell", "--room", room, "--computer", stack.daemon.computer, "--folder", str(tmp_path)]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 21, 77, 0, 0))
    before = termios.tcgetattr(theirs)
    shown = b""

    def shows(text: bytes) -> bool:
        nonlocal shown
        os.set_blocking(ours, False)
        try:
            shown += os.read(ours, 65536)
        except BlockingIOError:
            pass
        return text in shown

    process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True)
    try:
        os.write(ours, b"echo early-$((40+2))\r")  # long before there is a terminal
        eventually("what was typed first", lambda: shows(b"early-42"), within=LONG_PATIENCE)
        os.write(ours, b"stty size\r")
        eventually("its size", lambda: shows(b"21 77"), within=LONG_PATIENCE)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 99, 0, 0))
        process.send_signal(signal.SIGWINCH)
        eventually("the new size", lambda: (os.write(ours, b"stty size\r"), shows(b"30 99"))[1], within=LONG_PATIENCE)
        os.write(ours, b"\x1d")
        code = process.wait(LONG_PATIENCE)
        after = termios.tcgetattr(theirs)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)

    assert code == 0
    assert after == before
    said = subprocess.run([PAL, "terminal", "--room", room, "--json"], env=env, capture_output=True, check=True)
    (listed,) = json.loads(said.stdout)["terminals"]
    assert listed["state"] == "open"
    typed = subprocess.run(
        [PAL, "attach", listed["id"]],
        env=env,
        input=b"echo pip''ed; exit 4\n",
        capture_output=True,
        timeout=LONG_PATIENCE,
    )
    assert b"piped\r\n" in typed.stdout
    assert (typed.returncode, b"exit code 4" in typed.stderr) == (1, True)


def test_what_was_on_its_way_when_the_connection_broke_is_typed_once(stack: Stack) -> None:
    id = opened(stack, stack.room())
    env = {**stack.env, "PAL_HOME": str(stack.server.home)}
    shown = b""

    with Proxy(port=free_port(), target=stack.server.port) as proxy:
        argv = [PAL, "attach", id, "--server", proxy.url, "--token", stack.api.token or ""]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            os.write(process.stdin.fileno(), b"echo heard-$((40+2))\n")
            while b"heard-42" not in shown:
                piece = os.read(process.stdout.fileno(), 65536)
                assert piece, shown
                shown += piece
            proxy.silence_sockets()
            os.write(process.stdin.fileno(), b"echo again-$((3+4)); exit 0\n")
            proxy.cut()
            rest, _ = process.communicate(timeout=LONG_PATIENCE)

    assert rest.count(b"again-7") == 1
    assert process.returncode == 0


def test_the_command_line_opens_prints_and_closes(stack: Stack) -> None:
    room = stack.room()
    env = {**stack.env, "PAL_HOME": str(stack.server.home)}

    printed = subprocess.run(
        [PAL, "shell", "--room", room, "--computer", stack.daemon.computer, "--print"],
        env=env,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    id = printed.split()[-1]
    closed = subprocess.run(
        [PAL, "terminal", "--close", id], env=env, capture_output=True, check=True, text=True
    ).stdout

    assert printed == f"pal attach {id}\n"
    assert id in closed
    eventually("it is gone", lambda: terminal(stack, id)["closed_at"] is not None, within=LONG_PATIENCE)
