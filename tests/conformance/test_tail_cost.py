"""TR-3: opening a topic costs the same however much was said and done in it: what SQLite does for it is counted."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pal_server.actions import tails
from pal_server.storage import messages
from pal_server.storage.statements import STATEMENTS, load_statements
from pal_server.storage.tx import Row, Sql, Tx
from tests.support.bus import Bus, make_bus
from tests.support.stores import Clock, Heard, open_test_store

Asked = tuple[str, dict[str, Any]]
EVERY = 10  # instructions of SQLite's machine between two looks


class Recorder:
    """Passes statements on and remembers them."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self.asked: list[Asked] = []

    def one(self, name: str, /, **params: object) -> Row | None:
        self.asked.append((name, params))
        return self._sql.one(name, **params)

    def all(self, name: str, /, **params: object) -> list[Row]:
        self.asked.append((name, params))
        return self._sql.all(name, **params)


@pytest.fixture
async def bus(tmp_path: Path, clock: Clock, heard: Heard) -> AsyncIterator[Bus]:
    store = await open_test_store(tmp_path / "lock.sqlite", clock=clock, heard=heard)
    made = await make_bus(store)
    await made.agent("bot")
    yield made
    await store.close()


async def talked_about(bus: Bus, title: str, *, answers: int, events: int, path: Path) -> int:
    """A topic in which a person said something once, long ago, and the agent all the rest, in one long run."""
    topic = await bus.topic(title)
    _, run = await bus.start("@bot go", topic=topic)
    await bus.finish(run, text="done")
    with sqlite3.connect(path) as conn:
        counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        conn.execute(
            counted
            + "INSERT INTO messages (workspace_id, room_id, topic_id, seq, kind, sender_kind, sender, sender_name,"
            " sender_origin, sender_key, content, mentions, unresolved, files, run_id, hop, created_at)"
            " SELECT m.workspace_id, m.room_id, m.topic_id, m.topic_id * 1000000 + n.i, 'text', 'agent', 'bot', 'bot',"
            " '', 'agent:bot', 'step ' || n.i, '[]', '[]', '[]', NULL, 0, 1 FROM n, messages m WHERE m.id ="
            " (SELECT MIN(id) FROM messages WHERE topic_id = ?)",
            (answers, topic),
        )
        conn.execute(
            counted + "INSERT INTO run_events (run_id, seq, kind, at, lane, text, data)"
            " SELECT ?, 1000 + n.i, 'message', 1, 'main', 'word', '{}' FROM n",
            (events, run.id),
        )
    return topic


async def asked_for(bus: Bus, topic: int) -> tuple[tails.Tail, list[Asked]]:
    def read(tx: Tx) -> tuple[tails.Tail, list[Asked]]:
        recorder: Any = Recorder(tx.sql)
        tx.sql = recorder
        return tails.read(tx, actor=bus.people.member, topic=topic, limit=50, events=100), recorder.asked

    return await bus.store.read(read)


def steps_of(path: Path, asked: list[Asked]) -> dict[str, int]:
    """What each statement costs, in instructions of SQLite's machine."""
    statements = load_statements(STATEMENTS, engine="sqlite")
    steps: dict[str, int] = {}
    with sqlite3.connect(path) as conn:
        for name, params in asked:
            seen: list[int] = []
            conn.set_progress_handler(lambda seen=seen: seen.append(1), EVERY)
            conn.execute(statements[name], params).fetchall()
            steps[name] = steps.get(name, 0) + len(seen) * EVERY
    return steps


async def test_a_long_topic_costs_no_more_to_open_than_a_short_one(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "lock.sqlite"
    short = await talked_about(bus, "short", answers=100, events=200, path=path)
    long = await talked_about(bus, "long", answers=5_000, events=10_000, path=path)
    for number in range(20):
        await talked_about(bus, f"other {number}", answers=1, events=1, path=path)

    (_, in_short), (tail, in_long) = await asked_for(bus, short), await asked_for(bus, long)
    few, many = steps_of(path, in_short), steps_of(path, in_long)

    assert (len(tail.messages), len(tail.events), len(tail.runs)) == (50, 100, 1)
    assert tail.last_said is not None
    assert tail.last_said.content == "@bot go"
    assert {name: steps for name, steps in many.items() if steps > 1.5 * few[name] + 200} == {}


async def test_what_others_said_since_costs_a_recap_nothing(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "lock.sqlite"
    steps = {}
    for answers in (300, 6_000):
        topic = await talked_about(bus, f"of {answers}", answers=answers, events=1, path=path)
        first = await bus.store.read(_first_message, topic=topic)

        def read(tx: Tx, topic: int = topic, first: int = first) -> list[Asked]:
            recorder: Any = Recorder(tx.sql)
            tx.sql = recorder
            messages.recap(tx, topic_id=topic, seen=first, agent="another", limit=12)
            return recorder.asked

        steps[answers] = sum(steps_of(path, await bus.store.read(read)).values())

    assert steps[6_000] <= 1.2 * steps[300]


def _first_message(tx: Tx, *, topic: int) -> int:
    return messages.page_of_topic(tx, topic_id=topic, after=0, before=None, limit=1)[0].id


async def test_no_statement_of_it_reads_a_whole_table(bus: Bus, tmp_path: Path) -> None:
    path = tmp_path / "lock.sqlite"
    topic = await talked_about(bus, "any", answers=60, events=150, path=path)
    statements = load_statements(STATEMENTS, engine="sqlite")

    _, asked = await asked_for(bus, topic)

    with sqlite3.connect(path) as conn:
        plans = {
            name: [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {statements[name]}", params)]
            for name, params in asked
        }
    scans = {step for plan in plans.values() for step in plan if step.startswith("SCAN")}
    assert scans <= {"SCAN room_viewers"}  # a view of a few rows of one room, itself by index
    assert any("messages_of_people" in step for step in plans["messages.last_of_people"])
    assert any("runs_of_topic" in step for step in plans["runs.newest_of_topic"])
