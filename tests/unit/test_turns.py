"""What changed from one turn to the next, and a program's word that its conversation is lost."""

from typing import Any

import pytest

from pal_server.domain.turns import Lost, Turn, changes, freeze_turn, lost_in, thaw_turn

SMALL = {"runtime": "codex", "model": "small", "effort": None, "mode": "ask"}


def turn(**other: Any) -> Turn:
    return Turn(**{**SMALL, **other})


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({}, None),
        ({"is_afresh": True}, None),
        ({"model": "large"}, "model large (before: small)"),
        ({"model": None}, "model what its program chooses (before: small)"),
        ({"effort": "high", "mode": "plan"}, "effort high (before: what its program chooses), mode plan (before: ask)"),
        ({"runtime": "gemini"}, "runtime gemini (before: codex)"),
    ],
)
def test_what_is_other_is_said_with_what_it_was(now: dict[str, Any], said: str | None) -> None:
    assert changes(turn(), turn(**now)) == said


def test_a_turn_is_kept_as_it_is() -> None:
    assert thaw_turn(freeze_turn(turn(is_afresh=True))) == turn(is_afresh=True)


def event(seq: int, **data: Any) -> dict[str, Any]:
    return {"seq": seq, "kind": "status", "data": data}


def test_the_word_is_heard_once_and_in_one_line() -> None:
    events = [event(1, state="session"), event(2, state="afresh", reason="gone\nfor good", recap=True)]

    assert lost_in(events) == Lost(reason="gone for good", is_told=True)
    assert lost_in(events[:1]) is None


@pytest.mark.parametrize("odd", [{"recap": "yes"}, {"recap": None, "reason": 3}, {"reason": None}])
def test_a_word_of_another_shape_tells_no_more_than_it_says(odd: dict[str, Any]) -> None:
    lost = lost_in([event(1, state="afresh", **odd)])

    assert lost is not None
    assert not lost.is_told
