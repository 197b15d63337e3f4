"""`pal version`."""

import argparse

from pal_cli.light import Command
from pal_server.client.terminal.output import say, say_json


def installed_version() -> str:
    """The version of the installed package; "unknown" when pal runs from loose files."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pal")
    except PackageNotFoundError:
        return "unknown"


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _run(args: argparse.Namespace) -> None:
    if args.json:
        say_json({"name": "pal", "version": installed_version()})
    else:
        say(f"pal {installed_version()}")


VERSION = Command(
    about="The version of this pal.",
    examples=("pal version", "pal version --json"),
    arguments=_arguments,
    run=_run,
)
