"""The cards that are shown outside: of a turn, from waiting to done, and of what a person is asked.

Pure: everything that is shown is in the arguments, and the same arguments give the same card, so that a card is sent
again only when something in it has changed. The shape is what `pal_server/bridges/cards.py` reads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pal_server.domain import buttons
from pal_server.domain.buttons import Verb
from pal_server.domain.deliveries import Delivery
from pal_server.domain.deliveries import Status as DeliveryStatus
from pal_server.domain.interactions import Interaction, Kind
from pal_server.domain.interactions import Status as InteractionStatus
from pal_server.domain.runs import Run
from pal_server.domain.runs import Status as RunStatus

STEPS = 8  # the newest ones
PLAN_LINES = 12
LINE = 120  # characters of a step
BODY = 6_000  # characters of a question, so that any platform's card holds it
CHOICES = 6  # options that are buttons; more of them are a list to choose from

_TASK_MARKS = {"completed": "done", "done": "done", "in_progress": "now", "failed": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """All that a turn's card shows."""

    key: bytes  # proves the buttons
    agent: str  # display name
    computer: str | None
    is_online: bool
    delivery: Delivery
    place: int  # how many come before it
    run: Run | None
    steps: tuple[dict[str, str], ...] = ()
    earlier: int = 0
    plan: tuple[dict[str, str], ...] = ()
    asked: Interaction | None = None
    url: str = ""  # of the topic in the workbench


def turn_card(turn: Turn) -> dict[str, Any]:
    tone, state = _state(turn)
    is_over = tone in ("done", "failed", "stopped")
    return {
        "title": turn.agent,
        "tone": tone,
        "state": state,
        "agent": turn.agent,
        "computer": turn.computer or "",
        "plan": list(turn.plan),
        "steps": [*turn.steps],
        "earlier": turn.earlier,
        "cost": _cost(turn.run) if is_over else "",
        "buttons": _buttons(turn, tone=tone),
        "note": _note(turn),
        "final": is_over and turn.delivery.status is not DeliveryStatus.PENDING,
    }


def ask_card(asked: Interaction, *, key: bytes, agent: str, over: str) -> dict[str, Any]:
    """`over` says in words why nothing can be answered any more; empty while it can."""
    is_open = asked.status is InteractionStatus.PENDING
    card: dict[str, Any] = {
        "title": asked.title,
        "tone": "asking" if is_open else "stopped" if _is_denied(asked) else "done",
        "state": _asks(asked) if is_open else _answered(asked, over=over),
        "agent": agent,
        "body": _cut(_asked_body(asked), BODY),
        "buttons": [],
        "final": not is_open,
    }
    if not is_open:
        return card
    if asked.kind is not Kind.QUESTION:
        card["buttons"] = [
            _button(key, "Approve", Verb.APPROVE, asked.id, bound=asked.hash, style="primary"),
            _button(key, "Deny", Verb.DENY, asked.id, bound=asked.hash, style="danger"),
        ]
        card["note"] = f"or say /approve {asked.id}, or /deny {asked.id} and why"
        return card
    card["note"] = f"or say /answer {asked.id} and your answer"
    if asked.options and len(asked.options) <= CHOICES and not asked.questions:
        card["buttons"] = [
            _button(key, option[:75], Verb.CHOOSE, asked.id, choice=number, bound=asked.hash)
            for number, option in enumerate(asked.options)
        ]
        return card
    submit = _button(key, "Send", Verb.ANSWER, asked.id, bound=asked.hash, style="primary")
    card["form"] = {"fields": _fields(asked), "submit": submit}
    return card


def _fields(asked: Interaction) -> list[dict[str, Any]]:
    """What is filled in: `answer`, or `q1`, `q2` … for a card with several questions."""
    if not asked.questions:
        options = list(asked.options)
        return [{"name": "answer", "label": asked.title[:100], "options": options, "free": not options}]
    return [
        {
            "name": f"q{number}",
            "label": (question.header or question.text)[:100],
            "options": [option.label for option in question.options],
            "many": question.multiple,
            "free": question.free,
        }
        for number, question in enumerate(asked.questions, 1)
    ]


