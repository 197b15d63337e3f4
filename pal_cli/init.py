"""`pal init`: write a `.pal.toml` that names the server for this folder and those below."""

import argparse
import os
from pathlib import Path

from pal_cli.light import Command
from pal_server.client.resolve import PROJECT_FILE, Found, checked_url, find_project_file, find_server
from pal_server.client.terminal.exits import REFUSED
from pal_server.client.terminal.output import note, say, say_json


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", metavar="URL", help="the server to name (the one in use now)")
    parser.add_argument("--workspace", metavar="W", help="the workspace to name")
    parser.add_argument("--project", metavar="P", help="the project to name")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _run(args: argparse.Namespace) -> int | None:
    server = checked_url(Found(value=args.server, source="--server")) if args.server else find_server().value
    settings = {"server": server, "workspace": args.workspace, "project": args.project}
    named = {key: value for key, value in settings.items() if value}
    path = Path.cwd() / PROJECT_FILE
    above = find_project_file(Path.cwd().parent)
    try:
        # O_EXCL also refuses a dangling link, which a look beforehand would take for a free name.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        note(f"{path} is there already and was not touched. Edit it, or remove it first")
        return REFUSED
    except OSError as error:
        note(f"{path} cannot be written: {error.strerror}. Choose a folder you may write to")
        return REFUSED
    with open(fd, "w", encoding="utf-8") as file:
        file.write(
            "# pal: which server this project talks to. Never a credential: those stay in PAL_TOKEN or PAL_HOME.\n"
        )
        file.writelines(f"{key} = {_toml_text(value)}\n" for key, value in named.items())
    if args.json:
        say_json({"file": str(path), **named})
    else:
        say(f"{path} names {server}")
    if above is not None and not args.json:
        note(f"it goes before {above} for everything below this folder")
    return None


def _toml_text(value: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    import json

    return json.dumps(value)


INIT = Command(
    about="Write a .pal.toml that names the server for this folder and those below. Never overwrites one.",
    examples=("pal init", "pal init --server https://pal.example.org"),
    arguments=_arguments,
    run=_run,
)
