"""`pal chaos`: break an installed pal on purpose, in a home of its own, and count what came of it (BX-1)."""

import http.client
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated

import typer

from pal_cli.throwaway import AGENT, ROOMS, NotReady, Throwaway
from pal_server.client.sync import ApiProblem, Unreachable
from pal_server.client.terminal.exits import BUG, WrongUsage
from pal_server.client.terminal.output import note, say, say_json
from pal_server.client.terminal.typed import new_app, run_app

SETTLE_WITHIN = 240.0  # seconds; a claim whose answer was lost waits until a lease ends, twice at most
STRIKE_EVERY = (1.0, 4.0)  # seconds between two things that happen to a process
FINAL = ("acked", "failed", "interrupted", "cancelled", "dead")
WRONG = (  # of these none may be
    "lost",
    "doubled",
    "doubtful_unmarked",
    "marked_without_doubt",
    "interrupted_silently",
    "silent_reruns",
    "unsettled",
)

app = new_app("", no_args_is_help=False)


@dataclass(slots=True)
class Said:
    """What was sent. `acknowledged` are client_ids the server has answered for."""

    all: list[str] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)


@app.command()
def chaos(
    seconds: Annotated[float, typer.Option(min=1, max=86_400, metavar="N", help="How long things are broken.")] = 20.0,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same order of faults again.")] = None,
    chats: Annotated[bool, typer.Option("--chats", help="By way of Lark, Slack and DingTalk on loopback.")] = False,
    faults: Annotated[
        int, typer.Option("--faults", min=0, max=1_000_000, metavar="N", help="With --chats: until so many, too.")
    ] = 0,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on stdout."),
) -> None:
    """Kill and break a throw-away pal while messages are sent, and count what was lost or done twice.

    Starts a server and a daemon with the demo agent in a temporary home on 127.0.0.1. Your own pal is not touched.
    Answers are thrown away, messages are sent again, processes are stopped for a moment and killed. With --chats the
    three chat platforms run on loopback with their real SDKs, people mention bots there, and calls, sockets, tokens and
    acknowledgements break as well. Exits 1 unless nothing was lost, doubled or silently run again, what may be a repeat
    says so in the chat and nothing else does, and an interrupted run says so on its card.

    \b
    Examples:
      pal chaos
      pal chaos --seconds 600 --seed 11
      pal chaos --chats --faults 2000
      pal chaos --json
    """
    if os.name != "posix":
        raise WrongUsage("pal chaos stops processes with signals, which this system does not have")
    chosen = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    try:
        with Throwaway() as pal:
            note(f"breaking things for {seconds:g} s, seed {chosen}")
            if chats:
                from pal_cli.chaos.run import break_chats  # loads asyncio and aiohttp

                outcome = break_chats(pal, seconds=seconds, faults=faults, seed=chosen)
                sent, struck, counts = outcome.said, outcome.faults, outcome.counts
            else:
                said = break_things(pal, seconds=seconds, chance=random.Random(chosen))
                open_ones = settle(pal)
                sent, struck, counts = len(said.all), said.faults, count(pal, said) | {"unsettled": open_ones}
    except (NotReady, TimeoutError) as error:
        note(f"pal chaos: {error or 'the bots do not come up'}")
        raise typer.Exit(BUG) from None
    is_well = not any(counts.get(name, 0) for name in WRONG)
    many = sum(struck.values())
    if as_json:
        done = {"sent": sent, "faults": many, "faults_by_kind": dict(struck)}
        say_json({"ok": is_well, "seed": chosen, **done, **counts})
    else:
        say(f"sent                 {sent}")
        say(f"faults               {many}: " + ", ".join(f"{n} {kind}" for kind, n in sorted(struck.items())))
        for name, number in counts.items():
            say(f"{name.replace('_', ' '):20} {number}")
    if not is_well:
        raise typer.Exit(BUG)


def break_things(pal: Throwaway, *, seconds: float, chance: random.Random) -> Said:
    """Send and break for as long. Everything runs again when this returns."""
    said = Said()
    until = time.monotonic() + seconds
    strike_at = time.monotonic() + chance.uniform(*STRIKE_EVERY)
    while time.monotonic() < until:
        client_id = f"chaos-{len(said.all)}"
        said.all.append(client_id)
        _send(pal, client_id, said, chance)
        if time.monotonic() >= strike_at:
            _strike(pal, said, chance)
            strike_at = time.monotonic() + chance.uniform(*STRIKE_EVERY)
        time.sleep(chance.uniform(0.05, 0.3))
    return said


