"""`pal up`: server and daemon for this computer in one terminal."""

import asyncio
import os
import subprocess
import sys
import time
from typing import Annotated

import typer

from pal_server.client.resolve import pal_home
from pal_server.client.terminal.exits import TRY_AGAIN, WrongUsage
from pal_server.client.terminal.output import note, say
from pal_server.client.terminal.typed import new_app, run_app

DETACHED_WITHIN = 120.0  # seconds until a detached start is given up

app = new_app("", no_args_is_help=False)

Port = Annotated[int | None, typer.Option(min=0, max=65535, metavar="N", help="The server's port (PAL_PORT, 4127).")]
LocalPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="N", help="The daemon's local port (of LOCK_DAEMON_URL, else 4137)."),
]


@app.command()
def up(
    port: Port = None,
    local_port: LocalPort = None,
    no_daemon: Annotated[bool, typer.Option("--no-daemon", help="Only the server.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the log-in link.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Go on in the background once it is ready.")] = False,
) -> None:
    """Start server and daemon for this computer in one terminal.

    The first start makes the owner token, a log-in link, the room general, this computer's key, an agent demo
    and one for each agent program found here. It is ready when it prints the log-in link, later its address.
    Ctrl-C stops both; running agents go on and are found again.

    \b
    Examples:
      pal up
      pal up --port 5127 --local-port 5137 --no-browser
      pal up --detach
      PAL_HOME=/tmp/try pal up
    """
    if detach:
        raise typer.Exit(_detached(port=port, local_port=local_port, no_daemon=no_daemon))
    # Imported here so that --help does not load what it will not start.
    from pal_cli.supervisor import Supervisor, Wishes

    wishes = Wishes(port=port, local_port=local_port, with_daemon=not no_daemon, with_browser=not no_browser)

    async def supervise() -> int:
        return await Supervisor(wishes).run()

    raise typer.Exit(asyncio.run(supervise()))


def main(argv: list[str]) -> int:
    """Run `pal up`; its exit code."""
    return run_app(app, argv, name="pal up")


def _detached(*, port: int | None, local_port: int | None, no_daemon: bool) -> int:
    """Start `pal up` in the background and return once it is ready, or with its exit code when it ends before."""
    from pal_cli.supervisor import READY

    home = pal_home().absolute()
    file = home / "up.log"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        out = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)  # it will hold the log-in link
    except OSError as error:
        raise WrongUsage(
            f"{home} cannot be written: {error.strerror}. Set PAL_HOME to a folder you may write to"
        ) from error
    argv = [sys.executable, "-m", "pal_cli.main", "up", "--no-browser"]
    argv += ["--port", str(port)] if port is not None else []
    argv += ["--local-port", str(local_port)] if local_port is not None else []
    argv += ["--no-daemon"] if no_daemon else []
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with open(out, "rb") as log:
        told_before = os.fstat(out).st_size  # by another one, which may still be at it
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, start_new_session=True
        )
        until = time.monotonic() + DETACHED_WITHIN
        while time.monotonic() < until:
            text = os.pread(log.fileno(), 1_000_000, told_before).decode("utf-8", "replace")
            ready = next((line for line in text.splitlines() if line.startswith(READY)), None)
            if ready is not None:
                say(ready)
                say(f"It goes on in the background; its output is in {file}. Stop it with: kill {process.pid}")
                return 0
            if process.poll() is not None:
                note(text.rstrip())
                return process.returncode or TRY_AGAIN
            time.sleep(0.05)
    note(f"pal up is not ready after {DETACHED_WITHIN:.0f} s. See {file}; stop it with: kill {process.pid}")
    return TRY_AGAIN
