"""`pal cli auth …`: the logins of this computer. Keys go to the local daemon and stay on this computer."""

import argparse
import os
import subprocess
import sys
from typing import Any

from pal_cli.cli.daemon_line import connect, connection_flags
from pal_cli.light import Command
from pal_server.client.terminal.confirm import confirm
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, segment, without_nothing
from pal_server.client.terminal.output import note, say, say_json, table

STATES = {"in": "logged in", "out": "logged out", "unknown": "not known"}
INSIDE = "PAL_LOGIN"  # in a login shell: whose it is


def _list(args: argparse.Namespace) -> None:
    answer = connect(args).get("/logins")
    if args.json:
        say_json(answer)
        return
    rows = [
        (
            one["account"] or "usual place",
            one["label"] or "",
            one["runtime"],
            STATES[one["login"]] + (f" ({one['method']})" if one["method"] else ""),
            ", ".join(one["keys"]),
            one["home"] or "",
        )
        for one in answer["logins"]
    ]
    head = ("ACCOUNT", "LABEL", "RUNTIME", "LOGIN", "KEYS KEPT HERE", "HOME")
    table(head, rows, empty="no program with logins is on this computer, and no account. `pal doctor` says what to do")


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    _name_argument(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--subscription", action="store_true", help="forget the key: the program's own login counts")
    how.add_argument("--variable", metavar="NAME", help="the variable the program takes it from (the runtime's usual)")
    connection_flags(parser)


def _set(args: argparse.Namespace) -> None:
    line = connect(args)
    if args.subscription:
        _tell(line.delete(f"/logins/{segment(args.account)}"), as_json=args.json)
        note(f"`pal cli auth login {args.account}` logs the program in")
        return
    body = without_nothing({"key": _read_key(), "variable": args.variable})
    _tell(line.call("PUT", f"/logins/{segment(args.account)}/key", body=body), as_json=args.json)


def _read_key() -> str:
    """From a terminal without showing it, else the first line of standard input; never from the command line, which
    every user of the computer can read.
    """
    if sys.stdin.isatty():
        from getpass import getpass

        key = getpass("API key (not shown): ", stream=sys.stderr).strip()
    else:
        key = sys.stdin.readline().strip()
    if not key:
        raise WrongUsage("no key was given. Write it on standard input, as in `pal cli auth set work < key.txt`")
    return key


def _clear_arguments(parser: argparse.ArgumentParser) -> None:
    _name_argument(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    connection_flags(parser)


def _clear(args: argparse.Namespace) -> None:
    confirm(f"forget the keys of {args.account} and log its program out", yes=args.yes)
    _tell(connect(args).delete(f"/logins/{segment(args.account)}"), as_json=args.json)


def _terminal_arguments(parser: argparse.ArgumentParser) -> None:
    _name_argument(parser)
    connection_flags(parser, json=False)


def _login(args: argparse.Namespace) -> int:
    place = _place(connect(args), args.account)
    if place["begin"] is None:
        raise WrongUsage(
            f"{place['login']['runtime']} has no log-in of its own on this computer."
            f" `pal cli auth set {args.account}` keeps a key for it"
        )
    note(f"{' '.join(place['begin'])}")
    return _in_terminal(place["begin"], place)


def _shell(args: argparse.Namespace) -> int:
    place = _place(connect(args), args.account)
    shell = os.environ.get("SHELL") or "/bin/sh"
    note(f"this shell is logged in as {args.account} ({place['login']['runtime']}); `exit` leaves it")
    return _in_terminal([shell], place)


def _in_terminal(argv: list[str], place: dict[str, Any]) -> int:
    """Run it here, in the login's environment; its exit code."""
    env = {name: value for name, value in os.environ.items() if name not in place["unset"]}
    name = place["login"]["label"] or place["login"]["runtime"]
    try:
        return subprocess.run(argv, env={**env, **place["set"], INSIDE: name}, check=False).returncode
    except OSError as error:
        raise WrongUsage(f"{argv[0]} cannot be started: {error.strerror}") from error


def _place(line: Line, name: str) -> dict[str, Any]:
    return line.get(f"/logins/{segment(name)}/shell")


def _tell(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(answer)
        return
    one = answer["login"]
    say(f"{one['label'] or one['runtime']}: {answer['detail']}; {STATES[one['login']]}")


def _name_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("account", metavar="ACCOUNT", help="its id or label; a runtime's name is the usual login")


LIST = Command(
    about=(
        "List the logins of this computer: what is logged in at each program's usual place, and every account.\n"
        "What is seen is the program's own word; no key is tried."
    ),
    examples=("pal cli auth list", "pal cli auth list --json"),
    arguments=connection_flags,
    run=_list,
)
SET = Command(
    about=(
        "Give an account an API key, from standard input or asked for without showing it, or its program's own login\n"
        "with --subscription. A key stays on this computer, in a file only you can read, and goes to that program only."
    ),
    examples=(
        "pal cli auth set work < key.txt",
        "pal cli auth set router --variable OPENROUTER_API_KEY < key.txt",
        "pal cli auth set work --subscription",
    ),
    arguments=_set_arguments,
    run=_set,
)
CLEAR = Command(
    about="Forget the keys of an account, and log its program out of the account's home.",
    examples=("pal cli auth clear work --yes",),
    arguments=_clear_arguments,
    run=_clear,
)
LOGIN = Command(
    about="Run the program's own log-in for an account, here in this terminal.",
    examples=("pal cli auth login work", "pal cli auth login claude-code"),
    arguments=_terminal_arguments,
    run=_login,
)
SHELL = Command(
    about="Open a shell in which the program is logged in as an account: its home, its variables, its key.",
    examples=("pal cli auth shell work",),
    arguments=_terminal_arguments,
    run=_shell,
)
