"""`pal cli decisions …`: what was settled in a project."""

import argparse
from typing import Any

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, project_flag, project_of
from pal_cli.light import Command, whole
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.line import Line, segment, without_nothing

STATUSES = ("proposed", "approved", "rejected", "superseded")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    project_flag(parser)
    parser.add_argument("--q", metavar="WORDS", help="only those whose title or reasons hold these words")
    parser.add_argument("--status", choices=STATUSES, help="only these")
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    line = connect(args)
    query = {"q": args.q, "status": args.status, "after": args.after, "limit": args.limit}
    verbs.show(line.get(_decisions(args, line), **query), as_json=args.json, render=shown.decisions)


def _one_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decision", metavar="D-N", help="the decision's code")
    project_flag(parser)
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    line = connect(args)
    verbs.show(line.get(_decision(args, line)), as_json=args.json, render=shown.decision)


def _propose_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("title", metavar="TITLE", help="what is to hold, in a line")
    parser.add_argument("--rationale", metavar="TEXT", help="why; - reads standard input")
    parser.add_argument("--supersedes", metavar="D-N", help="an approved one whose place it takes")
    parser.add_argument("--topic", type=whole, metavar="T", help="where people are asked (the run's own topic)")
    project_flag(parser)
    connection_flags(parser)


def _propose(args: argparse.Namespace) -> None:
    from pal_server.client.terminal.sending import new_client_id, read_text

    line = connect(args)
    rationale = None if args.rationale is None else read_text(args.rationale, None, may_be_empty=True)
    body = {
        "title": args.title,
        "rationale": rationale,
        "supersedes": args.supersedes,
        "topic": args.topic,
        "client_id": new_client_id(),
    }
    answer = line.post(_decisions(args, line), without_nothing(body))
    verbs.show(answer, as_json=args.json, render=shown.decision)


def _answer_arguments(parser: argparse.ArgumentParser) -> None:
    _one_arguments(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why")


def _approve(args: argparse.Namespace) -> None:
    _post(args, "answer", {"decision": "approve", "reason": args.reason})


def _reject(args: argparse.Namespace) -> None:
    _post(args, "answer", {"decision": "deny", "reason": args.reason})


def _supersede_arguments(parser: argparse.ArgumentParser) -> None:
    _one_arguments(parser)
    parser.add_argument("--by", metavar="D-N", help="the approved one that holds in its place")


def _supersede(args: argparse.Namespace) -> None:
    _post(args, "supersede", {"by": args.by})


def _post(args: argparse.Namespace, verb: str, body: dict[str, Any]) -> None:
    line = connect(args)
    answer = line.post(f"{_decision(args, line)}/{verb}", without_nothing(body))
    verbs.show(answer, as_json=args.json, render=shown.decision)


def _decisions(args: argparse.Namespace, line: Line) -> str:
    return f"/api/projects/{segment(project_of(args, line))}/decisions"


def _decision(args: argparse.Namespace, line: Line) -> str:
    return f"{_decisions(args, line)}/{segment(args.decision)}"


LIST = Command(
    about="List the decisions of a project, newest first.",
    examples=("pal cli decisions list --status approved", "pal cli decisions list --q sqlite --project shop"),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="Show a decision with its reasons.",
    examples=("pal cli decisions show D-3",),
    arguments=_one_arguments,
    run=_show,
)
PROPOSE = Command(
    about="Propose a decision for the project; people approve or reject it. Approved ones are told to every later run.",
    examples=(
        'pal cli decisions propose "SQLite is the default" --rationale "one file, no server"',
        'pal cli decisions propose "PostgreSQL is the default" --supersedes D-3',
    ),
    arguments=_propose_arguments,
    run=_propose,
)
APPROVE = Command(
    about="Approve a decision, as its card does.",
    examples=("pal cli decisions approve D-3",),
    arguments=_answer_arguments,
    run=_approve,
)
REJECT = Command(
    about="Reject a decision, as its card does.",
    examples=('pal cli decisions reject D-3 --reason "too early"',),
    arguments=_answer_arguments,
    run=_reject,
)
SUPERSEDE = Command(
    about="Say that an approved decision holds no longer.",
    examples=("pal cli decisions supersede D-3", "pal cli decisions supersede D-3 --by D-5"),
    arguments=_supersede_arguments,
    run=_supersede,
)
