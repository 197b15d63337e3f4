"""Messages: what was said, by whom, and what of it is a mention."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pal_server.domain.names import AT, OWN_NAMES
from pal_server.errors import Invalid

CONTENT_LIMIT = 200_000  # characters; longer texts are files
FILES_LIMIT = 20
MENTIONS_LIMIT = 100
GUEST_NAME = re.compile(r"[^\s@/\\<>\"'`\x00-\x1f\x7f][^@/\\<>\"`\x00-\x1f\x7f]{0,63}")

_ALIKE = frozenset({"LATIN", "GREEK", "CYRILLIC"})
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800") | {chr(code) for code in range(0xFE00, 0xFE10)}
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_QUOTE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
# Scripts in which no space stands between words (or, in Korean, need not), so that a name is called right after one:
# Thai and Lao, Burmese, Khmer, Japanese, Chinese, Korean.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_FREE = r"(?<![\w@\uff20./\\-])"  # else it is an address, or part of a path
_BEFORE = rf"(?:{_FREE}|(?<=[{_UNSPACED}]))"
_MENTION = re.compile(rf"{_BEFORE}{AT}([A-Za-z0-9][A-Za-z0-9._-]{{0,63}})")
_AFTER_WORD = re.compile(rf"[{_UNSPACED}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """`name` is a username, an agent's key or a guest's name; `key` is the credential's, for "is it mine?"."""

    kind: str
    name: str
    display_name: str
    origin: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    id: int
    workspace_id: str
    room_id: str
    room_name: str
    topic_id: int
    seq: int
    parent_id: int | None
    kind: str
    sender: Sender
    content: str
    mentions: tuple[str, ...]
    unresolved: tuple[str, ...] = ()  # names that were called and belonged to nobody in the room
    files: tuple[dict[str, Any], ...]
    card: dict[str, Any] | None
    run_id: int | None
    chain_id: int
    hop: int
    client_id: str | None
    created_at: int
    edited_at: int | None
    deleted_at: int | None

    def fact(self) -> dict[str, Any]:
        """The message as others see it."""
        return {
            "id": self.id,
            "room": self.room_id,
            "room_name": self.room_name,
            "topic": self.topic_id,
            "seq": self.seq,
            "parent": self.parent_id,
            "kind": self.kind,
            "sender": {
                "kind": self.sender.kind,
                "name": self.sender.name,
                "display_name": self.sender.display_name,
                "origin": self.sender.origin,
            },
            "content": self.content,
            "mentions": list(self.mentions),
            "files": list(self.files),
            "card": self.card,
            "run": self.run_id,
            "client_id": self.client_id,
            "created_at": self.created_at,
            "edited_at": self.edited_at,
            "deleted_at": self.deleted_at,
        }


def parse_content(content: str, *, has_files: bool = False) -> str:
    """The text of a message, or `Invalid`."""
    if not content.strip() and not has_files:
        raise Invalid("content is empty: say something or attach a file", field="content")
    if len(content) > CONTENT_LIMIT:
        raise Invalid(
            f"content has more than {CONTENT_LIMIT} characters: send it as a file", field="content", limit=CONTENT_LIMIT
        )
    return content


def parse_guest(name: str) -> str:
    """A guest's name as it is shown, or `Invalid`. The caller compares the answer with the names of users and agents.

    What only looks like another name becomes that name: wide and styled letters turn into plain ones, what cannot be
    seen goes. A word of letters from two alphabets that look alike is refused.
    """
    plain = unicodedata.normalize("NFKC", name)
    shown = "".join(char for char in plain if not _is_unseen(char)).rstrip(" ")
    if not GUEST_NAME.fullmatch(name) or not GUEST_NAME.fullmatch(shown):
        raise Invalid("sender is 1 to 64 characters on one line without @ / \\ < > or quotes", field="sender")
    if shown.casefold() in OWN_NAMES:
        raise Invalid(f"{shown} is the name of pal itself: choose another sender", field="sender", sender=shown)
    if any(len(_alphabets(word)) > 1 for word in shown.split()):
        raise Invalid("sender mixes letters of different alphabets in one word", field="sender")
    return shown


def mentions_in(content: str, *, known: Collection[str] = ()) -> list[str]:
    """Names after an @ in the text, in order, each once. What stands in code or in a quoted line is not a
    mention, nor is an address; after a word of a script without spaces, what looks like a domain is one of those.

    A sign at the end belongs to the sentence, unless a name of `known` (in lower case) ends with it.
    """
    names: dict[str, None] = {}
    spoken = _QUOTE.sub("", _CODE.sub(" ", content))
    for match in _MENTION.finditer(spoken):
        name: str = match.group(1)
        while name[-1] in ".-_" and name.lower() not in known:
            name = name[:-1]
        follows_word = _AFTER_WORD.match(spoken, match.start() - 1) if match.start() else None
        if follows_word and "." in name and name.lower() not in known:
            continue
        names.setdefault(name, None)
    return list(names)


def without_mention(content: str, *, agent: str) -> str:
    """What was said to `agent`, without calling it by name at the beginning or end."""
    name = re.escape(agent)
    content = re.sub(rf"^\s*{AT}{name}(?![A-Za-z0-9_-]|\.[A-Za-z0-9])[\s,:，：、]*", "", content, flags=re.IGNORECASE)
    return re.sub(rf"{_BEFORE}{AT}{name}\s*$", "", content, flags=re.IGNORECASE).strip()


def _is_unseen(char: str) -> bool:
    return char in _UNSEEN or unicodedata.category(char) in {"Cc", "Cf"}


def _alphabets(word: str) -> set[str]:
    """Which of the alphabets with letters of the same shape."""
    return {unicodedata.name(char, "").partition(" ")[0] for char in word if char.isalpha()} & _ALIKE
