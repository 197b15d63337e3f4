"""The line of commands that work anywhere: to the server where a credential for it is at hand, else by the daemon."""

import argparse
import os

from pal_server.client.resolve import daemon_place, server_place
from pal_server.client.terminal.line import Line


def connection_flags(parser: argparse.ArgumentParser) -> None:
    """`--json`, `--server` and `--token`."""
    parser.add_argument("--json", action="store_true", help="JSON on stdout, as the API answered")
    parser.add_argument("--server", metavar="URL", help="the server (LOCK_SERVER_URL, PAL_SERVER, .pal.toml)")
    parser.add_argument("--token", metavar="T", help="a token for it (PAL_TOKEN, $PAL_HOME)")


def connect(args: argparse.Namespace) -> Line:
    """To the server, unless only the daemon would let us in: inside a run, or on a computer of another's server."""
    server = server_place(server=args.server, token=args.token)
    is_named = args.server is not None or args.token is not None
    if is_named or (server.token is not None and not os.environ.get("PAL_RUN_TOKEN")):
        return Line(place=server, party="server")
    daemon = daemon_place()
    return Line(place=daemon, party="daemon") if daemon.token is not None else Line(place=server, party="server")
