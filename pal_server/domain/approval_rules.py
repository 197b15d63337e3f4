"""Standing approvals: what a person decided once for all requests of exactly this content."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pal_server.errors import Invalid

from .interactions import Interaction, Kind


class Scope(StrEnum):
    """Whom a decision is for, beside the request it answers."""

    ONCE = "once"  # this request alone; no rule
    TOPIC = "topic"  # the same agent in the same topic
    AGENT = "agent"  # the same agent everywhere; an admin's to give
    PROJECT = "project"  # every agent in the rooms of the same project; in a room of none, in that room


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    id: int
    workspace_id: str
    scope: Scope
    room_id: str
    project_id: str | None
    topic_id: int | None
    agent: str | None
    decision: str
    reason: str | None
    title: str
    body: str
    action_hash: str
    interaction_id: int  # the request whose answer made it
    made_by: str
    created_at: int
    used: int
    used_at: int | None
    revoked_at: int | None
    people: int = 1  # who made it together

    def fact(self) -> dict[str, Any]:
        """The rule as others see it."""
        return {
            "id": self.id,
            "scope": self.scope,
            "room": self.room_id,
            "project": self.project_id,
            "topic": self.topic_id,
            "agent": self.agent,
            "decision": self.decision,
            "reason": self.reason,
            "title": self.title,
            "body": self.body,
            "hash": self.action_hash,
            "interaction": self.interaction_id,
            "made_by": self.made_by,
            "created_at": self.created_at,
            "used": self.used,
            "used_at": self.used_at,
            "revoked_at": self.revoked_at,
            "people": self.people,
        }

    def is_for(self, asked: Interaction, *, project_id: str | None) -> bool:
        """Whether it decides this request of a room of that project. One byte more or less in what is shown, and it
        does not.
        """
        if self.revoked_at is not None or asked.kind is not Kind.APPROVAL or self.action_hash != action_hash(asked):
            return False
        if self.decision == "approve" and self.people < asked.needs:
            return False
        match self.scope:
            case Scope.TOPIC:
                return (self.topic_id, self.agent) == (asked.topic_id, asked.agent)
            case Scope.AGENT:
                return self.agent == asked.agent
            case Scope.PROJECT:
                return self.project_id == project_id if self.project_id else self.room_id == asked.room_id
            case _:
                return False


def action_hash(asked: Interaction) -> str:
    """SHA-256 (hex) of what is asked, whichever run asks: title, body, options and folder, byte by byte."""
    shown = [asked.kind, asked.title, asked.body, asked.options, *([asked.folder] if asked.folder else [])]
    return hashlib.sha256(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def parse_scope(scope: str, *, asked: Interaction, is_own: bool = False) -> Scope:
    """How far a decision reaches, or `Invalid`.

    Only approvals that a run's program asks for repeat; what an agent asks by itself (`is_own`) can be any words.
    """
    try:
        found = Scope(scope)
    except ValueError:
        raise Invalid(f"scope is one of {', '.join(Scope)}", field="scope", value=scope[:64]) from None
    repeats = asked.kind is Kind.APPROVAL and asked.run_id is not None and asked.agent is not None and not is_own
    if found is not Scope.ONCE and not repeats:
        raise Invalid("only an approval that a run's program asks for can be given for more than once", field="scope")
    return found


def shared_scope(scopes: Sequence[str]) -> Scope:
    """How far a decision of several people reaches: as far as all of them said, else once."""
    return Scope(scopes[0]) if len(set(scopes)) == 1 else Scope.ONCE


def choose(rules: list[ApprovalRule], *, asked: Interaction, project_id: str | None) -> ApprovalRule | None:
    """The rule that decides: a denial before an approval, then the newest."""
    fitting = [rule for rule in rules if rule.is_for(asked, project_id=project_id)]
    return max(fitting, key=lambda rule: (rule.decision == "deny", rule.id), default=None)
