"""Messages and runs: the console's commands that are not administration."""

from enum import StrEnum
from typing import Annotated

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, connect
from pal_server.client.resolve import pal_home
from pal_server.client.terminal import sending, verbs
from pal_server.client.terminal.exits import REFUSED
from pal_server.client.terminal.output import note, say, say_json

Room = Annotated[str | None, typer.Option("--chat", "--room", metavar="R", help="The room's name or id.")]


class Action(StrEnum):
    KILL = "kill"  # at once
    STOP = "stop"  # asked first
    RESTART = "restart"  # anew, for the same message
    STEER = "steer"  # told something while it works


class Busy(StrEnum):
    QUEUE = "queue"  # after what runs
    STEER = "steer"  # told to the run now
    INTERRUPT = "interrupt"  # the run is stopped, and this comes next


def add_to(app: typer.Typer) -> None:
    """Put these commands into the console's application."""
    for name, command in (
        ("health", health),
        ("chats", chats),
        ("messages", messages),
        ("inbox", inbox),
        ("send", send),
        ("runs", runs),
        ("run-action", run_action),
        ("token", token),
    ):
        app.command(name)(command)


def health(as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """How the server is.

    \b
    Examples:
      pal console health
      pal console health --server http://127.0.0.1:4127 --json
    """
    verbs.health(connect(server, token), as_json=as_json)


def chats(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List rooms.

    \b
    Examples:
      pal console chats
      pal console chats --json
    """
    verbs.chats(connect(server, token), as_json=as_json, after=after, limit=limit)


def messages(
    chat: Room = None,
    topic: Annotated[int | None, typer.Option(min=0, metavar="T", help="Only of this topic.")] = None,
    parent: Annotated[int | None, typer.Option(min=0, metavar="ID", help="Only replies to this message.")] = None,
    before: Annotated[int | None, typer.Option(min=0, metavar="ID", help="Only earlier than this message.")] = None,
    q: Annotated[str | None, typer.Option(metavar="WORDS", help="Only those with these words.")] = None,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List messages, oldest first.

    \b
    Examples:
      pal console messages --chat general --after 0 --limit 50
      pal console messages --q "release notes" --json
    """
    verbs.messages(
        connect(server, token),
        as_json=as_json,
        room=chat,
        topic=topic,
        parent=parent,
        after=after,
        before=before,
        limit=limit,
        q=q,
    )


def inbox(
    agent: Annotated[str, typer.Option(metavar="A", help="The agent's key.")],
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """What an agent was given to read, and why.

    \b
    Examples:
      pal console inbox --agent codex --after 0 --limit 50 --json
    """
    verbs.inbox(connect(server, token), as_json=as_json, agent=agent, after=after, limit=limit)


def send(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What to say; - reads standard input.")] = None,
    chat: Room = None,
    sender: Annotated[str | None, typer.Option("--from", metavar="NAME", help="A guest's name to speak under.")] = None,
    mention: Annotated[list[str] | None, typer.Option(metavar="A", help="Who it is for; repeat for more.")] = None,
    topic: Annotated[int | None, typer.Option(min=0, metavar="T", help="The topic's id.")] = None,
    parent: Annotated[int | None, typer.Option(min=0, metavar="ID", help="The message this replies to.")] = None,
    file: Annotated[str | None, typer.Option(metavar="F", help="Take the text from this file.")] = None,
    attach: Annotated[list[str] | None, typer.Option(metavar="F", help="Attach this file; repeat for more.")] = None,
    busy: Annotated[
        Busy | None, typer.Option(help="To an agent at work: after that, told to it now, or in place of it.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(metavar="X", help="An id of your own: the same one again sends nothing twice.")
    ] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Say something in a room.

    \b
    Examples:
      pal console send --chat general --from alice --mention codex "hello"
      git log -3 | pal console send --room general -
    """
    outgoing = sending.Outgoing(
        content=sending.read_text(text, file, may_be_empty=bool(attach)),
        room=chat,
        topic=topic,
        parent=parent,
        sender=sender,
        mentions=mention or [],
        attach=attach or [],
        steer=None if busy is None else busy.value,
        client_id=client_id or sending.new_client_id(),
    )
    sending.require_place(outgoing)
    sending.send(connect(server, token), outgoing, as_json=as_json)


def runs(
    agent: Annotated[str | None, typer.Option(metavar="A", help="Only of this agent.")] = None,
    computer: Annotated[str | None, typer.Option(metavar="C", help="Only of this computer.")] = None,
    chat: Room = None,
    topic: Annotated[int | None, typer.Option(min=0, metavar="T", help="Only of this topic.")] = None,
    status: Annotated[str | None, typer.Option(metavar="S", help="Only in this state, as running or failed.")] = None,
    since: Annotated[int | None, typer.Option(min=0, metavar="MS", help="Only from this moment on.")] = None,
    until: Annotated[int | None, typer.Option(min=0, metavar="MS", help="Only up to this moment.")] = None,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List runs, newest first.

    \b
    Examples:
      pal console runs --json
      pal console runs --agent codex --status failed
    """
    verbs.runs(
        connect(server, token),
        as_json=as_json,
        agent=agent,
        computer=computer,
        room=chat,
        topic=topic,
        status=status,
        since=since,
        until=until,
        after=after,
        limit=limit,
    )


def run_action(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    action: Annotated[
        Action, typer.Argument(help="kill: at once; stop: asked first; restart: anew; steer: told TEXT.")
    ],
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What to tell it, for steer.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept with the run.")] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Kill, stop or restart a run, or tell it something while it works.

    \b
    Examples:
      pal console run-action 12 kill
      pal console run-action 12 restart
      pal console run-action 12 steer "leave the tests alone"
    """
    verbs.run_action(connect(server, token), as_json=as_json, run=run, action=action.value, text=text, reason=reason)


def token(as_json: AsJson = False) -> None:
    """Print the owner token of this PAL_HOME.

    \b
    Examples:
      pal console token
      PAL_TOKEN=$(pal console token) curl -H "Authorization: Bearer $PAL_TOKEN" …
    """
    file = pal_home() / "owner.token"
    try:
        secret = file.read_text("utf-8").strip()
    except OSError as error:
        note(f"pal console token: {file} cannot be read: {error.strerror}. The first start of a server writes it")
        raise typer.Exit(REFUSED) from error
    if as_json:
        say_json({"token": secret})
    else:
        say(secret)
