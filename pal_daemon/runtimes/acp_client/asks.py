"""What an agent asks people: its requests → cards, people's answers → its results. Pure.

Open questions are kept by the key of their card until they are answered, withdrawn or the turn is over; an answer to
anything else is no bytes. Ids of the agent's requests start at 0 and have nothing to do with ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from pal_daemon.runtimes.acp_client.diffs import show_change
from pal_daemon.runtimes.acp_client.policy import Option, choose, decide, parse_options
from pal_daemon.runtimes.base import Answer, Ask, Given, Question, Withdrawn, name_answer
from pal_daemon.runtimes.capping import digest_of
from pal_daemon.runtimes.jsonrpc import Id, Request, render_result
from pal_daemon.runtimes.profile import Mode
from pal_daemon.runtimes.questions import read_answers, render_questions

BODY_CHARS = 40_000  # of a card; the server takes 50,000
PLANS = ("exit_plan_mode", "ExitPlanMode")  # tools that show a plan, by name or at the beginning of a call's id

PLAN_SHAPES = ("plan", "cursor_plan")
Shape = Literal["permission", "plan", "form", "cursor_questions", "cursor_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A request that waits for a person. `fields` name a form's questions, in their order."""

    key: str
    id: Id
    shape: Shape
    tool: str = ""
    options: tuple[Option, ...] = ()
    questions: tuple[Question, ...] = ()
    fields: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a person decided, as the spool says it. `has_words` when there was more to say than an option can."""

    pending: Pending
    is_refused: bool
    has_words: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A request that needs no person: the mode decides, or it asks nothing we could show."""

    line: bytes
    word: Literal["allowed", "refused", "declined"]


class Asks:
    """The open requests of one run."""

    def __init__(self, mode: Mode) -> None:
        self._mode = mode
        self._open: dict[str, Pending] = {}
        self._answered: dict[str, Pending] = {}  # an answer may be asked for once more; it is written once

    def take(
        self, request: Request, *, plans: Mapping[str, str], call: Mapping[str, Any] | None = None
    ) -> Ask | Ruled | None:
        """A card, or the result at once where no person is needed; None when this is no question we know.

        `plans` are files of plans by their path: some agents show only where their plan is. `call` is the tool call a
        permission is asked for, with what earlier pieces said of it.
        """
        match request.method:
            case "session/request_permission":
                return self._take_permission(request, plans, call or {})
            case "elicitation/create":
                return self._take_form(request)
            case "cursor/ask_question":
                return self._take_cursor_questions(request)
            case "cursor/create_plan":
                return self._take_cursor_plan(request)
            case _:
                return None

    def answer(self, answer: Answer) -> bytes | None:
        """The result of that request; None when nothing of this key waits or waited for it."""
        pending = self._open.get(answer.key) or self._answered.get(answer.key)
        return None if pending is None else render_result(pending.id, _result(pending, answer))

    def render_decision(self, decided: Decided) -> bytes:
        """The result that says yes or no to a permission, from what the spool has of the answer."""
        option = choose(decided.pending.options, is_allowed=not decided.is_refused)
        return render_result(decided.pending.id, _selected(option))

    def decided(self, name: str) -> Decided | None:
        """Take note of an input record: an answer was written. Its request is open no more."""
        for key, pending in self._open.items():
            for decision in ("approve", "deny", None):
                for has_words in (False, True):
                    if name == name_answer(key, decision=decision, has_words=has_words):
                        self._answered[key] = self._open.pop(key)
                        if decision == "approve" and pending.shape in PLAN_SHAPES and self._mode is Mode.PLAN:
                            self._mode = Mode.ASK
                        return Decided(pending=pending, is_refused=decision == "deny", has_words=has_words)
        return None

    def withdraw(self, id: Id) -> tuple[list[Withdrawn], bytes]:
        """The agent takes one request back; the result it wants all the same."""
        gone = [pending for pending in self._open.values() if pending.id == id and type(pending.id) is type(id)]
        for pending in gone:
            del self._open[pending.key]
        lines = b"".join(render_result(pending.id, _cancelled(pending)) for pending in gone)
        return [Withdrawn(key=pending.key) for pending in gone], lines

    def withdraw_all(self) -> list[Withdrawn]:
        """The turn is over, or was told to end."""
        gone = [Withdrawn(key=key) for key in self._open]
        self._open.clear()
        return gone

    def render_cancelled(self) -> bytes:
        """Results for all that is open, as a cancelled turn wants them."""
        return b"".join(render_result(pending.id, _cancelled(pending)) for pending in self._open.values())

    def _take_permission(self, request: Request, plans: Mapping[str, str], call: Mapping[str, Any]) -> Ask | Ruled:
        options = parse_options(request.params.get("options"))
        kind, tool = str(call.get("kind") or "other"), str(call.get("toolCallId") or "")
        is_plan = _is_plan(call)
        decision = "allow" if is_plan and self._mode is Mode.BYPASS else decide(self._mode, kind=kind)
        if decision != "ask" and not (is_plan and decision == "refuse"):
            is_allowed = decision == "allow"
            line = render_result(request.id, _selected(choose(options, is_allowed=is_allowed)))
            return Ruled(line=line, word="allowed" if is_allowed else "refused")
        pending = Pending(
            key=_key("plan" if is_plan else "permission", request.id),
            id=request.id,
            shape="plan" if is_plan else "permission",
            tool=tool,
            options=options,
        )
        title = str(call.get("title") or call.get("name") or "use a tool")
        if is_plan:
            text = _plan_text(call) or next((plans[path] for path in plans if path in title), "")
            plan = Ask(key=pending.key, kind="plan", title=title, body=_clip(text), whole=_beyond(text))
            return self._open_up(pending, plan)
        body, is_all = _describe(call)
        return self._open_up(
            pending,
            Ask(
                key=pending.key,
                kind="approval",
                title=title,
                body=_clip(body),
                options=tuple(option.name for option in options),
                whole=_beyond(body) if is_all else digest_of([call.get("rawInput"), call.get("content")]),
            ),
        )

    def _take_form(self, request: Request) -> Ask | Ruled:
        fields = _form_fields(request.params.get("requestedSchema"))
        if request.params.get("mode", "form") != "form" or not fields:
            return Ruled(line=render_result(request.id, {"action": "decline"}), word="declined")
        message = str(request.params.get("message") or "")
        questions = tuple(_question(field, message=message, is_only=len(fields) == 1) for field in fields)
        pending = Pending(
            key=_key("question", request.id),
            id=request.id,
            shape="form",
            tool=str(request.params.get("toolCallId") or ""),
            questions=questions,
            fields=fields,
        )
        return self._open_up(pending, render_questions(pending.key, questions))

    def _take_cursor_questions(self, request: Request) -> Ask | Ruled:
        given = request.params.get("questions")
        fields = tuple(field for field in given if isinstance(field, dict)) if isinstance(given, list) else ()
        if not fields:
            return Ruled(line=render_result(request.id, {"outcome": {"outcome": "skipped"}}), word="declined")
        questions = tuple(_cursor_question(field) for field in fields)
        key = _key("question", request.id)
        pending = Pending(key=key, id=request.id, shape="cursor_questions", questions=questions, fields=fields)
        return self._open_up(pending, render_questions(key, questions))

    def _take_cursor_plan(self, request: Request) -> Ask:
        pending = Pending(key=_key("plan", request.id), id=request.id, shape="cursor_plan")
        title = str(request.params.get("name") or "A plan")
        body = str(request.params.get("plan") or request.params.get("overview") or "")
        plan = Ask(key=pending.key, kind="plan", title=title, body=_clip(body), whole=_beyond(body))
        return self._open_up(pending, plan)

    def _open_up(self, pending: Pending, ask: Ask) -> Ask:
        self._open[pending.key] = pending
        return ask


