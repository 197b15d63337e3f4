"""`pal server run | migrate | backup FILE | restore FILE | check`."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from pal_server.config import Settings, load_settings
from pal_server.errors import Conflict, Invalid, NotFound, PalError, Unavailable

if TYPE_CHECKING:
    from pal_server.app import Server

USAGE, REFUSED, BUSY = 2, 3, 4  # exit codes; contract §1

T = TypeVar("T")

app = typer.Typer(
    name="server",
    help="The bus: rooms, messages, deliveries. Without a subcommand it runs.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Home = Annotated[Path | None, typer.Option("--home", help="Folder for everything this server keeps [PAL_HOME].")]
Db = Annotated[str | None, typer.Option("--db", help="A path or postgresql://… [PAL_DB].")]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on [PAL_HOST].")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on, 0 for a free one [PAL_PORT].")]
LogFormat = Annotated[str | None, typer.Option("--log-format", help="text or json [PAL_LOG_FORMAT].")]
LogLevel = Annotated[str | None, typer.Option("--log-level", help="debug, info, warning, error [PAL_LOG_LEVEL].")]
AccessLog = Annotated[bool | None, typer.Option("--access-log/--no-access-log", help="Log each request.")]


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    home: Home = None,
    db: Db = None,
    host: Host = None,
    port: Port = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    access_log: AccessLog = None,
) -> None:
    """Run the server, unless a subcommand says otherwise."""
    flags = {
        "home": home,
        "db": db,
        "host": host,
        "port": port,
        "log_format": log_format,
        "log_level": log_level,
        "access_log": access_log,
    }
    context.obj = flags
    if context.invoked_subcommand is None:
        _at_the_edge(lambda: _run(_settings(flags)))


@app.command()
def run(
    context: typer.Context,
    home: Home = None,
    db: Db = None,
    host: Host = None,
    port: Port = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    access_log: AccessLog = None,
) -> None:
    """Run the server in this terminal until Ctrl-C."""
    given = {
        "home": home,
        "db": db,
        "host": host,
        "port": port,
        "log_format": log_format,
        "log_level": log_level,
        "access_log": access_log,
    }
    _at_the_edge(lambda: _run(_settings(_merged(context, given))))


@app.command()
def migrate(context: typer.Context, home: Home = None, db: Db = None) -> None:
    """Bring the database to this version's schema; a SQLite file is copied to backups/ first."""
    _at_the_edge(lambda: _migrate(_settings(_merged(context, {"home": home, "db": db}))))


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where the copy goes.")],
    home: Home = None,
    db: Db = None,
) -> None:
    """Copy the database, in use or not, to FILE: one snapshot."""
    _at_the_edge(lambda: _backup(_settings(_merged(context, {"home": home, "db": db})), file))


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A copy made by backup.")],
    home: Home = None,
    db: Db = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accepted as elsewhere; nothing is asked.")] = False,
) -> None:
    """Put the copy in the place of the database; the one that was there is kept in backups/."""
    _at_the_edge(lambda: _restore(_settings(_merged(context, {"home": home, "db": db})), file))


@app.command()
def check(context: typer.Context, home: Home = None, db: Db = None) -> None:
    """Look for damage: pages, indexes, rows that refer to nothing."""
    _at_the_edge(lambda: _check(_settings(_merged(context, {"home": home, "db": db}))))


def main(arguments: list[str] | None = None, /) -> None:
    """`pal server …`; exits the process."""
    app(args=arguments, prog_name="pal server")


def _run(settings: Settings) -> int:
    from pal_server.app import serve_until_stopped
    from pal_server.logs import set_up_logging

    set_up_logging(level=settings.log_level, format=settings.log_format)
    _run_loop(serve_until_stopped(settings, announce=_announce))
    return 0


def _announce(server: "Server") -> None:
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


def _check(settings: Settings) -> int:
    from pal_server.storage.backup import find_damage

    path = _embedded(settings)
    if not path.exists():
        raise NotFound(f"There is no database at {path} yet; pal server makes it.", path=str(path))
    problems = find_damage(path)
    for problem in problems:
        _say(problem)
    _say(f"{path} is " + ("damaged: restore a backup." if problems else "well."))
    return 1 if problems else 0


def _embedded(settings: Settings) -> Path:
    if not settings.is_embedded:
        raise Invalid("This is for the embedded SQLite database; use pg_dump, pg_restore and amcheck on PostgreSQL.")
    return Path(settings.database)


def _settings(flags: Mapping[str, object]) -> Settings:
    return load_settings(environment=os.environ, flags=flags)


def _merged(context: typer.Context, given: Mapping[str, object]) -> dict[str, object]:
    """Flags may stand before the subcommand or behind it."""
    before: dict[str, object] = context.obj or {}
    return {**before, **{name: value for name, value in given.items() if value is not None}}


def _run_loop(main: Coroutine[Any, Any, T]) -> T:
    try:
        from uvloop import new_event_loop
    except ImportError:  # Windows
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def _at_the_edge(command: Callable[[], int]) -> None:
    """Every refusal is one sentence on stderr and an exit code, never a traceback."""
    try:
        code = command()
    except* PalError as group:
        error = _first(group)
        _say(f"pal server: {error}")
        code = _exit_code(error)
    except* KeyboardInterrupt:
        code = 130
    if code:
        raise typer.Exit(code)


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
