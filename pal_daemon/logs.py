"""How the daemon speaks to whoever watches it: one plain sentence a line on stderr, its facts behind it, never a
secret.
"""

from __future__ import annotations

import logging
import re
import sys
import time

SECRETS = re.compile(r"\b(sk_machine|pal_(?:user|session|run|bridge|code|daemon))_[A-Za-z0-9_-]{6,}")
FIELDS = ("action", "run", "delivery", "agent", "command", "pid", "pids", "code")


def redact(text: str) -> str:
    """Every credential of pal is cut down to its kind."""
    return SECRETS.sub(r"\1_…", text)


class PlainFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        facts = "".join(f" {name}={record.__dict__[name]}" for name in FIELDS if record.__dict__.get(name) is not None)
        trace = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        return redact(f"{at} {level}{record.getMessage()}{facts and '  ·' + facts}{trace}")


def set_up_logs(*, is_verbose: bool = False) -> None:
    """For the daemon's process; a program that holds a daemon inside sets up its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if is_verbose else logging.INFO)
    for name in ("asyncio", "aiohttp.access", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)
