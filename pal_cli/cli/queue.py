"""`pal cli queue …`: what waits for agents that are at work, and its order."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, room_flag
from pal_cli.light import Command, whole
from pal_server.client.terminal import verbs
from pal_server.client.terminal.output import note, say

SHOWN = 70  # characters of a message


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser, help="only of this room")
    parser.add_argument("--topic", type=whole, metavar="T", help="only of this topic")
    parser.add_argument("--agent", metavar="A", help="only of this agent")
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    line = connect(args)
    answer = line.get(
        "/api/deliveries",
        status="pending",
        room=args.room,
        topic=args.topic,
        agent=args.agent,
        after=args.after,
        limit=args.limit,
    )

    def render(answer: verbs.Answer) -> None:
        if not answer["deliveries"]:
            note("nothing waits")
        lanes: dict[tuple[int, str], int] = {}
        for one in in_order(answer["deliveries"]):
            lane = (one["topic"], one["agent"])
            lanes[lane] = lanes.get(lane, 0) + 1
            words = " ".join(line.get(f"/api/messages/{one['message']}")["message"]["content"].split())
            shown = words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
            say(f"{one['id']}  {one['agent']} in topic {one['topic']}, {lanes[lane]}: {shown}")

    verbs.show(answer, as_json=args.json, render=render)


def in_order(deliveries: list[verbs.Answer]) -> list[verbs.Answer]:
    """As they will run: lane by lane, what was put ahead first, then the oldest."""
    return sorted(deliveries, key=lambda one: (one["topic"], one["agent"], -one["ahead"], one["id"]))


def _one_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=whole, metavar="ID", help="the delivery's id, as `pal cli queue list` shows it")
    connection_flags(parser)


def _first(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/deliveries/{args.id}/front")
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"{args.id} comes next"))


def _drop(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/deliveries/{args.id}/cancel")
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"{args.id} is dropped"))


def _merge_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=whole, metavar="ID", help="what joins another one")
    parser.add_argument("into", type=whole, metavar="INTO", help="what it joins: one run answers both")
    connection_flags(parser)


def _merge(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/deliveries/{args.id}/merge", {"into": args.into})
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"{args.id} is answered with {args.into}"))


def _edit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=whole, metavar="ID", help="the delivery's id")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the new words; - reads standard input")
    connection_flags(parser)


def _edit(args: argparse.Namespace) -> None:
    from pal_server.client.terminal.sending import read_text

    line = connect(args)
    message = next(
        (
            one["message"]
            for one in line.get("/api/deliveries", status="pending", limit=200)["deliveries"]
            if one["id"] == args.id
        ),
        None,
    )
    if message is None:
        from pal_server.client.terminal.exits import WrongUsage

        raise WrongUsage(f"{args.id} does not wait (any more); `pal cli queue list` shows what does")
    answer = line.patch(f"/api/messages/{message}", {"content": read_text(args.text, None)})
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"{args.id} says it anew"))


LIST = Command(
    about="List what waits for agents, in the order in which it will run.",
    examples=("pal cli queue list", "pal cli queue list --topic 12 --agent codex --json"),
    arguments=_list_arguments,
    run=_list,
)
FIRST = Command(
    about="Let something that waits come next. Said of several, the last one said comes first.",
    examples=("pal cli queue first 31",),
    arguments=_one_arguments,
    run=_first,
)
MERGE = Command(
    about="Let one run answer two messages that wait for the same agent in the same topic.",
    examples=("pal cli queue merge 32 31",),
    arguments=_merge_arguments,
    run=_merge,
)
EDIT = Command(
    about="Change the words of something of yours that waits.",
    examples=('pal cli queue edit 31 "@codex only the parser"',),
    arguments=_edit_arguments,
    run=_edit,
)
DROP = Command(
    about="Drop something that waits: no run answers it.",
    examples=("pal cli queue drop 31",),
    arguments=_one_arguments,
    run=_drop,
)