def settle(pal: Throwaway) -> int:
    """Wait until every delivery has ended; how many have not within `SETTLE_WITHIN`."""
    until = time.monotonic() + SETTLE_WITHIN
    while True:
        left = sum(one["status"] not in FINAL for one in pal.all_of("deliveries"))
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)


def count(pal: Throwaway, said: Said) -> dict[str, int]:
    """What the rooms and the books say in the end.

    lost: acknowledged, and not in the room or never given to the agent, or ended well without an answer. doubled: in
    the room twice, given twice, answered twice. doubtful: interrupted, which its receipt says, and left to a person.
    """
    messages = [message for room in ROOMS for message in pal.all_of("messages", room=room)]
    deliveries = pal.all_of("deliveries")
    texts = [message for message in messages if message["kind"] == "text"]
    in_room = {m["id"]: m["content"] for m in texts if m["sender"]["kind"] == "user"}
    seen = Counter(_client_id(content) for content in in_room.values())
    given = Counter(_client_id(in_room.get(one["message"], "")) for one in deliveries)
    answers = Counter(m["run"] for m in texts if m["sender"]["kind"] == "agent")
    well = [one for one in deliveries if one["status"] == "acked"]
    runs = Counter(run["delivery"] for run in pal.all_of("runs"))
    return {
        "lost": sum(not seen[one] or not given[one] for one in said.acknowledged)
        + sum(not answers[one["run"]] for one in well)
        + sum(one["status"] == "dead" for one in deliveries),
        "doubled": sum(many > 1 for counted in (seen, given, answers) for many in counted.values()),
        "doubtful": sum(one["status"] == "interrupted" for one in deliveries),
        "silent_reruns": sum(many > 1 for many in runs.values()),
    }


def _client_id(content: str) -> str:
    return content.rpartition(" ")[2]


def _send(pal: Throwaway, client_id: str, said: Said, chance: random.Random) -> None:
    """Until it is acknowledged, always under the same client_id; some answers are thrown away, some come twice."""
    room, content = chance.choice(ROOMS), f"/echo {client_id}"
    body: dict[str, object] = {"room": room, "content": content, "mentions": [AGENT], "client_id": client_id}
    if chance.random() < 0.2:
        said.faults["answer lost"] += 1
        _send_and_hang_up(pal, body)
    times = 2 if chance.random() < 0.2 else 1
    said.faults["sent again"] += times - 1
    for _ in range(times):
        pal.call("POST", "/api/messages", body=body)
        said.acknowledged.add(client_id)


def _send_and_hang_up(pal: Throwaway, body: dict[str, object]) -> None:
    """The request arrives, its answer is not waited for."""
    line = http.client.HTTPConnection(pal.url.removeprefix("http://"), timeout=5)
    try:
        headers = {"Authorization": f"Bearer {pal.token}", "Content-Type": "application/json"}
        line.request("POST", "/api/messages", json.dumps(body).encode(), headers)
    finally:
        line.close()


def _strike(pal: Throwaway, said: Said, chance: random.Random) -> None:
    """One thing that happens to a process. While the server is dead somebody speaks, in vain until it is back."""
    what = chance.choice(("server killed", "daemon killed", "both killed", "server paused", "daemon paused"))
    said.faults[what] += 1
    part, _, how = what.partition(" ")
    if how == "paused":
        pal.pause(part, chance.uniform(0.2, 2.0))
        return
    parts = ("server", "daemon") if part == "both" else (part,)
    for one in parts:
        pal.kill(one)
    if "server" in parts:
        _speak_in_vain(pal)
    for one in parts:
        pal.start(one)


def _speak_in_vain(pal: Throwaway) -> None:
    try:
        pal.call("GET", "/api/me", timeout=1)
    except (ApiProblem, Unreachable):
        return
    raise NotReady("a killed server answers")


def main(argv: list[str]) -> int:
    """Run `pal chaos`; its exit code."""
    return run_app(app, argv, name="pal chaos")
