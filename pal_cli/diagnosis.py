"""What `pal doctor` looks at. Each check looks at one thing, changes nothing and never raises."""

import http.client
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pal_cli.port_owner import owner_of_port
from pal_cli.version import installed_version
from pal_server.client.resolve import Place, Unusable, daemon_place, pal_home, same_server, server_place
from pal_server.client.sync import ApiProblem, Client, Unreachable
from pal_server.contract.system import PROTOCOL

ANSWER_WITHIN = 5.0  # seconds
LEAST_FREE = 200 * 1024**2  # bytes; with less a server is about to refuse writes
GOOD_FREE = 1024**3  # bytes
CLOCK_MAY_DIFFER = 30.0  # seconds; leases are counted in durations, but people read the times
_PRIVATE = ("owner.token", "secret.key", "daemon/token", "daemon/key", "server.json")
_LOCAL = ("127.0.0.1", "localhost", "::1")

Answer = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. `remedy` says what to do when it is not well."""

    name: str
    state: Literal["ok", "warn", "fail"]
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def diagnose(*, server: str | None = None, token: str | None = None) -> list[Check]:
    """Everything, in the order in which one would repair it."""
    home = pal_home().absolute()
    checks = [_python(), _program(), *_home(home), _disk(home), *_database(home)]
    try:
        place, daemon = server_place(server=server, token=token), daemon_place()
    except Unusable as error:
        return [*checks, Check(name="settings", state="fail", text=str(error), remedy="Correct that setting.")]
    version, reached = _server(place)
    checks.extend(reached)
    if version is not None:
        checks.extend(_knowing_server(place, version))
    checks.extend(_daemon(daemon, server=place))
    if version is not None:
        checks.extend(_key(home, url=place.url))
        if place.token is not None:
            checks.extend(_agents(place))
    return checks


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check(name="python", state="ok", text=f"Python {version}")


def _program() -> Check:
    found = shutil.which("pal")
    if found:
        return Check(name="path", state="ok", text=f"pal is {found}")
    folder = Path(sys.executable).parent
    return Check(
        name="path",
        state="warn",
        text="pal is not on PATH",
        remedy=f"Add {folder} to PATH, or say `uv run pal` in its folder.",
    )


def _home(home: Path) -> Iterator[Check]:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        yield Check(
            name="home",
            state="fail",
            text=f"{place} cannot be written, so pal cannot keep anything in {home}",
            remedy="Set PAL_HOME to a folder you may write to.",
        )
        return
    yield Check(name="home", state="ok", text=f"{home}" if place == home else f"{home} (made at the first start)")
    if os.name != "posix":
        return
    for name in _PRIVATE:
        file = home / name
        if file.is_file() and file.stat().st_mode & 0o077:
            yield Check(
                name="secrets",
                state="fail",
                text=f"{file} can be read by others on this computer",
                remedy=f"chmod 600 {file}",
            )


def _disk(home: Path) -> Check:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 1024**3:.1f} GiB free for {home}"
    if free < LEAST_FREE:
        return Check(name="disk", state="fail", text=text, remedy="Make room: the server refuses messages when full.")
    if free < GOOD_FREE:
        return Check(name="disk", state="warn", text=text, remedy="Make room soon, or move PAL_HOME.")
    return Check(name="disk", state="ok", text=text)


def _database(home: Path) -> Iterator[Check]:
    named = os.environ.get("LOCK_DB") or os.environ.get("PAL_DB") or str(home / "lock.sqlite")
    if "://" in named:
        yield Check(name="database", state="ok", text="PostgreSQL; the server looks after it (see server)")
        return
    file = Path(named).expanduser().absolute()
    if not file.exists():
        yield Check(name="database", state="ok", text=f"{file} is made at the first start")
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=ANSWER_WITHIN)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found == ["ok"]:
        yield Check(name="database", state="ok", text=f"{file} is whole")
        return
    yield Check(
        name="database",
        state="fail",
        text=f"{file}: {'; '.join(found)}",
        remedy="Stop the server, then `pal server check`; a copy is brought back by `pal server restore FILE`.",
    )


def _server(place: Place) -> tuple[Answer | None, list[Check]]:
    """What the server says of its version; None when no pal answers there."""
    where = f"{place.url} (from {place.url_from})"
    try:
        version = _client(place).call("GET", "/api/version")
    except (Unreachable, ApiProblem) as error:
        return None, [_no_server(place, where, error)]
    if version.get("name") != "pal":
        return None, [_no_server(place, where, Unreachable("what answers there is not pal"))]
    try:
        _client(place).call("GET", "/health/ready")
    except (Unreachable, ApiProblem) as error:
        remedy = "Look at the server's own output; `pal server check` looks at its database."
        return version, [Check(name="server", state="fail", text=f"{where} is not ready: {error}", remedy=remedy)]
    return version, [Check(name="server", state="ok", text=f"{where} is ready")]


def _no_server(place: Place, where: str, error: Exception) -> Check:
    parts = urlsplit(place.url)
    if parts.hostname in _LOCAL:
        owner = owner_of_port(parts.port or 80)
        if owner is not None:
            return Check(
                name="server",
                state="fail",
                text=f"port {parts.port} is taken by {owner}, which is no pal server ({error})",
                remedy="End that program, or start with `pal up --port N` and set PAL_SERVER=http://127.0.0.1:N.",
            )
        remedy = "Start it with `pal up`."
    else:
        remedy = "Is the address right, and is the server running? Set PAL_SERVER, or give --server."
    return Check(name="server", state="fail", text=f"{where} does not answer: {error}", remedy=remedy)


def _knowing_server(place: Place, version: Answer) -> Iterator[Check]:
    yield _version(version)
    yield from _clock(place)
    yield from _token(place)


def _version(version: Answer) -> Check:
    ours, theirs = installed_version(), str(version.get("version"))
    if version.get("protocol") != PROTOCOL:
        return Check(
            name="version",
            state="fail",
            text=f"the server speaks protocol {version.get('protocol')}, this pal {ours} speaks {PROTOCOL}",
            remedy="Install the same version of pal on both.",
        )
    if ours != theirs:
        text = f"the server is pal {theirs}, this is pal {ours}; they understand each other"
        return Check(name="version", state="warn", text=text, remedy="Install the same version on both when you can.")
    return Check(name="version", state="ok", text=f"pal {ours}, the same as the server")


def _clock(place: Place) -> Iterator[Check]:
    before = time.time()
    told = _asked(place, "/health", {}, lambda response: response.getheader("Date"))
    if not told:
        return
    middle = (before + time.time()) / 2
    differs = parsedate_to_datetime(told).timestamp() + 0.5 - middle  # the header has whole seconds
    if abs(differs) <= CLOCK_MAY_DIFFER:
        yield Check(name="clock", state="ok", text="this computer's clock and the server's agree")
        return
    yield Check(
        name="clock",
        state="warn",
        text=f"this computer's clock is {abs(differs):.0f} s {'behind' if differs > 0 else 'ahead of'} the server's",
        remedy="Let both follow a time server (timedatectl set-ntp true).",
    )


def _token(place: Place) -> Iterator[Check]:
    if place.token is None:
        remedy = "Give --token, set PAL_TOKEN, or use the PAL_HOME of that server."
        yield Check(name="token", state="warn", text=f"none for this server: {place.why_no_token}", remedy=remedy)
        return
    try:
        me = _client(place).call("GET", "/api/me")["me"]
    except (Unreachable, ApiProblem) as error:
        yield Check(
            name="token",
            state="fail",
            text=f"the token from {place.token_from} is refused: {error}",
            remedy="Make a new one with `pal console tokens create`, or unset the one that goes before it.",
        )
        return
    role = f", {me['role']}" if me.get("role") else ""
    yield Check(name="token", state="ok", text=f"{me['kind']} {me['name']}{role} (from {place.token_from})")
    yield _websocket(place)


def _websocket(place: Place) -> Check:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "cGFsIGRvY3RvciBsb29rcw==",
        "Authorization": f"Bearer {place.token}",
    }
    status = _asked(place, "/api/ws", headers, lambda response: response.status)
    if status == 101:
        return Check(name="websocket", state="ok", text="the server can be reached by WebSocket")
    return Check(
        name="websocket",
        state="warn",
        text=f"the server cannot be reached by WebSocket (it answered {status or 'nothing'})",
        remedy="A proxy in between must pass on Upgrade. Without it everything works, only slower.",
    )


def _daemon(place: Place, *, server: Place) -> Iterator[Check]:
    where = f"{place.url} (from {place.url_from})"
    try:
        health = _client(place).call("GET", "/health")
    except ApiProblem as problem:
        yield Check(
            name="daemon", state="fail", text=f"{where} refuses: {problem.message}", remedy=_daemon_remedy(place)
        )
        return
    except Unreachable as error:
        port = urlsplit(place.url).port or 80
        owner = owner_of_port(port)
        if owner is not None:
            text, remedy = (
                f"port {port} is taken by {owner}, which is no pal daemon",
                "`pal up --local-port N` chooses another.",
            )
        else:
            text, remedy = f"no daemon at {where}: {error}", "Start it with `pal up` or `pal daemon --api-key …`."
        yield Check(name="daemon", state="fail", text=text, remedy=remedy)
        return
    yield from _daemon_health(health, where=where, server=server)


def _daemon_health(health: Answer, *, where: str, server: Place) -> Iterator[Check]:
    troubles = health.get("troubles") or {}
    if not health.get("connected"):
        text = f"{where} runs, but is not connected to {health.get('server')}"
        yield Check(name="daemon", state="fail", text=text, remedy="Look at its output; is its server running?")
    elif not same_server(str(health.get("server")), server.url):
        text = f"{where} works for {health.get('server')}, and the console would talk to {server.url}"
        yield Check(name="daemon", state="warn", text=text, remedy="Set PAL_SERVER to the one you mean.")
    elif troubles:
        text = f"{where}: " + "; ".join(f"{key}: {value}" for key, value in troubles.items())
        yield Check(name="daemon", state="warn", text=text, remedy="Look at its output for more.")
    else:
        yield Check(name="daemon", state="ok", text=f"{where} is connected to {health.get('server')}")
    ours = installed_version()
    if health.get("version") not in (None, ours):
        text = f"the daemon is pal {health['version']}, this is pal {ours}"
        yield Check(name="daemon", state="warn", text=text, remedy="Start the daemon again after an update.")


def _daemon_remedy(place: Place) -> str:
    if place.token is None:
        return f"{place.why_no_token}. Is it the daemon of another PAL_HOME?"
    return f"The token came from {place.token_from}. Does another PAL_HOME's daemon listen there? Set PAL_DAEMON_URL."


def _key(home: Path, *, url: str) -> Iterator[Check]:
    """This computer's key: the one that `pal up` keeps, or the variable that goes before it."""
    key, source = os.environ.get("PAL_API_KEY"), "PAL_API_KEY"
    if not key:
        file = home / "daemon" / "key"
        try:
            key, source = file.read_text("utf-8").strip(), str(file)
        except OSError:
            return
    try:
        me = Client(url, key, timeout=ANSWER_WITHIN).call("GET", "/api/me")["me"]
    except ApiProblem as problem:
        yield Check(
            name="key",
            state="fail",
            text=f"the computer's key from {source} is refused: {problem.message}",
            remedy="It was rotated, revoked or is another server's. `pal up` makes a new one; by hand: "
            "`pal console computers provision --name N`.",
        )
        return
    except Unreachable:
        return
    yield Check(name="key", state="ok", text=f"computer {me.get('computer') or me['name']} (key from {source})")


