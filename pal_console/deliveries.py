"""`pal console deliveries …`: what waits for agents, and another try for what failed."""

from typing import Annotated

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, Yes, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import say, table, when
from pal_server.client.terminal.typed import new_app

app = new_app("Deliveries: messages on their way to agents.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")]


@app.command("list")
def list_deliveries(
    agent: Annotated[str | None, typer.Option(metavar="A", help="Only of this agent.")] = None,
    status: Annotated[str | None, typer.Option(metavar="S", help="Only in this state, as pending or dead.")] = None,
    message: Annotated[int | None, typer.Option(min=0, metavar="ID", help="Only of this message.")] = None,
    room: Annotated[str | None, typer.Option("--room", "--chat", metavar="R", help="Only of this room.")] = None,
    topic: Annotated[int | None, typer.Option(min=0, metavar="T", help="Only of this topic.")] = None,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List deliveries.

    \b
    Examples:
      pal console deliveries list --agent codex --status pending
      pal console deliveries list --topic 12 --status pending
    """
    query: dict[str, object] = {"agent": agent, "status": status, "message": message, "room": room, "topic": topic}
    answer = connect(server, token).get("/api/deliveries", **without_nothing({**query, "after": after, "limit": limit}))
    verbs.show(answer, as_json=as_json, render=_show_deliveries)


@app.command("retry")
def retry(
    id: Id,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of resuming the session.")] = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Put a failed, interrupted or dead delivery back into the queue.

    \b
    Examples:
      pal console deliveries retry 12
      pal console deliveries retry 12 --fresh
    """
    body = {"fresh": True} if fresh else {}
    answer = connect(server, token).post(f"/api/deliveries/{segment(id)}/retry", body)
    verbs.show(answer, as_json=as_json, render=_show_delivery)


@app.command("front")
def front(id: Id, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Let what waits come before all others that wait for the same agent in the topic.

    \b
    Examples:
      pal console deliveries front 12
    """
    answer = connect(server, token).post(f"/api/deliveries/{segment(id)}/front")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"delivery {id} comes next"))


@app.command("merge")
def merge(
    id: Id,
    into: Annotated[int, typer.Argument(min=0, metavar="INTO", help="Another one that waits, for the same agent.")],
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Let one run answer two that wait for the same agent in the same topic.

    \b
    Examples:
      pal console deliveries merge 13 12
    """
    answer = connect(server, token).post(f"/api/deliveries/{segment(id)}/merge", {"into": into})
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"delivery {into} answers {id} too"))


@app.command("cancel")
def cancel(id: Id, yes: Yes = False, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Take a delivery out of the queue for good.

    \b
    Examples:
      pal console deliveries cancel 12 --yes
    """
    confirm(f"cancel delivery {id}", yes=yes)
    answer = connect(server, token).post(f"/api/deliveries/{segment(id)}/cancel")
    verbs.show(answer, as_json=as_json, render=_show_delivery)


def _show_deliveries(answer: verbs.Answer) -> None:
    table(
        ("DELIVERY", "AGENT", "STATUS", "MESSAGE", "BECAUSE OF", "TRIES", "SINCE", "ERROR"),
        [
            (
                d["id"],
                d["agent"],
                d["status"],
                d["message"],
                d["reason"],
                f"{d['attempts']}/{d['max_attempts']}",
                when(d["created_at"]),
                d.get("error"),
            )
            for d in answer["deliveries"]
        ],
        empty="no deliveries",
    )


def _show_delivery(answer: verbs.Answer) -> None:
    one = answer.get("delivery")
    if one:
        say(f"delivery {one['id']} for {one['agent']} is {one['status']}")
    else:
        say("done")
