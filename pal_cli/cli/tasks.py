"""`pal cli tasks …`: plan, start, move and verify tasks."""

import argparse

from pal_cli.cli.daemon_line import (
    connect,
    connection_flags,
    paging_flags,
    project_flag,
    project_of,
    project_or_all,
    run_number,
    run_variable,
)
from pal_cli.light import Command, whole
from pal_server.client.resolve import named_project
from pal_server.client.terminal import shown_tasks, task_verbs, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line
from pal_server.client.terminal.task_verbs import CLEARABLE, STATUSES


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--status", choices=STATUSES, help="only those")
    parser.add_argument("--agent", metavar="A", help="only those for this agent")
    parser.add_argument("--owner", metavar="U", help="only those of this user")
    parser.add_argument("--type", metavar="WORD", help="only those of this type")
    parser.add_argument("--q", metavar="TEXT", help="only those with this in title or body")
    parser.add_argument("--archived", action="store_true", help="those that are archived")
    project_flag(parser)
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    line = connect(args)
    answer = line.get(
        "/api/tasks",
        project=project_or_all(args, line),
        status=args.status,
        agent=args.agent,
        owner=args.owner,
        type=args.type,
        q=args.q,
        archived="true" if args.archived else None,
        after=args.after,
        limit=args.limit,
    )
    verbs.show(answer, as_json=args.json, render=shown_tasks.tasks)


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser, may_be_own=True)
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    line = connect(args)
    task_verbs.show(line, _task(args, line), project=_project(args), as_json=args.json)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("title", nargs="?", metavar="TITLE", help="what is to be done, in a line")
    parser.add_argument("--topic", type=whole, metavar="N", help="make a task of this topic, with its history")
    parser.add_argument("--room", "--chat", dest="room", metavar="R", help="a room of the project (its default one)")
    parser.add_argument("--status", choices=("backlog", "ready"), help="where it begins (backlog)")
    _plan_flags(parser)
    parser.add_argument("--interactive", action="store_true", help="ask for what is missing")
    parser.add_argument("--client-id", metavar="X", help="an id of your own: the same one again plans nothing twice")
    project_flag(parser)
    connection_flags(parser)


def _add(args: argparse.Namespace) -> None:
    line = connect(args)
    if args.interactive:
        _ask_for_plan(args, line)
    if (args.title is None) == (args.topic is None):
        raise WrongUsage("give either TITLE or --topic, or use --interactive")
    body = _plan(args)
    if args.topic is None:
        body |= {"title": args.title, "room": args.room, "status": args.status, "project": project_of(args, line)}
    task_verbs.add(line, body, topic=args.topic, client_id=args.client_id, as_json=args.json)


def _ask_for_plan(args: argparse.Namespace, line: Line) -> None:
    from pal_server.client.terminal.confirm import ask

    if args.topic is None:
        if args.project is None and _project(args) is None:
            keys = [str(one["key"]) for one in line.get("/api/projects", limit=200)["projects"]]
            args.project = ask("Project", default=keys[0] if len(keys) == 1 else None, choices=keys or None)
        args.title = args.title or ask("What is to be done, in a line")
    args.body = args.body or ask("More about it (may stay empty)", default="")
    while not args.accept or args.accept[-1]:
        args.accept.append(ask("What has to be true for it to be done (empty: no more)", default=""))
    args.verify = args.verify or ask("A command that shows it (may stay empty)", default="")
    agents = [str(one["key"]) for one in line.get("/api/agents", limit=200)["agents"]]
    args.agent = args.agent or ask("Agent (may stay empty)", default="", choices=[*agents, ""] if agents else None)
    args.accept = [one for one in args.accept if one]


def _start_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser)
    parser.add_argument("--agent", metavar="A", help="give it to this one (the task's own)")
    parser.add_argument("--text", metavar="TEXT", help="what to say to it; - reads standard input")
    parser.add_argument("--force", action="store_true", help="also while it comes after something that is not done")
    parser.add_argument("--client-id", metavar="X", help="an id of your own: the same one again starts nothing twice")
    connection_flags(parser)


