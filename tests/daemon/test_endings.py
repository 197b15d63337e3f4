"""How a run ended, from what is known of its process and what its reader understood."""

import pytest

from pal_daemon.endings import end_of_process
from pal_daemon.runtimes.base import Outcome
from pal_daemon.spool import Exit

DONE = Outcome(text="done", is_done=True)
FAILED = Outcome(error="the model said no")


@pytest.mark.parametrize(
    ("outcome", "ending", "status", "kind"),
    [
        (DONE, None, "succeeded", None),  # it was only told to leave, after its work
        (FAILED, None, "failed", "agent"),
        (DONE, "stop", "cancelled", "stopped"),
        (FAILED, "stop", "cancelled", "stopped"),
    ],
)
def test_a_program_that_was_told_to_leave_ended_as_it_had_before(outcome, ending, status, kind):
    none = {"user_ms": 0, "system_ms": 0, "max_rss_kib": 0, "wall_ms": 0, "dropped": 0}
    told = Exit(code=0, signal=None, asked="stop", start_error=None, detail=None, **none)

    end = end_of_process(told, at=1, ending=ending, outcome=outcome, stderr="", agent="bot")

    assert (end.status, end.error_kind) == (status, kind)
