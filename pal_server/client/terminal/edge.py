"""The edge of a command: every failure becomes one sentence on stderr and an exit code, never a traceback."""

import os
import sys
from collections.abc import Callable

from pal_server.client.terminal import exits
from pal_server.client.terminal.output import note


def at_the_edge(command: Callable[[], int | None], *, name: str) -> int:
    """Run a command; its exit code. `PAL_DEBUG=1` lets a traceback through."""
    try:
        code = command() or exits.DONE
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has enough, as in `pal … | head`. Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.DONE
    except KeyboardInterrupt:
        return 130  # as a shell reports an interrupt
    except Exception as error:
        if os.environ.get("PAL_DEBUG"):
            raise
        return explain(error, name=name)


def explain(error: Exception, *, name: str) -> int:
    """Say on stderr what happened and what to do; the exit code that goes with it."""
    code, lines = told(error)
    note(f"{name}: {lines[0]}")
    for line in lines[1:]:
        note(line)
    return code


def told(error: Exception) -> tuple[int, list[str]]:
    """The exit code of a failure, and what happened and what to do: a sentence, and what may go with it."""
    from pal_server.client.resolve import Unusable

    if isinstance(error, exits.WrongUsage | Unusable):
        return exits.USAGE, [str(error)]
    if isinstance(error, exits.Declined):
        return exits.REFUSED, [str(error)]

    from pal_server.client.sync import ApiProblem, Unreachable
    from pal_server.client.terminal.line import NoAnswer, NotLetIn

    if isinstance(error, NotLetIn):
        return exits.REFUSED, [str(error)]
    if isinstance(error, NoAnswer | Unreachable):
        return exits.TRY_AGAIN, [str(error)]
    if isinstance(error, ApiProblem):
        return _told_problem(error)
    bug = f"this is a bug in pal: {type(error).__name__}: {error}"
    return exits.BUG, [f"{bug}. Run it again with PAL_DEBUG=1 and report what it prints"]


def _told_problem(problem: Exception) -> tuple[int, list[str]]:
    from pal_server.client.sync import ApiProblem

    assert isinstance(problem, ApiProblem)
    lines = [problem.message]
    candidates = problem.facts.get("candidates")
    if isinstance(candidates, list) and any(str(one) not in problem.message for one in candidates):
        lines += ["It could be one of:", *(f"  {one}" for one in candidates)]
    if problem.retry_after is not None:
        lines.append(f"Try again in {problem.retry_after:g} s.")
    code = exits.exit_code(problem.code, problem.status)
    if code == exits.BUG and problem.request_id:
        lines.append(f"The server's log has it under request {problem.request_id}.")
    return code, lines
