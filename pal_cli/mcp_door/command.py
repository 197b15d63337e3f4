"""The command `pal mcp`. Loads the protocol's package only when it runs."""

import argparse
import sys

from pal_cli.cli.daemon_line import connect, connection_flags
from pal_cli.light import Command
from pal_server.client.terminal.output import note


def _arguments(parser: argparse.ArgumentParser) -> None:
    connection_flags(parser, json=False)


def _run(args: argparse.Namespace) -> None:
    line = connect(args)
    if sys.stdin.isatty():
        note("pal mcp speaks the Model Context Protocol on its standard input; an agent program starts it")
    from pal_cli.mcp_door.server import make_server

    make_server(line).run("stdio")


MCP = Command(
    about=(
        "Give an agent program the verbs of `pal cli` as tools (Model Context Protocol, on stdin and stdout).\n"
        "Inside a run it speaks as the run's agent; the daemon may be away when it starts."
    ),
    examples=("pal mcp", "claude mcp add pal -- pal mcp", "pal mcp --daemon http://127.0.0.1:4137"),
    arguments=_arguments,
    run=_run,
)
