"""`pal console agents …`: agents, who they are and where they run."""

import shlex
from typing import Annotated, TypeAlias

import typer

from pal_console.binding import Bots, with_bots
from pal_console.server_line import After, AsJson, Interactive, Limit, Server, Token, Yes, connect
from pal_server.client.terminal import verbs
from pal_server.client.terminal.confirm import ask, confirm
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, segment, without_nothing
from pal_server.client.terminal.output import note, say
from pal_server.client.terminal.typed import new_app

app = new_app("Agents: who they are and where they run.")

RUNTIMES = (
    "claude-code",
    "codex",
    "gemini",
    "opencode",
    "cursor",
    "acp",
    "openai",
    "command",
    "http",
    "manual",
    "demo",
)
NO_COMPUTER = "none"  # an answer of the wizards; no id of a computer looks like it

Key: TypeAlias = Annotated[str | None, typer.Option("--key", metavar="KEY", help="The agent's key, as in @codex.")]
Name: TypeAlias = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="The name people see.")]
Runtime: TypeAlias = Annotated[
    str | None, typer.Option("--runtime", metavar="R", help=f"The kind of program: {', '.join(RUNTIMES)}.")
]
Description: TypeAlias = Annotated[
    str | None, typer.Option("--desc", "--description", metavar="TEXT", help="What the agent is for.")
]
Computer: TypeAlias = Annotated[
    str | None, typer.Option("--computer-id", metavar="ID", help="The computer it runs on.")
]
ProgramLine: TypeAlias = Annotated[
    str | None,
    typer.Option("--command", metavar="'PROGRAM ARGS…'", help="For the runtimes command and http: what to run or ask."),
]
Folder: TypeAlias = Annotated[str | None, typer.Option("--cwd", metavar="DIR", help="The folder it works in.")]
Model: TypeAlias = Annotated[str | None, typer.Option("--model", metavar="M", help="The model it uses.")]
Effort: TypeAlias = Annotated[str | None, typer.Option("--effort", metavar="E", help="How hard it thinks.")]
Mode: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--mode", metavar="M", help="What it may do unasked: ask, accept_edits, auto, bypass, read_only, plan."
    ),
]
Instructions: TypeAlias = Annotated[
    str | None, typer.Option("--instructions", metavar="TEXT", help="What it is told in every prompt.")
]
Skills: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--skill", metavar="NAME", help="A skill its computer has; repeat for more, '' for none."),
]
Servers: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--server-of-tools", "--mcp", metavar="NAME", help="A tool server (MCP); repeat, '' for none."),
]
SandboxWord: TypeAlias = Annotated[
    str | None, typer.Option("--sandbox", metavar="S", help="Of its program: read-only, workspace-write.")
]
ApprovalWord: TypeAlias = Annotated[
    str | None, typer.Option("--approval", metavar="A", help="When its program asks: untrusted, on-request.")
]
Network: TypeAlias = Annotated[
    bool | None, typer.Option("--network/--no-network", help="Whether its sandbox reaches the network.")
]
Isolation: TypeAlias = Annotated[
    str | None,
    typer.Option("--isolate", metavar="'PROGRAM ARGS…'", help="Put before its program, as a container; '' for none."),
]
AccountId: TypeAlias = Annotated[str | None, typer.Option("--account", metavar="ID", help="The account it uses.")]
Concurrency: TypeAlias = Annotated[
    int | None, typer.Option("--concurrency", min=1, metavar="N", help="Topics it works in at once.")
]
MaxDuration: TypeAlias = Annotated[
    int | None, typer.Option("--max-duration", min=1, metavar="MS", help="Milliseconds a run may take.")
]


