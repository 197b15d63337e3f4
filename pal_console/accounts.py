"""`pal console accounts …`: one login of a runtime on one computer."""

from typing import Annotated

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, Yes, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import say, table
from pal_server.client.terminal.typed import new_app

app = new_app("Accounts: another program, home, login or endpoint for a runtime on one computer.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The account's id; its beginning is enough.")]


@app.command("list")
def list_accounts(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List accounts. Values of variables are never shown.

    \b
    Examples:
      pal console accounts list
    """
    answer = connect(server, token).get("/api/accounts", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_accounts)


@app.command("add")
def add(
    computer: Annotated[str, typer.Option(metavar="C", help="The computer's id.")],
    runtime: Annotated[str, typer.Option(metavar="R", help="The runtime it is for.")],
    label: Annotated[str, typer.Option(metavar="L", help="A name to know it by.")],
    bin: Annotated[str | None, typer.Option("--bin", metavar="PATH", help="The program to run.")] = None,
    home: Annotated[str | None, typer.Option("--home", metavar="DIR", help="The program's home folder.")] = None,
    env: Annotated[list[str] | None, typer.Option("--env", metavar="KEY=VALUE", help="Repeat for more.")] = None,
    arg: Annotated[list[str] | None, typer.Option("--arg", metavar="A", help="One argument; repeat for more.")] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Give a runtime on one computer another program, home, login or endpoint.

    \b
    Examples:
      pal console accounts add --computer machine_abc --runtime codex --label work --home /home/me/.codex-work
      pal console accounts add --computer machine_abc --runtime openai --label local --env OPENAI_BASE_URL=http://127.0.0.1:8000/v1
    """
    body = {
        "computer": computer,
        "runtime": runtime,
        "label": label,
        "bin": bin,
        "home": home,
        "env": split_variables(env or []),
        "args": arg or [],
    }
    answer = connect(server, token).post("/api/accounts", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=_show_account)


@app.command("remove")
def remove(id: Id, yes: Yes = False, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Remove an account.

    \b
    Examples:
      pal console accounts remove account_abc --yes
    """
    confirm(f"remove the account {id}", yes=yes)
    answer = connect(server, token).delete(f"/api/accounts/{segment(id)}")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"{id} is removed"))


@app.command("disable")
def disable(
    id: Id,
    undo: Annotated[bool, typer.Option("--undo", help="Let it be used again.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Let an account not be used, or with --undo be used again. The agents that use it are named first.

    \b
    Examples:
      pal console accounts disable account_abc --yes
      pal console accounts disable account_abc --undo
    """
    line = connect(server, token)
    if not undo:
        using = line.get(f"/api/accounts/{segment(id)}")["account"]["agents"]
        if using:
            confirm(f"keep {', '.join(using)} from working until they have another account", yes=yes)
    answer = line.patch(f"/api/accounts/{segment(id)}", {"disabled": not undo})
    verbs.show(answer, as_json=as_json, render=_show_account)


def split_variables(given: list[str]) -> dict[str, str]:
    """KEY=VALUE texts as a dictionary; WrongUsage names the one that is none, without its value."""
    variables: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise WrongUsage(f"--env {name or text!r}: write it as KEY=VALUE")
        variables[name] = value
    return variables


def _show_accounts(answer: verbs.Answer) -> None:
    table(
        ("ACCOUNT", "COMPUTER", "RUNTIME", "LABEL", "STATE", "LOGIN", "AGENTS"),
        [
            (
                a["id"],
                a["computer"],
                a["runtime"],
                a["label"],
                "disabled" if a["disabled"] else "in use",
                a.get("login") or "",
                ", ".join(a.get("agents", [])),
            )
            for a in answer["accounts"]
        ],
        empty="no accounts. A runtime needs none while its program is on PATH and logged in",
    )


def _show_account(answer: verbs.Answer) -> None:
    one = answer["account"]
    state = "disabled" if one["disabled"] else "in use"
    say(f"account {one['id']} ({one['label']}) for {one['runtime']} on {one['computer']}: {state}")
