"""Markdown as agents write it, as Lark shows it. Pure.

Two places read Markdown: cards (headings, up to a few tables) and rich text ("post": neither). Both read a piece of
HTML with meaning of its own, so what an agent writes must not mention everybody or colour the chat: a `<` that could
begin a tag is written as an entity. Links other than http(s) make Lark refuse a whole card, so they become text. Code
stays as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

_FENCE = re.compile(r"^\s{0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$")
_WORD = re.compile(r"[\w+#.-]*")  # the language of a block of code
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_RULE = re.compile(r"^\s{0,3}\|?[\s:|-]*-[\s:|-]*$")
_CODE = re.compile(r"(`+)(?:(?!\1).)*?\1", re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]\n]*)\]\(<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_AUTOLINK = re.compile(r"<(https?://[^\s>]+)>")


def render(text: str, *, headings: bool, tables: int) -> str:
    """The same text for Lark. `headings` as they are or as bold lines; tables beyond the first `tables` as code."""
    out: list[str] = []
    prose: list[str] = []
    lines = text.splitlines()
    place = 0

    def end_prose() -> None:
        nonlocal tables
        if prose:
            shown, used = _prose(prose, headings=headings, tables=tables)
            out.extend(shown)
            tables -= used
            prose.clear()

    while place < len(lines):
        fence = _FENCE.match(lines[place])
        if fence is None:
            prose.append(lines[place])
            place += 1
            continue
        end_prose()
        mark, word = fence.group(1), _WORD.match(fence.group(2).strip())
        place += 1
        body: list[str] = []
        while place < len(lines) and not _ends(lines[place], mark):
            body.append(lines[place])
            place += 1
        place += 1
        out += _fenced(body, word.group() if word else "")
    end_prose()
    return "\n".join(out)


def measure(text: str) -> int:
    """Bytes the text takes in the body of a request: as JSON inside JSON, so that each line and quote counts more."""
    return len(json.dumps(json.dumps(post(text), ensure_ascii=False), ensure_ascii=False).encode())


def post(text: str, *, mention: str = "") -> dict[str, Any]:
    """The content of a rich text message; `mention` is the id of whom it begins with."""
    line: list[list[dict[str, str]]] = [[{"tag": "at", "user_id": mention}]] if mention else []
    return {"zh_cn": {"content": [*line, [{"tag": "md", "text": render(text, headings=False, tables=0)}]]}}


def _ends(line: str, mark: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(mark) and set(stripped) == {mark[0]}


def _fenced(body: list[str], word: str) -> list[str]:
    """A block of code. Lark knows fences of three backticks; a longer run inside would end it early."""
    inside = [line.replace("```", "`\u200b``") for line in body]
    return [f"```{word}", *inside, "```"]


def _prose(lines: list[str], *, headings: bool, tables: int) -> tuple[list[str], int]:
    """Lines outside of code, and how many tables were left as tables."""
    out: list[str] = []
    used = place = 0
    while place < len(lines):
        end = _table_end(lines, place)
        if end and used < tables:
            out += [_inline(line) for line in lines[place:end]]
            used += 1
            place = end
        elif end:
            out += _fenced(_aligned(lines[place:end]), "")
            place = end
        else:
            heading = None if headings else _HEADING.match(lines[place])
            out.append(f"**{_inline(heading.group(1)).replace('**', '')}**" if heading else _inline(lines[place]))
            place += 1
    return out, used


def _table_end(lines: list[str], start: int) -> int:
    """Where the table that begins at `start` ends; 0 when none begins there."""
    if start + 1 >= len(lines) or "|" not in lines[start]:
        return 0
    rule = lines[start + 1]
    if "|" not in rule or not _RULE.match(rule):
        return 0
    end = start + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return end


def _aligned(lines: list[str]) -> list[str]:
    """A table in columns of equal width, for a font where that can be seen."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in (lines[0], *lines[2:])]
    count = max(len(row) for row in rows)
    rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(count)]
    shown = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [shown[0], "-+-".join("-" * width for width in widths), *shown[1:]]


def _inline(line: str) -> str:
    """One line with its code left alone."""
    out: list[str] = []
    place = 0
    for code in _CODE.finditer(line):
        out += [_words(line[place : code.start()]), code.group()]
        place = code.end()
    return "".join([*out, _words(line[place:])])


def _words(text: str) -> str:
    text = _AUTOLINK.sub(r"\1", text)
    text = _LINK.sub(_link, text)
    return _TAG.sub("&#60;", text)


def _link(match: re.Match[str]) -> str:
    """Images have no address Lark could show; they and what does not begin with http become links or words."""
    _, label, address = match.groups()
    if address.startswith(("http://", "https://")):
        return f"[{label or address}]({address})"
    return f"{label} (`{address}`)" if label and address and label != address else f"`{address or label}`"
