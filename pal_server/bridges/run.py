"""`pal bridge …`: a bridge in the foreground, as the server starts it, or by hand beside a daemon."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys

from pal_server.client.aio import Client
from pal_server.client.resolve import Unusable, server_place

from .bridge import Bridge, NotAccepted
from .registry import NAMES, UnknownPlatform, load

DONE, USAGE, REFUSED = 0, 2, 3
VERBS = {
    "run": "hold the bots of a platform until Ctrl-C",
    "guide": "how an app of a platform is made, step by step",
}


def main(argv: list[str]) -> int:
    """`pal bridge run PLATFORM` and `pal bridge guide PLATFORM`; the exit code."""
    flags = _parser().parse_args(argv)
    try:
        platform = load(flags.platform)
    except UnknownPlatform as error:
        sys.stderr.write(f"pal bridge: {error}\n")
        return USAGE
    if flags.verb == "guide":
        sys.stdout.write(platform.guide().rstrip() + "\n")
        return DONE
    from_stdin = flags.token == "-"
    token = sys.stdin.readline().strip() if from_stdin else flags.token or os.environ.get("PAL_TOKEN")
    try:
        place = server_place(server=flags.server, token=token)
    except Unusable as error:
        sys.stderr.write(f"pal bridge: {error}\n")
        return USAGE
    if not place.token:
        sys.stderr.write("pal bridge: a bridge's token is missing: pal console tokens create --kind bridge --name N\n")
        return REFUSED
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=f"%(asctime)s {platform.name}: %(message)s")

    async def live() -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
                loop.add_signal_handler(number, stop.set)
        if from_stdin:
            _stop_with_parent(loop, stop)
        async with Client(place.url, place.token, timeout=45.0) as client:
            try:
                await Bridge(platform=platform, client=client, holder=flags.holder).run(stop)
            except NotAccepted as error:
                sys.stderr.write(f"pal bridge: {error}\n")
                return REFUSED
        return DONE

    return asyncio.run(live())


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Whoever gave the token over stdin keeps it open for as long as it lives."""

    def closed() -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    with contextlib.suppress(NotImplementedError, PermissionError):  # Windows, and a file for stdin
        loop.add_reader(sys.stdin.fileno(), closed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pal bridge",
        description="Bots of a chat platform. The server starts its own bridges; this is the same by hand.",
        epilog="exit codes: 0 done · 2 wrong usage · 3 not accepted by the server",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    run = verbs.add_parser("run", help=VERBS["run"])
    run.add_argument("platform", metavar="PLATFORM", help=f"one of {', '.join(NAMES)}")
    run.add_argument("--server", metavar="URL", help="the server (LOCK_SERVER_URL, PAL_SERVER)")
    run.add_argument("--token", metavar="T", help="a bridge's token (PAL_TOKEN); - reads it from stdin")
    run.add_argument("--holder", help=argparse.SUPPRESS)  # so that the server knows whose bots its dead child held
    guide = verbs.add_parser("guide", help=VERBS["guide"])
    guide.add_argument("platform", metavar="PLATFORM", help=f"one of {', '.join(NAMES)}")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
