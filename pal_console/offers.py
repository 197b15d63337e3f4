"""What agent programs offer, as their computers found it: models, commands, how much of a subscription is used."""

from typing import Annotated, Any

import typer

from pal_console.server_line import AsJson, Server, Token, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.line import Line, segment
from pal_server.client.terminal.output import note, say, table, when

LOOK_FOR = 60.0  # seconds a computer is given for a look with --probe

AgentKey = Annotated[str, typer.Argument(metavar="KEY", help="The agent's key.")]
AccountRef = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id or label.")]
Probe = Annotated[bool, typer.Option("--probe", help="Let its computer look now, and wait for that.")]


def agent_models(
    key: AgentKey, probe: Probe = False, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Models an agent can choose. Others pass through as they are named.

    \b
    Examples:
      pal console agents models codex --probe
    """
    _show_models(connect(server, token), f"/api/agents/{segment(key)}", probe=probe, as_json=as_json)


def account_models(
    account: AccountRef, probe: Probe = False, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Models an account has.

    \b
    Examples:
      pal console accounts models work --probe
    """
    _show_models(connect(server, token), f"/api/accounts/{segment(account)}", probe=probe, as_json=as_json)


def agent_commands(
    key: AgentKey, probe: Probe = False, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """What can be said to an agent with a slash: pal's commands, its program's, skills.

    \b
    Examples:
      pal console agents commands claude-code --probe
    """
    line, path = connect(server, token), f"/api/agents/{segment(key)}"
    answer = _look(line, path, what="commands") if probe else line.get(f"{path}/commands")
    verbs.show(answer, as_json=as_json, render=_render_commands)


def agent_equipment(
    key: AgentKey, probe: Probe = False, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Skills and tool servers (MCP) that an agent's computer has for it, and which its profile names.

    \b
    Examples:
      pal console agents equipment claude-code --probe
    """
    line, path = connect(server, token), f"/api/agents/{segment(key)}"
    answer = _look(line, path, what="equipment") if probe else line.get(f"{path}/equipment")
    verbs.show(answer, as_json=as_json, render=_render_equipment)


def quotas(as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """How much of each subscription is used, as its program told last.

    \b
    Examples:
      pal console quotas
    """
    verbs.show(connect(server, token).get("/api/quotas"), as_json=as_json, render=_render_quotas)


def _show_models(line: Line, path: str, *, probe: bool, as_json: bool) -> None:
    answer = _look(line, path, what="models") if probe else line.get(f"{path}/models")
    verbs.show(answer, as_json=as_json, render=_render_models)


def _look(line: Line, path: str, *, what: str) -> verbs.Answer:
    """Order a look and wait until its computer has told what it found; what is known already when it is away."""
    before = line.get(f"{path}/{what}")
    ordered = line.post(f"{path}/probe")
    if not ordered["is_online"]:
        note("its computer is away and looks when it is back")
        return before
    for event in line.stream("/api/events", ordered["position"], within=LOOK_FOR):
        if event["kind"] != "finding.changed" or event["data"]["computer"] != ordered["computer"]:
            continue
        answer = line.get(f"{path}/{what}")
        if _age(answer) != _age(before):  # else it was another program's, or another folder's
            return answer
    note("its computer has not looked yet")
    return line.get(f"{path}/{what}")


def _age(answer: verbs.Answer) -> tuple[object, ...]:
    return answer["tried_at"], answer["found_at"]


def _render_models(answer: verbs.Answer) -> None:
    rows = [(one["id"], one["name"], ", ".join(one["efforts"])) for one in answer["models"]]
    table(("MODEL", "NAME", "EFFORTS"), rows, empty="no list is known. --probe lets its computer look")
    _note_age(answer)


def _render_commands(answer: verbs.Answer) -> None:
    for one in answer["commands"]:
        hint = f" {one['hint']}" if one["hint"] else ""
        say(f"/{one['name']}{hint}  ({one['source']})  {one['description']}"[:200])
    _note_age(answer)


def _render_equipment(answer: verbs.Answer) -> None:
    rows = [
        (what, one["name"], one["source"], "chosen" if one["selected"] else "", one.get("description", ""))
        for what, listed in (("skill", answer["skills"]), ("tool server", answer["servers"]))
        for one in listed
    ]
    table(("", "NAME", "FROM", "", "FOR"), rows, empty="nothing is known. --probe lets its computer look")
    if answer["missing"]:
        note(f"chosen, and not there: {', '.join(answer['missing'])}")
    _note_age(answer)


def _render_quotas(answer: verbs.Answer) -> None:
    rows = [
        (
            quota["computer"],
            quota["runtime"],
            quota["account"] or "usual login",
            window["name"],
            _percent(window),
            when(window["resets_at"]),
            "old" if quota["is_stale"] else "",
        )
        for quota in answer["quotas"]
        for window in quota["windows"]
    ]
    head = ("COMPUTER", "RUNTIME", "LOGIN", "WINDOW", "USED", "BEGINS ANEW", "")
    table(head, rows, empty="no program has told how much of a subscription is used")


def _percent(window: dict[str, Any]) -> str:
    return "-" if window["used_percent"] is None else f"{window['used_percent']:.0f} %"


def _note_age(answer: verbs.Answer) -> None:
    if answer["error"]:
        note(f"the newest look found nothing: {answer['error']}")
    if answer["found_at"] is not None:
        note(f"as found {when(answer['found_at'])}")
