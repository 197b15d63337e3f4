"""What Claude Code waits for a person for: permissions, questions and plans; and what is refused without asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pal_daemon.runtimes.base import Answer, Ask, Event, InteractionKind, Out, Reply, Withdrawn
from pal_daemon.runtimes.capping import cap_text, digest_of
from pal_daemon.runtimes.claude_code import control, tools
from pal_daemon.runtimes.profile import Mode
from pal_daemon.runtimes.questions import render_questions

LOCKED = (
    "Nothing may be changed now, so this was refused without asking anybody. Read what you need, then say what you "
    "would do; in plan mode hand in your plan."
)
NO_REASON = "A person refused this."
NAME_CHARS = 128  # of an input


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    kind: InteractionKind
    call: str  # the tool's id
    input: Mapping[str, Any]


class Permissions:
    """Of one run. A request stays open until its tool has a result, the program withdraws it, or ends."""

    def __init__(self) -> None:
        self._run = 0
        self._mode = Mode.ASK
        self._is_planning = False
        self._waiting: dict[str, _Waiting] = {}

    def begin(self, *, run: int, mode: Mode) -> None:
        self._run = run
        self._mode = mode
        self._is_planning = mode is Mode.PLAN

    def note_mode(self, mode: str) -> None:
        """The program's own word; it leaves `plan` when a plan is approved."""
        self._is_planning = mode == "plan"

    def request(self, request_id: str, request: Mapping[str, Any]) -> list[Out]:
        """A control request of the program; whatever it is, it gets an answer."""
        if request.get("subtype") != "can_use_tool":
            data = control.render_unsupported(request_id, str(request.get("subtype")))
            return [Reply(name=f"unsupported-{request_id}"[:NAME_CHARS], data=data)]
        name, tool_input, call = str(request["tool_name"]), dict(request["input"]), str(request.get("tool_use_id"))
        if name == "AskUserQuestion" and (questions := control.read_questions(tool_input)):
            self._waiting[request_id] = _Waiting(kind="question", call=call, input=tool_input)
            return [render_questions(request_id, questions)]
        if name == "ExitPlanMode":
            self._waiting[request_id] = _Waiting(kind="plan", call=call, input=tool_input)
            return _plan(request_id, str(tool_input.get("plan") or ""))
        title = tools.title_of(name, tool_input)
        if self._is_locked and name not in tools.HARMLESS:
            refused = Event(kind="status", text=f"refused: {title}", data={"state": "refused"})
            deny = control.render_deny(request_id, LOCKED)
            return [refused, Reply(name=f"deny-{request_id}"[:NAME_CHARS], data=deny)]
        self._waiting[request_id] = _Waiting(kind="approval", call=call, input=tool_input)
        body = tools.permission_body(name, tool_input, request)
        return [
            Ask(
                key=request_id,
                kind="approval",
                title=f"{name}: {title}" if name == "Bash" else title,
                body=cap_text(body, limit=tools.SHOWN_CHARS),
                whole=digest_of(body) if len(body) > tools.SHOWN_CHARS else "",
            )
        ]

    def withdraw(self, request_id: str) -> list[Out]:
        return [Withdrawn(key=request_id)] if self._waiting.pop(request_id, None) is not None else []

    def settle(self, call: str) -> None:
        """The tool has a result: nobody waits for its permission any more."""
        self._waiting = {key: waiting for key, waiting in self._waiting.items() if waiting.call != call}

    def close(self) -> list[Out]:
        """The program is gone."""
        gone = [Withdrawn(key=key) for key in self._waiting]
        self._waiting.clear()
        return [*gone]

    def render(self, answer: Answer) -> bytes | None:
        waiting = self._waiting.get(answer.key)
        if waiting is None:
            return None
        if answer.decision == "deny":
            return control.render_deny(answer.key, answer.reason or answer.answer or NO_REASON)
        if waiting.kind == "question":
            return control.render_answers(
                answer.key, waiting.input, answer if answer.answer else replace(answer, answer=answer.reason)
            )
        allowed = control.render_allow(answer.key, waiting.input)
        if waiting.kind == "plan" and answer.answer and answer.answer != waiting.input.get("plan"):
            uuid = control.name_input(self._run, f"plan-{answer.key}")
            return allowed + control.render_text(f"{control.EDITED_PLAN}\n\n{answer.answer}", uuid=uuid)
        return allowed

    @property
    def _is_locked(self) -> bool:
        return self._mode is Mode.READ_ONLY or (self._mode is Mode.PLAN and self._is_planning)


def _plan(request_id: str, plan: str) -> list[Out]:
    first = next((line.strip("# ") for line in plan.splitlines() if line.strip("# ")), "(empty)")
    return [
        Event(kind="plan", text=plan, data={"id": request_id}),
        Ask(
            key=request_id,
            kind="plan",
            title=f"Plan: {first}",
            body=cap_text(plan, limit=tools.SHOWN_CHARS),
            whole=digest_of(plan) if len(plan) > tools.SHOWN_CHARS else "",
        ),
    ]
