"""`pal cli send`: say something in a room. The command agents use most, so it loads as little as it can."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, place_of, room_flag, room_of
from pal_cli.light import Command, whole

BUSY = (
    ("queue", "an agent that is at work gets it after that"),
    ("steer", "an agent that is at work is told now, where its program can be"),
    ("interrupt", "an agent that is at work is stopped, and this comes next"),
)


def _arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    parser.add_argument("--topic", type=whole, metavar="T", help="the topic's id (the room's default topic)")
    parser.add_argument("--parent", type=whole, metavar="ID", help="the message this replies to")
    parser.add_argument("--from", dest="sender", metavar="NAME", help="a guest's name to speak under")
    parser.add_argument("--mention", action="append", default=[], metavar="A", help="who it is for; repeat for more")
    parser.add_argument("--file", metavar="F", help="take the text from this file")
    parser.add_argument("--attach", action="append", default=[], metavar="F", help="attach this file; repeat for more")
    busy = parser.add_mutually_exclusive_group()
    for choice, about in BUSY:
        busy.add_argument(f"--{choice}", dest="steer", action="store_const", const=choice, help=about)
    parser.add_argument("--client-id", metavar="X", help="an id of your own: the same one again sends nothing twice")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="what to say; - reads standard input")
    connection_flags(parser)


def _run(args: argparse.Namespace) -> None:
    from pal_server.client.terminal import sending

    content = sending.read_text(args.text, args.file, may_be_empty=bool(args.attach))
    room, topic, parent = place_of(room=room_of(args), topic=args.topic, parent=args.parent)
    outgoing = sending.Outgoing(
        content=content,
        room=room,
        topic=topic,
        parent=parent,
        sender=args.sender,
        mentions=args.mention,
        attach=args.attach,
        steer=args.steer,
        client_id=args.client_id or sending.new_client_id(),
    )
    sending.require_place(outgoing)
    sending.send(connect(args), outgoing, as_json=args.json)


SEND = Command(
    about="Say something in a room. Prints, for each agent it is for, what happens now.",
    examples=(
        'pal cli send --room general --from alice --mention codex "hello"',
        'pal cli send --room general --parent 12 "and the tests?"',
        "git diff | pal cli send --room general --mention reviewer -",
        "pal cli send --room general --file notes.md --attach plan.pdf --attach log.txt",
        'pal cli send --room general --mention codex --steer "leave the tests alone"',
        'pal cli send "done"                      (inside a run)',
    ),
    arguments=_arguments,
    run=_run,
)
