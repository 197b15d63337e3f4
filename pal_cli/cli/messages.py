"""Reading: `pal cli messages list|show` and `pal cli inbox`."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, room_flag, room_of, run_variable
from pal_cli.light import Command, whole
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser, help="only of this room (inside a run: its room)")
    parser.add_argument("--topic", type=whole, metavar="T", help="only of this topic")
    parser.add_argument("--parent", type=whole, metavar="ID", help="only replies to this message")
    parser.add_argument("--before", type=whole, metavar="ID", help="only earlier than this message")
    parser.add_argument("--q", metavar="WORDS", help="only those with these words")
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    verbs.messages(
        connect(args),
        as_json=args.json,
        room=room_of(args),
        topic=args.topic,
        parent=args.parent,
        after=args.after,
        before=args.before,
        limit=args.limit,
        q=args.q,
    )


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("message", metavar="MESSAGE", help="the message's id")
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    answer = connect(args).get(f"/api/messages/{segment(args.message)}")
    verbs.show(answer, as_json=args.json, render=shown.message)


def _inbox_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="A", help="whose inbox (inside a run: its agent's)")
    paging_flags(parser)
    connection_flags(parser)


def _inbox(args: argparse.Namespace) -> None:
    agent = args.agent or run_variable("PAL_AGENT_KEY")
    if agent is None:
        raise WrongUsage("--agent is missing. Name an agent; `pal cli agents` lists them")
    verbs.inbox(connect(args), as_json=args.json, agent=agent, after=args.after, limit=args.limit)


LIST = Command(
    about="List messages, oldest first.",
    examples=(
        "pal cli messages list --room general --limit 20",
        "pal cli messages list --room general --topic 1 --after 40 --json",
        'pal cli messages list --q "release notes"',
    ),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="Show one message.",
    examples=("pal cli messages show 12", "pal cli messages show 12 --json"),
    arguments=_show_arguments,
    run=_show,
)
INBOX = Command(
    about="What an agent was given to read, and why.",
    examples=("pal cli inbox --agent codex", "pal cli inbox --agent codex --after 40 --limit 10 --json"),
    arguments=_inbox_arguments,
    run=_inbox,
)
