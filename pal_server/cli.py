"""`pal server run | migrate | backup FILE | restore FILE | check`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pal_server.config import Settings, load_settings
from pal_server.errors import Conflict, Invalid, NotFound, PalError, Unavailable

if TYPE_CHECKING:
    from pal_server.app import Server

USAGE, REFUSED, BUSY = 2, 3, 4  # exit codes; contract §1
VERBS = {
    "run": "run the server in this terminal until Ctrl-C; so does no word at all",
    "migrate": "bring the database to this version's schema; a SQLite file is copied to backups/ first",
    "backup": "copy the database, in use or not, to FILE: one snapshot",
    "restore": "put the copy in the place of the database; the one that was there is kept in backups/",
    "check": "look for damage: pages, indexes, rows that refer to nothing",
}

T = TypeVar("T")


def main(argv: list[str] | None = None, /) -> int:
    """`pal server …`; the exit code."""
    flags = vars(_parser().parse_args(argv))
    verb = flags.pop("verb") or "run"
    file = flags.pop("file", None)
    as_json = flags.pop("json", False)
    flags.pop("yes", None)
    commands: dict[str, Callable[[Settings], int]] = {
        "run": _run,
        "migrate": _migrate,
        "backup": lambda settings: _backup(settings, file),
        "restore": lambda settings: _restore(settings, file),
        "check": lambda settings: _check(settings, as_json=as_json),
    }
    return _at_the_edge(lambda: commands[verb](load_settings(environment=os.environ, flags=flags)))


def _parser() -> argparse.ArgumentParser:
    """Not Typer's, as the console's: what that loads would stay in the server's memory, 12 MB."""
    parser = argparse.ArgumentParser(
        prog="pal server",
        description="The bus: rooms, messages, deliveries. Without a word it runs.",
        epilog="exit codes: 0 done · 1 a bug, or damage found · 2 wrong usage · 3 refused · 4 busy or unreachable",
    )
    _add_place(parser)
    _add_running(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="run | migrate | backup | restore | check")
    made = {verb: verbs.add_parser(verb, help=about, description=about) for verb, about in VERBS.items()}
    for one in made.values():
        _add_place(one)
    _add_running(made["run"])
    made["backup"].add_argument("file", metavar="FILE", type=Path, help="where the copy goes")
    made["restore"].add_argument("file", metavar="FILE", type=Path, help="a copy made by backup")
    made["restore"].add_argument("--yes", action="store_true", help="accepted as elsewhere; nothing is asked")
    made["check"].add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    """These may stand before the word or behind it; only what was given is in the outcome."""
    add = _adder(parser)
    add("--home", type=Path, metavar="DIR", help="folder for everything this server keeps (PAL_HOME)")
    add("--db", metavar="DB", help="a path or postgresql://… (PAL_DB)")


def _add_running(parser: argparse.ArgumentParser) -> None:
    add = _adder(parser)
    add("--host", metavar="ADDRESS", help="address to listen on (PAL_HOST)")
    add("--port", type=_number, metavar="N", help="port to listen on, 0 for a free one (PAL_PORT)")
    add("--log-format", metavar="FORMAT", help="text or json (PAL_LOG_FORMAT)")
    add("--log-level", metavar="LEVEL", help="debug, info, warning or error (PAL_LOG_LEVEL)")
    add("--access-log", action=argparse.BooleanOptionalAction, help="log each request (PAL_ACCESS_LOG)")


def _adder(parser: argparse.ArgumentParser) -> Callable[..., object]:
    def add(flag: str, **what: Any) -> None:
        parser.add_argument(flag, default=argparse.SUPPRESS, **what)

    return add


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _run(settings: Settings) -> int:
    from pal_server.app import serve_until_stopped
    from pal_server.logs import set_up_logging

    set_up_logging(level=settings.log_level, format=settings.log_format)
    _run_loop(serve_until_stopped(settings, announce=_announce))
    return 0


def _announce(server: Server) -> None:
    _say(f"pal server at {server.url}, everything it keeps is in {server.settings.home}")
    if server.login_link is not None:
        _say(f"Log in here, once: {server.login_link}")
        _say(f"The owner's token is in {server.settings.home / 'owner.token'}")


def _migrate(settings: Settings) -> int:
    from pal_server.clock import Clock
    from pal_server.config import prepare_home
    from pal_server.ids import new_id
    from pal_server.storage.home_lock import hold_home
    from pal_server.storage.store import open_store

    async def open_and_close() -> None:
        store = await open_store(
            settings.database,
            clock=Clock(),
            new_id=new_id,
            hub_wake=lambda _: None,
            backups=settings.home / "backups",
        )
        await store.close()

    prepare_home(settings.home)
    with hold_home(settings.home):
        _run_loop(open_and_close())
    _say("The database has this version's schema.")
    return 0


def _backup(settings: Settings, file: Path) -> int:
    from pal_server.storage.backup import copy_database

    copy_database(_embedded(settings), file)
    _say(f"Copied to {file}. The files people uploaded are in {settings.files}; copy that folder too.")
    return 0


def _restore(settings: Settings, file: Path) -> int:
    from pal_server.clock import Clock
    from pal_server.config import prepare_home
    from pal_server.storage.backup import restore_database

    path = _embedded(settings)
    prepare_home(settings.home)
    kept = restore_database(file, path, home=settings.home, now=Clock()())
    _say(f"{path} is now the copy from {file}.")
    if kept is not None:
        _say(f"What was there before is kept as {kept}.")
    return 0


def _check(settings: Settings, *, as_json: bool) -> int:
    from pal_server.storage.backup import find_damage

    path = _embedded(settings)
    if not path.exists():
        raise NotFound(f"There is no database at {path} yet; pal server makes it.", path=str(path))
    problems = find_damage(path)
    if as_json:
        import json

        sys.stdout.write(json.dumps({"database": str(path), "problems": problems}) + "\n")
        return 1 if problems else 0
    for problem in problems:
        _say(problem)
    _say(f"{path} is " + ("damaged: restore a backup." if problems else "well."))
    return 1 if problems else 0


def _embedded(settings: Settings) -> Path:
    if not settings.is_embedded:
        raise Invalid("This is for the embedded SQLite database; use pg_dump, pg_restore and amcheck on PostgreSQL.")
    return Path(settings.database)


def _run_loop(main: Coroutine[Any, Any, T]) -> T:
    try:
        from uvloop import new_event_loop
    except ImportError:  # Windows
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def _at_the_edge(command: Callable[[], int]) -> int:
    """Every refusal is one sentence on stderr and an exit code, never a traceback."""
    code = 0
    try:
        code = command()
    except* PalError as group:
        error = _first(group)
        _say(f"pal server: {error}")
        code = _exit_code(error)
    except* KeyboardInterrupt:
        code = 130
    return code


def _first(group: BaseExceptionGroup[PalError]) -> PalError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, PalError)
    return error


def _exit_code(error: PalError) -> int:
    match error:
        case Invalid():
            return USAGE
        case Conflict() | NotFound():
            return REFUSED
        case Unavailable():
            return BUSY
        case _:
            return 1


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
