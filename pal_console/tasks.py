"""`pal console tasks …`: the same as `pal cli tasks`, directly with the server."""

from typing import Annotated, Any

import typer

from pal_console.projects import named
from pal_console.server_line import After, AsJson, Limit, Server, Token, connect
from pal_server.client.resolve import named_project
from pal_server.client.terminal import shown_tasks, task_verbs, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.typed import new_app

app = new_app("Tasks: topics with a plan, moved by the work in them.")

Which = Annotated[str, typer.Argument(metavar="TASK", help="T-3, shop.T-3 or the beginning of its id.")]
Whose = Annotated[
    str | None, typer.Option("--project", metavar="P", help="The project's key or id (the one .pal.toml names).")
]
Words = Annotated[str | None, typer.Option(metavar="TEXT", help="More about it.")]
Criteria = Annotated[list[str] | None, typer.Option("--accept", metavar="TEXT", help="What has to be true; repeat.")]
ProgramLine = Annotated[str | None, typer.Option("--verify", metavar="CMD", help="A command line that shows it.")]
Needed = Annotated[
    bool | None, typer.Option("--require-verify/--no-require-verify", help="Whether it is not done before that passed.")
]
Paths = Annotated[list[str] | None, typer.Option("--path", metavar="P", help="Where; repeat.")]
References = Annotated[list[str] | None, typer.Option("--reference", metavar="R", help="What to read; repeat.")]
Owner = Annotated[str | None, typer.Option(metavar="U", help="Whose it is: a user's name.")]
Agent = Annotated[str | None, typer.Option(metavar="A", help="Whom a start is for.")]
Type = Annotated[str | None, typer.Option(metavar="WORD", help="task, bug, docs.")]
Before = Annotated[list[str] | None, typer.Option("--depends-on", metavar="T-N", help="What comes before; repeat.")]
Order = Annotated[float | None, typer.Option(metavar="X", help="A number to sort by.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why it waits.")]


