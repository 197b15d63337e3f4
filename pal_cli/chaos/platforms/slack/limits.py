"""The sizes and rates the platform holds apps to."""

from __future__ import annotations

import json
from typing import Any

from pal_cli.chaos.platforms.clock import Clock

Json = dict[str, Any]

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}  # calls a minute
TIER_OF = {
    "apps.connections.open": 1,
    "auth.test": 4,
    "bots.info": 3,
    "chat.delete": 3,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.join": 3,
    "conversations.open": 3,
    "conversations.replies": 3,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
    "reactions.add": 3,
    "reactions.remove": 2,
    "users.conversations": 3,
    "users.info": 4,
    "views.open": 4,
    "views.update": 4,
}
POST_BURST = 5  # posts at once in one channel, then one a second
MOST_TEXT = 40_000
MOST_UPDATE = 4_000
MOST_MARKDOWN = 12_000
MOST_BLOCKS = 50
MOST_BLOCKS_JSON = 13_000


class Buckets:
    """Calls allowed per key, filling up with time. What is too much gets the seconds to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[tuple[str, ...], tuple[float, float]] = {}
        self.is_on = True

    def take(self, key: tuple[str, ...], *, burst: float, per_second: float) -> int:
        """0 when it may go; else whole seconds until it might."""
        if not self.is_on:
            return 0
        now = self._clock.now()
        left, since = self._left.get(key, (burst, now))
        left = min(burst, left + max(0.0, now - since) * per_second)
        if left < 1:
            self._left[key] = (left, now)
            return max(1, -int(-(1 - left) / per_second // 1))
        self._left[key] = (left - 1, now)
        return 0

    def call(self, method: str, *, app: str, team: str, channel: str) -> int:
        if method in ("chat.postMessage", "chat.postEphemeral"):
            return self.take((app, channel), burst=POST_BURST, per_second=1)
        tier = TIER_OF.get(method)
        if tier is None:
            return 0
        minute = TIERS[tier]
        return self.take((method, app, team), burst=max(minute, 30), per_second=minute / 60)


def wrong_text(method: str, args: Json) -> tuple[str, list[str]] | None:
    """(error, messages) of what a post or update may not be."""
    text, blocks = args.get("text") or "", args.get("blocks") or []
    markdown = args.get("markdown_text")
    if markdown is not None and (text or blocks):
        return "markdown_text_conflict", []
    if markdown is not None and len(markdown) > MOST_MARKDOWN:
        return "msg_too_long", []
    if not text and not blocks and markdown is None and not args.get("attachments"):
        return "no_text", []
    if method == "chat.update" and len(text) > MOST_UPDATE:
        return "msg_too_long", []
    return wrong_blocks(blocks) if blocks else None


def wrong_blocks(blocks: list[Json], *, most: int = MOST_BLOCKS) -> tuple[str, list[str]] | None:
    said: list[str] = []
    if len(blocks) > most:
        said.append(f"no more than {most} items allowed [json-pointer:/blocks]")
    ids: set[str] = set()
    for at, block in enumerate(blocks):
        said += [f"{wrong} [json-pointer:/blocks/{at}]" for wrong in _wrong_block(block)]
        if block.get("block_id") in ids:
            said.append(f"`block_id` already exists [json-pointer:/blocks/{at}]")
        ids.add(block.get("block_id") or f"#{at}")
    if said:
        return "invalid_blocks", said
    return ("msg_blocks_too_long", []) if len(json.dumps(blocks, ensure_ascii=False)) > MOST_BLOCKS_JSON else None


def _wrong_block(block: Json) -> list[str]:
    said = []
    text = (block.get("text") or {}).get("text", "") if isinstance(block.get("text"), dict) else block.get("text", "")
    most = {"header": 150, "section": 3000, "markdown": MOST_MARKDOWN}.get(block.get("type", ""))
    if most is None and block.get("type") not in (
        "divider",
        "actions",
        "context",
        "image",
        "input",
        "file",
        "rich_text",
    ):
        said.append(f"unsupported type: {block.get('type')}")
    if most is not None and not text and not block.get("fields"):
        said.append("must be more than 0 characters")
    if most is not None and len(text) > most:
        said.append(f"must be less than {most + 1} characters")
    if len(str(block.get("block_id") or "")) > 255:
        said.append("block_id too long")
    elements = block.get("elements") or []
    if block.get("type") == "actions" and not 1 <= len(elements) <= 25:
        said.append("1 to 25 elements")
    if block.get("type") == "context" and not 1 <= len(elements) <= 10:
        said.append("1 to 10 elements")
    names = [element["action_id"] for element in elements if "action_id" in element]
    if len(names) != len(set(names)):
        said.append("`action_id` already exists")
    for element in elements:
        if element.get("type") == "button":
            said += _wrong_button(element)
    return said


def _wrong_button(button: Json) -> list[str]:
    said = []
    if not 1 <= len(button["text"]["text"]) <= 75:
        said.append("button text of 1 to 75 characters")
    if len(button.get("value") or "") > 2000:
        said.append("value too long")
    if len(button.get("action_id") or "") > 255:
        said.append("action_id too long")
    return said
