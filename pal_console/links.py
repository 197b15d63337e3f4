"""`pal console shares …` and `pal console invites …`: addresses that let others in, to one thing or to one room."""

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

shares = new_app("Share links: one thing for whoever has the address.")
invites = new_app("Invites: a room for whoever has the address and an HTTP client.")

ExpiresAt = Annotated[
    int | None, typer.Option("--expires-at", min=0, metavar="MS", help="When it ends, in UTC milliseconds.")
]


class Rights(StrEnum):
    VIEW = "view"
    COMMENT = "comment"  # as a guest


@shares.command("list")
def list_shares(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List share links; their addresses are stored nowhere.

    \b
    Examples:
      pal console shares list
    """
    answer = connect(server, token).get("/api/shares", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_shares)


@shares.command("create")
def create_share(
    topic: Annotated[int | None, typer.Option(metavar="ID", help="Show this topic.")] = None,
    task: Annotated[str | None, typer.Option(metavar="T-N", help="Show this task and its topic.")] = None,
    room: Annotated[str | None, typer.Option("--room", "--chat", metavar="R", help="Show this room.")] = None,
    file: Annotated[str | None, typer.Option(metavar="ID", help="Show this file.")] = None,
    run: Annotated[int | None, typer.Option(metavar="ID", help="Show this run.")] = None,
    rights: Annotated[Rights, typer.Option(help="What visitors may do.")] = Rights.VIEW,
    may_trigger: Annotated[bool, typer.Option("--may-trigger", help="Comments may call agents.")] = False,
    expires_at: ExpiresAt = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Make a share link; its address is shown once.

    \b
    Examples:
      pal console shares create --topic 12
      pal console shares create --room general --rights comment --json
    """
    shown = without_nothing({"topic": topic, "task": task, "room": room, "file": file, "run": run})
    if len(shown) != 1:
        raise WrongUsage("a link shows one thing. Give --topic, --task, --room, --file or --run")
    body = {**shown, "rights": rights.value, "may_trigger": may_trigger, "expires_at": expires_at}
    answer = connect(server, token).post("/api/shares", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=lambda made: _show_address(made, id=made["share"]["id"]))


@shares.command("revoke")
def revoke_share(
    id: Annotated[str, typer.Argument(metavar="ID", help="The link's id.")],
    yes: Yes = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """End a share link at once.

    \b
    Examples:
      pal console shares revoke share_abc --yes
    """
    confirm(f"end the link {id}; whoever has its address is shut out", yes=yes)
    answer = connect(server, token).post(f"/api/shares/{segment(id)}/revoke")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"{id} is revoked"))


@invites.command("list")
def list_invites(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List invites; their addresses are stored nowhere.

    \b
    Examples:
      pal console invites list
    """
    answer = connect(server, token).get("/api/invites", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_invites)


@invites.command("create")
def create_invite(
    room: Annotated[str | None, typer.Option("--room", "--chat", metavar="R", help="The room they join.")] = None,
    expires_at: ExpiresAt = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Make an invite. Its address, shown once, opens with a guide: give it to an agent anywhere.

    \b
    Examples:
      pal console invites create --room general
    """
    body = {"room": required(room, "--room"), "expires_at": expires_at}
    answer = connect(server, token).post("/api/invites", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=lambda made: _show_address(made, id=made["invite"]["id"]))


@invites.command("revoke")
def revoke_invite(
    id: Annotated[str, typer.Argument(metavar="ID", help="The invite's id.")],
    yes: Yes = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """End an invite at once, and with it all who came by it.

    \b
    Examples:
      pal console invites revoke invite_abc --yes
    """
    confirm(f"end the invite {id}; all who came by it are shut out", yes=yes)
    answer = connect(server, token).post(f"/api/invites/{segment(id)}/revoke")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"{id} is revoked"))


def _show_address(made: verbs.Answer, *, id: str) -> None:
    say(str(made["url"]))
    note(f"This is {id}. Whoever has the address can use it; it is shown this once.")


def _show_shares(answer: verbs.Answer) -> None:
    table(
        ("LINK", "SHOWS", "RIGHTS", "STATE", "USES", "LAST USED"),
        [
            (
                s["id"],
                f"{s['kind']} {s['target']}",
                s["rights"],
                _state(s),
                str(s.get("uses", 0)),
                when(s.get("last_used_at")),
            )
            for s in answer["shares"]
        ],
        empty="no share links",
    )


def _show_invites(answer: verbs.Answer) -> None:
    table(
        ("INVITE", "ROOM", "STATE", "JOINED"),
        [(i["id"], i["room"], _state(i), str(i.get("uses", 0))) for i in answer["invites"]],
        empty="no invites",
    )


def _state(link: verbs.Answer) -> str:
    if link.get("revoked_at"):
        return "revoked"
    return f"until {when(link['expires_at'])}" if link.get("expires_at") else "good"
