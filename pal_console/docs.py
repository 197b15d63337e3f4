"""`pal console docs …`: context documents of a project."""

from pathlib import Path
from typing import Annotated

import typer

from pal_console.projects import named
from pal_console.server_line import After, AsJson, Limit, Server, Token, connect
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import say
from pal_server.client.terminal.sending import read_text
from pal_server.client.terminal.typed import new_app

app = new_app("Context documents: texts of a project that its runs are told.")

InProject = Annotated[
    str | None, typer.Option("--project", metavar="P", help="The project's key or id (the one .pal.toml names).")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, dots, dashes and underscores.")]
Inject = Annotated[bool | None, typer.Option("--inject/--keep", help="Tell it to every run, or only keep it.")]


@app.command("list")
def list_docs(
    project: InProject = None,
    after: After = None,
    limit: Limit = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """List context documents.

    \b
    Examples:
      pal console docs list --project shop
    """
    answer = connect(server, token).get(_docs(project), after=after, limit=limit)
    verbs.show(answer, as_json=as_json, render=shown.docs)


@app.command("show")
def show_doc(
    name: Name, project: InProject = None, as_json: AsJson = False, server: Server = None, token: Token = None
) -> None:
    """Print one.

    \b
    Examples:
      pal console docs show README.md --project shop
    """
    answer = connect(server, token).get(f"{_docs(project)}/{segment(name)}")
    verbs.show(answer, as_json=as_json, render=lambda a: say(a["content"]))


@app.command("write")
def write_doc(
    name: Name,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file with the text; - reads standard input.")],
    project: InProject = None,
    inject: Inject = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Write one, anew or in place of what stood there.

    \b
    Examples:
      pal console docs write README.md README.md --project shop
      git log --oneline -20 | pal console docs write recent.txt - --project shop
    """
    content = read_text("-", None) if file == "-" else read_text(None, str(Path(file)))
    body = without_nothing({"content": content, "inject": inject})
    answer = connect(server, token).put(f"{_docs(project)}/{segment(name)}", body)
    verbs.show(answer, as_json=as_json, render=_show_state)


@app.command("update")
def update_doc(
    name: Name,
    project: InProject = None,
    inject: Inject = None,
    archived: Annotated[bool | None, typer.Option("--archive/--restore", help="Put it away, or back.")] = None,
    as_json: AsJson = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Say whether runs are told it, put it away or back.

    \b
    Examples:
      pal console docs update README.md --keep --project shop
      pal console docs update README.md --archive --project shop
    """
    body = without_nothing({"inject": inject, "archived": archived})
    if not body:
        raise WrongUsage("nothing to change was named. Give --inject, --keep, --archive or --restore")
    answer = connect(server, token).patch(f"{_docs(project)}/{segment(name)}", body)
    verbs.show(answer, as_json=as_json, render=_show_state)


def _docs(project: str | None) -> str:
    return f"/api/projects/{segment(named(project))}/docs"


def _show_state(answer: verbs.Answer) -> None:
    doc = answer["doc"]
    if doc.get("archived_at"):
        say(f"{doc['name']} is archived")
    else:
        say(f"{doc['name']}: {doc['size']} characters, {'told to runs' if doc['inject'] else 'kept'}")