@app.command("list")
def list_tasks(
    project: Whose = None,
    status: Annotated[str | None, typer.Option(metavar="S", help=f"One of {', '.join(task_verbs.STATUSES)}.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="A", help="Only those for this agent.")] = None,
    owner: Annotated[str | None, typer.Option(metavar="U", help="Only those of this user.")] = None,
    q: Annotated[str | None, typer.Option("--q", metavar="TEXT", help="Only those with this in title or body.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that are archived.")] = False,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List tasks by number.

    \b
    Examples:
      pal console tasks list --project shop --status review
    """
    answer = connect(server, token).get(
        "/api/tasks",
        project=project or named_project(),
        status=status,
        agent=agent,
        owner=owner,
        q=q,
        archived="true" if archived else None,
        after=after,
        limit=limit,
    )
    verbs.show(answer, as_json=as_json, render=shown_tasks.tasks)


@app.command("show")
def show(
    task: Which, project: Whose = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Show a task: where it stands, and its plan.

    \b
    Examples:
      pal console tasks show shop.T-3
    """
    task_verbs.show(connect(server, token), task, project=project or named_project(), as_json=as_json)


@app.command("add")
def add(
    title: Annotated[
        str | None, typer.Argument(metavar="TITLE", help="What is to be done.", show_default=False)
    ] = None,
    topic: Annotated[int | None, typer.Option(metavar="N", help="Make a task of this topic.")] = None,
    room: Annotated[str | None, typer.Option("--room", "--chat", metavar="R", help="A room of the project.")] = None,
    body: Words = None,
    accept: Criteria = None,
    verify: ProgramLine = None,
    require_verify: Needed = None,
    path: Paths = None,
    reference: References = None,
    owner: Owner = None,
    agent: Agent = None,
    type: Type = None,
    depends_on: Before = None,
    order: Order = None,
    project: Whose = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Plan a task with a topic of its own, or make one of a topic.

    \b
    Examples:
      pal console tasks add "Sell tea" --project shop --accept "the page lists it" --verify "make test"
    """
    if (title is None) == (topic is None):
        raise WrongUsage("give either TITLE or --topic")
    plan = _plan(body, accept, verify, require_verify, path, reference, owner, agent, type, depends_on, order)
    if topic is None:
        plan |= {"title": title, "room": room, "project": named(project)}
    task_verbs.add(connect(server, token), plan, topic=topic, client_id=None, as_json=as_json)


@app.command("start")
def start(
    task: Which,
    agent: Annotated[str | None, typer.Option(metavar="A", help="Give it to this one.")] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="What to say to it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also while it comes after something not done.")] = False,
    project: Whose = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Give a task to its agent.

    \b
    Examples:
      pal console tasks start shop.T-3
    """
    body = {"project": project or named_project(), "agent": agent, "text": text, "force": force or None}
    task_verbs.start(connect(server, token), task, body, client_id=None, as_json=as_json)


@app.command("edit")
def edit(
    task: Which,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Another title.")] = None,
    body: Words = None,
    accept: Criteria = None,
    verify: ProgramLine = None,
    require_verify: Needed = None,
    path: Paths = None,
    reference: References = None,
    owner: Owner = None,
    agent: Agent = None,
    type: Type = None,
    depends_on: Before = None,
    order: Order = None,
    result: Annotated[str | None, typer.Option(metavar="TEXT", help="What came of it.")] = None,
    clear: Annotated[list[str] | None, typer.Option("--clear", metavar="FIELD", help="Take it away; repeat.")] = None,
    archived: Annotated[bool | None, typer.Option("--archive/--restore", help="Freeze it, or open it again.")] = None,
    project: Whose = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Change what is named of a task; lists replace those that are there.

    \b
    Examples:
      pal console tasks edit shop.T-3 --owner ann --clear depends_on
    """
    if unknown := sorted(set(clear or []) - task_verbs.CLEARABLE.keys()):
        raise WrongUsage(f"{', '.join(unknown)} cannot be cleared. One can: {', '.join(task_verbs.CLEARABLE)}")
    plan = _plan(body, accept, verify, require_verify, path, reference, owner, agent, type, depends_on, order)
    wanted = {**plan, "title": title, "result": result, "archived": archived}
    task_verbs.edit(
        connect(server, token), task, wanted, clear=clear or [], project=project or named_project(), as_json=as_json
    )


@app.command("delete")
def delete(
    task: Which,
    project: Whose = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Take a task away for good: its plan and verifications. Its conversation stays, archived.

    \b
    Examples:
      pal console tasks delete shop.T-3 --yes
    """
    line = connect(server, token)
    task_verbs.delete(line, task, project=project or named_project(), yes=yes, as_json=as_json)


@app.command("move")
def move(
    task: Which,
    status: Annotated[str, typer.Argument(metavar="STATUS", help=f"One of {', '.join(task_verbs.STATUSES)}.")],
    reason: Reason = None,
    project: Whose = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Move a task by hand. That is kept until the next run starts.

    \b
    Examples:
      pal console tasks move shop.T-3 ready
    """
    _put(server, token, task, status, reason=reason, project=project, as_json=as_json)


@app.command("done")
def done(
    task: Which, project: Whose = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Say that a task is done.

    \b
    Examples:
      pal console tasks done shop.T-3
    """
    _put(server, token, task, "done", reason=None, project=project, as_json=as_json)


@app.command("block")
def block(
    task: Which,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it waits; shown with it.")],
    project: Whose = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Let a task wait, with the reason.

    \b
    Examples:
      pal console tasks block shop.T-3 --reason "the key is missing"
    """
    _put(server, token, task, "waiting", reason=reason, project=project, as_json=as_json)


@app.command("verify")
def verify(
    task: Which, project: Whose = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Run a task's verification in this folder and report what came of it; exit code 1 when it did not pass.

    \b
    Examples:
      pal console tasks verify shop.T-3
    """
    line = connect(server, token)
    code = task_verbs.verify(line, task, project=project or named_project(), client_id=None, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _put(
    server: str | None,
    token: str | None,
    task: str,
    status: str,
    *,
    reason: str | None,
    project: str | None,
    as_json: bool,
) -> None:
    body: dict[str, object] = {"status": status} if reason is None else {"status": status, "waiting_note": reason}
    line = connect(server, token)
    task_verbs.change(line, task, body, project=project or named_project(), as_json=as_json)


def _plan(
    body: str | None,
    accept: list[str] | None,
    verify: str | None,
    require_verify: bool | None,
    path: list[str] | None,
    reference: list[str] | None,
    owner: str | None,
    agent: str | None,
    type: str | None,
    depends_on: list[str] | None,
    order: float | None,
) -> dict[str, Any]:
    return {
        "body": body,
        "acceptance": accept,
        "verification": verify,
        "verification_required": require_verify,
        "paths": path,
        "references": reference,
        "owner": owner,
        "agent": agent,
        "type": type,
        "depends_on": depends_on,
        "order": order,
    }
