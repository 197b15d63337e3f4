"""The flags every console command has, and its line to the server."""

from typing import Annotated, TypeAlias

import typer

from pal_server.client.resolve import server_place
from pal_server.client.terminal.line import Line

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, as the API answered.")]
Server: TypeAlias = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="The server (LOCK_SERVER_URL, PAL_SERVER, .pal.toml).")
]
Token: TypeAlias = Annotated[
    str | None, typer.Option("--token", metavar="T", help="A token for it (PAL_TOKEN, $PAL_HOME/owner.token).")
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
After: TypeAlias = Annotated[
    str | None, typer.Option("--after", metavar="CURSOR", help="Go on after this: `next` of the page before.")
]
Limit: TypeAlias = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="At most this many (50, never above 200).")
]
Interactive: TypeAlias = Annotated[bool, typer.Option("--interactive", "-i", help="Ask for what is missing.")]


def connect(server: str | None, token: str | None) -> Line:
    """The line to the server these flags and the environment name."""
    return Line(place=server_place(server=server, token=token), party="server")
