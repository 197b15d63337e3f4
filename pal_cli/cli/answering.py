"""A person's answer to what waits for one: `pal cli approve`, `deny` and `answer`."""

import argparse
from typing import Any

from pal_cli.cli.daemon_line import connect, connection_flags, paging_flags
from pal_cli.light import Command, whole
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, segment, without_nothing
from pal_server.client.terminal.output import note, say

SCOPES = ("once", "topic", "agent", "project")
STATUSES = ("pending", "answered", "applied", "expired", "cancelled")


def _decision_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the interaction's id")
    parser.add_argument("--reason", metavar="TEXT", help="why; the agent is told")
    parser.add_argument(
        "--for",
        dest="scope",
        choices=SCOPES,
        help="also when exactly this is asked again: by it in this topic, by it anywhere, by any agent in this room",
    )
    connection_flags(parser)


def _approve(args: argparse.Namespace) -> None:
    _decide(args, "approve")


def _deny(args: argparse.Namespace) -> None:
    _decide(args, "deny")


def _decide(args: argparse.Namespace, decision: str) -> None:
    body = without_nothing({"decision": decision, "reason": args.reason, "scope": args.scope})
    _send_answer(connect(args), args.id, body, as_json=args.json)


def _answer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="the interaction's id")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="the answer; - reads standard input")
    parser.add_argument(
        "--message", type=whole, metavar="M", help="what was said in this message meanwhile is the answer"
    )
    parser.add_argument("--interactive", action="store_true", help="show what waits and ask for the answer")
    connection_flags(parser)


def _answer(args: argparse.Namespace) -> None:
    from pal_server.client.terminal.sending import read_text

    line = connect(args)
    if args.interactive:
        _answer_in_talk(line, args)
        return
    if args.id is None:
        raise WrongUsage("ID is missing. Say which question, or use --interactive")
    if args.message is not None and args.text is not None:
        raise WrongUsage("either TEXT or --message is the answer")
    body = {"message": args.message} if args.message is not None else {"answer": read_text(args.text, None)}
    _send_answer(line, args.id, body, as_json=args.json)


def _answer_in_talk(line: Line, args: argparse.Namespace) -> None:
    from pal_server.client.terminal.confirm import ask

    if args.id is None:
        waiting = line.get("/api/interactions", status="pending", limit=20)["interactions"]
        if not waiting:
            note("nothing waits for an answer")
            return
        for one in waiting:
            note(f"{one['id']}: {one['agent'] or 'somebody'} in {one['room']} asks: {one['title']}")
        args.id = ask("Which one", default=str(waiting[0]["id"]), choices=[str(one["id"]) for one in waiting])
    one = line.get(f"/api/interactions/{segment(args.id)}")["interaction"]
    note(one["title"])
    if one["body"]:
        note(one["body"])
    body: dict[str, Any]
    if one.get("questions"):
        body = {"answers": [_given(question) for question in one["questions"]]}
    elif one["kind"] == "question":
        body = {"answer": ask("Your answer", choices=one["options"] or None)}
    else:
        body = {"decision": ask("Your decision", choices=["approve", "deny"])}
        reason = ask("Why (may stay empty)", default="")
        body |= {"reason": reason} if reason else {}
    # The hash says that this is the answer to exactly what was shown here.
    _send_answer(line, args.id, body | {"hash": one["hash"]}, as_json=args.json)


def _given(question: dict[str, Any]) -> dict[str, Any]:
    """The answer to one of a card's questions: labels of its options, as they are typed, else words of one's own."""
    from pal_server.client.terminal.confirm import ask

    labels = [option["label"] for option in question["options"]]
    for option in question["options"]:
        note("  " + ": ".join(part for part in (option["label"], option.get("description")) if part))
    several = " (several, divided by commas)" if question["multiple"] and labels else ""
    typed = ask(question["text"] + several)
    parts = [part.strip() for part in typed.split(",")] if question["multiple"] and typed not in labels else [typed]
    return {"chosen": parts} if set(parts) <= set(labels) else {"chosen": [], "text": typed}


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--topic", type=whole, metavar="T", help="only of this topic")
    parser.add_argument("--run", type=whole, metavar="RUN", help="only of this run")
    parser.add_argument("--status", choices=STATUSES, default="pending", help="pending unless another is named")
    paging_flags(parser)
    connection_flags(parser)


