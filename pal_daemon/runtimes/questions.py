"""Several questions on one card: how they are shown, and how one text answers all of them.

One question is answered by its text. Several are answered line by line, in their order or by number (`2: Blue`).
Several options of one question are divided by commas. What is none of the options counts as free text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pal_daemon.runtimes.base import Ask

NUMBERED = re.compile(r"\s*(\d{1,2})\s*[:.)]\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    text: str
    header: str = ""
    options: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()  # of the options, in their order; may be fewer
    is_multiple: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer to one question: the options chosen, as they are written, and what else was said."""

    chosen: tuple[str, ...] = ()
    text: str = ""


def render_questions(key: str, questions: Sequence[Question]) -> Ask:
    """The card. It offers options only where one of them is a whole answer: then nothing else is one."""
    if len(questions) == 1:
        (question,) = questions
        options = () if question.is_multiple else question.options
        body = _options(question)
        return Ask(key=key, kind="question", title=question.text, body=body, options=options)
    parts = [f"{number}. {question.text}\n{_options(question)}".strip() for number, question in enumerate(questions, 1)]
    title = f"{len(questions)} questions: " + ", ".join(question.header or question.text for question in questions)
    body = "\n\n".join(parts) + "\n\nAnswer with one line for each question."
    return Ask(key=key, kind="question", title=title, body=body)


def parse_answer(questions: Sequence[Question], text: str) -> list[Given]:
    """One answer for each question, empty where nothing was said."""
    if len(questions) == 1:
        return [_given(questions[0], text)]
    said = [""] * len(questions)
    lines = [line for line in text.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        found = NUMBERED.fullmatch(line)
        number = int(found[1]) - 1 if found else place
        if found and 0 <= number < len(said):
            said[number] = found[2]
        elif place < len(said):
            said[place] = line
        else:
            said[-1] += f"\n{line}"
    return [_given(question, part) for question, part in zip(questions, said, strict=True)]


def _given(question: Question, text: str) -> Given:
    text = text.strip()
    known = {option.casefold(): option for option in question.options}
    if text.casefold() in known:
        return Given(chosen=(known[text.casefold()],))
    if not question.is_multiple:
        return Given(text=text)
    words = [word.strip() for word in text.split(",") if word.strip()]
    chosen = tuple(known[word.casefold()] for word in words if word.casefold() in known)
    return Given(chosen=chosen, text=", ".join(word for word in words if word.casefold() not in known))


def _options(question: Question) -> str:
    lines = []
    for place, option in enumerate(question.options):
        description = question.descriptions[place] if place < len(question.descriptions) else ""
        lines.append(f"- {option}: {description}" if description else f"- {option}")
    if question.options and question.is_multiple:
        lines.append("Several may be chosen, divided by commas.")
    return "\n".join(lines)