@app.command("list")
def list_agents(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List agents, their runtimes and where they run.

    \b
    Examples:
      pal console agents list --json
    """
    verbs.agents(connect(server, token), as_json=as_json, after=after, limit=limit)


@app.command("create")
def create(
    key: Key = None,
    name: Name = None,
    runtime: Runtime = None,
    description: Description = None,
    computer_id: Computer = None,
    command: ProgramLine = None,
    cwd: Folder = None,
    model: Model = None,
    effort: Effort = None,
    mode: Mode = None,
    instructions: Instructions = None,
    skill: Skills = None,
    mcp: Servers = None,
    sandbox: SandboxWord = None,
    approval: ApprovalWord = None,
    network: Network = None,
    isolate: Isolation = None,
    account: AccountId = None,
    concurrency: Concurrency = None,
    max_duration: MaxDuration = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Create an agent, or update what is named of one that exists.

    \b
    Examples:
      pal console agents create --key codex --name "Codex Agent" --runtime codex --desc "Main coding agent"
      pal console agents create --key lint --name Lint --runtime command --command 'python lint.py --all'
    """
    body = {
        "key": required(key, "--key"),
        "display_name": name,
        "runtime": runtime,
        "description": description,
        "computer_id": computer_id,
        "command": checked_command(command),
        "cwd": cwd,
        "model": model,
        "effort": effort,
        "mode": mode,
        "instructions": instructions,
        "account": account,
        "concurrency": concurrency,
        "max_duration": max_duration,
        **_more(skill, mcp, isolate),
        "settings": _settings({}, sandbox, approval, network),
    }
    answer = connect(server, token).post("/api/agents", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=show_agent)


@app.command("onboard")
@with_bots
def onboard(
    bots: Bots,
    key: Key = None,
    name: Name = None,
    runtime: Runtime = None,
    description: Description = None,
    computer_id: Computer = None,
    command: ProgramLine = None,
    cwd: Folder = None,
    interactive: Interactive = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Create or update an agent and assign it to a computer.

    \b
    Examples:
      pal console agents onboard --key codex --name "Codex Agent" --runtime codex --computer-id machine_abc
      pal console agents onboard --interactive
    """
    line = connect(server, token)
    if interactive:
        key = key or ask("Key, as in @codex")
        name = name or ask("Name people see", default=key)
        runtime = runtime or ask("Runtime", default="demo", choices=list(RUNTIMES))
        if runtime == "command":
            command = command or ask("Program and arguments, as in 'python lint.py'")
        elif runtime == "http":
            command = command or ask("The request, as in 'POST https://ci.example.org/hook'")
        description = description if description is not None else ask("What is it for (may stay empty)", default="")
        computer_id = computer_id or _ask_computer(line)
        bots.ask()
    body = {
        "agent_key": required(key, "--key"),
        "display_name": required(name, "--name"),
        "runtime": runtime,
        "description": description or None,
        "computer_id": computer_id,
        "command": checked_command(command),
        "cwd": cwd,
    }
    answer = line.post("/api/agents/onboard", without_nothing(body))
    bots.carry_out(line, agent=str(answer["agent"]["key"]))
    verbs.show(answer, as_json=as_json, render=show_agent)


@app.command("update")
@with_bots
def update(
    bots: Bots,
    key: Key = None,
    name: Name = None,
    runtime: Runtime = None,
    description: Description = None,
    computer_id: Computer = None,
    unassign: Annotated[bool, typer.Option("--unassign", help="End its assignment to a computer.")] = False,
    command: ProgramLine = None,
    cwd: Folder = None,
    model: Model = None,
    effort: Effort = None,
    mode: Mode = None,
    instructions: Instructions = None,
    skill: Skills = None,
    mcp: Servers = None,
    sandbox: SandboxWord = None,
    approval: ApprovalWord = None,
    network: Network = None,
    isolate: Isolation = None,
    account: AccountId = None,
    concurrency: Concurrency = None,
    max_duration: MaxDuration = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether it is given work.")] = None,
    interactive: Interactive = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Change what is named of an agent, and leave the rest.

    \b
    Examples:
      pal console agents update --key codex --runtime claude-code
      pal console agents update --key codex --computer-id machine_abc
      pal console agents update --key codex --lark-app-id cli_a1 --lark-app-secret …
      pal console agents update --interactive
    """
    line = connect(server, token)
    if interactive:
        key = key or _ask_agent(line)
        now = line.get(f"/api/agents/{segment(key)}")["agent"]
        name = name or ask("Name people see", default=now["display_name"])
        runtime = runtime or ask("Runtime", default=now["runtime"])
        if description is None:
            description = ask("What is it for", default=now["description"])
        if computer_id is None and not unassign:
            chosen = _ask_computer(line, default=now["computer"] or NO_COMPUTER, may_be_none=True)
            unassign = chosen is None and now["computer"] is not None
            computer_id = None if chosen == now["computer"] else chosen
        bots.ask()
    key = required(key, "--key")
    if unassign and computer_id is not None:
        raise WrongUsage("--unassign and --computer-id exclude each other. Give one of them")
    body = without_nothing(
        {
            "display_name": name,
            "runtime": runtime,
            "description": description,
            "command": checked_command(command),
            "cwd": cwd,
            "model": model,
            "effort": effort,
            "mode": mode,
            "instructions": instructions,
            "account": account,
            "concurrency": concurrency,
            "max_duration": max_duration,
            "enabled": enabled,
        }
    )
    body |= _more(skill, mcp, isolate)
    if sandbox is not None or approval is not None or network is not None:
        now = line.get(f"/api/agents/{segment(key)}")["agent"]["settings"]
        body["settings"] = _settings(now, sandbox, approval, network)
    if not body and computer_id is None and not unassign and not bots.is_given:
        raise WrongUsage("nothing to change was named. Give --name, --runtime, --computer-id … or --interactive")
    path = f"/api/agents/{segment(key)}"
    changed = answer = line.patch(path, body) if body else {}
    if computer_id is not None or unassign:
        answer = line.post(f"{path}/assignment", {"computer_id": computer_id})
    if bots.is_given:
        bots.carry_out(line, agent=key)
        answer = line.get(path)
    verbs.show(answer, as_json=as_json, render=show_agent)
    earlier = changed.get("outdated", [])
    if earlier:
        note(
            f"{len(earlier)} conversation{'s go' if len(earlier) > 1 else ' goes'} on with the earlier profile:"
            f" `pal console agents apply --key {key}` changes that"
        )


@app.command("duplicate")
def duplicate(
    key: Key = None,
    to: Annotated[str | None, typer.Option("--to", metavar="KEY", help="The new agent's key.")] = None,
    name: Name = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Make another agent with the same profile.

    \b
    Examples:
      pal console agents duplicate --key codex --to codex-two --name "Second Codex"
    """
    path = f"/api/agents/{segment(required(key, '--key'))}/duplicate"
    body = without_nothing({"key": required(to, "--to"), "display_name": name})
    verbs.show(connect(server, token).post(path, body), as_json=as_json, render=show_agent)


@app.command("apply")
def apply(
    key: Key = None,
    topic: Annotated[int | None, typer.Option("--topic", metavar="T", help="Only in this topic.")] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Let conversations that began with an earlier profile of an agent go on with its present one.

    \b
    Examples:
      pal console agents apply --key codex
      pal console agents apply --key codex --topic 12
    """
    path = f"/api/agents/{segment(required(key, '--key'))}/apply"
    answer = connect(server, token).post(path, without_nothing({"topic": topic}))
    verbs.show(answer, as_json=as_json, render=lambda a: say(f"applied in {len(a['topics'])} topics of {a['agent']}"))


@app.command("delete")
def delete(
    key: Key = None, yes: Yes = False, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Delete an agent with its assignment, memberships and waiting deliveries; its live run is killed.

    \b
    Examples:
      pal console agents delete --key codex --yes
    """
    key = required(key, "--key")
    confirm(f"delete the agent {key}, its memberships and its waiting work", yes=yes)
    answer = connect(server, token).delete(f"/api/agents/{segment(key)}")
    verbs.show(answer, as_json=as_json, render=lambda _: say(f"{key} is deleted"))


def show_agent(answer: verbs.Answer) -> None:
    """One agent in a line, and what keeps it from working."""
    agent = answer["agent"]
    where = f"on {agent['computer']}" if agent.get("computer") else "on no computer yet (--computer-id assigns it)"
    state = "" if agent.get("enabled", True) else ", disabled"
    say(f"{agent['key']} ({agent['display_name']}), {agent['runtime']}, {where}{state}")
    if agent["runtime"] in ("command", "http") and not agent.get("command_allowed"):
        say("its command is not allowed yet: an administrator names it with --command")
    if agent.get("runtime_note"):
        say(str(agent["runtime_note"]))


def _more(skills: list[str] | None, servers: list[str] | None, isolate: str | None) -> dict[str, object]:
    """What an empty text takes away."""
    body: dict[str, object] = {}
    if skills is not None:
        body["skills"] = [name for name in skills if name]
    if servers is not None:
        body["servers"] = [name for name in servers if name]
    if isolate is not None:
        body["isolation"] = checked_command(isolate) if isolate else None
    return body


def _settings(
    now: dict[str, object], sandbox: str | None, approval: str | None, network: bool | None
) -> dict[str, object] | None:
    """All of them, as the API takes them; None when none was named."""
    wanted = without_nothing({"sandbox": sandbox, "approval": approval, "network": network})
    return {**now, **wanted} if wanted else None


def required(value: str | None, flag: str) -> str:
    """The value; WrongUsage when the flag is missing or empty."""
    if value is None or not value.strip():
        raise WrongUsage(f"{flag} is missing or empty. Give {flag}; --help has examples")
    return value


def checked_command(command: str | None) -> str | None:
    """The command line as given; WrongUsage when a POSIX shell could not split it."""
    if command is None:
        return None
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise WrongUsage(f"--command cannot be split into words: {error}. Check its quotes") from error
    if not parts:
        raise WrongUsage("--command is empty. Give a program and its arguments in one pair of quotes")
    return command


def _ask_computer(line: Line, *, default: str | None = None, may_be_none: bool = False) -> str | None:
    computers = [c for c in line.get("/api/computers", limit=200)["computers"] if c["status"] != "revoked"]
    if not computers:
        say("There is no computer yet. `pal console computers provision --name N` makes one; assign it later.")
        return None
    for one in computers:
        say(f"  {one['id']}  {one['name']}  {one['status']}")
    choices = [str(one["id"]) for one in computers] + ([NO_COMPUTER] if may_be_none else [])
    chosen = ask("Computer", default=default or choices[0], choices=choices)
    return None if chosen == NO_COMPUTER else chosen


def _ask_agent(line: Line) -> str:
    keys = [str(agent["key"]) for agent in line.get("/api/agents", limit=200)["agents"]]
    if not keys:
        raise WrongUsage("there is no agent yet. `pal console agents onboard --interactive` makes one")
    return ask("Which agent", default=keys[0], choices=keys)
