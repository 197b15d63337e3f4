"""Cards as Block Kit: pure. Within every limit of a message, and readable without blocks by its `text`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pal_server.bridges.cards import Button, Card, Field, Form, Mark, Style, Tone

from .mrkdwn import escape, render

Json = dict[str, Any]

MOST_BLOCKS = 50
MOST_JSON = 12_500  # characters; beyond about 13,000 Slack says msg_blocks_too_long
SECTION = 3_000  # characters of a section
CONTEXT = 2_000  # characters of a line of context
NOTICE = 300  # characters of body in the text that notifications show
BUTTON_TEXT = 75
OPTION_TEXT = 75
OPTION_VALUE = 150
MOST_RADIOS = 10
MOST_OPTIONS = 100
MOST_BUTTONS = 25
CUT = "\n… (shortened)"
PRESS = "pal:press:"  # begins the action id of a button whose value is a token
FIELD = "pal:field:"  # begins the block id of a field
TEXT = "_text"  # ends the name of the free text beside options

SIGNS = {
    Tone.WAITING: ":hourglass_flowing_sand:",
    Tone.WORKING: ":gear:",
    Tone.ASKING: ":raised_hand:",
    Tone.DONE: ":white_check_mark:",
    Tone.FAILED: ":x:",
    Tone.STOPPED: ":black_square_for_stop:",
    Tone.NOTE: ":information_source:",
}
MARKS = {Mark.OPEN: "○", Mark.NOW: "▶", Mark.DONE: "✓", Mark.FAILED: "✗"}


def render_card(card: Card) -> Json:
    """`{"text", "blocks"}` of a message. What does not fit goes: oldest steps first, then the end of the body."""
    while True:
        shown = _blocks(card)
        size = len(json.dumps(shown, ensure_ascii=False))
        if size <= MOST_JSON and len(shown) <= MOST_BLOCKS:
            return {"text": notice(card), "blocks": shown}
        smaller = _smaller(card)
        if smaller == card:
            return {"text": notice(card), "blocks": shown[:MOST_BLOCKS]}
        card = smaller


def notice(card: Card) -> str:
    """What notifications and readers without blocks get."""
    body = render(card.body)
    short = body if len(body) <= NOTICE else body[: NOTICE - 1] + "…"
    return "\n".join(part for part in (f"*{escape(card.title)}* · {escape(card.state)}", short) if part)


def _smaller(card: Card) -> Card:
    if card.steps:
        drop = max(1, len(card.steps) // 2)
        return replace(card, steps=card.steps[drop:], earlier=card.earlier + drop)
    if card.plan:
        return replace(card, plan=card.plan[: len(card.plan) // 2])
    if len(card.body) > 200:
        return replace(card, body=card.body.removesuffix(CUT)[: len(card.body) * 3 // 4] + CUT)
    return card


def _blocks(card: Card) -> list[Json]:
    shown = [_section(f"{SIGNS[card.tone]} *{escape(card.title)}*\n{escape(card.state)}")]
    shown += [_section(part) for part in _parts(render(card.body))]
    shown += _lines([f"{MARKS[step.mark]} {render(step.text)}" for step in card.plan])
    steps = [f"{MARKS[step.mark]} {render(step.text)}" for step in card.steps]
    if card.earlier:
        steps.insert(0, f"… {card.earlier} earlier steps")
    shown += _lines(steps)
    if card.form is not None:
        shown += [block for field in card.form.fields for block in _field(field)]
    shown += _actions(card.buttons, card.form)
    small = " · ".join(escape(part) for part in (card.agent, card.computer, card.cost) if part)
    shown += [_context(part) for part in (small, render(card.note)) if part]
    return shown


def _section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION] or "…"}}


def _context(text: str) -> Json:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:CONTEXT]}]}


def _lines(lines: list[str]) -> list[Json]:
    return [_section(part) for part in _parts("\n".join(lines))]


def _parts(text: str) -> list[str]:
    """Pieces for sections, cut at lines; code that is cut is closed and opened again."""
    parts: list[str] = []
    rest = text.strip("\n")
    while len(rest) > SECTION:
        at = rest.rfind("\n", SECTION // 2, SECTION - 10)
        at = at if at > 0 else SECTION - 10
        head, rest = rest[:at], rest[at:].lstrip("\n")
        if head.count("```") % 2:
            head, rest = f"{head}\n```", f"```\n{rest}"
        parts.append(head)
    return [*parts, rest] if rest else parts


def _actions(buttons: Iterable[Button], form: Form | None) -> list[Json]:
    wanted = [*([form.submit] if form is not None else []), *buttons]
    elements = [_button(button, number) for number, button in enumerate(wanted[:MOST_BUTTONS])]
    return [{"type": "actions", "elements": elements}] if elements else []


def _button(button: Button, number: int) -> Json:
    shown: Json = {
        "type": "button",
        "action_id": f"{PRESS}{number}",
        "text": _plain(button.label, BUTTON_TEXT),
    }
    if button.token is not None:
        shown["value"] = button.token
    if button.url is not None:
        shown["url"] = button.url[:3000]
    if button.style is not Style.PLAIN:
        shown["style"] = button.style.value
    if button.confirm:
        shown["confirm"] = {
            "title": _plain("Sure?", 100),
            "text": {"type": "mrkdwn", "text": escape(button.confirm)[:300]},
            "confirm": _plain(button.label, 30),
            "deny": _plain("Cancel", 30),
        }
    return shown


def _field(field: Field) -> list[Json]:
    """Options as radios or boxes, or as a menu when there are more than ten; free text as a line of its own."""
    shown = []
    if field.options:
        shown.append(_input(field.name, field.label, _choice(field), is_optional=not field.required or field.free))
    if field.free or not field.options:
        name = field.name + TEXT if field.options else field.name
        label = "or in your own words" if field.options else field.label
        element = {"type": "plain_text_input", "action_id": "value", "multiline": not field.options, "max_length": 3000}
        shown.append(_input(name, label, element, is_optional=not field.required or bool(field.options)))
    return shown


def _input(name: str, label: str, element: Json, *, is_optional: bool) -> Json:
    block_id = f"{FIELD}{name}"
    return {
        "type": "input",
        "block_id": block_id,
        "label": _plain(label, 2000),
        "element": element,
        "optional": is_optional,
    }


def _choice(field: Field) -> Json:
    options = [{"text": _plain(text, OPTION_TEXT), "value": text[:OPTION_VALUE]} for text in field.options]
    if len(options) <= MOST_RADIOS:
        kind = "checkboxes" if field.many else "radio_buttons"
        return {"type": kind, "action_id": "value", "options": options}
    kind = "multi_static_select" if field.many else "static_select"
    return {"type": kind, "action_id": "value", "options": options[:MOST_OPTIONS]}


def _plain(text: str, most: int) -> Json:
    return {"type": "plain_text", "text": (text if len(text) <= most else text[: most - 1] + "…") or "…", "emoji": True}


# Back from a press


def is_ours(action_id: str) -> bool:
    return action_id.startswith(PRESS)


def values_of(state: Mapping[str, Mapping[str, Any]]) -> dict[str, str | tuple[str, ...]]:
    """What is filled in, by the names of fields. Options come back by their words."""
    values: dict[str, str | tuple[str, ...]] = {}
    for block_id, elements in state.items():
        if not block_id.startswith(FIELD):
            continue
        for given in elements.values():
            value = _value(given)
            if value:
                values[block_id.removeprefix(FIELD)] = value
    return values


def _value(given: Mapping[str, Any]) -> str | tuple[str, ...]:
    if given.get("selected_options") is not None:
        return tuple(str(option.get("value")) for option in given["selected_options"])
    if given.get("selected_option"):
        return str(given["selected_option"].get("value"))
    return str(given.get("value") or "")
