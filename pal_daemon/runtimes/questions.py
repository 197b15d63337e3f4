"""Several questions on one card: how they are shown, and how one text answers all of them.

One question is answered by its text. Several are answered line by line, in their order or by number (`2: Blue`).
Several options of one question are divided by commas. What is none of the options counts as free text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pal_daemon.runtimes.base import Answer, Ask, Given, Question

NUMBERED = re.compile(r"\s*(\d{1,2})\s*[:.)]\s*(.*)", re.DOTALL)


def render_questions(key: str, questions: Sequence[Question]) -> Ask:
    """The card. `options` are those of which one is a whole answer; `questions` is all there is to answer."""
    if len(questions) == 1:
        (question,) = questions
        options = () if question.is_multiple else question.options
        body = _options(question)
        return Ask(key=key, kind="question", title=question.text, body=body, options=options, questions=(question,))
    parts = [f"{number}. {question.text}\n{_options(question)}".strip() for number, question in enumerate(questions, 1)]
    title = f"{len(questions)} questions: " + ", ".join(question.header or question.text for question in questions)
    body = "\n\n".join(parts) + "\n\nAnswer with one line for each question."
    return Ask(key=key, kind="question", title=title, body=body, questions=tuple(questions))


def read_answers(questions: Sequence[Question], answer: Answer) -> list[Given]:
    """One answer for each question: as a person gave them, or read from one text."""
    if len(answer.answers) == len(questions):
        return [_as_written(question, given) for question, given in zip(questions, answer.answers, strict=True)]
    return parse_answer(questions, answer.answer or "")


def _as_written(question: Question, given: Given) -> Given:
    """With the labels of the program: long ones are shown cut."""
    chosen = [next((label for label in question.options if label.startswith(word)), word) for word in given.chosen]
    exact = [word if word in question.options else label for word, label in zip(given.chosen, chosen, strict=True)]
    return Given(chosen=tuple(exact), text=given.text)


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