def _start(args: argparse.Namespace) -> None:
    line = connect(args)
    body = {"project": _project(args), "agent": args.agent, "text": _text(args.text), "force": args.force or None}
    task_verbs.start(line, args.task, body, client_id=args.client_id, as_json=args.json)


def _edit_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser, may_be_own=True)
    parser.add_argument("--title", metavar="TEXT", help="another title")
    _plan_flags(parser)
    parser.add_argument("--no-require-verify", dest="require_verify", action="store_false", help="it is not needed")
    parser.set_defaults(require_verify=None)
    parser.add_argument("--result", metavar="TEXT", help="what came of it")
    parser.add_argument("--clear", choices=sorted(CLEARABLE), action="append", default=[], help="take it away; repeat")
    parser.add_argument(
        "--archive", dest="archived", action="store_const", const=True, help="freeze it, with its topic"
    )
    parser.add_argument("--restore", dest="archived", action="store_const", const=False, help="open it again")
    connection_flags(parser)


def _edit(args: argparse.Namespace) -> None:
    line = connect(args)
    wanted = {**_plan(args), "title": args.title, "result": _text(args.result), "archived": args.archived}
    task_verbs.edit(line, _task(args, line), wanted, clear=args.clear, project=_project(args), as_json=args.json)


def _delete_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    connection_flags(parser)


def _delete(args: argparse.Namespace) -> None:
    line = connect(args)
    task_verbs.delete(line, _task(args, line), project=_project(args), yes=args.yes, as_json=args.json)


def _move_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser)
    parser.add_argument("status", choices=STATUSES, help="kept until the next run starts")
    parser.add_argument("--reason", metavar="TEXT", help="why it waits")
    connection_flags(parser)


def _move(args: argparse.Namespace) -> None:
    _put(args, args.status, reason=args.reason)


def _done_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser, may_be_own=True)
    connection_flags(parser)


def _done(args: argparse.Namespace) -> None:
    _put(args, "done")


def _block_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser, may_be_own=True)
    parser.add_argument("--reason", metavar="TEXT", required=True, help="why it waits; shown with it")
    connection_flags(parser)


def _block(args: argparse.Namespace) -> None:
    _put(args, "waiting", reason=args.reason)


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    _task_argument(parser, may_be_own=True)
    parser.add_argument("--client-id", metavar="X", help="an id of your own: the same one again reports nothing twice")
    connection_flags(parser)


def _verify(args: argparse.Namespace) -> int | None:
    line = connect(args)
    return task_verbs.verify(
        line,
        _task(args, line),
        project=_project(args),
        client_id=args.client_id,
        as_json=args.json,
        own_topic=run_number("PAL_TOPIC"),
    )


def _put(args: argparse.Namespace, status: str, *, reason: str | None = None) -> None:
    line = connect(args)
    body = {"status": status} if reason is None else {"status": status, "waiting_note": reason}
    task_verbs.change(line, _task(args, line), body, project=_project(args), as_json=args.json)


def _task_argument(parser: argparse.ArgumentParser, *, may_be_own: bool = False) -> None:
    own = " (inside a run: its topic's)" if may_be_own else ""
    parser.add_argument(
        "task", nargs="?" if may_be_own else None, metavar="TASK", help=f"T-3, shop.T-3 or the beginning of its id{own}"
    )
    project_flag(parser)


def _plan_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--body", metavar="TEXT", help="more about it; - reads standard input")
    parser.add_argument("--accept", action="append", default=[], metavar="TEXT", help="what has to be true; repeat")
    parser.add_argument("--verify", metavar="CMD", help="a command line that shows it")
    parser.add_argument("--require-verify", action="store_true", default=None, help="not done before that passed")
    parser.add_argument("--path", action="append", default=[], metavar="P", help="where; repeat")
    parser.add_argument("--reference", action="append", default=[], metavar="R", help="what to read; repeat")
    parser.add_argument("--owner", metavar="U", help="whose it is: a user's name")
    parser.add_argument("--agent", metavar="A", help="whom a start is for")
    parser.add_argument("--type", metavar="WORD", help="task, bug, docs (task)")
    parser.add_argument("--depends-on", action="append", default=[], metavar="T-N", help="what comes before; repeat")
    parser.add_argument("--order", type=float, metavar="X", help="a number to sort by")


