"""Two texts of a file → what changed in it, as a unified difference."""

from __future__ import annotations

import difflib

from pal_daemon.runtimes.capping import cap_text

LONGEST = 400_000  # characters of both texts; comparing longer ones would hold up the daemon
SHOWN = 64 << 10  # characters of a difference
LINES = 6_000  # of both texts; the time grows with their product


def show_change(path: str, old: str, new: str) -> tuple[str, bool]:
    """A change for a card, with every byte of what comes and goes; False where it is too long to compare."""
    before, after = old.split("\n"), new.split("\n")
    if not old or len(old) + len(new) > LONGEST or len(before) + len(after) > LINES:
        return f"{path}:\n```\n{new}\n```", not old
    lines = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    return "\n".join((f"{path}:\n```diff", *lines, "```")), True


def render_diff(path: str, old: str, new: str) -> str:
    """Without a time or a file header; what is too long to compare is told by its sizes."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if not before or not after:
        sign, lines = ("+", after) if after else ("-", before)
        return cap_text("".join(f"{sign}{line}" for line in lines), limit=SHOWN)
    if len(old) + len(new) > LONGEST or len(before) + len(after) > LINES:
        return f"[{path}: {len(before):,} lines before, {len(after):,} after; too long to compare]"
    lines = list(difflib.unified_diff(before, after))[2:]
    return cap_text("".join(line if line.endswith("\n") else f"{line}\n" for line in lines), limit=SHOWN)
