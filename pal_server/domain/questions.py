"""Several questions on one card: what may be asked, and what answers them.

An answer is structured, or one text: one line for each question, in their order or by number (`2: Blue`), several
options of one question divided by commas. What is none of the options is free text, where a question takes that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pal_server.errors import Invalid

QUESTIONS_LIMIT = 20
OPTIONS_LIMIT = 50  # of one question
LABEL_LIMIT = 300  # characters
TEXT_LIMIT = 5_000  # characters of a question, of a description, and of an answer in free words
PREVIEW_LIMIT = 20_000  # characters
ALL_LIMIT = 200_000  # characters of all of it

_NUMBERED = re.compile(r"\s*(\d{1,2})\s*[:.)]\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    label: str
    description: str = ""
    preview: str = ""  # what it would look like: code, a diagram, a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    text: str
    header: str = ""
    options: tuple[Option, ...] = ()
    multiple: bool = False  # several of its options may be chosen
    free: bool = True  # words of one's own are an answer too

    def fact(self) -> dict[str, Any]:
        options = [{"label": o.label, "description": o.description, "preview": o.preview} for o in self.options]
        return {
            "text": self.text,
            "header": self.header,
            "options": options,
            "multiple": self.multiple,
            "free": self.free,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer to one question: labels of its options, as they are written, and words beside them."""

    chosen: tuple[str, ...] = ()
    text: str = ""

    def fact(self) -> dict[str, Any]:
        return {"chosen": list(self.chosen), "text": self.text}


def load_questions(told: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Questions from their facts, or from what a program says."""
    return tuple(
        Question(
            text=one["text"],
            header=one.get("header", ""),
            options=tuple(Option(**option) for option in one.get("options", ())),
            multiple=one.get("multiple", False),
            free=one.get("free", True),
        )
        for one in told
    )


def check_questions(questions: Sequence[Question]) -> None:
    """Raise `Invalid` unless all of them can be shown and answered."""
    if len(questions) > QUESTIONS_LIMIT:
        raise Invalid(f"a card has at most {QUESTIONS_LIMIT} questions", field="questions", limit=QUESTIONS_LIMIT)
    size = 0
    for number, question in enumerate(questions):
        where = f"questions[{number}]"
        labels = [option.label for option in question.options]
        texts = [question.text, question.header, *(option.description for option in question.options)]
        size += sum(map(len, (*texts, *labels, *(option.preview for option in question.options))))
        if not question.text.strip() or any(len(text) > TEXT_LIMIT for text in texts):
            raise Invalid(f"{where} has a text, of at most {TEXT_LIMIT} characters", field=where)
        if len(labels) > OPTIONS_LIMIT or not all(1 <= len(label) <= LABEL_LIMIT for label in labels):
            raise Invalid(f"{where} has at most {OPTIONS_LIMIT} options of 1 to {LABEL_LIMIT} characters", field=where)
        if len(set(labels)) != len(labels):
            raise Invalid(f"{where} has an option twice", field=where)
        if any(len(option.preview) > PREVIEW_LIMIT for option in question.options):
            raise Invalid(f"a preview has at most {PREVIEW_LIMIT} characters", field=where, limit=PREVIEW_LIMIT)
        if not labels and not question.free:
            raise Invalid(f"{where} has no options and takes no words: nothing answers it", field=where)
    if size > ALL_LIMIT:
        raise Invalid(f"all questions together have at most {ALL_LIMIT} characters", field="questions", limit=ALL_LIMIT)


def check_answers(questions: Sequence[Question], given: Sequence[Given]) -> None:
    """Raise `Invalid` unless each question is answered by what it offers."""
    if len(given) != len(questions):
        raise Invalid(f"there are {len(questions)} questions: answer each, in order", field="answers")
    for number, (question, answer) in enumerate(zip(questions, given, strict=True)):
        where = f"answers[{number}]"
        labels = [option.label for option in question.options]
        unknown = [label for label in answer.chosen if label not in labels]
        if unknown:
            raise Invalid(f"{where}: {unknown[0]!r} is none of its options", field=where, options=labels)
        if len(set(answer.chosen)) != len(answer.chosen):
            raise Invalid(f"{where} names an option twice", field=where)
        if len(answer.chosen) > 1 and not question.multiple:
            raise Invalid(f"{where}: one of its options can be chosen", field=where, options=labels)
        if answer.text.strip() and not question.free:
            raise Invalid(f"{where} is one of: {', '.join(labels)}", field=where, options=labels)
        if len(answer.text) > TEXT_LIMIT:
            raise Invalid(f"{where} has more than {TEXT_LIMIT} characters", field=where, limit=TEXT_LIMIT)
        if not answer.chosen and not answer.text.strip():
            raise Invalid(f"{where} is missing: {question.text[:80]}", field=where)


def read_answers(questions: Sequence[Question], text: str) -> list[Given]:
    """One text as the answer to all questions; empty where nothing was said."""
    if len(questions) == 1:
        return [_read(questions[0], text)]
    said = [""] * len(questions)
    for place, line in enumerate(line for line in text.splitlines() if line.strip()):
        found = _NUMBERED.fullmatch(line)
        number = int(found[1]) - 1 if found else place
        if found and 0 <= number < len(said):
            said[number] = found[2]
        elif place < len(said):
            said[place] = line
        else:
            said[-1] += f"\n{line}"
    return [_read(question, part) for question, part in zip(questions, said, strict=True)]


def describe_answers(questions: Sequence[Question], given: Sequence[Given]) -> str:
    """The answers in words, a line for each question."""
    lines = [", ".join((*answer.chosen, *([answer.text] if answer.text else []))) for answer in given]
    if len(lines) == 1:
        return lines[0]
    return "\n".join(
        f"{question.header or question.text}: {line}" for question, line in zip(questions, lines, strict=True)
    )


def _read(question: Question, text: str) -> Given:
    text = text.strip()
    known = {option.label.casefold(): option.label for option in question.options}
    if text.casefold() in known:
        return Given(chosen=(known[text.casefold()],))
    if not question.multiple:
        return Given(text=text)
    words = [word.strip() for word in text.split(",") if word.strip()]
    chosen = dict.fromkeys(known[word.casefold()] for word in words if word.casefold() in known)
    return Given(chosen=tuple(chosen), text=", ".join(word for word in words if word.casefold() not in known))
