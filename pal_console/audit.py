"""`pal console audit …`: who did what, and whether the record is whole."""

from typing import Annotated

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.exits import BUG
from pal_server.client.terminal.output import say, table, when
from pal_server.client.terminal.typed import new_app

app = new_app("The audit log: who did what, each entry chained to the one before.")


@app.command("list")
def list_entries(
    action: Annotated[str | None, typer.Option(metavar="A", help="Only of this action, as token.created.")] = None,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List entries of the audit log.

    \b
    Examples:
      pal console audit list --limit 20
    """
    answer = connect(server, token).get("/api/audit", action=action, after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_entries)


@app.command("verify")
def verify(as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Check that nothing in the audit log was changed or taken out. Exits 1 when something was.

    \b
    Examples:
      pal console audit verify
    """
    answer = connect(server, token).get("/api/audit/verify")
    verbs.show(answer, as_json=as_json, render=_show_verdict)
    if not answer["ok"]:
        raise typer.Exit(BUG)


def _show_entries(answer: verbs.Answer) -> None:
    table(
        ("ENTRY", "AT", "WHO", "DID", "TO"),
        [(e["id"], when(e["at"]), e["actor"], e["action"], e["target"]) for e in answer["audit"]],
        empty="the audit log is empty",
    )


def _show_verdict(answer: verbs.Answer) -> None:
    if answer["ok"]:
        say(f"whole: {answer['entries']} entries, head {answer.get('head') or '-'}")
    else:
        say(f"changed: entry {answer['first_changed']} does not fit the one before it ({answer['entries']} entries)")
