"""Approvals and questions: durable, bound to exactly what was shown, answered once; silence is no."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

DECISIONS = ("approve", "deny")


class Kind(StrEnum):
    APPROVAL = "approval"  # yes or no to one exact thing
    QUESTION = "question"  # words, or one of the options
    PLAN = "plan"  # yes or no to a text


class Status(StrEnum):
    PENDING = "pending"  # waits for a person
    ANSWERED = "answered"  # a person answered; the program has not got it yet
    APPLIED = "applied"  # the program has the answer
    EXPIRED = "expired"  # the run ended before the program was known to have an answer
    CANCELLED = "cancelled"  # the program withdrew it


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    id: int
    workspace_id: str
    room_id: str
    topic_id: int
    run_id: int | None
    chain_id: int | None
    key: str
    agent: str | None
    kind: Kind
    status: Status
    title: str
    body: str
    options: tuple[str, ...]
    hash: str
    held: tuple[int, ...]  # messages of a chain that wait for the answer
    answer: dict[str, Any] | None
    answered_by: str | None
    message_id: int | None
    created_at: int
    answered_at: int | None
    deny_at: int | None = None  # UTC milliseconds; when nobody has answered by then it counts as denied

    def fact(self) -> dict[str, Any]:
        """The interaction as others see it."""
        return {
            "id": self.id,
            "run": self.run_id,
            "topic": self.topic_id,
            "room": self.room_id,
            "agent": self.agent,
            "kind": self.kind,
            "status": self.status,
            "title": self.title,
            "body": self.body,
            "options": list(self.options),
            "hash": self.hash,
            "answer": self.answer,
            "answered_by": self.answered_by,
            "message": self.message_id,
            "created_at": self.created_at,
            "answered_at": self.answered_at,
            "deny_at": self.deny_at,
        }


def fingerprint(*, run_id: int | None, key: str, kind: Kind, title: str, body: str, options: tuple[str, ...]) -> str:
    """SHA-256 (hex) of exactly what is shown and of the run it is for."""
    shown = json.dumps([run_id, key, kind, title, body, options], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(shown.encode()).hexdigest()


def answer(
    i: Interaction, *, text: str | None, decision: str | None, reason: str | None, shown_hash: str | None
) -> dict[str, Any]:
    """The answer to keep, or why it cannot be one. The first wins; a later one is a `Conflict`."""
    if i.status is not Status.PENDING:
        raise Conflict(f"it is already {i.status}", interaction=i.id, status=i.status, answered_by=i.answered_by)
    if shown_hash is not None and shown_hash != i.hash:
        raise Conflict("this answers something else than what is asked now: look again", interaction=i.id)
    if i.kind is Kind.QUESTION:
        return _answer_question(i, text=text, decision=decision)
    if decision not in DECISIONS:
        raise Invalid("decision is approve or deny", field="decision", value=decision)
    return {"decision": decision, **({"reason": reason} if reason else {}), **({"answer": text} if text else {})}


def _answer_question(i: Interaction, *, text: str | None, decision: str | None) -> dict[str, Any]:
    if text is None and decision is not None:
        text = decision
    if text is None or not text.strip():
        raise Invalid("answer is missing", field="answer")
    if i.options and text not in i.options:
        raise Invalid(f"answer is one of: {', '.join(i.options)}", field="answer", options=list(i.options))
    return {"answer": text}
