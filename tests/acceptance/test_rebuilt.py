"""TR-7 by real processes: a log that lost events on the server is read again from the computer's spool."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from tests.support.stack import Json, Stack, eventually


def rebuild(stack: Stack, run: Json) -> None:
    done = stack.pal("cli", "run-action", str(run["id"]), "rebuild")
    assert done.returncode == 0, done.stderr


def test_a_damaged_log_is_whole_again(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack().start()
    room = stack.room()
    message = stack.mention(room, stack.agent(room, "count", "20000", "0"))
    stack.wait_delivery(message)
    (run,) = stack.runs(message)
    whole = stack.output(run["id"])
    stack.server.kill()
    with sqlite3.connect(stack.server.home / "lock.sqlite") as database:
        database.execute("DELETE FROM run_events WHERE run_id = ? AND seq <= 2", (run["id"],))
    stack.server.start()
    stack.daemon.wait_socket()
    assert stack.output(run["id"]) != whole

    rebuild(stack, run)

    eventually("the log is whole again", lambda: stack.output(run["id"]) == whole)
    seen = stack.run(run["id"])["last_seq"]
    rebuild(stack, run)
    assert (stack.output(run["id"]), stack.run(run["id"])["last_seq"]) == (whole, seen)
