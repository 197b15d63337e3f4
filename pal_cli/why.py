"""`pal why MESSAGE`: the way of a message in plain words, the first broken link named, and what to do about it."""

import argparse
from typing import Any

from pal_cli.light import Command
from pal_cli.nearest_line import connect, connection_flags
from pal_server.client.terminal.line import segment
from pal_server.client.terminal.output import say, when
from pal_server.client.terminal.verbs import show

_SIGNS = {True: "ok  ", False: "FAIL", None: "  … "}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("message", metavar="MESSAGE", help="the message's id")
    connection_flags(parser)


def _run(args: argparse.Namespace) -> None:
    message = str(args.message).removeprefix("#")
    show(connect(args).get(f"/api/messages/{segment(message)}/trace"), as_json=args.json, render=render_trace)


def render_trace(trace: dict[str, Any]) -> None:
    """A line for each link, then the verdict."""
    say(f"message {trace['message']}")
    for step in trace["steps"]:
        at = when(step["at"]) if step["at"] is not None else ""
        say(f"  {_SIGNS[step['ok']]}  {at:16}  {step['text'] or step['what']}")
    if trace.get("broken"):
        say(f"It stopped at: {trace['broken']}")
    elif any(step["ok"] is None for step in trace["steps"]):
        say("Nothing is broken: it is still on its way.")
    else:
        say("Nothing is broken.")
    if trace.get("advice"):
        say(f"What to do: {trace['advice']}")


WHY = Command(
    about="Why did this message get no reply? Tells each link of its way, names the broken one and what to do.",
    examples=("pal why 12", "pal why 12 --json"),
    arguments=_arguments,
    run=_run,
)
