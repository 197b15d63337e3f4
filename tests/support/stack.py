"""A server and its daemons as real processes in a home of their own, and the verbs a test says to them.

Promises: everything is started with a `pal` command line, servers and daemons by a process that has loaded it
(`warm.py`); a part that is started again has its port and home again; whatever was started below the stack's folder is
gone after `close`, and nothing else is ever signalled.
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from tests.support.faults import end_processes_of
from tests.support.patience import LONG_PATIENCE
from tests.support.ports import free_port
from tests.support.warm import WarmProcess, start_warm

PAL = str(Path(sys.executable).with_name("pal"))
AGENT = Path(__file__).parent.parent / "acceptance" / "agent_program.py"
LOOK_EVERY = 0.02  # seconds between the first looks at something that is waited for; a look may be a request
LOOK_SELDOM = 0.1  # seconds between later ones: a twentieth of the time it has taken so far, up to this
FINAL = ("acked", "failed", "interrupted", "cancelled", "dead")
ENDED = ("succeeded", "failed", "cancelled", "interrupted", "dry_run")

T = TypeVar("T")
Json = dict[str, Any]
_numbers = itertools.count(1)


class Refused(AssertionError):
    """The server said no. An AssertionError, so that an unexpected one is a failed test and not a broken one."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(f"{status} {error.get('code')}: {error.get('message')} {error.get('facts')}")
        self.status = status
        self.code = str(error.get("code"))
        self.message = str(error.get("message"))
        self.facts: Json = error.get("facts") or {}


class Silent(Exception):
    """No answer came; the request may have been carried out."""


def eventually(what: str, look: Callable[[], T], *, within: float = LONG_PATIENCE) -> T:
    """The first true answer of `look`. AssertionError says what never came true and what was seen last."""
    began_at = time.monotonic()
    while True:
        seen = look()
        if seen:
            return seen
        waited = time.monotonic() - began_at
        if waited > within:
            raise AssertionError(f"not within {within:g} s: {what} (seen last: {seen!r})")
        time.sleep(min(max(LOOK_EVERY, waited / 20), LOOK_SELDOM))


def new_name(word: str) -> str:
    """Unlike any other in this stack."""
    return f"{word}-{next(_numbers)}"


class Api:
    """The server over HTTP with one credential; each call is a connection of its own."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.token = token

    def get(self, path: str, **query: object) -> Json:
        given = {name: value for name, value in query.items() if value is not None}
        return self.call("GET", path + (f"?{urlencode(given)}" if given else ""))

    def post(self, path: str, body: object = None) -> Json:
        return self.call("POST", path, {} if body is None else body)

    def call(self, method: str, path: str, body: object = None, *, timeout: float = 30.0) -> Json:
        """The answer. Refused when the server says no, Silent when it says nothing."""
        content = None if body is None else json.dumps(body).encode()
        status, raw = self.raw(method, path, content, timeout=timeout)
        try:
            answer: Json = json.loads(raw or b"null")
        except ValueError:
            raise Silent(f"{method} {path}: {status} {raw[:200]!r}") from None
        if status >= 400:
            raise Refused(status, answer["error"])
        return answer

    def raw(
        self, method: str, path: str, content: bytes | None, *, timeout: float = 30.0, headers: Mapping[str, str] = {}
    ) -> tuple[int, bytes]:
        """Status and body, whatever they are."""
        parts = urlsplit(self.url)
        line = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        sent = {"Connection": "close", "Content-Type": "application/json", **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        try:
            line.request(method, path, content, sent)
            answer = line.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise Silent(f"{method} {path}: {error!r}") from error
        finally:
            line.close()


class Part:
    """One `pal …` process: its log, its signals, its end."""

    def __init__(self, name: str, argv: list[str], *, env: dict[str, str], log: Path) -> None:
        self.name = name
        self.argv = argv
        self.env = env
        self.log = log
        self.process: subprocess.Popen[bytes] | WarmProcess | None = None
        self._began_at = 0  # bytes of the log

    def spawn(self, *more: str, preexec: Callable[[], None] | None = None) -> None:
        self._began_at = self.log.stat().st_size if self.log.exists() else 0
        argv = [PAL, *self.argv, *more]
        with self.log.open("ab") as out:
            if sys.platform == "linux" and preexec is None and "PYTHONPATH" not in self.env:
                self.process = start_warm(argv, env=self.env, log=out.fileno())
                return
            self.process = subprocess.Popen(
                argv,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=preexec,
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and reaped when this returns."""
        if self.is_running:
            with suppress(ProcessLookupError):  # it was killed a moment ago, and its parent was quicker than we
                self.signal(signal.SIGKILL)
        self.wait_end()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.is_running:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGTERM)
        return self.wait_end()

    def wait_end(self, within: float = LONG_PATIENCE) -> int:
        assert self.process is not None
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {within:g} s\n{self.tail()}") from None

    def said(self) -> str:
        """Everything it said since it was started last."""
        with self.log.open("rb") as file:
            file.seek(self._began_at)
            return file.read().decode("utf-8", "replace")

    def wait_said(self, words: str, *, within: float = LONG_PATIENCE) -> None:
        def look() -> bool:
            if words in self.said():
                return True
            assert self.is_running, f"{self.name} ended with {self.process and self.process.returncode}\n{self.tail()}"
            return False

        eventually(f"{self.name} says {words!r}", look, within=within)

    def tail(self, lines: int = 60) -> str:
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return f"--- {self.name} ---\n" + "\n".join(text.splitlines()[-lines:])


