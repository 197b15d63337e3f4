"""The rule by which work moves tasks, and what a plan may say."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pal_server.domain.runs import LIVE
from pal_server.domain.runs import Status as RunStatus
from pal_server.domain.task_prompts import LIST_CHARACTERS, tell_plan
from pal_server.domain.task_status import Work, follow, unblocked
from pal_server.domain.tasks import (
    Dependency,
    Outcome,
    Status,
    Task,
    Waiting,
    move,
    parse_dependencies,
    parse_lines,
    parse_order,
    parse_type,
)
from pal_server.errors import Conflict, Invalid

PLANNED = Task(
    id="task_1", workspace_id="w", project_id="project_1", project="shop", number=3, topic_id=1, room_id="r", title="x"
)
BLOCKED = {"status": "blocked", "summary": "no key", "blockers": ["a key is missing"], "next_steps": []}
DONE = {"status": "done", "summary": "all there", "blockers": [], "next_steps": []}


def run(status: RunStatus, **more: Any) -> Work:
    return Work(**{"run_id": 1, "run_status": status, "run_at": 10, "agent": "bot", **more})


@pytest.mark.parametrize(
    ("work", "status", "waiting", "outcome"),
    [
        (Work(), Status.BACKLOG, None, None),
        (Work(open=1), Status.IN_PROGRESS, None, None),
        (run(RunStatus.RUNNING, open=1), Status.IN_PROGRESS, None, None),
        (run(RunStatus.WAITING, open=1, asks="May I?"), Status.WAITING, Waiting.INTERACTION, None),
        (run(RunStatus.RUNNING, open=1, result=BLOCKED), Status.WAITING, Waiting.AGENT_BLOCKED, None),
        (run(RunStatus.RUNNING, open=2, result=BLOCKED), Status.IN_PROGRESS, None, None),
        (run(RunStatus.RUNNING, open=1, result=DONE), Status.IN_PROGRESS, None, None),
        (run(RunStatus.SUCCEEDED), Status.REVIEW, None, Outcome.SUCCEEDED),
        (run(RunStatus.SUCCEEDED, open=1), Status.IN_PROGRESS, None, None),
        (run(RunStatus.SUCCEEDED, result=DONE), Status.REVIEW, None, Outcome.SUCCEEDED),
        (run(RunStatus.SUCCEEDED, result=BLOCKED), Status.WAITING, Waiting.AGENT_BLOCKED, None),
        (run(RunStatus.FAILED), Status.READY, None, Outcome.FAILED),
        (run(RunStatus.FAILED, result=BLOCKED), Status.READY, None, Outcome.FAILED),
        (run(RunStatus.CANCELLED), Status.READY, None, Outcome.CANCELLED),
        (run(RunStatus.INTERRUPTED), Status.WAITING, Waiting.ERROR, Outcome.INTERRUPTED),
        (run(RunStatus.INTERRUPTED, is_given_up=True), Status.READY, None, Outcome.INTERRUPTED),
        (run(RunStatus.DRY_RUN), Status.READY, None, None),
        (Work(died_at=5), Status.WAITING, Waiting.ERROR, Outcome.DEAD),
        (run(RunStatus.SUCCEEDED, died_at=5), Status.REVIEW, None, Outcome.SUCCEEDED),
        (run(RunStatus.SUCCEEDED, died_at=11), Status.WAITING, Waiting.ERROR, Outcome.DEAD),
    ],
)
def test_what_work_makes_of_a_planned_task(
    work: Work, status: Status, waiting: Waiting | None, outcome: Outcome | None
) -> None:
    after = follow(PLANNED, work)

    assert (after.status, after.waiting, after.last_outcome) == (status, waiting, outcome)


def test_why_it_waits_is_said() -> None:
    assert follow(PLANNED, Work(asks="May I?")).note == "May I?"
    assert follow(PLANNED, run(RunStatus.SUCCEEDED, result=BLOCKED)).note == "bot is blocked: a key is missing"
    needs = {**BLOCKED, "status": "needs_input", "blockers": []}
    assert follow(PLANNED, run(RunStatus.SUCCEEDED, result=needs)).note == "bot needs input: no key"
    assert follow(PLANNED, run(RunStatus.INTERRUPTED)).note == "run 1 of bot was interrupted"


def test_a_passed_verification_and_its_agents_word_make_it_done() -> None:
    done = run(RunStatus.SUCCEEDED, result=DONE)

    assert follow(replace(PLANNED, verified_at=10), done).status is Status.DONE
    assert follow(replace(PLANNED, verified_at=9), done).status is Status.REVIEW, "it passed before the run"
    assert follow(replace(PLANNED, verified_at=10), run(RunStatus.SUCCEEDED)).status is Status.REVIEW
    assert follow(replace(PLANNED, verified_at=10), done).result == {**DONE, "run": 1}


def test_a_move_by_hand_stands_until_a_run_starts_after_it() -> None:
    moved = move(PLANNED, to="done", note="", newest_run=4, verified_since=0)

    assert follow(moved, run(RunStatus.RUNNING, run_id=4, open=1)).status is Status.DONE
    assert follow(moved, run(RunStatus.SUCCEEDED, run_id=4, open=1)).status is Status.DONE
    begun = follow(moved, run(RunStatus.STARTING, run_id=5, open=1))
    assert (begun.status, begun.is_moved) == (Status.IN_PROGRESS, False)
    assert follow(begun, run(RunStatus.SUCCEEDED, run_id=5)).status is Status.REVIEW


def test_what_waited_and_was_dropped_leaves_it_ready_or_as_the_last_run_left_it() -> None:
    pending = follow(PLANNED, Work(open=1))

    assert follow(pending, Work()).status is Status.READY
    assert follow(pending, run(RunStatus.SUCCEEDED)).status is Status.REVIEW


def test_what_ran_before_it_was_a_task_is_none_of_its_work() -> None:
    promoted = replace(PLANNED, seen_run=1)

    assert follow(promoted, run(RunStatus.SUCCEEDED, result=DONE)) == promoted


works = st.builds(
    Work,
    open=st.integers(0, 3),
    asks=st.none() | st.just("May I?"),
    run_id=st.integers(0, 4),
    run_status=st.sampled_from(sorted(RunStatus)),
    run_at=st.integers(0, 20),
    agent=st.just("bot"),
    is_given_up=st.booleans(),
    result=st.sampled_from([None, BLOCKED, DONE]),
    died_at=st.none() | st.integers(0, 20),
)
tasks = st.builds(
    lambda status, note, moved, seen, at: replace(
        PLANNED,
        status=status,
        waiting=Waiting.BY_HAND if status is Status.WAITING else None,
        note=note if status is Status.WAITING else "",
        is_moved=moved,
        seen_run=seen,
        verified_at=at,
    ),
    st.sampled_from(sorted(Status)),
    st.just("a person said so"),
    st.booleans(),
    st.integers(0, 4),
    st.none() | st.integers(0, 20),
)


@given(task=tasks, work=works)
def test_the_rule_is_of_what_is_there(task: Task, work: Work) -> None:
    after = follow(task, work)

    assert follow(after, work) == after
    assert (after.status is Status.WAITING) == (after.waiting is not None) == bool(after.note)
    is_kept = task.is_moved and work.run_id <= task.seen_run
    if is_kept:
        assert after == task
    elif work.open or work.asks:
        assert after.status in (Status.IN_PROGRESS, Status.WAITING)
    else:
        assert after.status is not Status.IN_PROGRESS


@given(task=tasks, works=st.lists(works, max_size=5))
def test_how_often_it_is_applied_matters_to_nobody(task: Task, works: list[Work]) -> None:
    once = twice = task
    for work in works:
        once = follow(once, work)
        twice = follow(follow(twice, work), work)

    assert once == twice


def test_a_live_run_is_one_of_the_states_runs_know() -> None:
    for status in RunStatus:
        assert run(status).lives == (status in LIVE)


def test_moves_by_hand_need_their_reasons() -> None:
    with pytest.raises(Invalid, match="say why"):
        move(PLANNED, to="waiting", note=" ", newest_run=0, verified_since=0)
    with pytest.raises(Invalid, match="status is one of"):
        move(PLANNED, to="later", note="", newest_run=0, verified_since=0)
    strict = replace(PLANNED, verification="make", verification_required=True, verified_at=9)
    with pytest.raises(Conflict, match="verification has passed"):
        move(strict, to="done", note="", newest_run=0, verified_since=10)
    assert move(strict, to="done", note="", newest_run=0, verified_since=9).status is Status.DONE


def test_what_is_planned_is_ready_once_nothing_comes_before() -> None:
    after = replace(PLANNED, depends_on=(Dependency(number=1, status=Status.DONE),))
    blocked = replace(PLANNED, depends_on=(Dependency(number=1, status=Status.REVIEW),))

    assert unblocked(after).status is Status.READY
    assert unblocked(blocked) == blocked
    assert not blocked.is_ready
    assert unblocked(replace(after, status=Status.CANCELLED)).status is Status.CANCELLED


def test_plans_are_checked() -> None:
    assert parse_lines([" it  works ", ""], field="acceptance") == ("it works",)
    assert parse_dependencies(["t-3", "1", "T-3"]) == (1, 3)
    assert parse_type("bug") == "bug"
    refused: list[Any] = [
        lambda: parse_lines(["x"] * 51, field="paths"),
        lambda: parse_dependencies(["D-3"]),
        lambda: parse_type("A bug"),
        lambda: parse_order(float("nan")),
        lambda: parse_order(float("inf")),
    ]
    for wrong in refused:
        with pytest.raises(Invalid):
            wrong()


def test_a_prompt_has_the_first_lines_of_long_lists_and_says_so() -> None:
    many = tuple(f"{number:04}" * 250 for number in range(50))

    told = tell_plan(replace(PLANNED, acceptance=many, paths=("tea/",)), nonce="x")

    assert '"Done when" is cut after 5 of 50' in told
    assert (many[4] in told, many[5] in told) == (True, False)
    assert "- tea/" in told
    assert '"Paths" is cut' not in told
    assert "is cut" not in tell_plan(replace(PLANNED, acceptance=("x" * LIST_CHARACTERS,)), nonce="x")
