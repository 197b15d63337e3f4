"""Cards as every platform can show them; each platform renders this to its own format.

All text is Markdown as agents write it (CommonMark, no HTML) and unescaped: escaping, mentions and length limits of its
format are the platform's. Nothing here is longer than the server cut it, but a platform may still have to shorten: then
`steps` go first (oldest first), then `body`, never the title, state, options or buttons.
"""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """What a card is about at a glance; a platform picks its colour."""

    WAITING = "waiting"  # in the queue, computer offline, nobody at work yet
    WORKING = "working"  # a run is alive
    ASKING = "asking"  # a person must answer
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"  # by a person, or dropped
    NOTE = "note"  # a notice


class Mark(StrEnum):
    """How far a step or a line of the plan is."""

    OPEN = "open"
    NOW = "now"
    DONE = "done"
    FAILED = "failed"


class Style(StrEnum):
    PRIMARY = "primary"
    DANGER = "danger"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing the agent did, or one line of its plan, in plain words."""

    text: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press. Exactly one of `token` and `url` is set.

    `token` is at most 100 characters of A-Z a-z 0-9 . _ - and comes back in `CardAction.token` as it was given. It
    names what the press does and is checked by the server; a platform neither reads nor remembers it.
    """

    label: str  # at most 75 characters
    style: Style = Style.PLAIN
    token: str | None = None
    url: str | None = None
    confirm: str | None = None  # asked before it counts, where the platform can


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One answer of a form. The value comes back in `CardAction.values[name]`."""

    name: str  # at most 20 characters: a letter, then letters, digits and _
    label: str
    options: tuple[str, ...] = ()  # to choose from; none: free text only
    many: bool = False  # several options at once; the value is then a list
    free: bool = False  # free text beside the options; its value comes back under `name + "_text"`
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Fields and one button that sends them all. Where a platform has no forms, `Capabilities.forms` is false: then the
    card carries buttons instead, and says that words written in the thread are taken as the answer.
    """

    fields: tuple[Field, ...]
    submit: Button


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One card in one state. The same card in a later state is another value with the same post behind it.

    A card is shown whole each time: what is absent here is to be gone there.
    """

    title: str
    tone: Tone
    state: str  # the state in words: "waiting, 2nd in the queue", "working for 2 min", "done in 3 min"
    agent: str = ""  # display name
    computer: str = ""  # where it runs
    body: str = ""  # Markdown: the question, the command to approve, the notice
    plan: tuple[Step, ...] = ()
    steps: tuple[Step, ...] = ()
    earlier: int = 0  # how many steps came before the first of `steps`
    cost: str = ""  # in words: "12k tokens, $0.08, 3 min"
    form: Form | None = None
    buttons: tuple[Button, ...] = ()
    note: str = ""  # small, at the end: who answered, "may be a repeat"
    final: bool = False  # nothing changes any more: a streaming card is to be closed


def plain(card: Card) -> str:
    """The whole card as Markdown text: for platforms, or moments, in which the card itself is refused."""
    lines = [f"**{card.title}** · {card.state}"]
    if card.body:
        lines += ["", card.body]
    lines += [f"- {_SIGNS[step.mark]} {step.text}" for step in card.plan]
    if card.earlier:
        lines.append(f"… {card.earlier} earlier steps")
    lines += [f"- {_SIGNS[step.mark]} {step.text}" for step in card.steps]
    lines += [f"[{button.label}]({button.url})" for button in card.buttons if button.url]
    small = " · ".join(part for part in (card.agent, card.computer, card.cost, card.note) if part)
    return "\n".join([*lines, *(["", small] if small else [])])


_SIGNS = {Mark.OPEN: "○", Mark.NOW: "▶", Mark.DONE: "✓", Mark.FAILED: "✗"}