class Server(Part):
    """`pal server run` in `home`."""

    def __init__(self, home: Path, *, port: int, env: dict[str, str], db: str | None = None) -> None:
        self.home = home
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        argv = ["server", "run", "--port", str(port), "--log-level", "info", *(["--db", db] if db else [])]
        home.mkdir(exist_ok=True, parents=True)
        super().__init__("server", argv, env={**env, "PAL_HOME": str(home)}, log=home.parent / "server.log")

    def start(self, **how: Any) -> None:
        """Return once it answers."""
        self.spawn(**how)
        self.wait_said("pal server at ")

    def owner(self, url: str | None = None) -> Api:
        return Api(url or self.url, (self.home / "owner.token").read_text().strip())


class Daemon(Part):
    """`pal daemon` in a home of its own, for one computer."""

    def __init__(self, home: Path, *, computer: str, key: str, server: str, env: dict[str, str], interval: int) -> None:
        self.home = home
        self.computer = computer
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        home.mkdir(exist_ok=True, parents=True)
        argv = ["daemon", "--server", server, "--interval", str(interval), "--local-port", str(self.port)]
        env = {**env, "PAL_HOME": str(home), "PAL_API_KEY": key}
        super().__init__(f"daemon {home.name}", argv, env=env, log=home.parent / f"daemon-{home.name}.log")

    def start(self, *more: str) -> None:
        """Return once the server knows it."""
        self.spawn(*more)
        self.wait_said("is connected to")

    def health(self) -> Json:
        return Api(self.url, (self.home / "daemon" / "token").read_text().strip()).get("/health")

    def wait_socket(self, *, within: float = LONG_PATIENCE) -> None:
        eventually(f"{self.name} has its wake-up socket", lambda: self.health()["socket"], within=within)

    def run_folder(self, run: int) -> Path:
        return self.home / "daemon" / "runs" / str(run)


