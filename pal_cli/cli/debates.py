"""`pal cli debate …`: two agents take turns on a subject."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, required_room, room_flag
from pal_cli.light import Command, positive
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.line import segment


def _start_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    parser.add_argument("--a", required=True, metavar="A", help="the agent that begins")
    parser.add_argument("--b", required=True, metavar="B", help="the other agent")
    parser.add_argument("--turns", type=positive, default=6, metavar="N", help="messages of both together (6)")
    parser.add_argument("subject", metavar="TOPIC", help="what to debate")
    connection_flags(parser)


def _start(args: argparse.Namespace) -> None:
    from pal_server.client.terminal.sending import new_client_id, until_answered

    client_id = new_client_id()
    body: dict[str, object] = {
        "room": required_room(args),
        "a": args.a,
        "b": args.b,
        "subject": args.subject,
        "turns": args.turns,
        "client_id": client_id,
    }
    answer = until_answered(connect(args), "/api/debates", body=body, client_id=client_id)
    verbs.show(answer, as_json=args.json, render=shown.debate)


def _one_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("debate", metavar="ID", help="the debate's id")
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    answer = connect(args).get(f"/api/debates/{segment(args.debate)}")
    verbs.show(answer, as_json=args.json, render=shown.debate)


def _stop(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/debates/{segment(args.debate)}/stop")
    verbs.show(answer, as_json=args.json, render=shown.debate)


START = Command(
    about="Let two agents take turns in a new topic. A begins; each turn is one message of an agent.",
    examples=(
        'pal cli debate start --chat general --a codex --b reviewer "Is the parser worth a rewrite?"',
        'pal cli debate start --room general --a codex --b reviewer --turns 10 "Tabs or spaces"',
    ),
    arguments=_start_arguments,
    run=_start,
)
SHOW = Command(
    about="Show how far a debate is.",
    examples=("pal cli debate show debate_abc",),
    arguments=_one_arguments,
    run=_show,
)
STOP = Command(
    about="Stop a debate midway: the turn that runs ends, no further one begins.",
    examples=("pal cli debate stop debate_abc",),
    arguments=_one_arguments,
    run=_stop,
)
