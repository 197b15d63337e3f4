"""Cards as values for a card template: pure. Every value is a string, and all of them are given each time.

The template is DingTalk's own "AI card", which every app may use; one of your own with the same variables may stand in
its place. Its states other than "done" hide buttons or show a spinner instead of text, and after the end of a stream
its text can never change again: so nothing is streamed, and the state stands in words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pal_server.bridges.cards import Button, Card, Mark, Step, Style, Tone

from .markdown import render

Params = dict[str, str]

TEMPLATE = "382e4302-551d-4880-bf29-a30acfab2e71.schema"
SHOWN = "3"  # `flowStatus` "done": text and buttons are there
ORDER = ("msgTitle", "msgContent", "staticMsgContent", "msgTextList", "msgImages", "msgSlider", "msgButtons")
MOST = 12_000  # bytes of all values together
MOST_BUTTONS = 10
MOST_TITLE = 100  # characters

SIGNS = {
    Tone.WAITING: "⏳",
    Tone.WORKING: "⚙️",
    Tone.ASKING: "✋",
    Tone.DONE: "✅",
    Tone.FAILED: "❌",
    Tone.STOPPED: "⏹️",
    Tone.NOTE: "ℹ️",
}
MARKS = {Mark.OPEN: "○", Mark.NOW: "▶", Mark.DONE: "✓", Mark.FAILED: "✗"}
COLOURS = {Style.PRIMARY: "blue", Style.DANGER: "red", Style.PLAIN: "gray"}


def render_card(card: Card) -> Params:
    """`cardParamMap`. What does not fit goes: oldest steps first, then the plan, then the end of the body."""
    while True:
        params = _params(f"{SIGNS[card.tone]} {card.title}", _content(card), card.buttons)
        smaller = _smaller(card)
        if size_of(params) <= MOST or smaller == card:
            return params
        card = smaller


def render_text(text: str) -> Params:
    """An answer as a card: the text and nothing else."""
    return _params("", render(text), ())


def size_of(params: Params) -> int:
    return len(json.dumps(params, ensure_ascii=False).encode())


def _params(title: str, content: str, buttons: Iterable[Button]) -> Params:
    full: dict[str, Any] = {"order": ORDER, "msgButtons": [_button(button) for button in [*buttons][:MOST_BUTTONS]]}
    return {
        "msgTitle": title[:MOST_TITLE],
        "msgContent": content or " ",
        "staticMsgContent": "",
        "flowStatus": SHOWN,
        "sys_full_json_obj": json.dumps(full, ensure_ascii=False, separators=(",", ":")),
    }


def _button(button: Button) -> dict[str, Any]:
    """`id` comes back in the press; `request` says that it is told at all."""
    shown: dict[str, Any] = {"text": button.label, "color": COLOURS[button.style]}
    if button.url is not None:
        return {**shown, "url": button.url, "iosUrl": button.url}
    return {**shown, "id": button.token, "request": True}


def _content(card: Card) -> str:
    """Blocks with an empty line between them, since a single line break is none."""
    small = " · ".join(part for part in (card.agent, card.computer, card.cost) if part)
    steps = [f"… {card.earlier} earlier steps"] if card.earlier else []
    steps += _lines(card.steps)
    blocks = (f"**{card.state}**", card.body, *_block(_lines(card.plan)), *_block(steps), small, card.note)
    return render("\n\n".join(block for block in blocks if block))


def _lines(steps: Iterable[Step]) -> list[str]:
    return [f"{MARKS[step.mark]} {step.text}" for step in steps]


def _block(lines: list[str]) -> list[str]:
    return ["\n".join(lines)] if lines else []


def _smaller(card: Card) -> Card:
    if card.steps:
        drop = max(1, len(card.steps) // 2)
        return replace(card, steps=card.steps[drop:], earlier=card.earlier + drop)
    if card.plan:
        return replace(card, plan=card.plan[: len(card.plan) // 2])
    if len(card.body) > 200:
        return replace(card, body=card.body[: len(card.body) * 3 // 4] + " …")
    return card
