"""`pal cli docs …`: context documents of a project, as its runs read them."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, project_flag, project_of
from pal_cli.light import Command
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.line import segment
from pal_server.client.terminal.output import say


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    project_flag(parser)
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    line = connect(args)
    answer = line.get(f"/api/projects/{segment(project_of(args, line))}/docs", after=args.after, limit=args.limit)
    verbs.show(answer, as_json=args.json, render=shown.docs)


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the document's name")
    project_flag(parser)
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    line = connect(args)
    answer = line.get(f"/api/projects/{segment(project_of(args, line))}/docs/{segment(args.name)}")
    verbs.show(answer, as_json=args.json, render=lambda a: say(a["content"]))


LIST = Command(
    about="List the context documents of a project.",
    examples=("pal cli docs list", "pal cli docs list --project shop"),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="Print a context document, all of it.",
    examples=("pal cli docs show README.md",),
    arguments=_show_arguments,
    run=_show,
)
