"""IX-4: what a card with several questions takes as an answer, structured or as one text."""

import pytest

from pal_server.domain.questions import (
    Given,
    Option,
    Question,
    check_answers,
    check_questions,
    describe_answers,
    read_answers,
)
from pal_server.errors import Invalid

COLOUR = Question(
    text="Which colour?", header="Colour", options=(Option(label="Blue"), Option(label="Red")), free=False
)
PARTS = Question(text="Which parts?", options=(Option(label="api"), Option(label="web")), multiple=True)
WHY = Question(text="Why?")


@pytest.mark.parametrize(
    "given",
    [
        (Given(chosen=("Blue",)), Given(chosen=("api", "web"), text="and the docs"), Given(text="because")),
        (Given(chosen=("Red",)), Given(text="none of them"), Given(text="because")),
    ],
)
def test_what_is_offered_is_an_answer(given: tuple[Given, ...]) -> None:
    check_answers((COLOUR, PARTS, WHY), given)


@pytest.mark.parametrize(
    ("question", "given"),
    [
        (COLOUR, Given(chosen=("Green",))),
        (COLOUR, Given(chosen=("Blue", "Red"))),
        (COLOUR, Given(chosen=("blue",))),
        (COLOUR, Given(text="Blue")),
        (COLOUR, Given()),
        (PARTS, Given(chosen=("api", "api"))),
        (PARTS, Given(chosen=("cli",))),
        (WHY, Given(text=" ")),
        (WHY, Given(chosen=("x",))),
        (WHY, Given(text="x" * 5_001)),
    ],
)
def test_what_is_not_offered_is_refused(question: Question, given: Given) -> None:
    with pytest.raises(Invalid):
        check_answers((question,), (given,))


@pytest.mark.parametrize("count", [0, 2])
def test_each_question_has_its_answer(count: int) -> None:
    with pytest.raises(Invalid):
        check_answers((WHY,), (Given(text="x"),) * count)


@pytest.mark.parametrize(
    "questions",
    [
        (Question(text=" "),),
        (Question(text="x", options=(Option(label=""),)),),
        (Question(text="x", options=(Option(label="a"), Option(label="a"))),),
        (Question(text="x", free=False),),
        (Question(text="x", options=(Option(label="a", preview="p" * 20_001),)),),
        (WHY,) * 21,
        (Question(text="x", options=tuple(Option(label=str(n), preview="p" * 20_000) for n in range(11))),),
    ],
)
def test_what_cannot_be_shown_or_answered_is_refused(questions: tuple[Question, ...]) -> None:
    with pytest.raises(Invalid):
        check_questions(questions)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("blue\napi, web\nbecause", (Given(chosen=("Blue",)), Given(chosen=("api", "web")), Given(text="because"))),
        ("2: web, docs\n1) Red", (Given(chosen=("Red",)), Given(chosen=("web",), text="docs"), Given())),
        (
            "Red\napi\nbecause\nof this",
            (Given(chosen=("Red",)), Given(chosen=("api",)), Given(text="because\nof this")),
        ),
    ],
)
def test_one_text_answers_all(text: str, given: tuple[Given, ...]) -> None:
    assert read_answers((COLOUR, PARTS, WHY), text) == list(given)


def test_one_question_is_answered_by_the_whole_text() -> None:
    assert read_answers((WHY,), "one\n2: two") == [Given(text="one\n2: two")]


def test_answers_read_as_lines() -> None:
    given = (Given(chosen=("Blue",)), Given(chosen=("api",), text="docs"))

    assert describe_answers((COLOUR, PARTS), given) == "Colour: Blue\nWhich parts?: api, docs"
