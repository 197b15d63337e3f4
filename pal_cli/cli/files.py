"""`pal cli http file` and its other name `pal cli artifact put`: upload a file, get its address."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, room_flag, room_of, run_variable
from pal_cli.light import Command, positive
from pal_server.client.terminal import shown
from pal_server.client.terminal.output import say_json


def _put_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="the file")
    parser.add_argument("--mime", metavar="TYPE", help="its type (by the name's ending)")
    parser.add_argument("--title", metavar="TEXT", help="a title to show")
    parser.add_argument("--ttl", type=positive, metavar="S", help="seconds until it is removed (kept)")
    room_flag(parser, help="the room it belongs to")
    parser.add_argument("--client-id", metavar="X", help="an id of your own: the same one again stores nothing twice")
    connection_flags(parser)


def _put(args: argparse.Namespace) -> None:
    from pal_server.client.terminal import sending

    line = connect(args)
    answer = sending.upload(
        line,
        path=args.path,
        data=sending.read_upload(args.path),
        client_id=args.client_id or sending.new_client_id(),
        mime=args.mime,
        title=args.title,
        ttl=args.ttl,
        room=room_of(args),
        card=run_variable("PAL_RUN_ID") is not None,
    )
    if args.json:
        say_json(answer)
        return
    url = str(answer["artifact"]["url"])
    # The address is the server's, and the daemon knows best which one that is.
    shown.artifact(answer, url=line.get("/health")["server"] + url if url.startswith("/") else url)


PUT = Command(
    about="Upload a file through the daemon to the server; prints its address.",
    examples=(
        'pal cli http file /path/to/report.html --mime text/html --title "Report"',
        "pal cli http file /path/to/data.json --mime application/json --ttl 3600",
    ),
    arguments=_put_arguments,
    run=_put,
)
