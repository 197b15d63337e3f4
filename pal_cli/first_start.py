"""What `pal up` sets up on its first start: this computer, its key, and agents to talk to.

Everything here may be interrupted and said again: a computer is provisioned only when there is no good key, and the
agents are made once, so that one somebody deleted stays deleted.
"""

import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pal_server.client.resolve import Place
from pal_server.client.sync import ApiProblem, Client, Unreachable
from pal_server.client.terminal.line import Line, NotLetIn
from pal_server.client.terminal.output import note

ONLINE_WITHIN = 30.0  # seconds; what the contract grants a daemon to show up
_NEEDS_MORE = ("demo", "command", "http", "manual", "acp", "openai")  # no programs that one finds and starts
_DISPLAY_NAMES = {"claude-code": "Claude Code", "codex": "Codex", "gemini": "Gemini", "cursor": "Cursor"}

Computer = dict[str, Any]


def owner_line(*, url: str, home: Path) -> Line:
    """The line to our own server as its owner."""
    file = home / "owner.token"
    try:
        token, source = file.read_text("utf-8").strip(), str(file)
    except OSError:
        token, source = os.environ.get("PAL_TOKEN", ""), "PAL_TOKEN"
    why_not = f"there is no {file}; set PAL_TOKEN to a token of an owner"
    place = Place(url=url, url_from="pal up", token=token or None, token_from=source, why_no_token=why_not)
    return Line(place=place, party="server")


def computer_key(owner: Line, *, home: Path) -> str:
    """This computer's key: the kept one while it is good, else a new one, of the same computer if it still may."""
    file = home / "daemon" / "key"
    kept = _read(file)
    if kept and computer_of(owner.place.url, kept) is not None:
        return kept
    given = _key_of_known_computer(owner, home=home) if kept else None
    if given is None:
        given = _provision(owner)
        _marker(home).unlink(missing_ok=True)  # another computer than before, so its agents are to be made
    # The id first: should we die in between, the next start finds a computer that nobody uses and takes it.
    _write_private(home / "daemon" / "computer", given["computer"]["id"] + "\n")
    _write_private(file, given["api_key"] + "\n")
    return str(given["api_key"])


def computer_of(url: str, key: str) -> str | None:
    """The id of the computer a key belongs to; None when the server does not take the key."""
    place = Place(url=url, url_from="pal up", token=key, token_from="the computer's key")
    try:
        me = Line(place=place, party="server").get("/api/me")["me"]
    except NotLetIn:
        return None
    return str(me["computer"]) if me.get("computer") else None


def is_set_up(home: Path) -> bool:
    """Whether the agents of the first start were made already."""
    return _marker(home).exists()


def make_demo_agent(owner: Line, *, computer: str) -> None:
    """The agent that needs nothing, for first steps."""
    _make_agent(owner, key="demo", name="Demo", runtime="demo", computer=computer, about="Answers by simple rules.")


def make_program_agents(owner: Line, *, home: Path, computer: Computer) -> None:
    """An agent for each agent program this computer's daemon found; then remember that it was done."""
    for runtime in computer.get("runtimes", []):
        name = runtime["name"]
        if runtime["available"] and name not in _NEEDS_MORE:
            shown = _DISPLAY_NAMES.get(name, name)
            _make_agent(owner, key=name, name=shown, runtime=name, computer=computer["id"], about="")
    _write_private(_marker(home), "the agents of the first start were made\n")


def wait_until_online(
    owner: Line, *, computer: str, is_connected: Callable[[], bool], is_over: Callable[[], bool]
) -> Computer | None:
    """The computer once its daemon is connected; None after `ONLINE_WITHIN` or when `is_over` says so.

    The server alone would not do: it calls a computer online for a while after its daemon was killed.
    """
    until = time.monotonic() + ONLINE_WITHIN
    while time.monotonic() < until and not is_over():
        if is_connected():
            found = next((c for c in owner.get("/api/computers", limit=200)["computers"] if c["id"] == computer), None)
            if found is not None and found["status"] in ("online", "draining"):
                return dict(found)
        time.sleep(0.05)
    return None


def is_connected_daemon(place: Place, *, pid: int) -> bool:
    """Whether the daemon there is that process, and connected to its server."""
    try:
        health = Client(place.url, place.token, timeout=5).call("GET", "/health")
    except (ApiProblem, Unreachable):
        return False
    return health.get("pid") == pid and health.get("connected") is True


def _make_agent(owner: Line, *, key: str, name: str, runtime: str, computer: str, about: str) -> None:
    existing = {agent["key"]: agent for agent in owner.get("/api/agents", limit=200)["agents"]}
    if key in existing and _status(owner, existing[key].get("computer")) not in (None, "revoked"):
        return  # somebody's already, perhaps on another computer
    body: dict[str, object] = {"agent_key": key, "display_name": name, "runtime": runtime, "computer_id": computer}
    if about:
        body["description"] = about
    owner.post("/api/agents/onboard", body)


def _key_of_known_computer(owner: Line, *, home: Path) -> dict[str, Any] | None:
    """A new key for the computer this home had, unless it is gone or its key now serves a daemon elsewhere."""
    known = _read(home / "daemon" / "computer")
    if _status(owner, known) not in ("offline", "provisioned"):
        note("the key of this computer is no longer good; it becomes a new computer")
        return None
    note("the key of this computer is no longer good; it gets a new one")
    return owner.post(f"/api/computers/{known}/rotate")


def _status(owner: Line, computer: str | None) -> str | None:
    """The status of a computer; None when there is none of that id."""
    computers = owner.get("/api/computers", limit=200)["computers"] if computer else []
    return next((str(one["status"]) for one in computers if one["id"] == computer), None)


def _provision(owner: Line) -> dict[str, Any]:
    name = re.sub(r"[^\w.-]+", "-", platform.node().split(".")[0]).strip("-") or "this-computer"
    for attempt in range(1, 100):
        body = {"name": name if attempt == 1 else f"{name}-{attempt}", "server_url": owner.place.url}
        try:
            return owner.post("/api/computers/provision", body)
        except ApiProblem as problem:
            if problem.status != 409:
                raise
    raise RuntimeError(f"a hundred computers are named {name}")


def _marker(home: Path) -> Path:
    return home / "daemon" / "agents-made"


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""


def _write_private(file: Path, text: str) -> None:
    """Put the text there whole or not at all, readable by its owner alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    part.replace(file)
