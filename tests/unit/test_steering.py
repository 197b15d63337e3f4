"""What run events say of words told to a run, and of limits."""

from typing import Any

import pytest

from pal_server.domain.pausing import Pause, pause_in
from pal_server.domain.steering import Read, reads_in


def event(kind: str = "status", *, seq: int = 1, **data: Any) -> dict[str, Any]:
    return {"kind": kind, "seq": seq, "data": data}


def test_a_read_names_its_command_and_its_step() -> None:
    events = [
        event("message"),
        event(seq=2, state="read", input="steer-7"),
        event(seq=3, state="read", input="steer-8", step=4),
    ]

    assert reads_in(events) == [Read(command=7, seq=2, step=None), Read(command=8, seq=3, step=4)]


@pytest.mark.parametrize(
    "wrong",
    [
        event("message", state="read", input="steer-7"),
        event(state="working", input="steer-7"),
        event(state="read"),
        event(state="read", input=7),
        event(state="read", input="answer-7"),
        event(state="read", input="steer-"),
        event(state="read", input="steer--7"),
        event(state="read", input="steer-٧"),
        event(state="read", input="steer-" + "9" * 30),
    ],
)
def test_other_events_are_none(wrong: dict[str, Any]) -> None:
    assert reads_in([wrong]) == []


def test_a_step_that_is_no_number_is_left_out() -> None:
    assert reads_in([event(state="read", input="steer-7", step="two")])[0].step is None


@pytest.mark.parametrize(
    ("events", "was_paused", "found"),
    [
        ([], True, None),
        ([event("message")], False, None),
        ([event("message")], True, Pause(is_paused=False)),
        ([event("usage")], True, None),
        ([event(state="resumed")], False, None),
        ([event(state="paused", resume_at=5)], False, Pause(is_paused=True, resume_at=5)),
        ([event(state="paused", resume_at=True)], False, Pause(is_paused=True)),
        ([event(state="paused", resume_at=-5)], False, Pause(is_paused=True)),
        ([event(state="paused"), event("tool_call")], False, Pause(is_paused=False)),
        ([event("tool_call"), event(state="paused")], True, Pause(is_paused=True)),
    ],
)
def test_the_last_word_on_a_limit_counts(events: list[dict[str, Any]], was_paused: bool, found: Pause | None) -> None:
    assert pause_in(events, is_paused=was_paused) == found
