"""`pal console computers …`: machines with a daemon, and their keys."""

from typing import Annotated

import typer

from pal_console.agents import required
from pal_console.server_line import After, AsJson, Limit, Server, Token, Yes, connect
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import note, say, table, when
from pal_server.client.terminal.typed import new_app

app = new_app("Computers: machines with a daemon, and their keys.")

LIVE = ("starting", "running", "waiting", "paused")
LOGINS = {"in": "logged in", "out": "logged out", "unknown": "not known"}

Id = Annotated[str, typer.Argument(metavar="ID", help="The computer's id; its beginning is enough.")]


@app.command("list")
def list_computers(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List computers, whether they are online and what runs there.

    \b
    Examples:
      pal console computers list --json
    """
    answer = connect(server, token).get("/api/computers", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=_show_computers)


@app.command("show")
def show(id: Id, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Show one computer: its agent programs with versions and log-ins, what to install, its checkouts and live runs.

    \b
    Examples:
      pal console computers show desk
    """
    line = connect(server, token)
    answer = line.get(f"/api/computers/{segment(id)}")

    def render(answer: verbs.Answer) -> None:
        _show_computer(answer)
        of = answer["computer"]["id"]
        live = [run for state in LIVE for run in line.get("/api/runs", computer=of, status=state)["runs"]]
        if live:
            shown.runs({"runs": live})

    verbs.show(answer, as_json=as_json, render=render)


@app.command("provision")
def provision(
    name: Annotated[str | None, typer.Option("--name", metavar="N", help="A name for the computer.")] = None,
    server_url: Annotated[
        str | None, typer.Option("--server-url", metavar="URL", help="How that computer reaches this server.")
    ] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Make a computer: prints its key, once, and the command that starts its daemon.

    \b
    Examples:
      pal console computers provision --name "build box"
      pal console computers provision --name mac --server-url https://pal.example.org
    """
    line = connect(server, token)
    body = {"name": required(name, "--name"), "server_url": server_url or line.place.url}
    verbs.show(line.post("/api/computers/provision", body), as_json=as_json, render=_show_key)


@app.command("rotate-key")
def rotate_key(id: Id, yes: Yes = False, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Give a computer a new key. A daemon with the old one ends within seconds.

    \b
    Examples:
      pal console computers rotate-key machine_abc --yes
    """
    confirm(f"make the present key of {id} useless; its daemon ends until it is given the new one", yes=yes)
    answer = connect(server, token).post(f"/api/computers/{segment(id)}/rotate")
    verbs.show(answer, as_json=as_json, render=_show_key)


@app.command("revoke")
def revoke(id: Id, yes: Yes = False, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Shut a computer out for good. Its daemon ends within seconds.

    \b
    Examples:
      pal console computers revoke machine_abc --yes
    """
    confirm(f"shut the computer {id} out for good", yes=yes)
    answer = connect(server, token).post(f"/api/computers/{segment(id)}/revoke")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"{id} is revoked"))


@app.command("drain")
def drain(
    id: Id,
    off: Annotated[bool, typer.Option("--off", help="Give it work again.")] = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Let a computer finish what runs there and give it nothing new.

    \b
    Examples:
      pal console computers drain machine_abc
      pal console computers drain machine_abc --off
    """
    answer = connect(server, token).post(f"/api/computers/{segment(id)}/drain", {"draining": not off})
    said = f"{id} takes work again" if off else f"{id} finishes what runs there and takes nothing new"
    verbs.show(answer, as_json=as_json, render=lambda _: say(said))


def _show_computers(answer: verbs.Answer) -> None:
    table(
        ("COMPUTER", "NAME", "STATUS", "RUNS", "LAST SEEN", "AGENTS"),
        [
            (
                c["id"],
                c["name"],
                c["status"],
                f"{c['live_runs']}/{c['max_runs']}",
                when(c.get("last_seen_at")),
                ", ".join(c.get("agents", [])),
            )
            for c in answer["computers"]
        ],
        empty="no computers yet. `pal console computers provision --name N` makes one",
    )


def _show_computer(answer: verbs.Answer) -> None:
    one = answer["computer"]
    say(f"{one['name']} ({one['id']}): {one['status']}, last seen {when(one.get('last_seen_at'))}")
    say(f"{one.get('os') or 'unknown system'} on {one.get('host') or 'unknown host'}, pal {one.get('daemon_version')}")
    say(f"{one['live_runs']} of {one['max_runs']} runs; agents: {', '.join(one.get('agents', [])) or 'none'}")
    rows = [
        (
            runtime["name"],
            runtime.get("version") or ("yes" if runtime["available"] else "-"),
            LOGINS.get(runtime.get("login"), ""),
            runtime.get("note") or ("" if runtime["available"] else runtime.get("install", "")),
        )
        for runtime in one.get("runtimes", [])
    ]
    table(("RUNTIME", "VERSION", "LOGIN", "WHAT TO DO"), rows, empty="its daemon has not told which programs it has")
    checkouts = [(c["root"], c.get("branch") or "(none)", when(c["used_at"])) for c in one.get("checkouts", [])]
    if checkouts:
        table(("CHECKOUT", "BRANCH", "USED"), checkouts, empty="")


def _show_key(answer: verbs.Answer) -> None:
    computer = without_nothing(answer["computer"])
    say(f"computer {computer['id']} ({computer['name']})")
    say(f"key      {answer['api_key']}")
    say(f"start    {answer['command']}")
    note("The key is shown this once. Keep it where only that computer reads it.")
