"""What Codex asks people: its requests → cards, people's answers → its results. Pure.

A refusal has no words of its own there; they follow as a steer of the running turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from pal_daemon.runtimes.base import Answer, Ask, Question, Withdrawn, name_answer
from pal_daemon.runtimes.capping import cap_text, digest_of
from pal_daemon.runtimes.jsonrpc import Id, Request, render_result
from pal_daemon.runtimes.profile import Mode
from pal_daemon.runtimes.questions import read_answers, render_questions

BODY_CHARS = 40_000  # of a card; the server takes 50,000
OUTSIDE = "Once allowed, it runs outside of the sandbox."
ONCE, ALWAYS, REFUSE = "Allow once", "Allow for this session", "Refuse"
APPROVALS = {
    "item/commandExecution/requestApproval": "command",
    "item/fileChange/requestApproval": "files",
    "mcpServer/elicitation/request": "mcp",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    key: str
    id: Id
    shape: Literal["command", "files", "mcp", "questions"]
    item: str = ""
    always: object = "acceptForSession"  # the decision that holds for more than this once
    questions: tuple[Question, ...] = ()
    names: tuple[str, ...] = ()  # of the questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A request that needs no person."""

    line: bytes
    word: Literal["allowed", "refused", "declined"]


class Asks:
    """The open requests of one run."""

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self._open: dict[str, Pending] = {}
        self._answered: dict[str, Pending] = {}  # an answer may be asked for once more; it is written once

    def take(self, request: Request, *, shown: str) -> Ask | Ruled | None:
        """A card, or the result at once; None when this is no question we know. `shown` is what its item does."""
        if request.method == "item/tool/requestUserInput":
            return self._take_questions(request)
        if request.method == "item/permissions/requestApproval":
            return Ruled(line=render_result(request.id, {"permissions": {}}), word="refused")
        shape = APPROVALS.get(request.method)
        if shape is None:
            return None
        if shape == "mcp" and _meta(request).get("codex_approval_kind") != "mcp_tool_call":
            return Ruled(line=render_result(request.id, {"action": "decline"}), word="declined")
        return self._take_approval(request, shape, shown)

    def answer(self, answer: Answer) -> bytes | None:
        """The result of that request; None when nothing of this key waits or waited for it."""
        pending = self._open.get(answer.key) or self._answered.get(answer.key)
        return None if pending is None else render_result(pending.id, _result(pending, answer))

    def decided(self, name: str) -> Pending | None:
        """Take note of an input record: an answer was written. Its request is open no more."""
        for key, pending in self._open.items():
            if any(name in _names(key, decision) for decision in ("approve", "deny", None)):
                self._answered[key] = self._open.pop(key)
                return pending
        return None

    def resolved(self, id: Id) -> list[Withdrawn]:
        """Codex no longer waits for this; nobody answered it."""
        gone = [key for key, pending in self._open.items() if pending.id == id and type(pending.id) is type(id)]
        for key in gone:
            del self._open[key]
        return [Withdrawn(key=key) for key in gone]

    def withdraw_all(self) -> list[Withdrawn]:
        gone = [Withdrawn(key=key) for key in self._open]
        self._open.clear()
        return gone

    def _take_approval(self, request: Request, shape: str, shown: str) -> Ask | Ruled:
        params = request.params
        if self.mode is Mode.BYPASS or (self.mode is Mode.ACCEPT_EDITS and shape == "files"):
            return Ruled(line=render_result(request.id, _decision(shape, "accept")), word="allowed")
        if self.mode.is_locked:
            return Ruled(line=render_result(request.id, _decision(shape, "decline")), word="refused")
        offered = [word for word in params.get("availableDecisions") or () if isinstance(word, dict)]
        pending = Pending(
            key=_key("approval", request.id),
            id=request.id,
            shape=shape,  # type: ignore[arg-type]  # a value of APPROVALS
            item=str(params.get("itemId") or ""),
            always=offered[0] if offered else "acceptForSession",
        )
        self._open[pending.key] = pending
        why = str(params.get("reason") or params.get("message") or "")
        where = f"in {params['cwd']}" if params.get("cwd") else ""
        body = "\n\n".join(part for part in (why, shown, where, OUTSIDE if shape == "command" else "") if part)
        title = {"command": "Run a command", "files": "Change files", "mcp": "Use a tool"}[shape]
        first = next((line for line in shown.splitlines() if line.strip(" `")), "")
        return Ask(
            key=pending.key,
            kind="approval",
            title=f"{title}: {first}" if first and shape == "command" else title,
            body=cap_text(body, limit=BODY_CHARS),
            options=(ONCE, ALWAYS, REFUSE) if shape != "mcp" else (ONCE, REFUSE),
            whole=digest_of(body) if len(body) > BODY_CHARS else "",
        )

    def _take_questions(self, request: Request) -> Ask | Ruled:
        given = request.params.get("questions")
        asked = [part for part in given if isinstance(part, dict)] if isinstance(given, list) else []
        if not asked:
            return Ruled(line=render_result(request.id, {"answers": {}}), word="declined")
        pending = Pending(
            key=_key("question", request.id),
            id=request.id,
            shape="questions",
            questions=tuple(_question(part) for part in asked),
            names=tuple(str(part.get("id", "")) for part in asked),
        )
        self._open[pending.key] = pending
        return render_questions(pending.key, pending.questions)


def _result(pending: Pending, answer: Answer) -> dict[str, Any]:
    if pending.shape == "questions":
        given = read_answers(pending.questions, answer)
        return {
            "answers": {
                name: {"answers": [*part.chosen, *([part.text] if part.text else [])]}
                for name, part in zip(pending.names, given, strict=True)
            }
        }
    if answer.decision != "approve":
        return _decision(pending.shape, "decline")
    is_lasting = (answer.answer or "").strip().casefold() in ("always", ALWAYS.casefold())
    return _decision(pending.shape, pending.always if is_lasting else "accept")


def _decision(shape: str, word: object) -> dict[str, Any]:
    if shape == "mcp":
        return {"action": "decline"} if word == "decline" else {"action": "accept", "content": {}}
    return {"decision": word}


def _question(part: Mapping[str, Any]) -> Question:
    options = [option for option in part.get("options") or () if isinstance(option, dict)]
    return Question(
        text=str(part.get("question") or part.get("header") or "A question"),
        header=str(part.get("header") or ""),
        options=tuple(str(option.get("label", "")) for option in options),
        descriptions=tuple(str(option.get("description") or "") for option in options),
        is_free=not options or part.get("isOther") is True,
    )


def _names(key: str, decision: str | None) -> tuple[str, str]:
    return name_answer(key, decision=decision), name_answer(key, decision=decision, has_words=True)


def _meta(request: Request) -> Mapping[str, Any]:
    meta = request.params.get("_meta")
    return meta if isinstance(meta, dict) else {}


def _key(word: str, id: Id) -> str:
    """Ids of its requests are numbers from 0 or texts, and 1 is not "1"."""
    return f"{word}-{msgspec.json.encode(id).decode()}"
