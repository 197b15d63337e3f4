"""DingTalk's own small Markdown from an agent's: pure.

What its clients show is headings, bold, italic, links, lists, quotes, pictures and, most of them, code. So tables
become lists, boxes become signs, a line break inside a paragraph is kept by two spaces, and no bracket makes HTML.
"""

from __future__ import annotations

import json
import re

FENCE = re.compile(r"^\s{0,3}(?P<fence>`{3,}|~{3,})[^`]*$")
DIVIDER = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
BOX = re.compile(r"^(\s*[-*+]\s+)\[([ xX])\]\s+")
OWN_LINE = re.compile(r"^\s*(?:#{1,6}\s|>|[-*+]\s|\d+[.)]\s|(?:[-*_]\s*){3,}$)")
AUTO = re.compile(r"<((?:https?|mailto):[^<>\s|]+)>")
CODE = re.compile(r"(`+)(?:.+?)(?<!`)\1(?!`)")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
STRIKE = re.compile(r"~~(\S(?:.*?\S)?)~~")
MARKS = re.compile(r"[*_`#>~\[\]!]|\(https?://[^)]*\)")
NOTHING = "\u200b"  # between a bracket and a letter: seen by nobody, and no tag any more
TITLE = 60  # characters of what a notification shows


def render(markdown: str) -> str:
    """Markdown → DingTalk's. Code keeps its lines; everything else keeps its words."""
    lines = markdown.replace("\r\n", "\n").replace("\x00", "").split("\n")
    out: list[str] = []
    at = 0
    while at < len(lines):
        if opened := FENCE.match(lines[at]):
            at, block = _fenced(lines, at, opened["fence"])
            out += block
        elif _begins_table(lines, at):
            at, block = _table(lines, at)
            out += block
        else:
            following = lines[at + 1] if at + 1 < len(lines) else ""
            out.append(_line(lines[at]) + _break(lines[at], following))
            at += 1
    return "\n".join(out).strip("\n")


def title_of(markdown: str, *, otherwise: str) -> str:
    """One line for notifications and the list of chats, without marks."""
    for line in markdown.splitlines():
        words = " ".join(MARKS.sub("", line).split())
        if words:
            return words if len(words) <= TITLE else words[: TITLE - 1] + "…"
    return otherwise


def measure(markdown: str) -> int:
    """Bytes it takes on the wire at most: robot messages carry it as JSON within JSON."""
    return len(json.dumps(json.dumps(render(markdown), ensure_ascii=False), ensure_ascii=False).encode())


def _fenced(lines: list[str], at: int, fence: str) -> tuple[int, list[str]]:
    """The code from this fence on, as it is; one that is never closed is closed at the end."""
    block = [lines[at]]
    at += 1
    while at < len(lines):
        closing = lines[at].strip()
        at += 1
        if closing and set(closing) == {fence[0]} and len(closing) >= len(fence):
            break
        block.append(lines[at - 1])
    return at, [*block, fence]


def _begins_table(lines: list[str], at: int) -> bool:
    """A row, and below it a line of dashes with as many cells."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not DIVIDER.match(lines[at + 1]):
        return False
    return len(_cells(lines[at])) == len(_cells(lines[at + 1]))


def _table(lines: list[str], at: int) -> tuple[int, list[str]]:
    """The head in bold, then a line for each row with the head's words before the cells that need them."""
    head = [_inline(cell) for cell in _cells(lines[at])]
    block = ["**" + " · ".join(cell for cell in head if cell) + "**", ""]
    at += 2
    while at < len(lines) and "|" in lines[at] and lines[at].strip():
        block.append("- " + " · ".join(_inline(cell) for cell in _cells(lines[at])))
        at += 1
    return at, [*block, ""]


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.replace("\\|", "|").strip() for cell in re.split(r"(?<!\\)\|", inner)]


def _line(line: str) -> str:
    return _inline(BOX.sub(lambda box: box[1] + ("☐ " if box[2] == " " else "☑ "), line))


def _inline(text: str) -> str:
    """Outside of code no bracket begins HTML, and what is struck out stays readable."""
    out: list[str] = []
    done = 0
    for code in CODE.finditer(text):
        out += [_words(text[done : code.start()]), code[0]]
        done = code.end()
    return "".join([*out, _words(text[done:])])


def _words(text: str) -> str:
    text = AUTO.sub(lambda auto: f"[{auto[1].removeprefix('mailto:')}]({auto[1]})", text)
    return TAG.sub(f"<{NOTHING}", STRIKE.sub(r"\1", text))


def _break(line: str, following: str) -> str:
    """Two spaces where a line of a paragraph goes on below: else DingTalk puts both on one."""
    goes_on = line.strip() and following.strip() and not OWN_LINE.match(following) and not FENCE.match(following)
    return "  " if goes_on and not line.lstrip().startswith("#") and not line.endswith("  ") else ""
