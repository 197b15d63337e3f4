"""What people write on Slack, as Markdown: pure. Names of people are put in where they are known."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

ENTITY = re.compile(r"<([^<>\n]+)>")
CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.S)
BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])")
STRUCK = re.compile(r"(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])")
PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")


def people_in(text: str) -> tuple[str, ...]:
    """Ids of everybody who is mentioned, each once, in order."""
    return tuple(dict.fromkeys(found[1] for found in PERSON.finditer(text)))


def mentions(text: str, *, user: str) -> bool:
    """Whether this person, or the bot behind this user, is called by name."""
    return user in people_in(text)


def to_markdown(text: str, *, names: Mapping[str, str], without: str = "") -> str:
    """mrkdwn → Markdown. Mentions of `without` (the bot itself) are cut out, others are `@Name`, unknown ones `@id`."""
    pieces = CODE.split(text)
    whole = "".join(
        html.unescape(_entities(piece, names=names, without="", is_code=True))
        if piece.startswith("`") and len(piece) > 1
        else _prose(piece, names=names, without=without)
        for piece in pieces
    )
    return re.sub(r"[ \t]+\n", "\n", whole).strip()


def _prose(text: str, *, names: Mapping[str, str], without: str) -> str:
    marked = STRUCK.sub(r"~~\1~~", BOLD.sub(r"**\1**", text))
    return html.unescape(_entities(marked, names=names, without=without, is_code=False))


def _entities(text: str, *, names: Mapping[str, str], without: str, is_code: bool) -> str:
    def shown(found: re.Match[str]) -> str:
        body, _, label = found[1].partition("|")
        if body.startswith("@"):
            return "" if body[1:] == without else f"@{names.get(body[1:]) or label or body[1:]}"
        if body.startswith("#"):
            return f"#{label or body[1:]}"
        if body.startswith("!"):
            return _special(body[1:], label)
        if is_code or not label or label == body.removeprefix("mailto:"):
            return body.removeprefix("mailto:")
        return f"[{label}]({body})"

    replaced = ENTITY.sub(shown, text)
    if without and f"<@{without}" in text:  # the gap a cut mention leaves
        replaced = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", replaced)
    return replaced


def _special(body: str, label: str) -> str:
    """`<!here>`, `<!subteam^S1|@team>`, `<!date^…|fallback>`."""
    kind = body.partition("^")[0]
    if kind == "date":
        return label or body
    if kind == "subteam":
        return label or "@group"
    return f"@{kind}"


def quoted(attachments: Iterable[Mapping[str, object]]) -> str:
    """Messages that were forwarded, and what other apps attach: their words, as quotes, still mrkdwn."""
    lines: list[str] = []
    for attachment in attachments:
        said = str(attachment.get("text") or attachment.get("fallback") or "")
        is_unfurled = "from_url" in attachment and not attachment.get("is_share")  # of a link that is in the text
        if said and not is_unfurled:
            author = str(attachment.get("author_name") or attachment.get("title") or "")
            lines += [f"&gt; {line}" for line in ([f"{author}:"] if author else []) + said.split("\n")]
    return "\n".join(lines)


def flattened(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The words of blocks, for messages of programs that have no text of their own: a line each, in mrkdwn."""
    return "\n".join(line for block in blocks if (line := "".join(_words(block)).strip()))


def _words(node: Mapping[str, Any]) -> Iterator[str]:
    match node.get("type"):
        case "text" | "mrkdwn" | "plain_text" | "markdown":
            yield str(node.get("text") or "")
        case "link":
            yield f"<{node.get('url')}|{node.get('text')}>" if node.get("text") else f"<{node.get('url')}>"
        case "user":
            yield f"<@{node.get('user_id')}>"
        case "channel":
            yield f"<#{node.get('channel_id')}>"
        case "emoji":
            yield f":{node.get('name')}:"
        case "image":
            yield str(node.get("alt_text") or "")
        case _:
            inner = [node["text"]] if isinstance(node.get("text"), dict) else []
            pieces = [
                "".join(_words(part)) for part in (*inner, *(node.get("fields") or ()), *(node.get("elements") or ()))
            ]
            is_running = node.get("type") == "rich_text_section"
            yield ("" if is_running else " " if node.get("type") == "context" else "\n").join(pieces)
