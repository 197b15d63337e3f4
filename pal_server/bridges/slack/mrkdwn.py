"""Slack's own markup, mrkdwn, from Markdown: pure, and never a way to call a channel or to forge a link.

`&`, `<` and `>` of a text are escaped, so `<!channel>` and `<@U1>` in it are shown and call nobody. What mrkdwn lacks
becomes what is nearest: headings are bold, tables are code, list marks are bullets, images are links.
"""

from __future__ import annotations

import re

FENCE = re.compile(r"^(?P<indent>\s{0,3})(?P<fence>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
RULE = re.compile(r"^\s{0,3}([-*_])(?:\s*\1){2,}\s*$")
ITEM = re.compile(r"^(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?(.*)$")
QUOTE = re.compile(r"^\s{0,3}((?:>\s?)+)(.*)$")
DIVIDER = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
INLINE = re.compile(
    r"(?P<code>(?P<ticks>`+)(?P<inner>.+?)(?<!`)(?P=ticks)(?!`))"
    r"|(?P<image>!\[(?P<alt>[^\]]*)\]\((?P<src>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"]*\")?\))"
    r"|(?P<link>\[(?P<label>(?:[^\[\]]|\[[^\[\]]*\])+)\]\((?P<href>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?:\s+\"[^\"]*\")?\))"
    r"|(?P<auto><(?P<url>(?:https?|mailto):[^<>\s|]+)>)"
    r"|(?P<escape>\\(?P<char>[\\`*_{}\[\]()#+\-.!~|<>&]))"
    r"|(?P<both>\*\*\*(?P<both_text>\S(?:.*?\S)?)\*\*\*)"
    r"|(?P<strong>\*\*(?P<strong_text>\S(?:.*?\S)?)\*\*|(?<!\w)__(?P<strong_text2>\S(?:.*?\S)?)__(?!\w))"
    r"|(?P<em>(?<![\w*])\*(?P<em_text>[^\s*](?:[^*\n]*?[^\s*])?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<em_text2>[^\s_](?:[^_\n]*?[^\s_])?)_(?![\w_]))"
    r"|(?P<strike>~~(?P<strike_text>\S(?:.*?\S)?)~~)",
)
JOINT = "\u200b"  # Slack sees marks only at the edge of a word; this makes an edge nobody sees
SAFE_LINKS = ("http://", "https://", "mailto:")


def escape(text: str) -> str:
    """A text as it is, for mrkdwn."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(markdown: str) -> str:
    """Markdown → mrkdwn. Code keeps its lines; everything outside of code keeps its words."""
    lines = markdown.replace("\r\n", "\n").replace("\x00", "").split("\n")
    out: list[str] = []
    at = 0
    while at < len(lines):
        opened = FENCE.match(lines[at])
        if opened is not None:
            at, block = _fenced(lines, at, opened["fence"])
            out.append(block)
        elif _begins_table(lines, at):
            at, block = _table(lines, at)
            out.append(block)
        else:
            out.append(_line(lines[at]))
            at += 1
    return "\n".join(out).strip("\n")


def _fenced(lines: list[str], at: int, fence: str) -> tuple[int, str]:
    """The code from this fence on; one that is never closed reaches to the end."""
    body: list[str] = []
    at += 1
    while at < len(lines):
        closing = lines[at].strip()
        at += 1
        if closing and set(closing) == {fence[0]} and len(closing) >= len(fence):
            break
        body.append(lines[at - 1])
    return at, _code_block("\n".join(body))


def _code_block(text: str) -> str:
    return "```\n" + escape(text.replace("```", f"`{JOINT}`{JOINT}`")) + "\n```"


def _begins_table(lines: list[str], at: int) -> bool:
    """A row, and below it a line of dashes with as many cells."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not DIVIDER.match(lines[at + 1]):
        return False
    return len(_cells(lines[at])) == len(_cells(lines[at + 1]))


def _table(lines: list[str], at: int) -> tuple[int, str]:
    """Columns of equal width, in code."""
    rows = [_cells(lines[at])]
    at += 2
    while at < len(lines) and "|" in lines[at] and lines[at].strip():
        rows.append(_cells(lines[at]))
        at += 1
    columns = max(len(row) for row in rows)
    widths = [max(len(row[n]) if n < len(row) else 0 for row in rows) for n in range(columns)]
    shown = ["  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in rows]
    shown.insert(1, "  ".join("-" * width for width in widths))
    return at, _code_block("\n".join(shown))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [re.sub(r"\\\|", "|", cell).strip() for cell in re.split(r"(?<!\\)\|", inner)]


def _line(line: str) -> str:
    if heading := HEADING.match(line):
        text = re.sub(r"\*\*|__", "", heading[1])
        return f"*{_inline(text)}*" if text else ""
    if RULE.match(line):
        return "───"
    if quote := QUOTE.match(line):
        return f"> {_line(quote[2])}" if quote[2] else ">"
    if item := ITEM.match(line):
        box = {None: "•", " ": "☐"}.get(item[2], "☑")
        return f"{item[1]}{box} {_inline(item[3])}"
    return _inline(line)


def _inline(text: str) -> str:
    out: list[str] = []
    done = 0
    for found in INLINE.finditer(text):
        out.append(escape(text[done : found.start()]))
        before = text[found.start() - 1] if found.start() else ""
        after = text[found.end()] if found.end() < len(text) else ""
        out.append(_piece(found, before=before, after=after))
        done = found.end()
    out.append(escape(text[done:]))
    return "".join(out)


def _piece(found: re.Match[str], *, before: str, after: str) -> str:
    if found["code"]:
        inner = found["inner"].strip() if len(found["ticks"]) > 1 else found["inner"]
        return _mark("`", escape(inner.replace("`", "ˋ")), before=before, after=after)
    if found["image"]:
        return _link(found["src"], escape(found["alt"]) or "image")
    if found["link"]:
        return _link(found["href"], _inline(found["label"]))
    if found["auto"]:
        return f"<{_url(found['url'])}>"
    if found["escape"]:
        return escape(found["char"])
    if found["both"]:
        return _mark("*", f"_{_inline(found['both_text'])}_", before=before, after=after)
    if found["strong"]:
        return _mark("*", _inline(found["strong_text"] or found["strong_text2"]), before=before, after=after)
    if found["em"]:
        return _mark("_", _inline(found["em_text"] or found["em_text2"]), before=before, after=after)
    return _mark("~", _inline(found["strike_text"]), before=before, after=after)


def _mark(mark: str, inner: str, *, before: str, after: str) -> str:
    left = JOINT if before and (before.isalnum() or before == "_") else ""
    right = JOINT if after and (after.isalnum() or after == "_") else ""
    return f"{left}{mark}{inner}{mark}{right}"


def _link(url: str, label: str) -> str:
    """Only addresses a browser goes to; a file or an anchor stays words."""
    if not url.startswith(SAFE_LINKS):
        return f"{label} ({escape(url)})"
    plain = label.replace("|", "¦").replace("\n", " ")
    return f"<{_url(url)}|{plain}>"


def _url(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")
