"""`pal console projects …`: what several rooms are about."""

from typing import Annotated

import typer

from pal_console.server_line import After, AsJson, Limit, Server, Token, connect
from pal_server.client.resolve import named_project
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import say
from pal_server.client.terminal.typed import new_app

app = new_app("Projects: goal, rules and stack that every run in their rooms is told.")

Which = Annotated[
    str | None, typer.Argument(metavar="PROJECT", help="Its key or id (the one .pal.toml names).", show_default=False)
]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="The name people see.")]
Goal = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")]
Rules = Annotated[list[str] | None, typer.Option("--rule", metavar="TEXT", help="A rule; repeat for more.")]
Stack = Annotated[
    list[str] | None, typer.Option("--stack", metavar="WORD", help="A language or framework; repeat for more.")
]
Home = Annotated[str | None, typer.Option("--room", "--chat", metavar="R", help="Its default room.")]


@app.command("list")
def list_projects(
    after: After = None, limit: Limit = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """List projects.

    \b
    Examples:
      pal console projects list
    """
    answer = connect(server, token).get("/api/projects", after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=shown.projects)


@app.command("create")
def create_project(
    key: Annotated[str, typer.Argument(metavar="KEY", help="Letters, digits and dashes.")],
    name: Name = None,
    goal: Goal = None,
    rule: Rules = None,
    stack: Stack = None,
    room: Home = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Make a project with its default room: the one called as its key, which is made when there is none.

    \b
    Examples:
      pal console projects create shop --goal "A shop for tea" --rule "No new dependencies" --stack python
      pal console projects create shop --room general
    """
    body = {"key": key, "name": name, "goal": goal, "rules": rule, "tech_stack": stack, "room": room}
    answer = connect(server, token).post("/api/projects", without_nothing(body))
    verbs.show(answer, as_json=as_json, render=_show_made)


@app.command("show")
def show_project(project: Which = None, as_json: AsJson = False, server: Server = None, token: Token = None) -> None:
    """Show one project.

    \b
    Examples:
      pal console projects show shop
    """
    answer = connect(server, token).get(f"/api/projects/{segment(named(project))}")
    verbs.show(answer, as_json=as_json, render=shown.project)


@app.command("update")
def update_project(
    project: Which = None,
    name: Name = None,
    goal: Goal = None,
    rule: Rules = None,
    no_rules: Annotated[bool, typer.Option("--no-rules", help="Take all rules away.")] = False,
    stack: Stack = None,
    room: Home = None,
    archived: Annotated[bool | None, typer.Option("--archive/--restore", help="An admin's to say.")] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Change what is named; rules and stack that are named replace those there are.

    \b
    Examples:
      pal console projects update shop --goal "A shop for tea and coffee"
      pal console projects update shop --archive
    """
    if rule and no_rules:
        raise WrongUsage("--rule and --no-rules exclude each other. Give one of them")
    body = without_nothing(
        {
            "name": name,
            "goal": goal,
            "rules": rule,
            "tech_stack": stack,
            "room": room,
            "archived": archived,
        }
    )
    if no_rules:
        body["rules"] = []
    if not body:
        raise WrongUsage("nothing to change was named. Give --name, --goal, --rule, --stack, --room or --archive")
    answer = connect(server, token).patch(f"/api/projects/{segment(named(project))}", body)
    verbs.show(answer, as_json=as_json, render=shown.project)


def named(project: str | None) -> str:
    """The project that was named, else the one of the nearest `.pal.toml`; WrongUsage when there is none."""
    found = project or named_project()
    if found is None:
        raise WrongUsage("which project? Name it, or write project = … into .pal.toml")
    return found


def _show_made(answer: verbs.Answer) -> None:
    project = answer["project"]
    say(f"project {project['key']} is there ({project['id']})")
