"""`pal logs RUN` and `pal attach RUN`: what a run said and did, as it was or as it goes on; or its agent by hand."""

import argparse
import sys
import time
from collections.abc import Iterator
from typing import Any

from pal_cli.light import Command, positive, whole
from pal_cli.nearest_line import connect, connection_flags
from pal_cli.terminals import attach_to, open_terminal
from pal_server.client.terminal.exits import BUG
from pal_server.client.terminal.line import Line, segment
from pal_server.client.terminal.output import note, printable, say, say_json_line

LOOK_EVERY = 0.3  # seconds between two looks at a run that is quiet
_PAGE = 200  # the most the API gives at once
_SHOWN = 400  # characters of an event's facts; `--json` has all of them
_LIVE = ("starting", "running", "waiting", "paused")

Event = dict[str, Any]


def _logs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's id")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until the run has ended")
    parser.add_argument("--after", type=whole, default=0, metavar="SEQ", help="only events after this one")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many events")
    parser.add_argument("--prompt", action="store_true", help="what the run was told, in place of what it said")
    connection_flags(parser)


def _logs(args: argparse.Namespace) -> int | None:
    line = connect(args)
    if args.prompt:
        told = line.get(f"/api/runs/{segment(args.run)}/prompt")
        say_json_line(told) if args.json else say(told["prompt"])
        return None
    if not args.follow:
        for count, event in enumerate(read_events(line, args.run, after=args.after), start=1):
            _print(event, as_json=args.json)
            if count == args.limit:
                break
        return None
    return _follow(line, args.run, after=args.after, limit=args.limit, as_json=args.json)


def _attach_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's id, or a terminal's: term_…")
    parser.add_argument(
        "--terminal",
        "-t",
        action="store_true",
        help="use the run's agent by hand, in the conversation of the run's topic",
    )
    connection_flags(parser)


def _attach(args: argparse.Namespace) -> int | None:
    line = connect(args)
    if args.run.startswith("term_"):
        return attach_to(line, args.run)
    if args.terminal:
        return _use_agent(line, args.run)
    run = line.get(f"/api/runs/{segment(args.run)}")["run"]
    note(f"run {run['id']} of {run['agent']} is {run['status']}; Ctrl-C leaves it running")
    return _follow(line, args.run, after=0, limit=None, as_json=args.json)


def _use_agent(line: Line, run: str) -> int:
    """Open its agent's terminal in the run's topic, or take part in the one that is open."""
    of = line.get(f"/api/runs/{segment(run)}")["run"]
    for terminal in line.get("/api/terminals", topic=of["topic"])["terminals"]:
        if (terminal["kind"], terminal["agent"]) == ("agent", of["agent"]):
            return attach_to(line, terminal["id"])
    opened = open_terminal(line, room=of["room"], topic=of["topic"], kind="agent", agent=of["agent"])
    return attach_to(line, opened["terminal"]["id"])


def read_events(line: Line, run: str, *, after: int) -> Iterator[Event]:
    """The events there are now, page by page."""
    while True:
        answer = line.get(f"/api/runs/{segment(run)}/events", after=after, limit=_PAGE)
        yield from answer["events"]
        if not answer["events"] or answer.get("next") is None:
            return
        after = answer["events"][-1]["seq"]


def _follow(line: Line, run: str, *, after: int, limit: int | None, as_json: bool) -> int | None:
    """Print events until the run has ended and all are told. Exit code 1 when it failed."""
    told = 0
    while True:
        # Looked at before the events, so that what a run says with its last breath is still read.
        state = line.get(f"/api/runs/{segment(run)}")["run"]
        for event in read_events(line, run, after=after):
            after = event["seq"]
            _print(event, as_json=as_json)
            told += 1
            if told == limit:
                return None
        if state["status"] not in _LIVE:
            error = f": {state['error']}" if state.get("error") else ""
            note(f"run {state['id']} {state['status']}{error}")
            return BUG if state["status"] == "failed" else None
        time.sleep(LOOK_EVERY)


def _print(event: Event, *, as_json: bool) -> None:
    """For people a program's own output is as it came, on the stream it came from; pieces may end within a line."""
    if as_json:
        say_json_line(event)
        return
    text = str(event.get("text") or "")
    match event["kind"]:
        case "output":
            sys.stdout.write(printable(text))
            sys.stdout.flush()
        case "log":
            sys.stderr.write(printable(text))
            sys.stderr.flush()
        case "message":
            say(text.removesuffix("\n"))
        case kind:
            facts = ", ".join(f"{key}={value}" for key, value in (event.get("data") or {}).items() if value is not None)
            say(f"[{kind}] {text or (facts if len(facts) <= _SHOWN else f'{facts[:_SHOWN]}…')}".rstrip())


LOGS = Command(
    about="What a run said and did.",
    examples=("pal logs 12", "pal logs 12 --follow", "pal logs 12 --json | jq .kind"),
    arguments=_logs_arguments,
    run=_logs,
)
ATTACH = Command(
    about="Follow a run live until it ends, or use a terminal. Leaving stops neither. Exits 1 when the run failed.",
    examples=("pal attach 12", "pal attach 12 --terminal", "pal attach term_…"),
    arguments=_attach_arguments,
    run=_attach,
)
