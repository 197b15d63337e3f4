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
    from pal_server.client.resolve import Unusable

    if isinstance(error, exits.WrongUsage | Unusable):
        note(f"{name}: {error}")
        return exits.USAGE
    if isinstance(error, exits.Declined):
        note(f"{name}: {error}")
        return exits.REFUSED

    from pal_server.client.sync import ApiProblem, Unreachable
    from pal_server.client.terminal.line import NoAnswer, NotLetIn

    if isinstance(error, NotLetIn):
        note(f"{name}: {error}")
        return exits.REFUSED
    if isinstance(error, NoAnswer | Unreachable):
        note(f"{name}: {error}")
        return exits.TRY_AGAIN
    if isinstance(error, ApiProblem):
        return _explain_problem(error, name=name)
    note(
        f"{name}: this is a bug in pal: {type(error).__name__}: {error}. "
        f"Run it again with PAL_DEBUG=1 and report what it prints"
    )
    return exits.BUG


def _explain_problem(problem: Exception, *, name: str) -> int:
    from pal_server.client.sync import ApiProblem

    assert isinstance(problem, ApiProblem)
    note(f"{name}: {problem.message}")
    candidates = problem.facts.get("candidates")
    if isinstance(candidates, list) and any(str(one) not in problem.message for one in candidates):
        note("It could be one of:")
        for one in candidates:
            note(f"  {one}")
    if problem.retry_after is not None:
        note(f"Try again in {problem.retry_after:g} s.")
    code = exits.exit_code(problem.code, problem.status)
    if code == exits.BUG and problem.request_id:
        note(f"The server's log has it under request {problem.request_id}.")
    return code
