"""What an agent says of its own run: `pal cli ask` and `pal cli result`."""

import argparse

from pal_cli.cli.daemon_line import connect, connection_flags, run_variable
from pal_cli.light import Command, positive
from pal_server.client.problems import ApiProblem
from pal_server.client.terminal import shown, verbs
from pal_server.client.terminal.exits import TRY_AGAIN, WrongUsage
from pal_server.client.terminal.line import Line, NoAnswer, segment, without_nothing
from pal_server.client.terminal.output import note, say

STATUSES = ("done", "blocked", "needs_input")
_LOOK_EVERY = 0.5  # seconds between two looks at a question that waits


def _ask_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("title", metavar="QUESTION", help="what you want to know, in a line; - reads standard input")
    parser.add_argument("--body", metavar="TEXT", help="what a person needs to know to answer")
    parser.add_argument("--option", action="append", default=[], metavar="O", help="an answer to offer; repeat")
    parser.add_argument("--multiple", action="store_true", help="several of the options may be chosen")
    parser.add_argument("--kind", choices=("question", "approval", "plan"), default="question")
    parser.add_argument("--wait", type=positive, metavar="S", help="wait up to S seconds and print the answer")
    parser.add_argument("--client-id", metavar="X", help="an id of your own: the same one again asks nothing twice")
    connection_flags(parser)


def _ask(args: argparse.Namespace) -> int | None:
    from pal_server.client.terminal.sending import new_client_id, read_text, until_answered

    client_id = args.client_id or new_client_id()
    title = read_text(args.title, None)
    if args.multiple and not args.option:
        raise WrongUsage("--multiple needs options to choose from: name them with --option")
    several = {"text": title, "options": [{"label": label} for label in args.option], "multiple": True}
    body = without_nothing(
        {
            "title": title,
            "body": args.body,
            "options": [] if args.multiple else args.option,
            "questions": [several] if args.multiple else None,
            "kind": args.kind,
            "client_id": client_id,
        }
    )
    line = connect(args)
    answer = until_answered(line, "/api/interactions", body=body, client_id=client_id)
    if args.wait is None:
        verbs.show(answer, as_json=args.json, render=shown.interaction)
        return None
    answer = _wait_for_answer(line, answer, wait_for=args.wait)
    verbs.show(answer, as_json=args.json, render=_bare_answer)
    return TRY_AGAIN if answer["interaction"]["status"] == "pending" else None


def _wait_for_answer(line: Line, answer: verbs.Answer, *, wait_for: int) -> verbs.Answer:
    """The interaction once it is no longer pending, or as it is after `wait_for` seconds. A restart of daemon or server
    is waited out: who asked again would ask twice.
    """
    import time

    from pal_server.client.retry import is_worth_repeating

    until = time.monotonic() + wait_for
    while answer["interaction"]["status"] == "pending" and time.monotonic() < until:
        time.sleep(min(_LOOK_EVERY, max(0.0, until - time.monotonic())))
        try:
            answer = line.get(f"/api/interactions/{answer['interaction']['id']}")
        except (NoAnswer, ApiProblem) as failure:
            if isinstance(failure, ApiProblem) and not is_worth_repeating(failure):
                raise
    return answer


def _bare_answer(answer: verbs.Answer) -> None:
    one = answer["interaction"]
    if one["status"] == "pending":
        note(f"nobody has answered {one['kind']} {one['id']} yet")
        return
    said = one.get("answer") or {}
    say(str(said.get("answer") or said.get("decision") or one["status"]))
    if said.get("reason"):
        say(str(said["reason"]))


def _result_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="[STATUS] SUMMARY", help="what came of it; - reads standard input")
    parser.add_argument("--status", choices=STATUSES, help="how it stands (done)")
    parser.add_argument("--blocker", action="append", default=[], metavar="TEXT", help="what is in the way; repeat")
    parser.add_argument(
        "--next-step", "--next", dest="next_steps", action="append", default=[], metavar="TEXT", help="repeat"
    )
    parser.add_argument("--run", metavar="RUN", help="the run (inside a run: itself)")
    connection_flags(parser)


def _result(args: argparse.Namespace) -> None:
    from pal_server.client.terminal.sending import read_text

    run = args.run or run_variable("PAL_RUN_ID")
    if run is None:
        raise WrongUsage("--run is missing: outside of a run say which one it is about")
    status, words = args.status, list(args.words)
    if status is None and len(words) > 1 and words[0] in STATUSES:
        status = words.pop(0)
    if len(words) > 1:
        raise WrongUsage("SUMMARY is several words. Put it in quotes")
    body = {
        "status": status or "done",
        "summary": read_text(words[0], None),
        "blockers": args.blocker,
        "next_steps": args.next_steps,
    }
    answer = connect(args).post(f"/api/runs/{segment(run)}/result", body)
    verbs.show(answer, as_json=args.json, render=lambda _: say(f"run {run}: {body['status']}"))


ASK = Command(
    about="Ask a person, from inside a run. The question becomes a card in the topic; its first answer counts.",
    examples=(
        'pal cli ask "Which branch?" --option main --option release',
        'pal cli ask "May I delete build/?" --kind approval --wait 600',
    ),
    arguments=_ask_arguments,
    run=_ask,
)
RESULT = Command(
    about="Report what came of a run: done, blocked or needs_input.",
    examples=(
        'pal cli result "All tests pass"',
        'pal cli result --status blocked "No access" --blocker "the key is missing" --next-step "ask alice"',
    ),
    arguments=_result_arguments,
    run=_result,
)
