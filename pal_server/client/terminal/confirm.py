"""Asking before something is destroyed, and the questions of `--interactive`."""

import sys

from pal_server.client.terminal.exits import Declined, WrongUsage


def confirm(what: str, *, yes: bool) -> None:
    """Go on only when a person means it: `--yes`, or a yes at the terminal. Without a terminal it is wrong usage."""
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongUsage(f"this will {what}. Say --yes to do it")
    sys.stderr.write(f"This will {what}. Go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Declined("nothing was done")


def ask(question: str, *, default: str | None = None, choices: list[str] | None = None) -> str:
    """One answer from the terminal, asked again until it fits; WrongUsage at the end of input."""
    hint = f" [{default}]" if default else ""
    offer = f" ({', '.join(choices)})" if choices else ""
    while True:
        sys.stderr.write(f"{question}{offer}{hint}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise WrongUsage(f"no answer to: {question}. Use the flags instead of --interactive; see --help")
        answer = line.strip() or (default or "")
        if answer and (not choices or answer in choices):
            return answer
        if not answer and default == "":
            return ""
        sys.stderr.write(f"Please answer with one of: {', '.join(choices)}\n" if choices else "Please answer.\n")
