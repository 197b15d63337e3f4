"""`pal daemon`: one computer's daemon, in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable

LEGACY = "--agent, --computer-id and --computer-secret are deprecated: use --api-key with the computer's key"
LEGACY_VARIABLES = ("PAL_AGENT", "PAL_COMPUTER_ID", "PAL_COMPUTER_SECRET")


def main(argv: list[str]) -> int:
    """Run until Ctrl-C; the exit code."""
    from pal_daemon.settings import BadSettings, current_settings

    flags = _parser().parse_args(argv)
    if flags.agent or flags.computer_id or flags.computer_secret or any(map(os.environ.get, LEGACY_VARIABLES)):
        sys.stderr.write(f"pal daemon: {LEGACY}\n")
    try:
        settings = current_settings(
            server=flags.server,
            api_key=flags.api_key,
            interval=flags.interval,
            local_port=flags.local_port,
            cwd=flags.cwd,
            dry_run=flags.dry_run,
            once=flags.once,
            drain=flags.drain,
            agent=flags.agent,
            computer_secret=flags.computer_secret,
        )
    except BadSettings as error:
        sys.stderr.write(f"pal daemon: {error}\n")
        return 2
    from pal_daemon.daemon import Over, run_daemon
    from pal_daemon.logs import redact, set_up_logs

    set_up_logs(is_verbose=flags.verbose)

    async def live() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, stop.set)
            except NotImplementedError:  # Windows
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        return await run_daemon(settings, stop=stop)

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(live())
    except Over as end:
        sys.stderr.write(redact(f"pal daemon: {end}") + "\n")
        return end.code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists: less work per request on the way from message to process."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pal daemon",
        description="Run the agents assigned to this computer. Ctrl-C ends the daemon; its agents go on.",
        epilog="exit codes: 0 done · 1 a run failed (--once) · 2 wrong usage · 3 not accepted · 4 server away",
    )
    parser.add_argument(
        "--server", metavar="URL", help="the server (LOCK_SERVER_URL, PAL_SERVER; http://127.0.0.1:4127)"
    )
    parser.add_argument("--api-key", metavar="KEY", help="the computer's key, sk_machine_… (PAL_API_KEY)")
    parser.add_argument("--interval", type=int, metavar="MS", help="milliseconds between heartbeats (3000)")
    parser.add_argument(
        "--local-port", type=_port, metavar="N", help="port of the local API (4137); 0 takes a free one"
    )
    parser.add_argument("--cwd", metavar="DIR", help="where agents without a folder of their own work")
    parser.add_argument("--dry-run", action="store_true", help="record runs and start nothing")
    parser.add_argument("--once", action="store_true", help="do what is waiting, then end; 1 when a run failed")
    parser.add_argument("--drain", action="store_true", help="let what runs finish, claim nothing, then end")
    parser.add_argument("--verbose", action="store_true", help="tell more on stderr")
    legacy = parser.add_argument_group("deprecated")
    legacy.add_argument("--agent", metavar="KEY", help="run this agent only")
    legacy.add_argument("--computer-id", metavar="ID", help="the key says which computer it is")
    legacy.add_argument("--computer-secret", metavar="SECRET", help="the same as --api-key")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
