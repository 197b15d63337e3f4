"""What a Lark message says, as Markdown, with its files. Pure.

`content` is a JSON string whose shape depends on the message's type; placeholders in it (`@_user_1`) stand for people
in `mentions`. Nothing here raises for a shape it does not know: it says what kind of thing it is.
"""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pal_server.bridges.inbound import Attachment

# Greedy digits, so that @_user_1 is not found in @_user_10.
PLACEHOLDER = re.compile(r"@_(?:user_\d+|all)(?!\w)")
_UNREADABLE: Mapping[str, str] = {
    "sticker": "a sticker",
    "share_chat": "a shared chat",
    "share_user": "a contact card",
    "merge_forward": "forwarded messages",
    "location": "a location",
    "todo": "a task of Lark",
    "vote": "a vote",
    "hongbao": "a red packet",
    "share_calendar_event": "a calendar event",
    "calendar": "a calendar event",
    "general_calendar": "a calendar event",
    "video_chat": "a video call",
    "folder": "a folder",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Somebody named in a message. `key` is the placeholder in the text."""

    key: str
    open_id: str
    name: str


@dataclass(slots=True, kw_only=True)
class Content:
    """`calls` is whether the bot itself is mentioned; `unsupported` names a kind that cannot be read."""

    text: str = ""
    files: list[Attachment] = field(default_factory=list)
    unsupported: str = ""
    calls: bool = False


def read_mentions(given: Any) -> tuple[Mention, ...]:
    """Mentions of an event, whose `id` is an object, or of a listing, whose `id` is an open_id."""
    found = []
    for one in given if isinstance(given, list) else []:
        ids = one.get("id")
        open_id = ids.get("open_id") if isinstance(ids, dict) else ids
        found.append(Mention(key=str(one.get("key", "")), open_id=str(open_id or ""), name=str(one.get("name", ""))))
    return tuple(found)


def read_content(kind: str, content: str, *, mentions: Sequence[Mention], own_open_id: str) -> Content:
    """Everything that can be taken out of a message of that kind."""
    reader = _Reader(mentions, own_open_id)
    try:
        body = json.loads(content or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Content(unsupported=f"a message of the kind “{kind}” that cannot be read")
    reader.read(kind, body)
    reader.found.text = reader.found.text.strip()
    return reader.found


class _Reader:
    def __init__(self, mentions: Sequence[Mention], own_open_id: str) -> None:
        self.found = Content()
        self._own = own_open_id
        self._by_key = {mention.key: mention for mention in mentions}
        self.found.calls = any(mention.open_id == own_open_id for mention in mentions)

    def read(self, kind: str, body: dict[str, Any]) -> None:
        match kind:
            case "text":
                self.found.text = self._named(str(body.get("text", "")))
            case "post" | "interactive":
                self._read_post(body)
                if kind == "interactive" and not self.found.text:
                    self.found.unsupported = "a card"
            case "image":
                self._add("image", body.get("image_key"), "image.png")
            case "file":
                self._add("file", body.get("file_key"), str(body.get("file_name") or "file"))
            case "audio":
                self._add("file", body.get("file_key"), "voice.opus")
            case "media":
                self._add("file", body.get("file_key"), str(body.get("file_name") or "video.mp4"))
            case _:
                self.found.unsupported = _UNREADABLE.get(kind, f"a message of the kind “{kind}”")

    # --- rich text

    def _read_post(self, body: dict[str, Any]) -> None:
        lines = body.get("content", body.get("elements"))
        if lines is None:  # one locale: {"zh_cn": {"title", "content"}}
            body = next((inner for inner in body.values() if isinstance(inner, dict)), {})
            lines = body.get("content", body.get("elements"))
        parts = [f"**{body['title']}**"] if body.get("title") and isinstance(body["title"], str) else []
        for line in lines if isinstance(lines, list) else []:
            elements = line if isinstance(line, list) else [line]
            parts.append("".join(self._element(element) for element in elements if isinstance(element, dict)))
        self.found.text = "\n".join(parts)

    def _element(self, element: dict[str, Any]) -> str:
        text = str(element.get("text") or "")
        match element.get("tag"):
            case "text":
                return _styled(self._named(text), element.get("style"))
            case "a":
                href = str(element.get("href") or "")
                return f"[{text or href}]({href})" if href else text
            case "at":
                return self._at(element)
            case "img":
                self._add("image", element.get("image_key"), "image.png")
                return ""
            case "media":
                self._add("file", element.get("file_key"), "video.mp4")
                return ""
            case "emotion":
                return f":{element.get('emoji_type', '')}:"
            case "md":
                return self._named(text)
            case "code_block":
                return f"\n```{str(element.get('language') or '').lower()}\n{text.rstrip()}\n```\n"
            case "hr":
                return "\n---\n"
            case _:
                return text

    def _at(self, element: dict[str, Any]) -> str:
        """Whom an `at` names: by placeholder, by open_id, or by the name beside it."""
        who = str(element.get("user_id") or "")
        if who in ("all", "@_all"):
            return "@all"
        mention = self._by_key.get(who)
        if who == self._own or (mention and mention.open_id == self._own):
            self.found.calls = True
            return ""
        name = mention.name if mention else str(element.get("user_name") or "")
        return f"@{name}" if name else ""

    def _named(self, text: str) -> str:
        """The text with names in place of placeholders, and without the bot's own."""

        def name(match: re.Match[str]) -> str:
            if match.group() == "@_all":
                return "@all"
            mention = self._by_key.get(match.group())
            if mention is None:
                return match.group()
            return "" if mention.open_id == self._own else f"@{mention.name}"

        return PLACEHOLDER.sub(name, text)

    def _add(self, kind: str, key: Any, name: str) -> None:
        if not key:
            self.found.unsupported = f"a {kind} that Lark does not hand out"
            return
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self.found.files.append(Attachment(key=f"{kind}:{key}", name=name, mime=mime))


def _styled(text: str, style: Any) -> str:
    """Bold, italic and struck text as Markdown, with its outer spaces outside the marks."""
    inner = text.strip()
    if not inner or not isinstance(style, list):
        return text
    for name, mark in (("bold", "**"), ("italic", "*"), ("lineThrough", "~~")):
        if name in style:
            inner = f"{mark}{inner}{mark}"
    lead, tail = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
    return text[:lead] + inner + (text[-tail:] if tail else "")
