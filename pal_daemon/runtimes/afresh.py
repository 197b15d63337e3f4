"""A conversation its program could not go on with: the word about it, and what a fresh one is told instead.

The server says it in the topic when it hears that word, and puts down that the recap was told.
"""

from __future__ import annotations

from pal_daemon.runtimes.base import Event
from pal_daemon.runtimes.capping import cap_text

REASON_CHARS = 2000
GONE = (
    "The earlier session of this conversation could not be continued, so this is a fresh one. Read what was said "
    "before with `pal cli messages list` where it matters."
)


def begun_afresh(reason: str, *, has_recap: bool) -> Event:
    """`has_recap`: its first prompt began with what was said here last."""
    text = f"The earlier session could not be continued, a fresh one was begun: {reason}"
    data = {"state": "afresh", "reason": cap_text(reason, limit=REASON_CHARS), "recap": has_recap}
    return Event(kind="status", text=cap_text(text, limit=REASON_CHARS), data=data)


def remind(prompt: str, *, recap: str) -> str:
    """The prompt of a fresh conversation in place of a lost one. `recap` is the server's; empty from an older one."""
    return f"{recap or GONE}\n\n{prompt}"
