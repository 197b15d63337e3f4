"""The `pal` command: finds the part that was asked for, loads that and nothing else."""

import io
import sys
from collections.abc import Callable
from importlib import import_module

from pal_server.client.terminal.edge import at_the_edge
from pal_server.client.terminal.exits import DONE, USAGE

# word → (where its `main(argv) -> exit code` is, what it is). Modules are named by text so that one part
# never loads another, and none loads the server.
PARTS: dict[str, tuple[str, str]] = {
    "up": ("pal_cli.up", "server and daemon for this computer in one terminal: the way to begin"),
    "doctor": ("pal_cli.doctor", "find what is wrong with this set-up, and what to do"),
    "chaos": ("pal_cli.chaos.command", "kill and break a throw-away pal, and count what was lost or done twice"),
    "why": ("pal_cli.inspection", "why a message got no reply: each link of its way, the broken one named"),
    "logs": ("pal_cli.inspection", "what a run said and did"),
    "attach": ("pal_cli.inspection", "follow a run live until it ends, or use a terminal that is open"),
    "shell": ("pal_cli.inspection", "a shell on a computer, from anywhere"),
    "terminal": ("pal_cli.inspection", "which terminals are open, and their end"),
    "init": ("pal_cli.inspection", "write a .pal.toml that names the server for this folder"),
    "cli": ("pal_cli.cli.commands", "for people and agents on this computer, through its daemon"),
    "mcp": ("pal_cli.inspection", "what `pal cli` can do as tools of an agent program (Model Context Protocol)"),
    "console": ("pal_console.main", "administration, directly with the server"),
    "server": ("pal_server.cli", "the bus: run, migrate, backup, restore, check"),
    "daemon": ("pal_daemon.cli", "one computer's daemon: runs the agents assigned to it"),
    "bridge": ("pal_server.bridges.run", "bots of a chat platform by hand: run, guide"),
    "version": ("pal_cli.inspection", "the version of pal"),
}
_WITH_OWN_NAME = (
    "why",
    "logs",
    "attach",
    "shell",
    "terminal",
    "mcp",
    "init",
    "version",
)  # several commands in one module


def main(argv: list[str] | None = None) -> int:
    """Run one command line; its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without Unicode shows codes, not a traceback
    if not argv or argv[0] in ("-h", "--help", "help"):
        (sys.stdout if argv else sys.stderr).write(help_text())
        return DONE if argv else USAGE
    if argv[0] in ("-V", "--version"):
        argv = ["version", *argv[1:]]
    if argv[0] not in PARTS:
        return _no_such_part(argv[0])
    return at_the_edge(lambda: _run_part(argv), name=f"pal {argv[0]}")


def help_text() -> str:
    """What `pal --help` prints."""
    width = max(len(word) for word in PARTS)
    lines = ["usage: pal COMMAND …", "", "A message bus for people and coding agents.", ""]
    lines += [f"  {word:{width}}  {about}" for word, (_, about) in PARTS.items()]
    lines += [
        "",
        "`pal COMMAND --help` tells more of each, with examples.",
        "",
        "Exit codes: 0 done · 1 a bug or a failed run · 2 wrong usage · 3 not known, not allowed, not found, conflict",
        "            4 unreachable or busy, worth another try",
        "",
        "A server is named by --server, LOCK_SERVER_URL, PAL_SERVER, the nearest .pal.toml or $PAL_HOME/config.toml,",
        "the first of these that does; a credential by --token, PAL_TOKEN or this computer's PAL_HOME (~/.pal).",
    ]
    return "\n".join(lines) + "\n"


def _run_part(argv: list[str]) -> int:
    word = argv[0]
    run: Callable[[list[str]], int | None] = import_module(PARTS[word][0]).main
    return run(argv if word in _WITH_OWN_NAME else argv[1:]) or DONE


def _no_such_part(word: str) -> int:
    from difflib import get_close_matches

    near = get_close_matches(word, PARTS, n=1)
    hint = f"Did you mean `pal {near[0]}`? " if near else ""
    sys.stderr.write(f"pal: there is no command {word!r}. {hint}`pal --help` lists them all\n")
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