def _asks(asked: Interaction) -> str:
    missing = asked.needs - len(asked.approvals)
    if asked.approvals and missing > 0:
        return f"approved by {', '.join(one.by for one in asked.approvals)}, waits for {missing} more"
    return "waits for an answer" if asked.needs == 1 else f"waits for {asked.needs} people"


def _asked_body(asked: Interaction) -> str:
    """Everything a person has to see before answering."""
    lines = [asked.body, *([f"in `{asked.folder}`"] if asked.folder else [])]
    for number, question in enumerate(asked.questions, 1):
        lines.append(f"**{number}. {question.text}**")
        for option in question.options:
            lines.append(f"- {option.label}" + (f": {option.description}" if option.description else ""))
            lines += [f"```\n{option.preview}\n```"] if option.preview else []
    return "\n\n".join(line for line in lines if line)


def steps_of(events: Iterable[tuple[str, str, dict[str, Any]]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Steps in plain words, and the newest plan, from run events (kind, text, data) in their order."""
    steps: dict[str, dict[str, str]] = {}
    plan: list[dict[str, str]] = []
    for number, (kind, _, data) in enumerate(events):
        key = str(data.get("id") or number)
        if kind == "tool_call":
            steps[key] = {"text": _line(str(data.get("title") or data.get("name") or "a step")), "mark": "now"}
        elif kind == "tool_result" and key in steps:
            steps[key] = {**steps[key], "mark": "done" if data.get("status", "ok") == "ok" else "failed"}
        elif kind == "todo":
            plan = _plan(data.get("entries"))
    return list(steps.values()), plan


def ended_in_words(run: Run) -> str:
    """How a run ended, for a chat somewhere else."""
    words = {
        RunStatus.SUCCEEDED: "is done",
        RunStatus.FAILED: "failed",
        RunStatus.CANCELLED: "was stopped",
        RunStatus.INTERRUPTED: "was interrupted",
    }
    took = f" after {_took(run)}" if _took(run) else ""
    why = f": {_cut(run.error, 300)}" if run.error and run.status is not RunStatus.SUCCEEDED else ""
    return f"**{run.agent}** {words.get(run.status, str(run.status))}{took}{why}"


def _state(turn: Turn) -> tuple[str, str]:
    delivery, run = turn.delivery, turn.run
    match delivery.status:
        case DeliveryStatus.PENDING:
            return "waiting", _waits(turn)
        case DeliveryStatus.CLAIMED:
            return ("waiting", "begins") if run is None or not run.is_live else _live(turn, run)
        case DeliveryStatus.ACKED if delivery.read_step is not None:
            return "done", "told to the work under way"
        case DeliveryStatus.ACKED if run is not None and run.status is RunStatus.CANCELLED:
            return "stopped", f"stopped after {_took(run)}" if _took(run) else "stopped"
        case DeliveryStatus.ACKED:
            return "done", f"done in {_took(run)}" if run is not None and _took(run) else "done"
        case DeliveryStatus.FAILED:
            return "failed", "failed"
        case DeliveryStatus.INTERRUPTED:
            return "failed", "interrupted: nobody knows how far it came"
        case DeliveryStatus.CANCELLED:
            return "stopped", "dropped before anybody began"
        case DeliveryStatus.DEAD:
            return "failed", "could not be begun"


def _waits(turn: Turn) -> str:
    if turn.computer is None:
        return "waits: this agent is assigned to no computer"
    if not turn.is_online:
        return f"waits: {turn.computer} is offline"
    if turn.place:
        return f"waits, {turn.place} before it"
    return "begins"


def _live(turn: Turn, run: Run) -> tuple[str, str]:
    if not turn.is_online:
        return "waiting", f"{turn.computer} is offline; the work may go on there"
    if run.wanted is not None:
        return "working", "is being stopped"
    match run.status:
        case RunStatus.WAITING:
            return "asking", f"waits for an answer: {_line(turn.asked.title)}" if turn.asked else "waits for an answer"
        case RunStatus.PAUSED:
            return "waiting", "has met a limit, and goes on when it has passed"
        case _ if run.stalled_since is not None:
            return "working", "is at work, silent for a while"
        case _:
            return "working", "is at work"


def _buttons(turn: Turn, *, tone: str) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    delivery, run = turn.delivery, turn.run
    if delivery.status is DeliveryStatus.CLAIMED and run is not None and run.is_live and run.wanted is None:
        made.append(_button(turn.key, "Stop", Verb.STOP, run.id, style="danger"))
    if delivery.status is DeliveryStatus.PENDING:
        made.append(_button(turn.key, "Drop", Verb.DROP, delivery.id, bound=attempt_shown(delivery)))
    if delivery.status in (DeliveryStatus.FAILED, DeliveryStatus.INTERRUPTED, DeliveryStatus.DEAD):
        attempt = attempt_shown(delivery)
        made.append(_button(turn.key, "Go on", Verb.RETRY, delivery.id, bound=attempt, style="primary"))
        made.append(_button(turn.key, "Begin anew", Verb.FRESH, delivery.id, bound=attempt))
    if turn.url:
        made.append({"label": "Open", "style": "plain", "url": turn.url})
    return made


def attempt_shown(delivery: Delivery) -> str:
    """What the buttons of a failed turn are bound to: each failure has its own, or where a press has no id but what it
    says, the second one would be taken for the first.
    """
    return str(delivery.fence)


def _note(turn: Turn) -> str:
    run = turn.run
    if turn.delivery.status in (DeliveryStatus.FAILED, DeliveryStatus.DEAD):
        return _cut((run.error if run is not None else None) or turn.delivery.error or "", 500)
    return ""


def _cost(run: Run | None) -> str:
    usage = {} if run is None else run.usage or {}
    tokens = (usage.get("input_tokens") or 0) + (usage.get("output_tokens") or 0)
    cost = usage.get("cost_usd")
    parts = [f"{_thousands(tokens)} tokens" if tokens else "", f"${cost:.2f}" if cost else ""]
    return ", ".join(part for part in parts if part)


def _thousands(number: int) -> str:
    return str(number) if number < 1000 else f"{number / 1000:.0f}k"


def _took(run: Run | None) -> str:
    if run is None or run.started_at is None or run.ended_at is None:
        return ""
    seconds = max(0, (run.ended_at - run.started_at) // 1000)
    if seconds < 60:
        return f"{max(1, seconds)} s"
    return f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _answered(asked: Interaction, *, over: str) -> str:
    given = asked.answer or {}
    by = f" by {asked.answered_by}" if asked.answered_by else ""
    decision = {"approve": f"approved{by}", "deny": f"denied{by}"}.get(str(given.get("decision")))
    if decision:
        return decision
    return f"answered{by}: {_cut(str(given['answer']), 200)}" if given.get("answer") else over


def _is_denied(asked: Interaction) -> bool:
    return (asked.answer or {}).get("decision") == "deny" or asked.answer is None


def _plan(entries: object) -> list[dict[str, str]]:
    lines: Sequence[Any] = entries if isinstance(entries, list) else ()
    return [
        {"text": _line(str(line.get("text", ""))), "mark": _TASK_MARKS.get(str(line.get("status")), "open")}
        for line in lines[:PLAN_LINES]
        if isinstance(line, dict)
    ]


def _button(
    key: bytes, label: str, verb: Verb, target: int, *, choice: int = 0, bound: str = "", style: str = "plain"
) -> dict[str, Any]:
    token = buttons.token(key, verb=verb, target=target, choice=choice, bound=bound)
    return {"label": label, "style": style, "token": token}


def _line(text: str) -> str:
    return _cut(" ".join(text.split()), LINE)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
