"""`pal shell` and `pal terminal`: a shell on a computer from anywhere, what is open, and its end."""

import argparse
import os
from typing import Any

from pal_cli.light import Command, whole
from pal_cli.nearest_line import connect, connection_flags
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, segment, without_nothing
from pal_server.client.terminal.output import say, table, when
from pal_server.client.terminal.verbs import show


def open_terminal(line: Line, **wanted: object) -> dict[str, Any]:
    """The API's answer; the terminal is as large as this one."""
    from pal_cli.attached import own_size

    cols, rows = own_size()
    return line.post("/api/terminals", without_nothing({**wanted, "cols": cols, "rows": rows}))


def attach_to(line: Line, id: str) -> int:
    from pal_cli.attached import attach

    return attach(line, id)


def _shell_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--room", metavar="R", default=os.environ.get("PAL_ROOM") or "general", help="general, if none")
    parser.add_argument("--topic", type=whole, metavar="T", help="the room's default one, if none")
    parser.add_argument("--agent", metavar="A", help="in this agent's folder, on its computer")
    parser.add_argument("--computer", metavar="C", help="where; else where the topic's work was done")
    parser.add_argument("--folder", metavar="DIR", help="an absolute path there")
    parser.add_argument("--print", action="store_true", help="open it, and print the command that attaches to it")
    connection_flags(parser)


def _shell(args: argparse.Namespace) -> int | None:
    line = connect(args)
    answer = open_terminal(
        line,
        room=args.room,
        topic=args.topic,
        kind="shell",
        agent=args.agent,
        computer=args.computer,
        folder=args.folder,
    )
    id = answer["terminal"]["id"]
    if args.print or args.json:
        show(answer, as_json=args.json, render=lambda _: say(f"pal attach {id}"))
        return None
    return attach_to(line, id)


def _terminal_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--close", metavar="TERMINAL", help="end it and what runs in it")
    parser.add_argument("--room", metavar="R", help="only those of this room")
    parser.add_argument("--topic", type=whole, metavar="T", help="only those of this topic")
    parser.add_argument("--all", action="store_true", help="also those that have ended")
    connection_flags(parser)


def _terminal(args: argparse.Namespace) -> None:
    line = connect(args)
    if args.close is not None:
        if args.room is not None or args.topic is not None or args.all:
            raise WrongUsage("--close takes one terminal and nothing beside it")
        answer = line.post(f"/api/terminals/{segment(args.close)}/close")
        show(answer, as_json=args.json, render=lambda a: say(f"{a['terminal']['id']} is {a['terminal']['state']}"))
        return
    answer = line.get("/api/terminals", room=args.room, topic=args.topic, all="true" if args.all else None)
    show(answer, as_json=args.json, render=_render)


def _render(answer: dict[str, Any]) -> None:
    rows = [
        (
            one["id"],
            one["kind"] if one["agent"] is None else f"{one['kind']} {one['agent']}",
            one["state"],
            one["topic"],
            one["opened_by"],
            when(one["created_at"]),
            one["reason"] or one["folder"],
        )
        for one in answer["terminals"]
    ]
    heads = ("TERMINAL", "KIND", "STATE", "TOPIC", "BY", "SINCE", "FOLDER")
    table(heads, rows, empty="no terminal is open: pal shell opens one")


SHELL = Command(
    about="A shell on a computer, in this terminal. Ctrl-] leaves it running; exit ends it.",
    examples=(
        "pal shell",
        "pal shell --agent fixer --topic 3",
        "pal shell --computer desk --folder /src",
        "pal shell --print",
    ),
    arguments=_shell_arguments,
    run=_shell,
)
TERMINAL = Command(
    about="Which terminals are open, or the end of one.",
    examples=("pal terminal", "pal terminal --topic 3 --json", "pal terminal --close term_…"),
    arguments=_terminal_arguments,
    run=_terminal,
)