def _plan(args: argparse.Namespace) -> dict[str, object]:
    return {
        "body": _text(args.body),
        "acceptance": args.accept,
        "verification": args.verify or None,
        "verification_required": args.require_verify,
        "paths": args.path,
        "references": args.reference,
        "owner": args.owner,
        "agent": args.agent or None,
        "type": args.type,
        "depends_on": args.depends_on,
        "order": args.order,
    }


def _text(text: str | None) -> str | None:
    from pal_server.client.terminal.sending import read_text

    return read_text(text, None) if text else None


def _task(args: argparse.Namespace, line: Line) -> str:
    """The task that was named, else the run's own."""
    if args.task is not None:
        return str(args.task)
    topic = run_number("PAL_TOPIC")
    if topic is None:
        raise WrongUsage("TASK is missing: which one? `pal cli tasks list` lists them")
    return task_verbs.own_task(line, topic)


def _project(args: argparse.Namespace) -> str | None:
    """The project that was named, else the one of the nearest `.pal.toml`; None inside a run, which means its own."""
    named: str | None = args.project
    return named if named is not None or run_variable("PAL_ROOM") is not None else named_project()


LIST = Command(
    about="List tasks by number: of the run's or the folder's project, else of all.",
    examples=("pal cli tasks list --status ready", "pal cli tasks list --project shop --agent codex --json"),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="Show a task: where it stands, and its plan.",
    examples=("pal cli tasks show T-3", "pal cli tasks show shop.T-3 --json"),
    arguments=_show_arguments,
    run=_show,
)
ADD = Command(
    about="Plan a task, with a topic of its own, or make one of a topic.",
    examples=(
        'pal cli tasks add "Sell tea" --accept "the page lists it" --verify "make test" --agent codex',
        "pal cli tasks add --topic 12",
        "pal cli tasks add --interactive",
    ),
    arguments=_add_arguments,
    run=_add,
)
START = Command(
    about="Give a task to its agent. Refused while it comes after something that is not done.",
    examples=("pal cli tasks start T-3", 'pal cli tasks start T-3 --agent codex --text "Begin with the test"'),
    arguments=_start_arguments,
    run=_start,
)
EDIT = Command(
    about="Change what is named of a task; lists replace those that are there.",
    examples=("pal cli tasks edit T-3 --owner ann --depends-on T-1", "pal cli tasks edit T-3 --clear depends_on"),
    arguments=_edit_arguments,
    run=_edit,
)
DELETE = Command(
    about="Take a task away for good: its plan and verifications. Its conversation stays, archived.",
    examples=("pal cli tasks delete T-3 --yes",),
    arguments=_delete_arguments,
    run=_delete,
)
MOVE = Command(
    about="Move a task by hand. That is kept until the next run starts.",
    examples=("pal cli tasks move T-3 ready", 'pal cli tasks move T-3 waiting --reason "for the licence"'),
    arguments=_move_arguments,
    run=_move,
)
DONE = Command(
    about="Say that a task is done. Where a verification is required it has to have passed.",
    examples=("pal cli tasks done T-3",),
    arguments=_done_arguments,
    run=_done,
)
BLOCK = Command(
    about="Let a task wait, with the reason.",
    examples=('pal cli tasks block T-3 --reason "the key is missing"',),
    arguments=_block_arguments,
    run=_block,
)
VERIFY = Command(
    about="Run a task's verification in this folder and report what came of it; exit code 1 when it did not pass.",
    examples=("pal cli tasks verify T-3", "pal cli tasks verify"),
    arguments=_verify_arguments,
    run=_verify,
)