def _result(pending: Pending, answer: Answer) -> dict[str, Any]:
    match pending.shape:
        case "permission" | "plan":
            option = choose(pending.options, is_allowed=answer.decision == "approve", said=answer.answer)
            return _selected(option)
        case "form":
            return _form_result(pending, answer)
        case "cursor_questions":
            return {"outcome": _cursor_outcome(pending, answer)}
        case "cursor_plan":
            if answer.decision == "approve":
                return {"outcome": {"outcome": "accepted"}}
            return {"outcome": {"outcome": "rejected", **({"reason": answer.reason} if answer.reason else {})}}


def _form_result(pending: Pending, answer: Answer) -> dict[str, Any]:
    if answer.answer is None:
        return {"action": "decline"}
    content: dict[str, Any] = {}
    for question, field, given in zip(
        pending.questions, pending.fields, read_answers(pending.questions, answer), strict=True
    ):
        content |= _field_content(question, field, given)
    return {"action": "accept", "content": content}


def _field_content(question: Question, field: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Values of one question; free words go to the field beside it where the form has one."""
    name, beside, schema = field["name"], field["beside"], field["schema"]
    if question.is_multiple:
        chosen: dict[str, Any] = {name: [_const(schema, label) for label in given.chosen]}
        return chosen | ({beside: given.text} if given.text and beside else {})
    if given.chosen:
        return {name: _const(schema, given.chosen[0])}
    if not given.text:
        return {}
    return {beside: given.text} if beside and question.options else {name: _typed(given.text, schema.get("type"))}


def _cursor_outcome(pending: Pending, answer: Answer) -> dict[str, Any]:
    """It takes options only; other words go as the reason why none was chosen."""
    said = answer.answer or ""
    answers = []
    for field, given in zip(pending.fields, read_answers(pending.questions, answer), strict=True):
        labels = {str(option.get("label")): str(option.get("id")) for option in _dicts(field.get("options"))}
        chosen = [labels[label] for label in given.chosen if label in labels]
        answers.append({"questionId": str(field.get("id", "")), "selectedOptionIds": chosen})
    if not any(answer["selectedOptionIds"] for answer in answers):
        reason = said or answer.reason
        return {"outcome": "skipped", **({"reason": reason} if reason else {})}
    return {"outcome": "answered", "answers": answers}


def _cancelled(pending: Pending) -> dict[str, Any]:
    if pending.shape == "form":
        return {"action": "cancel"}
    return {"outcome": {"outcome": "cancelled"}}


def _selected(option: Option | None) -> dict[str, Any]:
    """`cancelled` where the agent offers nothing to refuse with."""
    if option is None:
        return {"outcome": {"outcome": "cancelled"}}
    return {"outcome": {"outcome": "selected", "optionId": option.id}}


def _form_fields(schema: object) -> tuple[Mapping[str, Any], ...]:
    """The form's questions; a free text field `x_custom` belongs to the question `x` and is none of its own."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return ()
    known = {name: field for name, field in properties.items() if isinstance(field, dict)}
    beside = {name: f"{name}_custom" for name in known if f"{name}_custom" in known}
    return tuple(
        {"name": name, "schema": field, "beside": beside.get(name)}
        for name, field in known.items()
        if name not in beside.values()
    )


def _question(field: Mapping[str, Any], *, message: str, is_only: bool) -> Question:
    schema = field["schema"]
    is_multiple = schema.get("type") == "array"
    choices = _choices(schema)
    header = str(schema.get("title") or "")
    text = str(schema.get("description") or header or field["name"])
    return Question(
        text=message if is_only and message else text,
        header=header,
        options=tuple(label for label, _, _ in choices),
        descriptions=tuple(description for _, _, description in choices),
        is_multiple=is_multiple,
        is_free=not choices or bool(field.get("beside")),
    )


def _choices(schema: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """Label, value and description of each choice of a field."""
    items = schema.get("items")
    if schema.get("type") == "array" and isinstance(items, dict):
        schema = items
    if isinstance(schema.get("enum"), list):
        return [(str(value), value, "") for value in schema["enum"]]
    if schema.get("type") == "boolean":
        return [("yes", True, ""), ("no", False, "")]
    return [
        (str(choice.get("title") or choice["const"]), choice["const"], str(choice.get("description") or ""))
        for choice in _dicts(schema.get("oneOf") or schema.get("anyOf"))
        if "const" in choice
    ]


def _const(schema: Mapping[str, Any], label: str) -> Any:
    return next((value for known, value, _ in _choices(schema) if known == label), label)


def _typed(text: str, type: object) -> Any:
    """A number where the form wants one and the words are one."""
    if type in ("number", "integer"):
        try:
            return int(text) if type == "integer" else float(text)
        except ValueError:
            return text
    return text


def _cursor_question(field: Mapping[str, Any]) -> Question:
    return Question(
        text=str(field.get("prompt") or field.get("question") or "A question"),
        options=tuple(str(option.get("label")) for option in _dicts(field.get("options"))),
        is_multiple=bool(field.get("allowMultiple")),
    )


def _is_plan(call: Mapping[str, Any]) -> bool:
    named = (str(call.get("toolCallId") or ""), str(call.get("name") or ""))
    return call.get("kind") == "switch_mode" or any(name.startswith(PLANS) for name in named)


def _plan_text(call: Mapping[str, Any]) -> str:
    given = call.get("rawInput")
    plan = given.get("plan") if isinstance(given, dict) else None
    return plan if isinstance(plan, str) and plan else "\n".join(_texts(call))


def _describe(call: Mapping[str, Any]) -> tuple[str, bool]:
    """Everything a person has to see before saying yes, and whether it is everything."""
    parts = [part for part in _dicts(call.get("content")) if part.get("type") == "diff"]
    given = call.get("rawInput")
    shown = _texts(call)
    rest = given
    if isinstance(given, dict) and isinstance(given.get("command"), str):
        shown = [f"```\n{given['command']}\n```", *shown]
        rest = {name: value for name, value in given.items() if name not in ("command", "description")}
    elif isinstance(given, dict) and parts:  # its texts are what the changes show; what it says beside them is not
        rest = {name: value for name, value in given.items() if isinstance(value, bool | int | float)}
    if rest:
        shown.append(f"```json\n{json.dumps(rest, ensure_ascii=False, indent=1, default=str)}\n```")
    changes = [
        show_change(str(part.get("path")), *map(_string, (part.get("oldText"), part.get("newText")))) for part in parts
    ]
    return "\n\n".join((*shown, *(change for change, _ in changes))), all(is_all for _, is_all in changes)


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _beyond(text: str) -> str:
    return digest_of(text) if len(text) > BODY_CHARS else ""


def _texts(call: Mapping[str, Any]) -> list[str]:
    contents = [part.get("content") for part in _dicts(call.get("content"))]
    return [content["text"] for content in contents if isinstance(content, dict) and content.get("text")]


def _dicts(given: object) -> Sequence[dict[str, Any]]:
    return [part for part in given if isinstance(part, dict)] if isinstance(given, list) else []


def _clip(text: str) -> str:
    if len(text) <= BODY_CHARS:
        return text
    return f"{text[:BODY_CHARS]}\n[… {len(text) - BODY_CHARS:,} characters more; the run's events have them]"


def _key(word: str, id: Id) -> str:
    """Ids of the agent's requests are numbers or texts, and 1 is not "1"."""
    return f"{word}-{msgspec.json.encode(id).decode()}"
