"""Approvals and questions: durable, bound to exactly what was shown, answered once; silence is no."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pal_server.errors import Conflict, Invalid

from .questions import Given, Question, check_answers, describe_answers, read_answers

DECISIONS = ("approve", "deny")
SUGGEST_AFTER = 3  # equal approvals by people in a row
LOOK_BACK = 10  # answers to the same request that are looked at


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
class Approval:
    """One person's yes. `key` is of the credential: nobody counts twice, by whatever name."""

    by: str
    key: str
    at: int
    answer: dict[str, Any]
    scope: str  # how far this one wants it to reach

    def fact(self) -> dict[str, Any]:
        return {"by": self.by, "at": self.at}


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
    folder: str = ""  # where it would be done, on its computer
    needs: int = 1  # people who have to approve
    approvals: tuple[Approval, ...] = ()
    suggestion: dict[str, Any] | None = None  # a rule that history suggests: scope, times
    version: int | None = None  # of a plan: which of its run, from 1
    questions: tuple[Question, ...] = ()  # of a card with more than a line to answer
    decision_id: int | None = None  # what the answer settles, when it is a project's decision

    @property
    def is_by_people(self) -> bool:
        """Whether people approved it, and not a rule."""
        return bool(self.approvals) and self.answer is not None and self.answer.get("decision") == "approve"

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
            "folder": self.folder,
            "needs": self.needs,
            "approvals": [approval.fact() for approval in self.approvals],
            "suggestion": self.suggestion,
            "version": self.version,
            "questions": [question.fact() for question in self.questions],
            "decision": self.decision_id,
        }


def fingerprint(
    *,
    run_id: int | None,
    key: str,
    kind: Kind,
    title: str,
    body: str,
    options: tuple[str, ...],
    folder: str = "",
    questions: tuple[Question, ...] = (),
) -> str:
    """SHA-256 (hex) of exactly what is shown, of the run it is for, and of the folder it would be done in."""
    shown: list[Any] = [run_id, key, kind, title, body, options, *([folder] if folder else [])]
    if questions:
        shown.append([question.fact() for question in questions])
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def answer(
    i: Interaction,
    *,
    text: str | None,
    decision: str | None,
    reason: str | None,
    shown_hash: str | None,
    given: Sequence[Given] | None = None,
) -> dict[str, Any]:
    """The answer to keep, or why it cannot be one. The first wins; a later one is a `Conflict`."""
    if i.status is not Status.PENDING:
        raise Conflict(f"it is already {i.status}", interaction=i.id, status=i.status, answered_by=i.answered_by)
    if shown_hash is not None and shown_hash != i.hash:
        raise Conflict("this answers something else than what is asked now: look again", interaction=i.id)
    if given is not None and not i.questions:
        raise Invalid("answers are for a card with questions: this one takes answer or decision", field="answers")
    if i.questions:
        return _answer_questions(i, text=text, given=given)
    if i.kind is Kind.QUESTION:
        return _answer_question(i, text=text, decision=decision)
    if decision not in DECISIONS:
        raise Invalid("decision is approve or deny", field="decision", value=decision)
    return {"decision": decision, **({"reason": reason} if reason else {}), **({"answer": text} if text else {})}


def approve(
    i: Interaction, *, given: Mapping[str, Any], by: str, key: str, scope: str, now: int
) -> tuple[Interaction, dict[str, Any] | None]:
    """Count one person's approval in; the answer once enough people gave it, None while others are needed.

    All of them approve the same: another text of a plan than an earlier one's is a `Conflict`.
    """
    if any(earlier.key == key for earlier in i.approvals):
        raise Conflict("you have approved it already: it needs somebody else too", interaction=i.id, needs=i.needs)
    text = i.approvals[0].answer.get("answer") if i.approvals else given.get("answer")
    if given.get("answer") not in (None, text):
        raise Conflict("another text was approved before: approve that one, or deny it", interaction=i.id)
    answer = {**given, **({"answer": text} if text else {})}
    counted = replace(i, approvals=(*i.approvals, Approval(by=by, key=key, at=now, answer=answer, scope=scope)))
    return counted, answer if len(counted.approvals) >= i.needs else None


def suggest(i: Interaction, *, earlier: Sequence[Interaction]) -> dict[str, Any] | None:
    """The rule that history suggests for a request: people have approved the same some times in a row.

    `earlier` are answers to the same request in its room, newest first. Topic before room: the narrower one.
    """
    here = [one for one in earlier if (one.topic_id, one.agent) == (i.topic_id, i.agent)]
    for scope, answers in (("topic", here), ("project", earlier)):
        row = 0
        for one in answers:
            if one.answer is not None and one.answer.get("decision") == "deny":
                break
            row += one.is_by_people
        if row >= SUGGEST_AFTER:
            return {"scope": scope, "times": row}
    return None


def _answer_questions(i: Interaction, *, text: str | None, given: Sequence[Given] | None) -> dict[str, Any]:
    if given is None:
        if text is None or not text.strip():
            raise Invalid("answers is missing", field="answers")
        given = read_answers(i.questions, text)
    check_answers(i.questions, given)
    return {"answer": describe_answers(i.questions, given), "answers": [one.fact() for one in given]}


def _answer_question(i: Interaction, *, text: str | None, decision: str | None) -> dict[str, Any]:
    if text is None and decision is not None:
        text = decision
    if text is None or not text.strip():
        raise Invalid("answer is missing", field="answer")
    if i.options and text not in i.options:
        raise Invalid(f"answer is one of: {', '.join(i.options)}", field="answer", options=list(i.options))
    return {"answer": text}
