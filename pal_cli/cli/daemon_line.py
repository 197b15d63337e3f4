"""The flags every `pal cli` command has, and its line to the daemon."""

import argparse
import os

from pal_server.client.resolve import daemon_place, named_project
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, NotLetIn, segment

_TOKENS = ("PAL_RUN_TOKEN", "LOCK_DAEMON_TOKEN", "PAL_DAEMON_TOKEN")


def connection_flags(parser: argparse.ArgumentParser, *, json: bool = True) -> None:
    """`--json`, `--daemon` and `--token`."""
    if json:
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout, as the API answered")
    parser.add_argument("--daemon", metavar="URL", help="the daemon (LOCK_DAEMON_URL, PAL_DAEMON_URL; port 4137)")
    parser.add_argument("--token", metavar="T", help="its token (LOCK_DAEMON_TOKEN, PAL_DAEMON_TOKEN, $PAL_HOME)")


def paging_flags(parser: argparse.ArgumentParser) -> None:
    """`--after` and `--limit`."""
    from pal_cli.light import positive

    parser.add_argument("--after", metavar="CURSOR", help="go on after this: `next` of the page before")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most this many (50, never above 200)")


def room_flag(parser: argparse.ArgumentParser, *, help: str = "the room's name or id (inside a run: its room)") -> None:
    """`--room`, with `--chat` as its other name."""
    parser.add_argument("--room", "--chat", dest="room", metavar="R", help=help)


def project_flag(parser: argparse.ArgumentParser) -> None:
    """`--project`."""
    parser.add_argument(
        "--project", metavar="P", help="the project's key or id (the run's; else the one .pal.toml names)"
    )


def connect(args: argparse.Namespace) -> Line:
    """The line to the daemon these flags and the environment name.

    NotLetIn inside a run whose token was kept back, as some agent programs do with variables of such a name: with the
    token of `PAL_HOME` the agent would speak as the person whose home it is.
    """
    if os.environ.get("PAL_RUN_ID") and not (args.token or any(os.environ.get(name) for name in _TOKENS)):
        raise NotLetIn(
            "PAL_RUN_ID is set and PAL_RUN_TOKEN is not: this is inside a run whose token was not passed on. "
            "Let the agent program pass it on; outside of a run unset PAL_RUN_ID"
        )
    return Line(place=daemon_place(daemon=args.daemon, token=args.token), party="daemon")


def run_variable(name: str) -> str | None:
    """A variable of the run this command is inside of; None outside of runs."""
    return os.environ.get(name) or None if os.environ.get("PAL_RUN_TOKEN") else None


def run_number(name: str) -> int | None:
    """The same as a number; None when it is none."""
    text = run_variable(name)
    return int(text) if text and text.isdigit() else None


def room_of(args: argparse.Namespace) -> str | None:
    """The room that was named, else the run's."""
    named: str | None = args.room
    if named == "":
        raise WrongUsage("--room is empty. Name a room; `pal cli rooms list` lists them")
    return named if named is not None else run_variable("PAL_ROOM")


def place_of(*, room: str | None, topic: int | None, parent: int | None) -> tuple[str | None, int | None, int | None]:
    """Room, topic and parent: named, or those of the run as long as they fit what was named."""
    run_room = run_variable("PAL_ROOM")
    if parent is None and room in (None, run_room):
        run_topic = run_number("PAL_TOPIC")
        if topic in (None, run_topic):
            topic, parent = run_topic, run_number("PAL_MESSAGE")
    return run_room if room is None else room, topic, parent


def project_or_all(args: argparse.Namespace, line: Line) -> str | None:
    """The project that was named, inside a run that of its room, else the one of the nearest `.pal.toml`, if any."""
    named: str | None = args.project
    if named is None and (room := run_variable("PAL_ROOM")) is not None:
        named = line.get(f"/api/rooms/{segment(room)}")["room"].get("project")
    return named or named_project()


def project_of(args: argparse.Namespace, line: Line) -> str:
    """As `project_or_all`; WrongUsage when there is none."""
    named = project_or_all(args, line)
    if not named:
        raise WrongUsage("which project? Name it; `pal cli projects list` lists them")
    return named


def required_room(args: argparse.Namespace) -> str:
    """As `room_of`; WrongUsage when there is none."""
    room = room_of(args)
    if room is None:
        raise WrongUsage("--room is missing. Name a room; `pal cli rooms list` lists them")
    return room
