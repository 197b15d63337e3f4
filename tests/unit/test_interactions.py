"""Answers: once, to exactly what was shown."""

from dataclasses import replace
from typing import Any

import pytest

from pal_server.domain.interactions import Interaction, Kind, Status, answer, fingerprint
from pal_server.errors import Conflict, Invalid

SHOWN: dict[str, Any] = {"run_id": 1, "key": "k", "kind": Kind.APPROVAL, "title": "t", "body": "b", "options": ("o",)}


def asked(kind: Kind = Kind.APPROVAL, **changes: Any) -> Interaction:
    plain = Interaction(
        id=1,
        workspace_id="w",
        room_id="room_1",
        topic_id=1,
        run_id=1,
        chain_id=None,
        key="k",
        agent="bot",
        kind=kind,
        status=Status.PENDING,
        title="t",
        body="b",
        options=(),
        hash="h",
        held=(),
        answer=None,
        answered_by=None,
        message_id=None,
        created_at=0,
        answered_at=None,
    )
    return replace(plain, **changes)


def given(**what: Any) -> dict[str, Any]:
    return {"text": None, "decision": None, "reason": None, "shown_hash": None, **what}


@pytest.mark.parametrize("field", sorted(SHOWN))
def test_the_hash_is_of_everything_shown(field: str) -> None:
    other = {"run_id": 2, "key": "K", "kind": Kind.PLAN, "title": "t ", "body": "", "options": ()}[field]

    assert fingerprint(**SHOWN) != fingerprint(**{**SHOWN, field: other})
    assert fingerprint(**SHOWN) == fingerprint(**SHOWN)


def test_pieces_cannot_be_moved_between_fields() -> None:
    assert fingerprint(**{**SHOWN, "title": "ab", "body": "c"}) != fingerprint(**{**SHOWN, "title": "a", "body": "bc"})


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
def test_only_what_waits_is_answered(status: Status) -> None:
    with pytest.raises(Conflict):
        answer(asked(status=status), **given(decision="approve"))


def test_an_answer_to_something_else_is_refused() -> None:
    with pytest.raises(Conflict):
        answer(asked(), **given(decision="approve", shown_hash="H"))
    assert answer(asked(), **given(decision="approve", shown_hash="h")) == {"decision": "approve"}


def test_an_approval_is_yes_or_no_with_a_reason() -> None:
    assert answer(asked(), **given(decision="deny", reason="no", text="later")) == {
        "decision": "deny",
        "reason": "no",
        "answer": "later",
    }
    for wrong in ({}, {"text": "approve"}, {"decision": "perhaps"}):
        with pytest.raises(Invalid):
            answer(asked(Kind.PLAN), **given(**wrong))


def test_a_question_takes_words_or_one_of_its_options() -> None:
    free, closed = asked(Kind.QUESTION), asked(Kind.QUESTION, options=("red", "blue"))

    assert answer(free, **given(text="anything")) == {"answer": "anything"}
    assert answer(closed, **given(decision="red")) == {"answer": "red"}
    for question, text in ((free, " "), (closed, "green"), (closed, None)):
        with pytest.raises(Invalid):
            answer(question, **given(text=text))
