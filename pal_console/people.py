"""`pal console users …` and `pal console tokens …`: who may come in, and with what."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from pal_console.agents import required
from pal_console.server_line import After, AsJson, Limit, Server, Token, Yes, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import note, say, table, when
from pal_server.client.terminal.typed import new_app

users = new_app("Users: people who may log in.")
tokens = new_app("Tokens: what a program comes in with.")


class UserRole(StrEnum):
    OWNER = "owner"  # everything, other owners included
    ADMIN = "admin"  # everything but owners
    MEMBER = "member"  # talk, operate runs, edit rooms
    VIEWER = "viewer"  # read only


DisplayName = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The name people see.")]
RoleOption = Annotated[UserRole | None, typer.Option("--role", help="What the user may do (member).")]
Password = Annotated[bool, typer.Option("--password-stdin", help="Read a password from standard input.")]


@users.command("list")
def list_users(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List users.

    \b
    Examples:
      pal console users list
    """
    answer = connect(server, token).get("/api/users", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_users)


@users.command("add")
def add_user(
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="The name to log in with.")],
    name: DisplayName = None,
    role: RoleOption = None,
    password_stdin: Password = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Add a user. Without a password the user comes in with a token (tokens create --user).

    \b
    Examples:
      pal console users add alice --name "Alice" --role admin
      pass show pal/alice | pal console users add alice --password-stdin
    """
    body = {
        "username": username,
        "display_name": name,
        "role": role.value if role else None,
        "password": _read_password() if password_stdin else None,
    }
    answer = connect(server, token).post("/api/users", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=_show_user)


@users.command("update")
def update_user(
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="Who.")],
    name: DisplayName = None,
    role: RoleOption = None,
    password_stdin: Password = False,
    disabled: Annotated[bool | None, typer.Option("--disable/--enable", help="Shut out, or let in again.")] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Change what is named of a user.

    \b
    Examples:
      pal console users update alice --role viewer
      pal console users update alice --disable
    """
    body = without_nothing(
        {
            "display_name": name,
            "role": role.value if role else None,
            "password": _read_password() if password_stdin else None,
            "disabled": disabled,
        }
    )
    if not body:
        raise WrongUsage("nothing to change was named. Give --name, --role, --disable or --password-stdin")
    answer = connect(server, token).patch(f"/api/users/{segment(username)}", body)
    verbs.show(answer, as_json=as_json, render=_show_user)


@tokens.command("list")
def list_tokens(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List tokens; their secrets are stored nowhere.

    \b
    Examples:
      pal console tokens list --json
    """
    answer = connect(server, token).get("/api/tokens", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_tokens)


@tokens.command("create")
def create_token(
    name: Annotated[str | None, typer.Option("--name", metavar="N", help="What it is for.")] = None,
    user: Annotated[str | None, typer.Option(metavar="U", help="Whose it is (your own).")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", metavar="S", help="Repeat for more.")] = None,
    kind: Annotated[str | None, typer.Option(metavar="K", help="user or bridge (user).")] = None,
    expires_at: Annotated[
        int | None, typer.Option("--expires-at", min=0, metavar="MS", help="When it ends, in UTC milliseconds.")
    ] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Make a token; its secret is shown once.

    \b
    Examples:
      pal console tokens create --name "build script"
      pal console tokens create --name phone --user alice --json
    """
    body = {
        "name": required(name, "--name"),
        "user": user,
        "scopes": scope or [],
        "kind": kind,
        "expires_at": expires_at,
    }
    answer = connect(server, token).post("/api/tokens", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=_show_secret)


@tokens.command("revoke")
def revoke_token(
    id: Annotated[str, typer.Argument(metavar="ID", help="The token's id; its beginning is enough.")],
    yes: Yes = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """End a token at once.

    \b
    Examples:
      pal console tokens revoke token_abc --yes
    """
    confirm(f"end the token {id}; whoever uses it is shut out", yes=yes)
    answer = connect(server, token).post(f"/api/tokens/{segment(id)}/revoke")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"{id} is revoked"))


def _read_password() -> str:
    """The first line of standard input; never an argument, which other users of the computer could read."""
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise WrongUsage("--password-stdin: standard input is empty. Pipe the password into the command")
    return password


def _show_users(answer: verbs.Answer) -> None:
    table(
        ("USER", "ROLE", "STATE", "SHOWN AS"),
        [
            (u["username"], u["role"], "disabled" if u["disabled"] else "active", u["display_name"])
            for u in answer["users"]
        ],
        empty="no users",
    )


def _show_user(answer: verbs.Answer) -> None:
    user = answer["user"]
    say(f"{user['username']} is {user['role']}{', disabled' if user['disabled'] else ''}")


def _show_tokens(answer: verbs.Answer) -> None:
    table(
        ("TOKEN", "KIND", "OF", "STATE", "LAST USED", "NAME"),
        [
            (
                t["id"],
                t["kind"],
                t["subject"],
                "revoked" if t.get("revoked_at") else "good",
                when(t.get("last_used_at")),
                t["name"],
            )
            for t in answer["tokens"]
        ],
        empty="no tokens",
    )


def _show_secret(answer: verbs.Answer) -> None:
    say(str(answer["secret"]))
    note(f"This is token {answer['token']['id']} ({answer['token']['name']}). It is shown this once.")
