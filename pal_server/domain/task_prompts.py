"""What a run in a task's topic is told of the task: its plan, fenced, and how to say what came of it."""

from collections.abc import Sequence

from .fences import fence, indent, quote
from .tasks import Task

BODY_CHARACTERS = 20_000  # of the body; the command that shows the rest is named
LIST_CHARACTERS = 5_000  # of each list, in whole lines


def tell_plan(task: Task, *, nonce: str) -> str:
    """The part of a prompt that is the task's."""
    lines = []
    cut = ""
    if task.body:
        lines.append(task.body[:BODY_CHARACTERS])
    if len(task.body) > BODY_CHARACTERS:
        cut = f" Its body is cut after {BODY_CHARACTERS} characters; `pal cli tasks show` has all of it."
    for name, what in (
        ("Done when", task.acceptance),
        ("Paths", task.paths),
        ("To read", task.references),
    ):
        told = _first(what)
        if told:
            lines.append("\n".join([f"{name}:", *(f"- {indent(line)}" for line in told)]))
        if len(told) < len(what):
            cut += f' "{name}" is cut after {len(told)} of {len(what)}; `pal cli tasks show` has all of them.'
    if task.verification:
        lines.append(f"Verification: {indent(task.verification)}")
    fenced = fence("\n\n".join(lines), kind="task", nonce=nonce)
    plan = f" Its plan, as people and agents wrote it:{cut}\n{fenced}" if lines else ""
    return f"This topic is the task {task.code} of {task.project}, {quote(task.title)}.{plan}\n{_how_it_ends(task)}"


def _first(lines: Sequence[str]) -> list[str]:
    """As many of them as a prompt has place for."""
    left = LIST_CHARACTERS
    told = []
    for line in lines:
        left -= len(line)
        if left < 0:
            break
        told.append(line)
    return told


def _how_it_ends(task: Task) -> str:
    verify = ""
    if task.verification:
        needed = "; without its passing the task is not done" if task.verification_required else ""
        verify = f"`pal cli tasks verify` runs the verification in the folder you are in and reports it{needed}. "
    return (
        f"{verify}Say at the end what came of it with `pal cli result`: done, or blocked or needs_input with what is "
        "missing. What you find beside it goes to the backlog with `pal cli tasks add`."
    )