def _agents(place: Place) -> Iterator[Check]:
    try:
        agents = _client(place).call("GET", "/api/agents", query={"limit": 200})["agents"]
        computers = _client(place).call("GET", "/api/computers", query={"limit": 200})["computers"]
    except (Unreachable, ApiProblem):
        return  # the token may not see them; told above
    if not agents:
        remedy = "`pal console agents onboard --interactive` makes one."
        yield Check(name="agents", state="fail", text="there is no agent, so nobody answers", remedy=remedy)
        return
    states = {computer["id"]: computer["status"] for computer in computers}
    troubled = [check for agent in agents for check in _agent(agent, states)]
    yield from troubled
    if not troubled:
        yield Check(name="agents", state="ok", text=", ".join(agent["key"] for agent in agents))


def _agent(agent: Answer, states: dict[str, str]) -> Iterator[Check]:
    key, computer = agent["key"], agent.get("computer")
    if not agent.get("enabled", True):
        text, remedy = f"{key} is disabled", f"`pal console agents update --key {key} --enable`"
    elif computer is None:
        text = f"{key} is assigned to no computer"
        remedy = f"`pal console agents update --key {key} --computer-id ID`; `pal console computers list` has the ids."
    elif states.get(computer) not in ("online", None):
        text = f"{key} runs on {computer}, which is {states[computer]}"
        remedy = "Start the daemon there; here it is `pal up`."
    elif agent["runtime_state"] == "unavailable":
        text = f"{key}: its runtime {agent['runtime']} is not available"
        remedy = agent.get("runtime_note") or "Install its program on that computer."
    elif agent["runtime"] == "command" and not agent.get("command_allowed"):
        text = f"{key}: its command is not allowed yet"
        remedy = f"An administrator allows it: `pal console agents update --key {key} --command '…'`"
    else:
        return
    yield Check(name="agents", state="warn", text=text, remedy=str(remedy))


def _client(place: Place) -> Client:
    return Client(place.url, place.token, timeout=ANSWER_WITHIN)


def _asked(place: Place, path: str, headers: dict[str, str], read: Callable[[http.client.HTTPResponse], T]) -> T | None:
    """Something about the raw answer to a GET; None when there was none."""
    parts = urlsplit(place.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWER_WITHIN)
    try:
        connection.request("GET", parts.path.rstrip("/") + path, headers=headers)
        return read(connection.getresponse())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
