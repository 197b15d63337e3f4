"""How soon people hear of what an agent does: its first words, what it asks; and what holding answers back costs it."""

import http.client
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep, time

from tests.bench.daemons import Working, working
from tests.bench.figure import Bench, Figure, Seen
from tests.bench.statistics import median, percentile

FIRST = Figure(name="first-event", what="a run's first line → seen by a watcher, p99", unit="ms", limit=200)
CARD = Figure(
    name="card", what="a message stored → what its agent asks stands in the topic, p99", unit="ms", limit=2_000
)
FRESH = Figure(name="freshness", what="what a room that holds answers back adds to one, p50", unit="ms", limit=50)
FIGURES = (FIRST, CARD, FRESH)
ANSWER_FOR = 30.0  # seconds
LOOK_EVERY = 0.01  # seconds
# Waits for its file, so that a watcher is there before its first line.
FIRST_LINE = """
import os, sys, time
while not os.path.exists(sys.argv[1] + "/" + os.environ["PAL_RUN_ID"]):
    time.sleep(0.005)
print(time.time(), flush=True)
"""
# Says so many things in its topic, each timed; prints the milliseconds.
POSTS = """
import http.client, json, os, sys, time
from urllib.parse import urlsplit
place = urlsplit(os.environ["PAL_DAEMON_URL"])
line = http.client.HTTPConnection(place.hostname, place.port)
headers = {"Authorization": "Bearer " + os.environ["PAL_RUN_TOKEN"], "Content-Type": "application/json"}
took = []
for number in range(int(sys.argv[1])):
    body = {"room": os.environ["PAL_ROOM"], "topic": int(os.environ["PAL_TOPIC"]), "content": str(number)}
    begun = time.perf_counter()
    line.request("POST", "/api/messages", json.dumps(body), headers)
    answer = line.getresponse()
    answer.read()
    assert answer.status == 201, answer.status
    took.append((time.perf_counter() - begun) * 1000)
print(json.dumps(took))
"""


def measure(bench: Bench) -> Iterator[Seen]:
    with working(bench.folder / "hearing") as place:
        first = _first_events(place, bench.folder, count=bench.pick(60, quick=15))
        yield Seen(figure=FIRST, value=percentile(first, 0.99), facts={"p50 ms": round(median(first))})
        cards = [_card(place, number) for number in range(bench.pick(60, quick=15))]
        yield Seen(figure=CARD, value=percentile(cards, 0.99), facts={"p50 ms": round(median(cards))})
        plain, held = _posts(place, bench.folder, count=bench.pick(40, quick=20))
        facts = {"as it is p50 ms": round(plain, 2), "held back p50 ms": round(held, 2)}
        yield Seen(figure=FRESH, value=held - plain, facts=dict(facts))


def _command(script: Path, text: str, *arguments: object) -> str:
    script.write_text(text)
    return shlex.join([sys.executable, str(script), *map(str, arguments)])


def _first_events(place: Working, folder: Path, *, count: int) -> list[float]:
    """Milliseconds from the moment a program says to the arrival here of the event that has it."""
    go = folder / "go"
    go.mkdir()
    place.command_agent("first", _command(folder / "first_line.py", FIRST_LINE, go))
    return [_first_event(place, go) for _ in range(count)]


def _first_event(place: Working, go: Path) -> float:
    api = place.server.api
    message = api.post("/api/messages", room="general", content="@first go")["message"]["id"]
    run = _until(lambda: [run["id"] for run in api.get("/api/runs", agent="first", status="running")["runs"]])[0]
    connection = http.client.HTTPConnection("127.0.0.1", place.server.port, timeout=30)
    headers = {"Authorization": f"Bearer {api.token}", "Accept": "text/event-stream"}
    connection.request("GET", f"/api/runs/{run}/events?after=0", headers=headers)
    response = connection.getresponse()
    (go / str(run)).touch()
    took = None
    while took is None and (line := response.readline()):
        if line.startswith(b"data:") and b'"output"' in line:
            took = (time() - float(json.loads(line[5:])["text"])) * 1000
    connection.close()
    _until(lambda: _said(place, after=message, by="first"))
    if took is None:
        raise RuntimeError(f"run {run} said nothing")
    return took


def _card(place: Working, number: int) -> float:
    """Milliseconds from the message's own moment to its agent's card; the agent is denied it afterwards."""
    api = place.server.api
    if not number:
        computer = api.get("/api/computers")["computers"][0]["id"]
        api.post("/api/agents", agent_key="asking", runtime="demo", computer_id=computer)
        if "asking" not in [member["name"] for member in api.get("/api/rooms/general/members")["members"]]:
            api.post("/api/rooms/general/agents", agent="asking")
    message = api.post("/api/messages", room="general", content=f"@asking /approve {number}")["message"]
    asked = _until(lambda: api.get("/api/interactions", status="pending")["interactions"])[0]
    took = time() * 1000 - float(message["created_at"])
    api.post(f"/api/interactions/{asked['id']}/answer", decision="deny")
    _until(lambda: _said(place, after=message["id"], by="asking"))
    return took


def _posts(place: Working, folder: Path, *, count: int) -> tuple[float, float]:
    """Milliseconds that saying something takes a run where nothing is held back, and where it is; they take turns."""
    place.command_agent("posting", _command(folder / "posts.py", POSTS, count))
    took: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(3):
        for is_fresh, each in took.items():
            _set_fresh(place, is_fresh)
            sent = place.server.api.post("/api/messages", room="general", content="@posting go")["message"]["id"]
            run = _until(lambda sent=sent: _ended(place, message=sent))
            events = place.server.api.get(f"/api/runs/{run}/events", limit=200)["events"]
            each += json.loads("".join(event["text"] for event in events if event["kind"] == "output"))
    return median(took[False]), median(took[True])


def _set_fresh(place: Working, is_fresh: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", place.server.port, timeout=30)
    headers = {"Authorization": f"Bearer {place.server.api.token}", "Content-Type": "application/json"}
    connection.request("PATCH", "/api/rooms/general", json.dumps({"fresh": is_fresh}), headers)
    if (answer := connection.getresponse()).status != 200:
        raise RuntimeError(f"the room cannot be changed: {answer.read()!r}")
    connection.close()


def _ended(place: Working, *, message: int) -> int | None:
    for run in place.server.api.get("/api/runs", agent="posting", limit=5)["runs"]:
        if run["message"] == message and run["status"] not in ("starting", "running"):
            return int(run["id"])
    return None


def _said(place: Working, *, after: int, by: str) -> bool:
    messages = place.server.api.get("/api/messages", room="general", after=after)["messages"]
    return any(message["sender"]["name"] == by for message in messages)


def _until(look):
    """The first true answer."""
    until = monotonic() + ANSWER_FOR
    while monotonic() < until:
        if found := look():
            return found
        sleep(LOOK_EVERY)
    raise TimeoutError("nothing came of it")
