"""Writing to the terminal: one JSON document or plain lines on stdout, messages for people on stderr.

What others wrote is shown without control characters, so that a message cannot drive the reader's terminal.
"""

import json
import sys
from collections.abc import Iterable, Sequence

_GAP = "  "
_NARROWEST = 12  # columns left for a last column, however small the terminal


def say(text: str = "") -> None:
    """A line for people, on stdout."""
    sys.stdout.write(printable(text) + "\n")


def note(text: str) -> None:
    """A line beside the data, on stderr."""
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()


def say_json(value: object) -> None:
    """The one document of `--json`: indented for a person's terminal, one line for a pipe."""
    indent = 2 if sys.stdout.isatty() else None
    sys.stdout.write(json.dumps(value, ensure_ascii=not _speaks_unicode(), indent=indent) + "\n")


def say_json_line(value: object) -> None:
    """One line of a stream, written through at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=not _speaks_unicode(), separators=(",", ":")) + "\n")
    sys.stdout.flush()


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Columns as wide as they need; the last one is cut to what the terminal leaves. A pipe cuts nothing."""
    lines = [[_one_line(cell) for cell in row] for row in rows]
    if not lines:
        note(empty)
        return
    cells = [list(headers), *lines]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(headers))]
    room = _columns()
    if room is not None:
        taken = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(_NARROWEST, room - taken))
    for row in cells:
        padded = [_cut(cell, width) + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        sys.stdout.write(_GAP.join(padded).rstrip() + "\n")


def printable(text: str) -> str:
    """The text with control characters (but line feed and tab) made visible."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or not _is_control(c) else f"\\x{ord(c):02x}" for c in text)


def when(ms: int | None) -> str:
    """A moment in local time, the day left out when it is today; "-" for none."""
    if ms is None:
        return "-"
    import time

    then, today = time.localtime(ms / 1000), time.localtime()
    return time.strftime("%H:%M:%S" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)


def how_long(ms: int | None) -> str:
    """A duration in the unit that fits; "-" for none."""
    if ms is None:
        return "-"
    if ms < 1000:
        return f"{ms} ms"
    seconds = ms // 1000
    if seconds < 60:
        return f"{ms / 1000:.1f} s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"


def size(count: int) -> str:
    """Bytes in the unit that fits."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1024**2 else f"{count / 1024**2:.1f} MiB"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th …"""
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _one_line(cell: object) -> str:
    if cell is None or cell == "":
        return "-"
    text = str(cell)
    return printable(text if "\n" not in text and "\t" not in text else " ".join(text.split()))


def _columns() -> int | None:
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    import unicodedata

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept = text
    while kept and _width(kept) > width - 1:
        kept = kept[:-1]
    return kept + ("…" if _speaks_unicode() else "~")


def _is_control(character: str) -> bool:
    code = ord(character)
    return code < 32 or 127 <= code < 160 or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf16", "utf32")
