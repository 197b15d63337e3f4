"""How a run ended, from what is known: why it was ended, the keeper's exit record, and what the reader understood.
Pure.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from pal_daemon.journal import Ending
from pal_daemon.runtimes.base import UNSPOKEN, CannotStart, Outcome
from pal_daemon.spool import Exit
from pal_server.contract.runs import FinishRun, Usage
from pal_server.contract.words import RunStatus

STDERR_CHARS = 4000  # of the end of stderr
STDERR_LINES = 40
LAST_CHARS = 500  # of its last line
TEXT_CHARS = 120_000  # of a final text: more than the server shows, which says where the rest is, and less than a body
ERROR_CHARS = 20_000
MISSING = frozenset(("missing_program", "missing_interpreter", "not_executable"))


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The run's outcome as people will see it. `error_kind` is a word of `Run.error_kind`."""

    status: RunStatus
    error_kind: str | None = None
    error: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    text: str | None = None
    stderr: str | None = None
    usage: Usage | None = None
    resume_at: int | None = None  # UTC milliseconds; when another attempt may begin after a limit
    at: int | None = None
    effects: dict[str, Any] = field(default_factory=dict)  # what an interrupted run left; see `git_state.effects_of`

    def render(self, *, lease_id: str, fence: int) -> FinishRun:
        return FinishRun(
            lease_id=lease_id,
            fence=fence,
            status=self.status,
            exit_code=self.exit_code,
            signal=self.signal,
            error_kind=self.error_kind,
            error=None if self.error is None else self.error[:ERROR_CHARS],
            stderr=self.stderr,
            text=None if self.text is None else self.text[:TEXT_CHARS],
            usage=self.usage,
            resume_at=self.resume_at,
            ended_at=self.at,
            effects=self.effects,
        )


def end_without_details(end: End, *, reason: str) -> End:
    """What every server takes: a run whose end is refused would live there for ever, and its topic would wait."""
    return End(
        status=end.status,
        exit_code=end.exit_code,
        signal=end.signal,
        error=f"the server did not take the details of this end: {reason}",
    )


def end_of_process(
    exit: Exit | None, *, at: int | None, ending: Ending | None, outcome: Outcome, stderr: str, agent: str
) -> End:
    """The end of a run whose keeper was started.

    What was asked for counts when it had an effect: a program that had ended by itself before a kill reached it
    ended by itself. `exit` is None when keeper and record are gone; then nobody knows what the agent did last.
    """
    if exit is None:
        return _end_unknown(ending, at=at, stderr=stderr)
    end = replace(
        _end_known(exit, ending=ending, outcome=outcome, agent=agent),
        exit_code=exit.code,
        signal=_signal_name(exit.signal),
        usage=_usage(exit, outcome.usage),
        stderr=stderr or None,
        at=at,
    )
    if end.status == "succeeded":
        return end
    return replace(end, text=None, error=_with_last_words(end, outcome, stderr))


def _with_last_words(end: End, outcome: Outcome, stderr: str) -> str | None:
    """Why it failed, as people are told. Of a program that ended without a word its last line of stderr says more
    than its exit code.
    """
    last = stderr.splitlines()[-1].strip()[:LAST_CHARS] if stderr else ""
    if end.error_kind != "agent" or not last or not end.exit_code:
        return end.error
    if outcome.error is None:
        return last
    return f"{end.error}: {last}" if outcome.error.startswith(UNSPOKEN) else end.error


def end_before_start(reason: CannotStart | Exception) -> End:
    """Nothing was started, and trying again would not change it."""
    kind = reason.kind if isinstance(reason, CannotStart) else "spawn"
    return End(status="failed", error_kind=kind, error=str(reason) or type(reason).__name__)


def end_without_trace() -> End:
    """A run that was opened, and whose program nobody is known to have started."""
    return End(
        status="interrupted",
        error_kind="lost",
        error="the daemon ended before it could note whether the agent was started; no process of it is left",
    )


def end_of_unknown(status: str) -> End:
    """A run the server believes in, `status` as it knows it, and no journal of this home tells of."""
    if status == "starting":
        return end_without_trace()
    return End(
        status="interrupted",
        error_kind="lost",
        error=(
            "this daemon has no record of the run: one in another home or on another machine began it, or the journal"
            " is lost; nothing of it runs here"
        ),
    )


def stderr_tail(text: str) -> str:
    """The last lines, without control characters but tabs."""
    lines = text[-STDERR_CHARS:].splitlines()[-STDERR_LINES:]
    return "\n".join("".join(c for c in line if c.isprintable() or c == "\t") for line in lines).strip()


def _end_known(exit: Exit, *, ending: Ending | None, outcome: Outcome, agent: str) -> End:
    if exit.start_error is not None:
        return _end_unstarted(exit, agent)
    was_asked = exit.asked in ("stop", "kill")
    if ending is None and outcome.is_done and outcome.error is None:
        return End(status="succeeded", text=outcome.text)
    if was_asked and ending == "timeout":
        return End(status="failed", error_kind="timeout", error="the run took longer than its limit and was ended")
    if was_asked and (ending is not None or outcome.error is None):  # else it was only told to leave after its failure
        kind = "stopped" if exit.asked == "stop" else "killed"
        return End(status="cancelled", error_kind=kind, error=f"the run was {kind}")
    if exit.asked == "terminate":
        return End(
            status="interrupted", error_kind="lost", error="the computer shut down, or the keeper was asked to end"
        )
    if ending == "stop" and outcome.is_interrupted:
        return End(status="cancelled", error_kind="stopped", error="the run was stopped")
    if outcome.error is not None:
        kind = outcome.error_kind or "agent"
        return End(status="failed", error_kind=kind, error=outcome.error, resume_at=outcome.resume_at)
    if exit.code == 0:
        return End(status="succeeded", text=outcome.text)
    how = f"exit code {exit.code}" if exit.code is not None else f"signal {_signal_name(exit.signal)}"
    return End(status="failed", error_kind="agent", error=f"the program ended with {how}")


def _end_unstarted(exit: Exit, agent: str) -> End:
    if exit.start_error in MISSING:
        remedy = f"install it on this computer, or correct the command of {agent}"
        return End(status="failed", error_kind="missing_program", error=f"{exit.detail}; {remedy}")
    return End(status="failed", error_kind="spawn", error=f"{exit.detail}")


def _end_unknown(ending: Ending | None, *, at: int | None, stderr: str) -> End:
    match ending:
        case "kill" | "stop":
            kind = "stopped" if ending == "stop" else "killed"
            return End(status="cancelled", error_kind=kind, error=f"the run was {kind}", stderr=stderr or None, at=at)
        case "timeout":
            error = "the run took longer than its limit and was ended"
            return End(status="failed", error_kind="timeout", error=error, stderr=stderr or None, at=at)
        case _:
            error = "the agent's keeper ended unexpectedly; what the agent did last is unknown; nothing of it runs on"
            return End(status="interrupted", error_kind="lost", error=error, stderr=stderr or None, at=at)


def _signal_name(number: int | None) -> str | None:
    if number is None:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def _usage(exit: Exit, told: Usage | None) -> Usage:
    return msgspec.structs.replace(
        told or Usage(), user_ms=exit.user_ms, system_ms=exit.system_ms, max_rss_kib=exit.max_rss_kib
    )