class Stack:
    """One server, its daemons, and what a test asks of them. `api` speaks as the owner."""

    def __init__(self, folder: Path, *, db: str | None = None) -> None:
        """`db` as in PAL_DB; a file in the server's home without it."""
        self.folder = folder
        self.marks = folder / "marks"
        (self.marks / "go").mkdir(parents=True)
        (folder / "user").mkdir()
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder / "user"),
            "LANG": "C.UTF-8",
        }
        self.server = Server(folder / "server", port=free_port(), env=self.env, db=db)
        self.daemons: list[Daemon] = []
        self._api: Api | None = None

    # Parts

    def start(self, *, interval: int = 500) -> Stack:
        """A server with one daemon, both ready; the daemon's home is the server's, as `pal up` has it."""
        self.server.start()
        self.add_daemon(home=self.server.home, interval=interval).start()
        self.daemon.wait_socket()
        return self

    def add_daemon(
        self, *, server: str | None = None, home: Path | None = None, interval: int = 500, key_of: Daemon | None = None
    ) -> Daemon:
        """A daemon that is not started yet, for a computer of its own or for that of `key_of`."""
        name = new_name("box")
        home = home or self.folder / name
        if key_of is None:
            answer = self.api.post("/api/computers/provision", {"name": name})
            computer, key = answer["computer"]["id"], answer["api_key"]
        else:
            computer, key = key_of.computer, key_of.env["PAL_API_KEY"]
        url = server or self.server.url
        daemon = Daemon(home, computer=computer, key=key, server=url, env=self.env, interval=interval)
        self.daemons.append(daemon)
        return daemon

    @property
    def daemon(self) -> Daemon:
        return self.daemons[0]

    @property
    def api(self) -> Api:
        self._api = self._api or self.server.owner()
        return self._api

    def close(self) -> None:
        for part in (self.server, *self.daemons):
            if part.process is not None:
                part.kill()
        end_processes_of(self.folder)

    def logs(self) -> str:
        return "\n".join(part.tail() for part in (self.server, *self.daemons))

    # Who there is

    def room(self) -> str:
        name = new_name("room")
        self.api.post("/api/rooms", {"name": name})
        return name

    def agent(
        self,
        room: str,
        *does: str,
        runtime: str = "command",
        computer: str | None = "",
        mode: str = "mentions",
        key: str | None = None,
        command: str | None = None,
        **more: object,
    ) -> str:
        """A new agent in the room. As a command agent it does what `agent_program.py` calls `does`."""
        key = key or new_name("agent")
        body: Json = {"agent_key": key, "runtime": runtime, **more}
        if runtime == "command":
            program = [sys.executable, "-I", "-S", str(AGENT), str(self.marks), *(does or ("reply",))]
            body["command"] = shlex.join(program) if command is None else command
        self.api.post("/api/agents", body)
        if computer is not None:
            self.api.post(f"/api/agents/{key}/assignment", {"computer_id": computer or self.daemon.computer})
        self.api.post(f"/api/rooms/{room}/agents", {"agent": key, "mode": mode})
        return key

    # What is said

    def send(self, room: str, content: str, *mentions: str, api: Api | None = None, **more: object) -> Json:
        """The answer of POST /api/messages."""
        body = {"room": room, "content": content, "mentions": list(mentions), **more}
        return (api or self.api).post("/api/messages", body)

    def mention(self, room: str, agent: str, content: str = "hello", **more: object) -> int:
        """Say something to an agent; the message's id."""
        return int(self.send(room, content, agent, **more)["message"]["id"])

    def messages(self, room: str, **query: object) -> list[Json]:
        """All of a room, oldest first."""
        found: list[Json] = []
        after = 0
        while page := self.api.get("/api/messages", room=room, after=after, limit=200, **query)["messages"]:
            found += page
            after = page[-1]["id"]
        return found

    def said_by(self, room: str, agent: str) -> list[str]:
        """What the agent said itself, cards left out."""
        return [
            message["content"]
            for message in self.messages(room)
            if message["sender"]["name"] == agent and message["kind"] == "text"
        ]

    # What becomes of it

    def delivery(self, message: int, *, agent: str | None = None) -> Json:
        """The one delivery of a message."""
        found = self.api.get("/api/deliveries", message=message)["deliveries"]
        found = [one for one in found if agent is None or one["agent"] == agent]
        assert len(found) == 1, f"{len(found)} deliveries of message {message}: {found}"
        return dict(found[0])

    def wait_delivery(self, message: int, *status: str, within: float = LONG_PATIENCE) -> Json:
        """The message's delivery once it is in one of the states; a final one by default."""
        wanted = status or FINAL
        seen: Json = {}

        def look() -> Json | None:
            nonlocal seen
            seen = self.delivery(message)
            return seen if seen["status"] in wanted else None

        return eventually(f"delivery of {message} is {' or '.join(wanted)}", look, within=within)

    def runs(self, message: int) -> list[Json]:
        """The message's runs, oldest first."""
        delivery = self.delivery(message)
        found = self.api.get("/api/runs", agent=delivery["agent"], topic=delivery["topic"], limit=200)["runs"]
        return sorted((run for run in found if run["message"] == message), key=lambda run: int(run["id"]))

    def run(self, run: int) -> Json:
        return dict(self.api.get(f"/api/runs/{run}")["run"])

    def wait_run(self, message: int, *status: str, within: float = LONG_PATIENCE) -> Json:
        """The newest run of the message once it is in one of the states; an ended one by default."""
        wanted = status or ENDED

        def look() -> Json | None:
            run = self.delivery(message)["run"]
            seen = None if run is None else self.run(run)
            return seen if seen is not None and seen["status"] in wanted else None

        return eventually(f"run of {message} is {' or '.join(wanted)}", look, within=within)

    def output(self, run: int, kind: str = "output") -> str:
        """The texts of one kind of event, joined; asserts that every number is there, once."""
        found: list[Json] = []
        after: object = 0
        while True:
            page = self.api.get(f"/api/runs/{run}/events", after=after, limit=200)
            found += page["events"]
            after = page["next"]
            if after is None:
                break
        assert [event["seq"] for event in found] == sorted({event["seq"] for event in found})
        return "".join(event["text"] or "" for event in found if event["kind"] == kind)

    def interaction(self, run: int, *, within: float = LONG_PATIENCE) -> Json:
        """The one that waits for a person in this run."""

        def look() -> Json | None:
            found = self.api.get("/api/interactions", status="pending", run=run)["interactions"]
            return dict(found[0]) if found else None

        return eventually(f"run {run} asks something", look, within=within)

    # The agents, from outside

    def starts(self, message: int | None = None, agent: str | None = None) -> list[Json]:
        """What the command agents wrote when they started, one for each process, in order."""
        file = self.marks / "starts"
        lines = file.read_text().splitlines() if file.exists() else []
        marks = [json.loads(line) for line in lines]
        return [m for m in marks if message in (None, m["message"]) and agent in (None, m["agent"])]

    def wait_started(self, message: int, *, within: float = LONG_PATIENCE) -> Json:
        """The newest process that was started for the message."""
        return eventually(f"a process starts for {message}", lambda: self.starts(message), within=within)[-1]

    def let_go(self, name: object) -> None:
        """Let the agents that wait for this message, or this agent's, go on."""
        (self.marks / "go" / str(name)).touch()

    def report(self, name: str) -> Any:
        """What an agent wrote down under that name; waits until it is there."""
        file = self.marks / name
        eventually(f"an agent reports {name}", file.exists)
        return json.loads(file.read_text())

    # The command line

    def pal(
        self,
        *words: str,
        env: Mapping[str, str] = {},
        daemon: Daemon | None = None,
        input: str | None = None,
        within: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """`pal …` as the person at the first daemon's computer would say it."""
        daemon = daemon or (self.daemons[0] if self.daemons else None)
        more = {"PAL_HOME": str(self.server.home)} | ({} if daemon is None else {"PAL_DAEMON_URL": daemon.url})
        return subprocess.run(
            [PAL, *words],
            env={**self.env, **more, **env},
            input=input,
            capture_output=True,
            text=True,
            timeout=within,
            cwd=self.folder / "user",
            check=False,
        )

    def pal_json(self, *words: str) -> Json:
        """What the command prints with `--json`; it has to succeed."""
        done = self.pal(*words, "--json")
        assert done.returncode == 0, f"pal {shlex.join(words)}: {done.returncode}\n{done.stderr}"
        return dict(json.loads(done.stdout))


def segment(text: str) -> str:
    return quote(text, safe="")
