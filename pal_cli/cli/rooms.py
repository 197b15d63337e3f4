"""`pal cli rooms …` and `pal cli topics …`."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags, required_room, room_flag
from pal_cli.light import Command, positive, whole
from pal_server.client.resolve import named_project
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import segment, without_nothing
from pal_server.client.terminal.output import say

BUSY = ("queue", "steer", "interrupt")
MODES = ("mentions", "all", "periodic", "muted", "off")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    answer = connect(args).get("/api/rooms", after=args.after, limit=args.limit)
    verbs.show(answer, as_json=args.json, render=shown.rooms)


def _create_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="letters, digits, dash, underscore and dot")
    parser.add_argument("--title", metavar="TEXT", help="what the room is for, in a line")
    parser.add_argument("--rules", metavar="TEXT", help="rules every agent in it is given")
    parser.add_argument("--private", action="store_true", help="only members may see it")
    parser.add_argument("--ttl", type=positive, metavar="S", help="seconds until it disappears with all that was said")
    parser.add_argument("--project", metavar="P", help="the project it is about (the one .pal.toml names)")
    connection_flags(parser)


def _create(args: argparse.Namespace) -> None:
    visibility = "private" if args.private else None
    body = {
        "name": args.name,
        "title": args.title,
        "rules": args.rules,
        "visibility": visibility,
        "ttl": args.ttl,
        "project": args.project or named_project(),
    }
    answer = connect(args).post("/api/rooms", without_nothing(body))
    verbs.show(
        answer, as_json=args.json, render=lambda a: say(f"room {a['room']['name']} is there ({a['room']['id']})")
    )


def _members_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    paging_flags(parser)
    connection_flags(parser)


def _members(args: argparse.Namespace) -> None:
    path = f"/api/rooms/{segment(required_room(args))}/members"
    verbs.show(connect(args).get(path, after=args.after, limit=args.limit), as_json=args.json, render=shown.members)


def _invite_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    parser.add_argument("--agent", metavar="A", help="the agent's key")
    parser.add_argument("--user", metavar="U", help="a user's name, in place of an agent")
    parser.add_argument("--mode", choices=MODES, help="which messages are for it (mentions)")
    connection_flags(parser)


def _invite(args: argparse.Namespace) -> None:
    if (args.agent is None) == (args.user is None):
        raise WrongUsage("name one of --agent A and --user U")
    if args.user is not None and args.mode is not None:
        raise WrongUsage("--mode is for agents: a user reads everything in the room. Leave it out")
    room = segment(required_room(args))
    if args.user is not None:
        answer = connect(args).post(f"/api/rooms/{room}/users", {"user": args.user})
    else:
        body = without_nothing({"agent": args.agent, "mode": args.mode})
        answer = connect(args).post(f"/api/rooms/{room}/agents", body)
    verbs.show(answer, as_json=args.json, render=lambda a: say(_joined(a["member"], args.room)))


def _joined(member: verbs.Answer, room: str | None) -> str:
    mode = f" with mode {member['mode']}" if member.get("mode") else ""
    return f"{member['name']} is in {room or 'the room'}{mode}"


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    parser.add_argument("--title", metavar="TEXT", help="what the room is for, in a line")
    parser.add_argument("--rules", metavar="TEXT", help="rules every agent in it is given")
    parser.add_argument("--busy", choices=BUSY, help="what a message does to an agent that is at work")
    parser.add_argument(
        "--deny-after", metavar="S", help="seconds after which an approval nobody gave is denied; never for none"
    )
    parser.add_argument("--fresh", choices=("on", "off"), help="hold answers when something newer was said")
    parser.add_argument(
        "--hops", type=whole, metavar="N", help="how often agents pass a message on before a card asks people"
    )
    parser.add_argument(
        "--approvers", type=int, choices=(1, 2), help="how many people have to approve; an admin's to say"
    )
    parser.add_argument("--project", metavar="P", help="the project it is about; none takes it out of one")
    connection_flags(parser)


def _set(args: argparse.Namespace) -> None:
    body = without_nothing(
        {
            "title": args.title,
            "rules": args.rules,
            "busy": args.busy,
            "fresh": None if args.fresh is None else args.fresh == "on",
            "approvers": args.approvers,
            "hop_limit": args.hops,
        }
    )
    if args.project is not None:
        body["project"] = None if args.project == "none" else args.project
    if args.deny_after is not None:
        body["deny_after"] = _deny_after(args.deny_after)
    if not body:
        raise WrongUsage("nothing to set: name one of the flags")
    answer = connect(args).patch(f"/api/rooms/{segment(required_room(args))}", body)
    verbs.show(answer, as_json=args.json, render=_settings)


def _deny_after(given: str) -> int | None:
    """Milliseconds; None for never."""
    if given == "never":
        return None
    if not given.isdecimal() or int(given) < 1:
        raise WrongUsage("--deny-after is a number of seconds, or never")
    return int(given) * 1000


def _settings(answer: verbs.Answer) -> None:
    room = answer["room"]
    deadline = "never" if room["deny_after"] is None else f"after {room['deny_after'] // 1000} s"
    say(f"{room['name']}: messages to a busy agent {room['busy']}; {room['approvers']} approve, denied {deadline}")
    say(f"agents pass a message on {room['hop_limit']} times, then a card asks")
    say(f"answers are {'held when something newer was said' if room['fresh'] else 'sent as they come'}")


def _restart_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    parser.add_argument("--agent", required=True, metavar="A", help="the agent's key")
    connection_flags(parser)


def _restart(args: argparse.Namespace) -> None:
    path = f"/api/rooms/{segment(required_room(args))}/agents/{segment(args.agent)}/restart"
    answer = connect(args).post(path)
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"{args.agent} is being restarted"))


def _topics_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    paging_flags(parser)
    connection_flags(parser)


def _topics(args: argparse.Namespace) -> None:
    path = f"/api/rooms/{segment(required_room(args))}/topics"
    verbs.show(connect(args).get(path, after=args.after, limit=args.limit), as_json=args.json, render=shown.topics)


def _create_topic_arguments(parser: argparse.ArgumentParser) -> None:
    room_flag(parser)
    parser.add_argument("title", nargs="?", metavar="TITLE", help="what it is about (its first words, later)")
    connection_flags(parser)


def _create_topic(args: argparse.Namespace) -> None:
    answer = connect(args).post(
        f"/api/rooms/{segment(required_room(args))}/topics", without_nothing({"title": args.title})
    )
    verbs.show(
        answer, as_json=args.json, render=lambda a: say(f"topic {a['topic']['id']} is there: {a['topic']['title']}")
    )


def _rename_topic_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", type=whole, metavar="TOPIC", help="the topic's id")
    parser.add_argument("title", metavar="TITLE", help="what it is about")
    connection_flags(parser)


def _rename_topic(args: argparse.Namespace) -> None:
    answer = connect(args).patch(f"/api/topics/{args.topic}", {"title": args.title})
    verbs.show(answer, as_json=args.json, render=lambda a: say(f"topic {args.topic} is called {a['topic']['title']}"))


def _archive_topic_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", type=whole, metavar="TOPIC", help="the topic's id")
    parser.add_argument("--undo", action="store_true", help="open it again")
    connection_flags(parser)


def _archive_topic(args: argparse.Namespace) -> None:
    answer = connect(args).patch(f"/api/topics/{args.topic}", {"archived": not args.undo})
    state = "open again" if args.undo else "archived"
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"topic {args.topic} is {state}"))


LIST = Command(
    about="List the rooms you may see.",
    examples=("pal cli rooms list", "pal cli rooms list --json"),
    arguments=_list_arguments,
    run=_list,
)
CREATE = Command(
    about="Make a room.",
    examples=("pal cli rooms create build", 'pal cli rooms create release --title "The next release" --private'),
    arguments=_create_arguments,
    run=_create,
)
MEMBERS = Command(
    about="List who is in a room and, for agents, which messages are for them.",
    examples=("pal cli rooms members --room general", "pal cli rooms members --room general --json"),
    arguments=_members_arguments,
    run=_members,
)
INVITE = Command(
    about="Bring an agent into a room. Said again with another mode, it changes the mode.",
    examples=(
        "pal cli rooms invite --room general --agent codex",
        "pal cli rooms invite --room general --agent codex --mode all",
        "pal cli rooms invite --room general --user alice",
    ),
    arguments=_invite_arguments,
    run=_invite,
)
SET = Command(
    about="Change how a room works.",
    examples=(
        "pal cli rooms set --room general --busy steer",
        "pal cli rooms set --room release --approvers 2 --deny-after 600",
        "pal cli rooms set --room general --fresh on",
    ),
    arguments=_set_arguments,
    run=_set,
)
RESTART_AGENT = Command(
    about="Restart what an agent is doing in a room: its process ends and starts anew for the same message.",
    examples=("pal cli rooms restart-agent --room general --agent codex",),
    arguments=_restart_arguments,
    run=_restart,
)
TOPICS = Command(
    about="List the topics of a room.",
    examples=("pal cli topics list --room general", "pal cli topics list --room general --json"),
    arguments=_topics_arguments,
    run=_topics,
)
CREATE_TOPIC = Command(
    about="Make a topic in a room.",
    examples=('pal cli topics create --room general "Investigation"',),
    arguments=_create_topic_arguments,
    run=_create_topic,
)
RENAME_TOPIC = Command(
    about="Name a topic. It is never renamed by pal after that.",
    examples=('pal cli topics rename 12 "The login page"',),
    arguments=_rename_topic_arguments,
    run=_rename_topic,
)
ARCHIVE_TOPIC = Command(
    about="Archive a topic: it can be read, and nothing is said in it any more.",
    examples=("pal cli topics archive 12", "pal cli topics archive 12 --undo"),
    arguments=_archive_topic_arguments,
    run=_archive_topic,
)
