"""What a project tells every run in its rooms: goal, rules and stack, what was decided, and its documents.

All of it was written by others and stands in fences. The order is stable, so that a prompt changes only where its
project did. Each part has a size; what is left out is said, with the command that shows it.
"""

from collections.abc import Sequence

from .decisions import Decision
from .docs import Doc
from .fences import fence, indent, quote
from .projects import Project

DECISIONS_LIMIT = 100  # the newest approved ones
DECISION_CHARACTERS = 1_000  # of each, its reasons with it
DECISIONS_CHARACTERS = 20_000  # of all of them
DOC_CHARACTERS = 8_000  # of each
DOCS_CHARACTERS = 32_000  # of all of them


def brief(project: Project, *, decisions: Sequence[Decision], docs: Sequence[Doc], nonce: str) -> str:
    """The part of a prompt that is the project's; empty when it says nothing.

    `decisions` are approved and newest first, one more than `DECISIONS_LIMIT` when there are more; of their reasons at
    least `DECISION_CHARACTERS` are there. `docs` are by name; of their content `DOC_CHARACTERS` are there as long as
    there is room, of those without room the name alone is used.
    """
    parts = [_project(project, nonce=nonce), _decisions(decisions, nonce=nonce), *_docs(docs, nonce=nonce)]
    return "\n\n".join(part for part in parts if part)


def _project(project: Project, *, nonce: str) -> str:
    lines = []
    if project.goal:
        lines.append(f"Goal: {indent(project.goal)}")
    if project.rules:
        lines.append("\n".join(["Rules:", *(f"- {rule}" for rule in project.rules)]))
    if project.tech_stack:
        lines.append(f"Stack: {', '.join(project.tech_stack)}")
    if not lines:
        return ""
    said = fence("\n".join(lines), kind="project", nonce=nonce)
    return f"The room belongs to the project {quote(project.name)} ({project.key}). What its members set:\n{said}"


def _decisions(decisions: Sequence[Decision], *, nonce: str) -> str:
    if not decisions:
        return ""
    lines: list[str] = []
    left = DECISIONS_CHARACTERS
    for decision in decisions[:DECISIONS_LIMIT]:
        line = _decision(decision)
        if len(line) > left:
            break
        left -= len(line)
        lines.append(line)
    older = " Older ones are left out here: `pal cli decisions list`." if len(lines) < len(decisions) else ""
    said = fence("\n".join(reversed(lines)), kind="decisions", nonce=nonce)
    return f"Decided in this project, approved by people:{older}\n{said}"


def _decision(decision: Decision) -> str:
    text = decision.title if not decision.rationale else f"{decision.title}\n{decision.rationale}"
    if len(text) > DECISION_CHARACTERS:
        text = text[:DECISION_CHARACTERS] + f" [… cut: `pal cli decisions show {decision.code}`]"
    return f"{decision.code}: {indent(text)}"


def _docs(docs: Sequence[Doc], *, nonce: str) -> list[str]:
    parts: list[str] = []
    without_room: list[str] = []
    left = DOCS_CHARACTERS
    for doc in docs:
        text = doc.content[: min(DOC_CHARACTERS, left)]
        if not text:
            without_room.append(quote(doc.name))
            continue
        left -= len(text)
        cut = ""
        if len(text) < doc.size:
            cut = f" Cut: the first {len(text)} of {doc.size} characters; `pal cli docs show {doc.name}` has all of it."
        said = fence(text, kind="doc", nonce=nonce)
        parts.append(f"Context document {quote(doc.name)} of this project.{cut}\n{said}")
    if without_room:
        names = ", ".join(without_room)
        parts.append(f"More context documents, for which there is no room here (`pal cli docs show NAME`): {names}")
    return parts
