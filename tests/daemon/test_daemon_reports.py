"""Reports: numbered, in order, joined, and right wherever the server stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pal_daemon.leases import HeldLease
from pal_daemon.reports import FAULTS, REQUEST_BYTES, TEXT_CHARS, WAITING_BYTES, Reports
from pal_daemon.runtimes.base import Event
from pal_server.client.problems import ApiProblem, Unreachable, problem_of
from pal_server.contract.runs import AddedAnswer, AddRunEvents, RunEventIn
from tests.support.patience import PATIENCE


class Server:
    """Stores events as the server does; `faults` are raised one by one before (`refuse`) or after (`lose`) the work."""

    def __init__(self) -> None:
        self.events: list[RunEventIn] = []
        self.requests: list[AddRunEvents] = []
        self.refuse: list[Exception] = []
        self.lose: list[Exception] = []
        self.wait: asyncio.Event | None = None

    @property
    def last_source(self) -> int:
        return self.events[-1].source or 0 if self.events else 0

    async def add_events(self, run: int, request: AddRunEvents) -> AddedAnswer:
        if self.wait is not None:
            await self.wait.wait()
        self.requests.append(request)
        if self.refuse:
            raise self.refuse.pop(0)
        if request.after_source != self.last_source:
            raise ApiProblem(
                "conflict",
                "elsewhere",
                status=409,
                facts={"last_seq": len(self.events), "last_source": self.last_source},
            )
        assert [event.seq for event in request.events] == list(
            range(len(self.events) + 1, len(self.events) + 1 + len(request.events))
        )
        self.events += request.events
        if self.lose:
            raise self.lose.pop(0)
        return AddedAnswer(accepted=len(request.events), last_seq=len(self.events), last_source=self.last_source)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def lease() -> HeldLease:
    return HeldLease(delivery=1, lease_id="l", fence=1)


@pytest.fixture
def reports(server: Server, lease: HeldLease) -> Reports:
    return Reports(server, 5, lease)  # type: ignore[arg-type]


def piece(text: str) -> Event:
    return Event(kind="output", text=text, is_piece=True)


async def sent(reports: Reports) -> None:
    reports.close()
    async with asyncio.timeout(PATIENCE):
        await reports.run()


def step_of(said: list[str], word: str) -> Callable[[], object]:
    async def step() -> None:
        said.append(word)

    return step


async def test_pieces_of_one_text_are_joined_and_others_are_not(server, reports):
    reports.event(piece("a"), at=1, source=10)
    reports.event(piece("b"), at=2, source=20)
    reports.event(Event(kind="message", text="m"), at=3, source=30)
    reports.event(Event(kind="message", text="n"), at=3, source=30)
    reports.event(piece("c"), at=4, source=40)

    await sent(reports)

    assert [(e.kind, e.text, e.source) for e in server.events] == [
        ("output", "ab", 20),
        ("message", "m", 30),
        ("message", "n", 30),
        ("output", "c", 40),
    ]
    assert len(server.requests) == 1


async def test_steps_keep_their_place_between_events(server, reports):
    said: list[str] = []
    reports.step(step_of(said, "pid"))
    reports.event(piece("a"), at=1, source=10)
    reports.step(lambda: step_of(said, f"ask after {len(server.events)}")())
    reports.event(piece("b"), at=1, source=20)

    await sent(reports)

    assert said == ["pid", "ask after 1"]
    assert [e.text for e in server.events] == ["a", "b"]


async def test_what_the_server_has_is_not_sent_again_after_a_restart(server, lease):
    first = Reports(server, 5, lease)
    first.event(piece("a"), at=1, source=10)
    await sent(first)

    second = Reports(server, 5, lease, last_seq=1, last_source=10)
    second.event(piece("a"), at=1, source=10)
    second.event(piece("b"), at=1, source=20)
    await sent(second)

    assert [e.text for e in server.events] == ["a", "b"]


async def test_a_lost_answer_is_found_out_and_nothing_is_doubled(server, reports):
    server.lose = [Unreachable("cut")]
    reports.event(piece("a"), at=1, source=10)

    await sent(reports)

    assert [e.text for e in server.events] == ["a"]


async def test_a_server_that_is_away_gets_everything_later(server, reports):
    server.refuse = [Unreachable("away"), ApiProblem("unavailable", "away", status=503)]
    reports.event(piece("a"), at=1, source=10)

    await sent(reports)

    assert [e.text for e in server.events] == ["a"]


async def test_events_of_one_source_are_never_parted(server, reports):
    for number in range(8):
        reports.event(Event(kind="tool_result", text="x" * TEXT_CHARS), at=1, source=10 if number < 6 else 20)

    await sent(reports)

    assert [len(request.events) for request in server.requests] == [6, 2]


async def test_a_request_ends_with_the_source_that_fills_it(server, reports):
    for number in range(40):
        reports.event(piece("x" * 60_000), at=1, source=number + 1)

    await sent(reports)

    assert all(sum(len(e.text or "") for e in request.events) <= REQUEST_BYTES for request in server.requests)
    assert sum(len(e.text or "") for e in server.events) == 40 * 60_000


async def test_a_long_piece_is_parted_and_a_long_whole_is_cut_with_a_word(server, reports):
    reports.event(piece("x" * (TEXT_CHARS + 1)), at=1, source=10)
    reports.event(Event(kind="message", text="y" * (TEXT_CHARS + 1)), at=1, source=20)

    await sent(reports)

    assert [len(e.text or "") for e in server.events[:2]] == [TEXT_CHARS, 1]
    assert "1 characters more" in (server.events[2].text or "")


async def test_the_reader_waits_while_too_much_waits_here(server, reports):
    server.wait = asyncio.Event()
    running = asyncio.create_task(reports.run())
    source = 0
    while reports._has_room.is_set():
        source += 1
        reports.event(piece("x" * 60_000), at=1, source=source)
    assert source * 60_000 >= WAITING_BYTES

    server.wait.set()

    async with asyncio.timeout(PATIENCE):
        await reports.room()
        reports.close()
        await running
    assert sum(len(e.text or "") for e in server.events) == source * 60_000


async def test_a_lost_lease_ends_everything_without_a_word(server, reports, lease):
    server.refuse = [ApiProblem("lease_lost", "gone", status=409)]
    said: list[str] = []
    reports.event(piece("a"), at=1, source=10)
    reports.step(step_of(said, "finish"))

    await sent(reports)

    assert lease.lost.is_set()
    assert (server.events, said) == ([], [])


async def test_events_the_server_refuses_are_replaced_by_a_word_about_it(server, reports):
    server.refuse = [ApiProblem("invalid", "too odd", status=400)]
    said: list[str] = []
    reports.event(piece("a"), at=1, source=10)
    reports.step(step_of(said, "finish"))

    await sent(reports)

    assert [(e.kind, e.source) for e in server.events] == [("error", 10)]
    assert said == ["finish"]


@pytest.mark.parametrize("status", [302, 401, 404, 408, 429])
async def test_what_a_proxy_answers_in_the_servers_place_costs_no_event(server, reports, monkeypatch, status):
    """While the server is exchanged its proxy has a page of its own."""
    monkeypatch.setattr("pal_daemon.patience.FIRST_PAUSE", 0.0)
    server.refuse = [problem_of(status, None), problem_of(status, "<html>")]
    said: list[str] = []
    refusals = [problem_of(status, None)]

    async def finish() -> None:
        if refusals:
            raise refusals.pop()
        said.append("finish")

    reports.event(piece("a"), at=1, source=10)
    reports.step(finish)

    await sent(reports)

    assert ([event.text for event in server.events], said) == (["a"], ["finish"])


async def test_what_a_proxy_finds_too_large_is_not_said_for_ever(server, reports):
    server.refuse = [problem_of(413, "<html>")]
    reports.event(piece("a"), at=1, source=10)

    await sent(reports)

    assert [event.kind for event in server.events] == ["error"]


async def test_events_the_server_breaks_over_are_given_up_in_the_end(server, reports, monkeypatch):
    monkeypatch.setattr("pal_daemon.patience.FIRST_PAUSE", 0.0)
    server.refuse = [ApiProblem("internal", "a bug", status=500) for _ in range(FAULTS)]
    reports.event(piece("a"), at=1, source=10)

    await sent(reports)

    assert [(e.kind, e.source) for e in server.events] == [("error", 10)]


async def test_texts_that_grow_are_flushed_at_most_ten_times_a_second(server, reports):
    running = asyncio.create_task(reports.run())
    began = asyncio.get_running_loop().time()
    number = 0
    while asyncio.get_running_loop().time() - began < 0.55:
        number += 1
        reports.event(piece("."), at=1, source=number)
        await asyncio.sleep(0)
    reports.close()
    await running

    assert len(server.requests) <= 8
    assert "".join(e.text or "" for e in server.events) == "." * number
