"""Answers to several questions reach the program as people chose them, whatever is in the words."""

import pytest

from pal_daemon.runtimes.base import Answer, Given, Question
from pal_daemon.runtimes.claude_code import control
from pal_daemon.runtimes.questions import read_answers, render_questions

SIZES = Question(text="Which sizes?", options=("small, cheap", "large"), is_multiple=True)
LONG = Question(text="Which one?", options=("x" * 400, "y" * 400))


def answer(*given: Given, text: str | None = None) -> Answer:
    return Answer(key="k", kind="question", answer=text, answers=given)


def test_a_comma_in_an_option_divides_nothing_when_it_was_chosen() -> None:
    given = Given(chosen=("small, cheap", "large"), text="soon")

    assert read_answers([SIZES], answer(given, text="small, cheap, large, soon")) == [given]


def test_an_option_that_was_shown_cut_is_the_programs_own_again() -> None:
    assert read_answers([LONG], answer(Given(chosen=("y" * 300,)))) == [Given(chosen=("y" * 400,))]


@pytest.mark.parametrize("count", [0, 2])
def test_without_an_answer_for_each_the_text_counts(count: int) -> None:
    given = answer(*[Given(text="x")] * count, text="large")

    assert read_answers([SIZES], given) == [Given(chosen=("large",))]


def test_the_card_has_all_there_is_to_answer() -> None:
    ask = render_questions("k", [SIZES, LONG])

    assert ask.questions == (SIZES, LONG)


def test_claude_code_gets_them_by_question() -> None:
    asked = {
        "questions": [
            {
                "question": "Which sizes?",
                "multiSelect": True,
                "options": [{"label": "a", "preview": "+-+"}, {"label": "b"}],
            }
        ]
    }

    (question,) = control.read_questions(asked)
    sent = control.render_answers("r", asked, answer(Given(chosen=("a", "b"), text="and c")))

    assert question.previews == ("+-+", "")
    assert b'"answers":{"Which sizes?":"a, b, and c"}' in sent
