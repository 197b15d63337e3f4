"""Cuts a long Markdown text into parts that a platform takes, never through a code block.

A block that is longer than a part is closed at the cut and opened again in the next part, so each part is whole by
itself. Joined again, without these marks, the parts are the text.
"""

import re
from collections.abc import Callable

PARTS = 5  # more than that nobody reads in a chat: the whole goes as a file
NOTE = "\n\n… the whole text is in the file below."

_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_BREAKS = ("\n\n", "\n", ". ", "。", " ")  # where a text is cut, the best first
_SHORTEST = 0.4  # of a part; a better break before that is not taken


def split(text: str, *, limit: int, measure: Callable[[str], int]) -> tuple[list[str], bool]:
    """The parts, and whether the whole text has to follow as a file because the parts do not hold all of it."""
    parts = cut(text, limit=limit, measure=measure)
    if len(parts) <= PARTS:
        return parts, False
    room = limit - measure(NOTE) - 8
    return [cut(text, limit=max(1, room), measure=measure)[0].rstrip() + NOTE], True


def cut(text: str, *, limit: int, measure: Callable[[str], int]) -> list[str]:
    """All of the text in parts of at most `limit`, as `measure` counts."""
    parts: list[str] = []
    rest, opened = text, ""
    while rest:
        prefix = f"{opened}\n" if opened else ""
        if measure(prefix + rest) <= limit:
            parts.append(prefix + rest)
            break
        end = _longest(rest, prefix=prefix, limit=limit, measure=measure)
        end = _break_before(rest, end)
        fence = _open_fence(prefix + rest[:end])
        while fence and end > 1 and measure(_closed(prefix + rest[:end], fence)) > limit:
            end = _break_before(rest, max(1, end - max(8, end // 20)))
            fence = _open_fence(prefix + rest[:end])
        piece = prefix + rest[:end]
        parts.append(_closed(piece, fence) if fence else piece.rstrip())
        rest = rest[end:] if fence else rest[end:].lstrip("\n")
        rest = rest.removeprefix("\n") if fence else rest
        opened = fence
    return [part for part in parts if part.strip()] or [text[:1]]


def _longest(text: str, *, prefix: str, limit: int, measure: Callable[[str], int]) -> int:
    """How many characters fit, at least one: something has to go on."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(prefix + text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _break_before(text: str, end: int) -> int:
    for sign in _BREAKS:
        at = text.rfind(sign, int(end * _SHORTEST), end)
        if at > 0:
            return at + len(sign)
    return end - 1 if end > 1 and "\ud800" <= text[end - 1] <= "\udbff" else end


def _open_fence(text: str) -> str:
    """The line that opened the code block the text ends in; empty when it ends in none."""
    opened = ""
    for match in _FENCE.finditer(text):
        marks, info = match[1], match[2].strip()
        if not opened:
            opened = marks + info
        elif marks[0] == opened[0] and len(marks) >= len(opened) - len(opened.lstrip(marks[0])) and not info:
            opened = ""
    return opened


def _closed(text: str, fence: str) -> str:
    marks = fence[: len(fence) - len(fence.lstrip(fence[0]))]
    return f"{text.rstrip()}\n{marks}"
