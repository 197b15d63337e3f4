"""The tables of the docs that follow from the code: routes, errors, commands, settings, runtimes.

`uv run python -m tests.repo.tables` writes them anew; a test fails while a page says something else than the code.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

import click
import msgspec
import typer.main

from tests.repo.tree import ROOT

DOCS = ROOT / "docs"
ROOM_SKILL = ROOT / "pal_cli" / "skills" / "room" / "SKILL.md"
BEGIN, END = "<!-- table: {name} -->", "<!-- end of table -->"
# What the verbs of `pal cli` that an agent uses ask for.
AGENTS_ASK = {
    "GET /api/messages",
    "POST /api/messages",
    "GET /api/messages/{id}",
    "GET /api/inbox",
    "GET /api/rooms",
    "GET /api/rooms/{room}/members",
    "GET /api/rooms/{room}/topics",
    "POST /api/rooms/{room}/topics",
    "GET /api/agents",
    "POST /api/interactions",
    "GET /api/interactions/{id}",
    "POST /api/artifacts",
    "POST /api/runs/{id}/result",
}

Row = tuple[str, ...]


def routes() -> str:
    """Every route of the table, in its order."""
    from pal_server.api.routes import ROUTES

    rows = [
        (
            f"`{route.method} {route.template}`",
            route.summary,
            route.who.describe(),
            _struct(route.body or route.query) or ("the file itself" if route.reads_body else ""),
            _answer(route.status, _struct(route.answer), media=route.media, upgrades=route.upgrades),
            f"`{route.operation}`",
        )
        for route in ROUTES
    ]
    return _table(("route", "what", "for", "takes", "answers", "operation"), rows)


def room_guide() -> str:
    """What an agent's run may ask over HTTP in a room, with the names each request takes."""
    from pal_server.api.routes import ROUTES

    rows = [
        (f"`{route.method} {route.template}`", route.summary, _fields(route.body or route.query))
        for route in ROUTES
        if f"{route.method} {route.template}" in AGENTS_ASK and route.who.run
    ]
    assert len(rows) == len(AGENTS_ASK), "an agent cannot ask all of these any more"
    return _table(("request", "what", "takes"), rows)


def errors() -> str:
    """Every error code with its HTTP status and the exit code of a command that meets it."""
    from pal_server import errors as tree
    from pal_server.api.problems import STATUSES
    from pal_server.client.terminal.exits import exit_code

    kinds = {kind.code: kind for kind in vars(tree).values() if isinstance(kind, type) and "code" in vars(kind)}
    rows = []
    for code, status in STATUSES.items():
        meaning = _first_line(kinds[code].__doc__) if code in kinds else "A bug of pal; the log says more."
        rows.append((f"`{code}`", str(status), str(exit_code(code, status)), meaning))
    return _table(("code", "status", "exit", "what happened"), rows)


def commands() -> str:
    """Every command of `pal` with its flags."""
    return _table(("command", "what it does", "flags and arguments"), list(_commands()))


def settings() -> str:
    """The server's settings: the name in `config.toml`, the variable, the default."""
    from pal_server.config import Settings

    rows = []
    empty = Settings(home=Path("~/.pal"))
    for name in Settings.__struct_fields__:
        variable = "" if name == "server" else f"`PAL_{name.upper()}`"
        value = getattr(empty, name)
        shown = "" if value in ("", (), None) else f"`{str(value).lower() if isinstance(value, bool) else value}`"
        rows.append((f"`{name}`" if name != "home" else "", variable, shown))
    return _table(("in config.toml", "variable", "default"), rows)


def runtimes() -> str:
    """What each built-in runtime says it can do."""
    from pal_daemon.runtimes.base import Capabilities
    from pal_daemon.runtimes.registry import BUILT_IN, load_registry

    names = tuple(Capabilities.__slots__)
    rows = []
    for runtime in load_registry():
        if runtime.name in BUILT_IN:
            flags = runtime.capabilities.as_flags()
            rows.append((f"`{runtime.name}`", *("yes" if flags[name] else "" for name in names)))
    return _table(("runtime", *names), sorted(rows))


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "routes": (DOCS / "protocol.md", routes),
    "errors": (DOCS / "protocol.md", errors),
    "commands": (DOCS / "commands.md", commands),
    "room guide": (ROOM_SKILL, room_guide),
    "settings": (DOCS / "operations.md", settings),
    "runtimes": (DOCS / "runtimes.md", runtimes),
}


