"""pal's cards as Lark's card JSON 2.0, within Lark's size. Pure.

Shortened in this order until it fits: steps from the oldest, then the body. Title, state, form and buttons always stay.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pal_server.bridges.cards import Button, Card, Field, Mark, Step, Style, Tone
from pal_server.bridges.inbound import Heard
from pal_server.bridges.lark.inbound import TOKEN_KEY
from pal_server.bridges.lark.markdown import render

BYTES = 28_000  # of 30 KB: room for what surrounds the content in a request
TABLES = 5  # a card with more is refused
LONGEST_STEP = 300  # characters
CUT = "\n\n… shortened"

_COLOURS = {
    Tone.WAITING: "grey",
    Tone.WORKING: "blue",
    Tone.ASKING: "orange",
    Tone.DONE: "green",
    Tone.FAILED: "red",
    Tone.STOPPED: "grey",
    Tone.NOTE: "wathet",
}
_SIGNS = {Mark.OPEN: "○", Mark.NOW: "▶", Mark.DONE: "✓", Mark.FAILED: "✗"}
_TYPES = {Style.PRIMARY: "primary", Style.DANGER: "danger", Style.PLAIN: "default"}

Json = dict[str, Any]


def render_card(card: Card) -> Json:
    """The card as an object, within `BYTES` as it will stand in a request."""
    shown = _whole(card)
    while size(shown) > BYTES and card.steps:
        drop = max(1, len(card.steps) // 4)
        card = replace(card, steps=card.steps[drop:], earlier=card.earlier + drop)
        shown = _whole(card)
    while size(shown) > BYTES and len(card.body) > len(CUT):
        keep = len(card.body) * BYTES // size(shown) * 9 // 10
        card = replace(card, body=_closed(card.body[: min(keep, len(card.body) - len(CUT) - 1)]) + CUT)
        shown = _whole(card)
    return shown


def render_bare(card: Card) -> Json:
    """The same card with its Markdown as it was written, for when Lark refuses what is in it."""
    shown: Json = json.loads(json.dumps(render_card(card)))
    elements = shown["body"]["elements"]
    for place, element in enumerate(elements):
        if element["tag"] == "markdown":
            elements[place] = {"tag": "div", "text": _plain(element["content"])}
    return shown


def size(shown: Json) -> int:
    """Bytes of the card as JSON inside JSON."""
    return len(json.dumps(json.dumps(shown, ensure_ascii=False), ensure_ascii=False).encode())


def answer(heard: Heard) -> Json:
    """What a press is answered with: words for the one who pressed, and the card as it is now."""
    said: Json = {}
    if heard.text:
        said["toast"] = {"type": heard.kind.value, "content": heard.text[:200]}
    if heard.card is not None:
        said["card"] = {"type": "raw", "data": render_card(heard.card)}
    return said


def _whole(card: Card) -> Json:
    return {
        "schema": "2.0",
        "config": {"update_multi": True, "summary": {"content": f"{card.title} · {card.state}"[:150]}},
        "header": {
            "title": _plain(card.title),
            "subtitle": _plain(_subtitle(card)),
            "template": _COLOURS[card.tone],
        },
        "body": {"elements": _elements(card)},
    }


def _subtitle(card: Card) -> str:
    agent = "" if card.agent == card.title else card.agent
    return " · ".join(part for part in (card.state, agent, card.computer) if part)


def _elements(card: Card) -> list[Json]:
    elements: list[Json] = []
    if card.body:
        elements.append({"tag": "markdown", "content": render(card.body, headings=True, tables=TABLES)})
    if card.plan:
        elements.append({"tag": "markdown", "content": _lines(card.plan)})
    if card.steps:
        earlier = f"… {card.earlier} earlier\n" if card.earlier else ""
        elements.append({"tag": "markdown", "content": earlier + _lines(card.steps), "text_size": "notation"})
    if card.form is not None:
        fields = [element for field in card.form.fields for element in _field(field)]
        submit = {**_button(card.form.submit), "form_action_type": "submit", "name": "submit"}
        elements.append({"tag": "form", "name": "form", "elements": [*fields, submit]})
    if card.buttons:
        columns = [{"tag": "column", "width": "auto", "elements": [_button(button)]} for button in card.buttons]
        elements.append({"tag": "column_set", "flex_mode": "flow", "columns": columns})
    small = " · ".join(part for part in (card.cost, card.note) if part)
    if small:
        elements.append({"tag": "markdown", "content": _flat(small), "text_size": "notation"})
    if not elements:
        elements.append({"tag": "markdown", "content": _flat(card.state)})
    return elements


def _lines(steps: tuple[Step, ...]) -> str:
    return "\n".join(f"{_SIGNS[step.mark]} {_flat(step.text)[:LONGEST_STEP]}" for step in steps)


def _flat(text: str) -> str:
    """One line, without blocks."""
    return render(" ".join(text.split()), headings=False, tables=0)


def _button(button: Button) -> Json:
    shown: Json = {"tag": "button", "text": _plain(button.label), "type": _TYPES[button.style]}
    if button.url:
        shown["behaviors"] = [{"type": "open_url", "default_url": button.url}]
    else:
        # An object: the SDK's own model refuses a string, and so would anybody's who reads it with that.
        shown["behaviors"] = [{"type": "callback", "value": {TOKEN_KEY: button.token}}]
    if button.confirm:
        shown["confirm"] = {"title": _plain(button.label), "text": _plain(button.confirm)}
    return shown


def _field(field: Field) -> list[Json]:
    """The label, the choice if there is one, and the room for words if there is any."""
    shown: list[Json] = [{"tag": "markdown", "content": f"**{_flat(field.label)}**"}]
    if field.options:
        options = [{"text": _plain(option[:100]), "value": option} for option in field.options]
        tag = "multi_select_static" if field.many else "select_static"
        needed = field.required and not field.free
        shown.append({"tag": tag, "name": field.name, "options": options, "required": needed, "width": "fill"})
    if field.free or not field.options:
        name = f"{field.name}_text" if field.options else field.name
        needed = field.required and not field.options
        entry: Json = {"tag": "input", "name": name, "required": needed, "input_type": "multiline_text", "rows": 2}
        shown.append({**entry, "width": "fill"})
    return shown


def _plain(text: str) -> Json:
    return {"tag": "plain_text", "content": text}


def _closed(text: str) -> str:
    """The beginning of a text, its block of code ended if the cut fell into one."""
    fences = sum(1 for line in text.splitlines() if line.lstrip().startswith("```"))
    return f"{text}\n```" if fences % 2 else text
