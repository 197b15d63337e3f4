"""`pal cli runs`, `run-action`, `choose`, `agents` and `health`."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, room_flag
from pal_cli.light import Command, whole
from pal_server.client.terminal import verbs
from pal_server.client.terminal.output import say

CHOICES = ("resume", "start-over", "drop", "keep-files")

STATUSES = (
    "starting",
    "running",
    "waiting",
    "paused",
    "succeeded",
    "failed",
    "cancelled",
    "interrupted",
    "dry_run",
)


def _runs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="A", help="only of this agent")
    parser.add_argument("--computer", metavar="C", help="only of this computer")
    room_flag(parser, help="only of this room")
    parser.add_argument("--topic", type=whole, metavar="T", help="only of this topic")
    parser.add_argument("--status", choices=STATUSES, help="only in this state")
    parser.add_argument("--since", type=whole, metavar="MS", help="only from this moment on (UTC milliseconds)")
    parser.add_argument("--until", type=whole, metavar="MS", help="only up to this moment")
    paging_flags(parser)
    connection_flags(parser)


def _runs(args: argparse.Namespace) -> None:
    verbs.runs(
        connect(args),
        as_json=args.json,
        agent=args.agent,
        computer=args.computer,
        room=args.room,
        topic=args.topic,
        status=args.status,
        since=args.since,
        until=args.until,
        after=args.after,
        limit=args.limit,
    )


def _action_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run's id")
    parser.add_argument(
        "action",
        choices=verbs.RUN_ACTIONS,
        help="kill: at once; stop: asked first; restart: anew; steer: told TEXT; rebuild: its log is read again",
    )
    parser.add_argument("text", nargs="?", metavar="TEXT", help="what to tell it, for steer")
    parser.add_argument("--reason", metavar="TEXT", help="why; kept with the run")
    connection_flags(parser)


def _action(args: argparse.Namespace) -> None:
    verbs.run_action(
        connect(args), as_json=args.json, run=args.run, action=args.action, text=args.text, reason=args.reason
    )


def _choose_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=whole, metavar="RUN", help="the run's id")
    parser.add_argument(
        "choice",
        choices=CHOICES,
        help="resume: its session goes on; start-over: a new session; drop: no more, and its changes go into a git"
        " stash; keep-files: no more, and its files stay",
    )
    connection_flags(parser)


def _choose(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/runs/{args.run}/choose", {"choice": args.choice.replace("-", "_")})
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"run {args.run}: {args.choice}"))


def _agents_arguments(parser: argparse.ArgumentParser) -> None:
    paging_flags(parser)
    connection_flags(parser)


def _agents(args: argparse.Namespace) -> None:
    verbs.agents(connect(args), as_json=args.json, after=args.after, limit=args.limit)


def _health(args: argparse.Namespace) -> None:
    verbs.health(connect(args), as_json=args.json)


RUNS = Command(
    about="List runs, newest first.",
    examples=("pal cli runs", "pal cli runs --agent codex --status running --json"),
    arguments=_runs_arguments,
    run=_runs,
)
RUN_ACTION = Command(
    about=(
        "Kill, stop or restart a run, tell it something, or read its log again. On a computer that is away it is"
        " done when that returns."
    ),
    examples=(
        "pal cli run-action 12 stop",
        "pal cli run-action 12 kill",
        "pal cli run-action 12 restart",
        'pal cli run-action 12 steer "leave the tests alone"',
    ),
    arguments=_action_arguments,
    run=_action,
)
CHOOSE = Command(
    about="Say once what becomes of the work of an interrupted run; its card lists what it had done.",
    examples=("pal cli choose 12 resume", "pal cli choose 12 drop"),
    arguments=_choose_arguments,
    run=_choose,
)
AGENTS = Command(
    about="List agents, their runtimes and where they run.",
    examples=("pal cli agents", "pal cli agents --json"),
    arguments=_agents_arguments,
    run=_agents,
)
HEALTH = Command(
    about="How this computer's daemon is: its server, whether it is connected, what runs.",
    examples=("pal cli health", "pal cli health --json"),
    arguments=connection_flags,
    run=_health,
)