def written(name: str) -> str:
    """The table as its page has it now."""
    page = TABLES[name][0].read_text("utf-8")
    return page.split(BEGIN.format(name=name) + "\n", 1)[1].split(END, 1)[0].strip()


def write(name: str) -> None:
    path, make = TABLES[name]
    head, rest = path.read_text("utf-8").split(BEGIN.format(name=name), 1)
    path.write_text(f"{head}{BEGIN.format(name=name)}\n\n{make()}\n\n{END}{rest.split(END, 1)[1]}", "utf-8")


def _commands() -> Iterator[Row]:
    from pal_cli import doctor, inspection, main, up
    from pal_cli.chaos import command as chaos
    from pal_cli.cli.commands import GROUP
    from pal_console import main as console
    from pal_daemon import cli as daemon
    from pal_server import cli as server
    from pal_server.bridges import run as bridge

    typed = {"up": up.app, "doctor": doctor.app, "chaos": chaos.app, "console": console.app}
    for word, (_, about) in main.PARTS.items():
        if word in typed:
            root = typer.main.get_command(typed[word])
            yield from _of_click(root, name=f"pal {word}", about=about)
        elif word == "cli":
            for name, (_, line) in GROUP.entries.items():
                yield f"`pal cli {name}`", line, _usage(GROUP.parser(name).format_usage())
        elif word == "daemon":
            yield "`pal daemon`", about, _usage(_help_of(daemon.main))
        elif word == "server":
            yield "`pal server`", about, _usage(_help_of(server.main))
            for verb, line in server.VERBS.items():
                yield f"`pal server {verb}`", line, _usage(_help_of(lambda argv, verb=verb: server.main([verb, *argv])))
        elif word == "bridge":
            for verb, line in bridge.VERBS.items():
                yield f"`pal bridge {verb}`", line, _usage(_help_of(lambda argv, verb=verb: bridge.main([verb, *argv])))
        else:
            yield f"`pal {word}`", about, _usage(inspection.GROUP.parser(word).format_usage())


def _of_click(command: click.Command, *, name: str, about: str) -> Iterator[Row]:
    subcommands = getattr(command, "commands", {})
    if not subcommands or getattr(command, "invoke_without_command", False):
        yield f"`{name}`", about, _parameters(command)
    for word, sub in subcommands.items():
        yield from _of_click(sub, name=f"{name} {word}", about=_first_line(sub.help))


def _parameters(command: click.Command) -> str:
    shown = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            shown.append(str(parameter.metavar or parameter.name).upper())
        else:
            shown.append("/".join((parameter.opts[0], *parameter.secondary_opts)))
    return f"`{' '.join(shown)}`" if shown else ""


def _usage(text: str) -> str:
    """`usage: pal cli send [-h] [--room R] TEXT` → the words after the command, without the help flag."""
    words = " ".join(text.split()).partition("[-h]")[2].strip()
    return f"`{words}`" if words else ""


def _help_of(main: Callable[[list[str]], int]) -> str:
    """The usage of a command that has no parser to ask, from its help."""
    shown = StringIO()
    with redirect_stdout(shown), suppress(SystemExit):
        main(["--help"])
    return shown.getvalue().partition("\n\n")[0]


def _answer(status: int, struct: str, *, media: str, upgrades: bool) -> str:
    return "a WebSocket" if upgrades else f"{status} {struct or media}"


def _struct(kind: type | None) -> str:
    return "" if kind is None else f"{kind.__name__}"


def _fields(kind: type | None) -> str:
    """The names of a request's struct, `?` after those that may be left out."""
    if kind is None:
        return ""
    names = [f"{field.encode_name}{'' if field.required else '?'}" for field in msgspec.structs.fields(kind)]
    return f"`{' '.join(names)}`" if names else ""


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def _table(head: Row, rows: list[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(" --- " for _ in head) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    for table in sys.argv[1:] or TABLES:
        write(table)