def _list(args: argparse.Namespace) -> None:
    answer = connect(args).get(
        "/api/interactions",
        status=args.status,
        topic=args.topic,
        run=args.run,
        after=args.after,
        limit=args.limit,
    )
    verbs.show(answer, as_json=args.json, render=shown.interactions)


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the interaction's id")
    connection_flags(parser)


def _show(args: argparse.Namespace) -> None:
    answer = connect(args).get(f"/api/interactions/{segment(args.id)}")
    verbs.show(answer, as_json=args.json, render=shown.whole_interaction)


def _send_answer(line: Line, id: str, body: dict[str, Any], *, as_json: bool) -> None:
    answer = line.post(f"/api/interactions/{segment(id)}/answer", body)
    verbs.show(answer, as_json=as_json, render=shown.interaction)


def _draft_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=whole, metavar="MESSAGE", help="the id of the card that holds it")
    parser.add_argument(
        "choice",
        choices=("send", "revise", "drop"),
        help="send: as it is; revise: its agent is told what was said since; drop: nobody reads it",
    )
    connection_flags(parser)


def _draft(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/messages/{args.id}/draft", {"choice": args.choice})
    verbs.show(answer, as_json=args.json, render=lambda a: say(f"the answer is {a['message']['card']['status']}"))


def _rules_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--agent", metavar="A", help="only of this agent")
    paging_flags(parser)
    connection_flags(parser)


def _rules(args: argparse.Namespace) -> None:
    answer = connect(args).get("/api/approval-rules", agent=args.agent, after=args.after, limit=args.limit)
    verbs.show(answer, as_json=args.json, render=shown.approval_rules)


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=whole, metavar="ID", help="the rule's id")
    connection_flags(parser)


def _revoke(args: argparse.Namespace) -> None:
    answer = connect(args).post(f"/api/approval-rules/{args.id}/revoke")
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"rule {args.id} is revoked: a person is asked again"))


APPROVE = Command(
    about="Approve what an agent wants to do.",
    examples=("pal cli approve 7", "pal cli approve 7 --for topic", 'pal cli approve 7 --reason "but only in build/"'),
    arguments=_decision_arguments,
    run=_approve,
)
DENY = Command(
    about="Deny what an agent wants to do.",
    examples=('pal cli deny 7 --reason "not on a Friday"',),
    arguments=_decision_arguments,
    run=_deny,
)
ANSWER = Command(
    about="Answer an agent's question. The first answer counts.",
    examples=('pal cli answer 7 "the release branch"', "pal cli answer --interactive"),
    arguments=_answer_arguments,
    run=_answer,
)
LIST = Command(
    about="What waits for a person: approvals, questions and plans.",
    examples=("pal cli interactions list", "pal cli interactions list --topic 12 --status applied"),
    arguments=_list_arguments,
    run=_list,
)
SHOW = Command(
    about="All of one approval, question or plan, and how it is answered.",
    examples=("pal cli interactions show 7",),
    arguments=_show_arguments,
    run=_show,
)
DRAFT = Command(
    about="Send, revise or drop an answer that is held because something newer was said.",
    examples=("pal cli draft 41 send", "pal cli draft 41 revise"),
    arguments=_draft_arguments,
    run=_draft,
)
RULES = Command(
    about="List standing approvals, newest first: what was decided for more than one request.",
    examples=("pal cli rules list", "pal cli rules list --agent codex --json"),
    arguments=_rules_arguments,
    run=_rules,
)
REVOKE = Command(
    about="Revoke a standing approval: a person is asked again.",
    examples=("pal cli rules revoke 3",),
    arguments=_revoke_arguments,
    run=_revoke,
)
