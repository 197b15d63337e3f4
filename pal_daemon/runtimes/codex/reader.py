"""The client of Codex's app-server: records of the spool in, events, cards and our own lines out. Pure.

One run is one thread in one process, and one turn, or more when a plan is handed in: its approval is the next turn.
Everything it knows comes from the spool: the memo, what Codex said, and the names of the input records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from pal_daemon.runtimes.afresh import begun_afresh, remind
from pal_daemon.runtimes.base import (
    STOP,
    UNSPOKEN,
    Answer,
    Ask,
    Event,
    Finished,
    NativeSession,
    Out,
    Outcome,
    Reply,
    Withdrawn,
    name_answer,
)
from pal_daemon.runtimes.capping import cap_raw, cap_text, cap_value
from pal_daemon.runtimes.codex.asks import Asks, Ruled
from pal_daemon.runtimes.codex.faults import ERROR_CHARS, end_of_used_up, understand_error, windows_of
from pal_daemon.runtimes.codex.items import Items, command_of, describe_changes
from pal_daemon.runtimes.jsonrpc import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Failure,
    Notice,
    Request,
    Result,
    parse_line,
    render_error,
    render_notice,
    render_request,
)
from pal_daemon.runtimes.lines import LineCutter, TextDecoder
from pal_daemon.runtimes.profile import Mode
from pal_daemon.spool import Record, Stream
from pal_server.contract.runs import Usage

MAIN = "main"
MALFORMED = (TypeError, ValueError, AttributeError, LookupError)  # what another shape than expected leads to
RAW_CHARS = 4000
DELTAS = (
    "item/agentMessage/delta",
    "item/reasoning/summaryTextDelta",
    "item/reasoning/textDelta",
    "item/commandExecution/outputDelta",
    "item/plan/delta",
)
QUIET = (  # nothing in them that is not told by something else
    "item/reasoning/summaryPartAdded",
    "mcpServer/startupStatus/updated",
    "remoteControl/status/changed",
    "thread/goal/cleared",
    "thread/name/updated",
    "thread/readState/changed",
    "thread/settings/updated",
    "thread/started",
    "thread/status/changed",
    "turn/diff/updated",
)
FIRST = 1  # id of `initialize`, with which stdin begins
SKILLS = "pal-skills"  # id of the request that points to them
OPEN, CONTINUE, TURN = 2, 3, 4  # ids of what follows; later turns count on


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """The memo: what the reader has to know of the work."""

    prompt: str
    thread: dict[str, Any]  # params of thread/start and thread/resume
    turn: dict[str, Any]  # of turn/start: sandboxPolicy, approvalPolicy
    session: str | None = None
    recap: str = ""  # told before the prompt where the session is gone
    model: str | None = None
    effort: str | None = None
    mode: Mode = Mode.ASK
    approved: dict[str, Any] = {}  # instead of `turn` once a plan is approved
    notices: list[str] = []
    skills: str | None = None  # a folder with more of them
    pictures: list[str] = []  # paths, shown to the model with the prompt


class _Step(Enum):
    BEGINNING = auto()
    TURNING = auto()
    PLANNED = auto()  # a plan waits for a person
    OVER = auto()


def render_initialize() -> bytes:
    return render_request(
        FIRST,
        "initialize",
        {"clientInfo": {"name": "pal", "version": "1"}, "capabilities": {"experimentalApi": True}},
    )


class CodexReader:
    """Reads one run of Codex and knows how to speak to it."""

    def __init__(self) -> None:
        self._lines = LineCutter()
        self._log = TextDecoder()
        self._task: Task | None = None
        self._asks = Asks(Mode.ASK)
        self._items = Items()
        self._step = _Step.BEGINNING
        self._thread: str | None = None
        self._turn: str | None = None
        self._turns = 0  # begun by us
        self._own: set[str] = set()  # their ids; a continued thread tells the counts of its last one first
        self._model: str | None = None
        self._is_fresh = False
        self._resume_at: int | None = None  # UTC ms; when a used up limit begins anew
        self._is_stopping = False
        self._is_done = False
        self._lanes: set[str] = set()
        self._shown: dict[str, str] = {}  # what an item is about, for the card that asks for it
        self._steers: set[str] = set()  # written, and not in the model's context yet
        self._tokens: dict[str, int] = {}
        self._total: object = None  # the newest count of the thread, to see a repeat
        self._context: tuple[int | None, int | None] = (None, None)
        self._error: tuple[str, str] | None = None  # text and kind of the newest failure
        self._replies = 0
        self._outcome = Outcome(error=f"{UNSPOKEN} speaking the app-server protocol")

    # What the program says

    def feed(self, record: Record) -> list[Out]:
        match record.stream:
            case Stream.MEMO:
                self._task = msgspec.json.decode(record.data, type=Task)
                self._asks = Asks(self._task.mode)
                self._outcome = Outcome(error="Codex ended before its turn began")
                return [Event(kind="status", text=text, data={"state": "notice"}) for text in self._task.notices]
            case Stream.STDOUT:
                return [out for line in self._lines.feed(record.data) for out in self._understand(line)]
            case Stream.STDERR:
                text = self._log.feed(record.data)
                return [Event(kind="log", text=text, is_piece=True)] if text else []
            case Stream.INPUT:
                return self._written(str(record.facts.get("id", "")))
            case Stream.EXIT:
                return [*self._understand(self._lines.rest()), *self._close()]
            case _:
                return []

    def outcome(self) -> Outcome:
        usage = None
        if self._tokens:
            usage = Usage(input_tokens=self._tokens["inputTokens"], output_tokens=self._tokens["outputTokens"])
        return Outcome(
            text=self._items.answer or self._items.plan,
            usage=usage,
            error=self._outcome.error,
            error_kind=self._outcome.error_kind,
            resume_at=self._resume_at if self._outcome.error_kind == "rate_limit" else None,
            is_done=self._is_done,
            is_interrupted=self._outcome.is_interrupted,
        )

    # What people say

    def render_answer(self, answer: Answer) -> bytes | None:
        if answer.kind == "plan":
            return self._render_plan_answer(answer)
        line = self._asks.answer(answer)
        if line is None or not answer.has_words or self._turn is None:
            return line
        word = "allowed" if answer.decision == "approve" else "refused"
        return line + self._render_steer(
            f"That was {word} by a person, who says:\n{answer.reason}", f"words-{answer.key}"
        )

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        if self._step is not _Step.TURNING or self._is_stopping or self._turn is None:
            return None
        return self._render_steer(text, key)

    def render_stop(self) -> bytes | None:
        """A command that ran for more than a second outlives its turn, so it is ended by itself."""
        if self._step is not _Step.TURNING or self._turn is None:
            return None
        thread = {"threadId": self._thread}
        return render_request("stop", "turn/interrupt", {**thread, "turnId": self._turn}) + render_request(
            "clean", "thread/backgroundTerminals/clean", thread
        )

    def _render_steer(self, text: str, key: str) -> bytes:
        params = {
            "threadId": self._thread,
            "expectedTurnId": self._turn,
            "input": [{"type": "text", "text": text}],
            "clientUserMessageId": key,
        }
        return render_request(key, "turn/steer", params)

    def _render_plan_answer(self, answer: Answer) -> bytes | None:
        """Approval is the next turn; a refusal with words is one more turn of planning, without them the end."""
        if self._step is not _Step.PLANNED or answer.key != self._plan_key:
            return None
        words = "\n".join(part for part in (answer.reason, answer.answer) if part)
        if answer.decision == "approve":
            text = f"The plan is approved in this wording; carry it out:\n{words}" if words else "The plan is approved."
            return self._render_turn(f"{text} Carry it out now." if not words else text, is_planning=False)
        if not words:
            return b""
        return self._render_turn(f"The plan is not approved. A person says:\n{words}", is_planning=True)

    @property
    def _plan_key(self) -> str:
        return f"plan-{self._turns}"

    # What was written

    def _written(self, name: str) -> list[Out]:
        """Bytes of this name are in the program's pipe."""
        if name == STOP:
            self._is_stopping = True
            return list(self._asks.withdraw_all())
        if name.startswith("steer-"):
            if self._step is _Step.OVER:
                return [_receipt(name, "unread")]
            self._steers.add(name)
            return []
        if self._step is _Step.PLANNED:
            return self._plan_answered(name)
        self._asks.decided(name)
        return []

    def _plan_answered(self, name: str) -> list[Out]:
        key = self._plan_key
        for has_words in (False, True):
            if name == name_answer(key, decision="approve", has_words=has_words):
                self._asks.mode = Mode.ASK
                return self._turn_begun()
        if name == name_answer(key, decision="deny", has_words=True):
            return self._turn_begun()
        return self._finish() if name == name_answer(key, decision="deny") else []

    def _turn_begun(self) -> list[Out]:
        self._step = _Step.TURNING
        self._turns += 1
        self._turn = None
        self._items.plan = None
        self._outcome = Outcome(error="Codex ended before its turn did")
        return []

    # One line

    def _understand(self, line: bytes) -> list[Out]:
        """A line of known words in unknown shapes is a plain event, and its sender does not wait for us."""
        try:
            return self._read(line)
        except MALFORMED:
            said = parse_line(line)
            event = Event(kind="status", data={"raw": cap_text(line.decode("utf-8", "replace"), limit=RAW_CHARS)})
            if not isinstance(said, Request):
                return [event]
            return [event, self._reply(render_error(said.id, INVALID_PARAMS, "pal cannot read this"))]

    def _read(self, line: bytes) -> list[Out]:
        if not line.strip():
            return []
        match parse_line(line):
            case None:
                return [Event(kind="output", text=line.decode("utf-8", "replace") + "\n")]
            case Request() as request:
                return self._asked(request)
            case Notice() as notice:
                return self._told(notice)
            case Result() as answer:
                return self._answered(answer)
            case Failure() as failure:
                return self._failed(failure)

    def _asked(self, request: Request) -> list[Out]:
        shown = _shown_of(request) or self._shown.get(str(request.params.get("itemId") or ""), "")
        taken = self._asks.take(request, shown=shown)
        if taken is None:
            return [self._reply(render_error(request.id, METHOD_NOT_FOUND, f"pal has no {request.method}"))]
        if isinstance(taken, Ask):
            return [taken]
        return [self._ruled(request, taken), self._reply(taken.line)]

    def _ruled(self, request: Request, ruled: Ruled) -> Event:
        """No person was asked: that is said."""
        data = {"state": ruled.word, "tool": request.params.get("itemId"), "mode": str(self._asks.mode)}
        return Event(kind="status", text=f"{request.method}: {ruled.word} without asking", data=data)

    def _answered(self, answer: Result) -> list[Out]:
        told = answer.result if isinstance(answer.result, dict) else {}
        if answer.id == FIRST:
            return [self._reply(render_notice("initialized") + self._render_skills() + self._render_opening())]
        if answer.id in (OPEN, CONTINUE):
            return self._opened(told)
        turn = told.get("turn")
        if isinstance(answer.id, int) and answer.id >= TURN and isinstance(turn, dict):
            self._note_turn(str(turn.get("id") or ""))
        return []

    def _render_skills(self) -> bytes:
        if self._task is None or self._task.skills is None:
            return b""
        return render_request(SKILLS, "skills/extraRoots/set", {"extraRoots": [self._task.skills]})

    def _note_turn(self, id: str) -> None:
        if id:
            self._turn = id
            self._own.add(id)

    def _failed(self, failure: Failure) -> list[Out]:
        if failure.id == CONTINUE:
            self._is_fresh = True
            has_recap = self._task is not None and bool(self._task.recap)
            return [begun_afresh(failure.message, has_recap=has_recap), self._reply(self._render_start())]
        if isinstance(failure.id, int) and failure.id < TURN + self._turns:
            return self._give_up(failure.message)
        if failure.id == SKILLS:
            text = f"The agent's skills were not taken: {failure.message}"
            return [Event(kind="status", text=text, data={"state": "notice"})]
        if isinstance(failure.id, str) and failure.id in self._steers:
            self._steers.discard(failure.id)
            return [_receipt(failure.id, "unread")]
        data = {"kind": "agent", "retryable": False, "status": failure.code}
        return [Event(kind="error", text=cap_text(failure.message, limit=ERROR_CHARS), data=data)]

    def _opened(self, told: Mapping[str, Any]) -> list[Out]:
        thread = told.get("thread")
        self._thread = str(thread.get("id") or "") if isinstance(thread, dict) else ""
        self._model = str(told.get("model") or "") or None
        if not self._thread or self._task is None:
            return self._give_up("Codex gave its thread no name")
        prompt = remind(self._task.prompt, recap=self._task.recap) if self._is_fresh else self._task.prompt
        line = self._render_turn(prompt, is_planning=self._task.mode is Mode.PLAN, pictures=self._task.pictures)
        self._turn_begun()
        data = {"state": "session", "program": "codex", "model": self._model}
        return [Event(kind="status", data=data), NativeSession(id=self._thread), self._reply(line)]

    def _told(self, notice: Notice) -> list[Out]:
        method, params = notice.method, notice.params
        lane, events = self._lane(params)
        if method in DELTAS:
            return [*events, *self._items.delta(method, params, lane=lane)]
        item = params.get("item")
        match method:
            case "item/started" if isinstance(item, dict):
                self._remember(item)
                return [*events, *self._items.started(item, lane=lane)]
            case "item/completed" if isinstance(item, dict):
                return [*events, *self._items.completed(item, lane=lane), *self._read_by_model(item)]
            case "turn/started" if lane == MAIN:
                self._note_turn(_turn_id(params))
                return [*events]
            case "turn/completed":
                return [*events, *(self._turn_ended(params) if lane == MAIN else [_subagent(lane, "done")])]
            case "serverRequest/resolved":
                id = params.get("requestId")
                return [*events, *(self._asks.resolved(id) if isinstance(id, int | str) else [])]
            case "thread/tokenUsage/updated":
                return [*events, *self._count(params, lane)]
            case _:
                return [*events, *self._side_note(method, params, lane)]

    def _side_note(self, method: str, params: Mapping[str, Any], lane: str) -> list[Out]:
        match method:
            case "error":
                return self._note_error(params, lane)
            case "turn/plan/updated":
                entries = [
                    {"text": str(step.get("step", "")), "status": str(step.get("status", "pending"))}
                    for step in params.get("plan") or ()
                    if isinstance(step, dict)
                ]
                return [Event(kind="todo", lane=lane, data={"entries": entries})]
            case "warning" | "configWarning" | "deprecationNotice":
                text = str(params.get("message") or params.get("summary") or "")
                return [Event(kind="status", text=text, lane=lane, data={"state": "notice"})]
            case "account/rateLimits/updated":
                limits = params.get("rateLimits")
                windows = [limits.get(name) for name in ("primary", "secondary")] if isinstance(limits, dict) else []
                self._resume_at = end_of_used_up(windows) or self._resume_at
                has_any = any(isinstance(window, dict) for window in windows)
                data = {"state": "quota", "quota": cap_value(limits), "windows": windows_of(limits)}
                return [Event(kind="status", data=data)] if has_any else []
            case _ if method in QUIET:
                return []
            case _:
                return [Event(kind="status", lane=lane, data={"raw": cap_raw({"method": method, "params": params})})]

    def _lane(self, params: Mapping[str, Any]) -> tuple[str, list[Event]]:
        """Subagents are threads of their own on the same pipe."""
        thread = params.get("threadId")
        if not isinstance(thread, str) or self._thread is None or thread == self._thread:
            return MAIN, []
        if thread in self._lanes:
            return thread, []
        self._lanes.add(thread)
        return thread, [_subagent(thread, "running")]

    def _remember(self, item: Mapping[str, Any]) -> None:
        id = str(item.get("id", ""))
        if item.get("type") == "commandExecution":
            self._shown[id] = f"```\n{command_of(item)}\n```"
        elif item.get("type") == "fileChange":
            self._shown[id] = describe_changes(item)

    def _read_by_model(self, item: Mapping[str, Any]) -> list[Out]:
        """A message of ours that has become part of the conversation."""
        name = item.get("clientId")
        if item.get("type") != "userMessage" or not isinstance(name, str) or name not in self._steers:
            return []
        self._steers.discard(name)
        return [_receipt(name, "read")]

    def _count(self, params: Mapping[str, Any], lane: str) -> list[Out]:
        usage = params.get("tokenUsage")
        last, total = (usage.get("last"), usage.get("total")) if isinstance(usage, dict) else (None, None)
        is_own = lane != MAIN or params.get("turnId") in self._own
        if not isinstance(last, dict) or total == self._total or not is_own:
            return []
        self._total = total
        for name in ("inputTokens", "outputTokens", "cachedInputTokens"):
            self._tokens[name] = self._tokens.get(name, 0) + int(last.get(name) or 0)
        if lane == MAIN and isinstance(usage, dict):
            self._context = (last.get("totalTokens"), usage.get("modelContextWindow"))
        return []

    def _note_error(self, params: Mapping[str, Any], lane: str) -> list[Out]:
        text, kind, status = understand_error(params.get("error"))
        if params.get("willRetry"):
            return [Event(kind="status", text=text, lane=lane, data={"state": "retry", "status": status})]
        if lane == MAIN:
            self._error = (text, kind)
        data = {"kind": kind, "retryable": kind == "rate_limit" or (status or 0) >= 500, "status": status}
        return [Event(kind="error", text=text, lane=lane, data=data)]

    # The end of a turn

    def _turn_ended(self, params: Mapping[str, Any]) -> list[Out]:
        turn = params.get("turn")
        status = str(turn.get("status")) if isinstance(turn, dict) else "failed"
        outs: list[Out] = [*self._items.close(), *self._asks.withdraw_all()]
        outs += [_receipt(name, "unread") for name in sorted(self._steers)]
        self._steers.clear()
        if status == "completed" and self._items.plan and self._asks.mode is Mode.PLAN and not self._is_stopping:
            self._step = _Step.PLANNED
            self._outcome = Outcome(error="the plan was not answered")
            title = "Codex has a plan"
            return [*outs, Ask(key=self._plan_key, kind="plan", title=title, body=self._items.plan)]
        self._outcome = self._judge(status, turn if isinstance(turn, dict) else {})
        return [*outs, *self._finish()]

    def _judge(self, status: str, turn: Mapping[str, Any]) -> Outcome:
        if status == "interrupted":
            return Outcome(error="the turn was stopped", is_interrupted=self._is_stopping)
        if status == "completed":
            return Outcome()
        text, kind, _ = understand_error(turn.get("error"))
        if self._error is not None and not turn.get("error"):
            text, kind = self._error
        return Outcome(error=text, error_kind=kind)

    def _finish(self) -> list[Out]:
        was_planned, self._step = self._step is _Step.PLANNED, _Step.OVER
        self._is_done = True
        if was_planned:
            self._outcome = Outcome()
        outs: list[Out] = []
        if self._tokens:
            data: dict[str, object] = {
                "input_tokens": self._tokens["inputTokens"],
                "output_tokens": self._tokens["outputTokens"],
                "cached_tokens": self._tokens["cachedInputTokens"],
                "cost_usd": None,
                "context_used": self._context[0],
                "context_size": self._context[1],
                "model": self._model,
            }
            outs.append(Event(kind="usage", data=data))
        if self._outcome.error is None and not self._items.has_said and not was_planned:
            outs.append(Event(kind="status", text="Codex ended its turn without a word.", data={"state": "notice"}))
        return [*outs, Finished()]

    def _give_up(self, reason: str) -> list[Out]:
        self._step = _Step.OVER
        kind = "auth" if "auth" in reason.lower() or "log in" in reason.lower() else "agent"
        self._outcome = Outcome(error=reason, error_kind=kind)
        data = {"kind": kind, "retryable": False, "status": None}
        return [Event(kind="error", text=cap_text(reason, limit=ERROR_CHARS), data=data), Finished()]

    def _close(self) -> list[Out]:
        """The process has ended; a turn that was still open is closed."""
        if self._step is _Step.OVER:
            return list(self._items.close())
        withdrawn = [Withdrawn(key=self._plan_key)] if self._step is _Step.PLANNED else []
        self._step = _Step.OVER
        if self._is_stopping:
            self._outcome = Outcome(error=self._outcome.error, is_interrupted=True)
        return [*self._items.close(), *withdrawn, *self._asks.withdraw_all()]

    # Our lines

    def _render_opening(self) -> bytes:
        if self._task is None or self._task.session is None:
            return self._render_start()
        params = {"threadId": self._task.session, "excludeTurns": True, **self._task.thread}
        return render_request(CONTINUE, "thread/resume", params)

    def _render_start(self) -> bytes:
        return render_request(OPEN, "thread/start", self._task.thread if self._task is not None else {})

    def _render_turn(self, text: str, *, is_planning: bool, pictures: Sequence[str] = ()) -> bytes:
        assert self._task is not None
        number = self._turns + 1
        settings: dict[str, Any] = {"model": self._model}
        if self._task.effort:
            settings["reasoning_effort"] = self._task.effort
        is_changed = self._task.mode is Mode.PLAN  # a thread keeps the mode of its last turn
        params: dict[str, Any] = {
            "threadId": self._thread,
            "input": [{"type": "text", "text": text}, *({"type": "localImage", "path": path} for path in pictures)],
            "clientUserMessageId": f"turn-{number}",
            **(self._task.turn if is_planning or not is_changed else self._task.approved),
        }
        if self._task.effort:
            params["effort"] = self._task.effort
        if is_changed or self._task.session is not None:
            params["collaborationMode"] = {"mode": "plan" if is_planning else "default", "settings": settings}
        return render_request(TURN + number - 1, "turn/start", params)

    def _reply(self, data: bytes) -> Reply:
        """Named by its number: reading the spool once more makes the same names."""
        self._replies += 1
        return Reply(name=f"codex-{self._replies}", data=data)


def _receipt(name: str, state: str) -> Event:
    return Event(kind="status", data={"state": state, "input": name})


def _subagent(thread: str, state: str) -> Event:
    return Event(kind="subagent", lane=thread, data={"id": thread, "parent": MAIN, "state": state})


def _turn_id(params: Mapping[str, Any]) -> str:
    turn = params.get("turn")
    return str(turn.get("id") or "") if isinstance(turn, dict) else ""


def _shown_of(request: Request) -> str:
    """The command a yes would let run: it may be another one than its item's, which has several."""
    return f"```\n{command_of(request.params)}\n```" if request.params.get("command") else ""
