"""What both `pal cli` and `pal console` can do: one call each, its answer printed as JSON or in words."""

from collections.abc import Callable
from typing import Any

from pal_server.client.terminal import shown
from pal_server.client.terminal.exits import WrongUsage
from pal_server.client.terminal.line import Line, segment
from pal_server.client.terminal.output import note, say, say_json

Answer = dict[str, Any]
RUN_ACTIONS = ("kill", "stop", "restart", "steer", "rebuild")


def show(answer: Answer, *, as_json: bool, render: Callable[[Answer], None]) -> None:
    """Print what the API answered: as it is, or rendered for people with a word on how to see more."""
    if as_json:
        say_json(answer)
        return
    render(answer)
    if answer.get("next"):
        note(f"there is more: --after {answer['next']}")


def health(line: Line, *, as_json: bool) -> None:
    show(line.get("/health"), as_json=as_json, render=shown.health)


def chats(line: Line, *, as_json: bool, after: str | None = None, limit: int | None = None) -> None:
    show(line.get("/api/chats", after=after, limit=limit), as_json=as_json, render=shown.rooms)


def messages(
    line: Line,
    *,
    as_json: bool,
    room: str | None = None,
    topic: int | None = None,
    parent: int | None = None,
    after: str | None = None,
    before: int | None = None,
    limit: int | None = None,
    q: str | None = None,
) -> None:
    answer = line.get(
        "/api/messages", room=room, topic=topic, parent=parent, after=after, before=before, limit=limit, q=q
    )
    show(answer, as_json=as_json, render=shown.messages)


def inbox(line: Line, *, as_json: bool, agent: str | None, after: str | None, limit: int | None) -> None:
    show(line.get("/api/inbox", agent=agent, after=after, limit=limit), as_json=as_json, render=shown.inbox)


def agents(line: Line, *, as_json: bool, after: str | None = None, limit: int | None = None) -> None:
    show(line.get("/api/agents", after=after, limit=limit), as_json=as_json, render=shown.agents)


def runs(line: Line, *, as_json: bool, **query: object) -> None:
    show(line.get("/api/runs", **query), as_json=as_json, render=shown.runs)


def run_action(
    line: Line, *, as_json: bool, run: str, action: str, text: str | None = None, reason: str | None = None
) -> None:
    """Order a run about. `text` is for steer, and only for it."""
    if (action == "steer") != (text is not None):
        raise WrongUsage("TEXT is missing. Say what to tell the run" if text is None else f"{action} takes no TEXT")
    if text is not None:
        told = line.post(f"/api/runs/{segment(run)}/steer", {"text": text})
        show(told, as_json=as_json, render=lambda answer: say(answer["receipt"]["text"]))
        return
    answer = line.post(f"/api/runs/{segment(run)}/{action}", {"reason": reason} if reason else {})

    def said(answer: Answer) -> None:
        one = answer.get("run", {})
        wanted = one.get("wanted")
        tail = f"; {wanted} is asked for and follows when its computer answers" if wanted else ""
        say(f"{action} of run {run} is accepted; run {one.get('id', run)} is {one.get('status', 'known')}{tail}")

    show(answer, as_json=as_json, render=said)
