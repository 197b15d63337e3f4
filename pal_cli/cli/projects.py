"""`pal cli projects …`."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, project_of
from pal_cli.light import Command
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.line import segment


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    answer = connect(args).get("/api/projects", after=args.after, limit=args.limit)
    verbs.show(answer, as_json=args.json, render=shown.projects)


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "project", nargs="?", metavar="PROJECT", help="its key or id (the run's; else the one .pal.toml names)"
    )
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    line = connect(args)
    answer = line.get(f"/api/projects/{segment(project_of(args, line))}")
    verbs.show(answer, as_json=args.json, render=shown.project)


LIST = Command(
    about="List the projects you may see.",
    examples=("pal cli projects list", "pal cli projects list --json"),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="Show a project: its goal, rules and stack.",
    examples=("pal cli projects show", "pal cli projects show shop"),
    arguments=_show_arguments,
    run=_show,
)
