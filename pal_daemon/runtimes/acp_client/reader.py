"""The client of the Agent Client Protocol: records of the spool in, events, cards and our own lines out. Pure.

One run is one prompt in one process. Everything it knows comes from the spool: the memo, what the agent said, and the
input records, whose names say what a person decided and what was written to the agent. Ids of our requests are
numbers of our own, or the name of the input they are in; the agent counts its own from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import Any

import msgspec

from pal_daemon.runtimes.acp_client.asks import Asks, Decided, Ruled
from pal_daemon.runtimes.acp_client.dialect import Dialect, SecondPrompt
from pal_daemon.runtimes.acp_client.faults import ERROR_CHARS, understand_failure
from pal_daemon.runtimes.acp_client.handshake import (
    FIRST,
    Call,
    Handshake,
    HandshakeFailed,
    Task,
    safe_prompt,
)
from pal_daemon.runtimes.acp_client.transcript import MAIN, Transcript
from pal_daemon.runtimes.acp_client.usage import UsageCount
from pal_daemon.runtimes.afresh import remind
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
)
from pal_daemon.runtimes.capping import cap_raw, cap_text
from pal_daemon.runtimes.jsonrpc import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Failure,
    Id,
    Notice,
    Request,
    Result,
    parse_line,
    render_error,
    render_notice,
    render_request,
    render_result,
)
from pal_daemon.runtimes.lines import LineCutter, TextDecoder
from pal_daemon.spool import Record, Stream

MALFORMED = (TypeError, ValueError, AttributeError, LookupError)  # what another shape than expected leads to
RAW_CHARS = 4000
STOPPED = "the turn was stopped"
BROKEN_OFF = "the program ended before its turn did"
QUIET = ("_auth/status_update",)  # how somebody is logged in, told beside the protocol
ENDED_EARLY = {
    "max_tokens": "the model ran out of output tokens before it was done",
    "max_turn_requests": "the agent stopped itself: too many steps in one turn, or a loop",
    "refusal": "the model refused to go on",
}
ACKNOWLEDGED: Mapping[str, object] = {  # requests that stall the turn without an answer and need nobody
    "cursor/update_todos": {},
    "cursor/task": {"outcome": {"outcome": "completed"}},
    "cursor/generate_image": {"outcome": {"outcome": "rejected", "reason": "no images here"}},
}


class _Step(Enum):
    BEGINNING = auto()  # before the prompt
    PROMPTED = auto()
    OVER = auto()


class AcpReader:
    """Reads one agent's run and knows how to speak to it."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._lines = LineCutter()
        self._log = TextDecoder()
        self._task: Task | None = None
        self._handshake: Handshake | None = None
        self._asks: Asks | None = None
        self._transcript = Transcript(noise=dialect.noise)
        self._usage = UsageCount(is_of_last_call=dialect.is_usage_of_last_call)
        self._step = _Step.BEGINNING
        self._calls: dict[Id, Call] = {}  # of ours, not answered yet
        self._prompts: set[Id] = set()  # prompts not answered yet
        self._steers: set[str] = set()  # written and not answered yet
        self._decisions: dict[str, Decided] = {}  # to be said once the agent has the words that go with them
        self._last_id = FIRST
        self._replies = 0
        self._is_settling = False  # an agent may still be telling an earlier conversation: ask until it is quiet
        self._replayed = 0  # updates of that since we asked
        self._is_done = False
        self._is_stopping = False
        self._was_refused = False
        self._outcome = Outcome(error=f"{UNSPOKEN} speaking the Agent Client Protocol")

    # What the program says

    def feed(self, record: Record) -> list[Out]:
        match record.stream:
            case Stream.MEMO:
                self._begin(msgspec.json.decode(record.data, type=Task))
                return []
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
        usage = self._usage.total(self._transcript)
        return replace(self._outcome, text=self._transcript.text, usage=usage, is_done=self._is_done)

    # What people say

    def render_answer(self, answer: Answer) -> bytes | None:
        """The result the agent waits for; what cannot be said in it follows as words.

        A steer is read at the next step, which a yes or no brings about: there it goes ahead, and the result follows
        once the agent has it.
        """
        line = None if self._asks is None else self._asks.answer(answer)
        if line is None:
            return None
        words = _words(answer)
        if words is None:
            return line
        told = self._render_words(safe_prompt(words, self._dialect), id=_words_id(answer.key))
        return told if self._has_steering and answer.kind != "question" else line + told

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        if self._step is not _Step.PROMPTED or self._is_stopping or not self._can_steer:
            return None
        return self._render_words(safe_prompt(text, self._dialect), id=key)

    def render_stop(self) -> bytes | None:
        if self._step is not _Step.PROMPTED or self._asks is None:
            return None
        said = [self._asks.render_decision(decided) for decided in self._decisions.values()]
        cancel = render_notice("session/cancel", {"sessionId": self._session})
        return b"".join((cancel, self._asks.render_cancelled(), *said))

    @property
    def _session(self) -> str | None:
        return None if self._handshake is None else self._handshake.session

    @property
    def _has_steering(self) -> bool:
        return self._handshake is not None and self._handshake.can_steer

    @property
    def _can_steer(self) -> bool:
        return self._has_steering or self._dialect.second_prompt is SecondPrompt.JOINS

    @property
    def _takes_words(self) -> bool:
        """Words may follow an answer: a steer, or a prompt that comes instead of the running one."""
        return self._can_steer or self._dialect.second_prompt is SecondPrompt.REPLACES

    def _render_words(self, text: str, *, id: str) -> bytes:
        """A request that brings words into the turn; nothing where there is no way for them."""
        block = [{"type": "text", "text": text}]
        if self._has_steering:
            meta = {"steering": {"idleBehavior": "promptRequired"}}
            return render_request(id, "_session/steering", {"sessionId": self._session, "prompt": block, "_meta": meta})
        if not self._takes_words:
            return b""
        return render_request(id, "session/prompt", {"sessionId": self._session, "prompt": block})

    # The memo and what was written

    def _begin(self, task: Task) -> None:
        self._task = task
        self._handshake = Handshake(task, self._dialect)
        self._asks = Asks(task.mode)
        self._calls[FIRST] = Call(what="begin", method="initialize", params={})
        self._outcome = Outcome(error="the agent ended before its turn began")

    def _written(self, name: str) -> list[Out]:
        """Bytes of this name are in the agent's pipe."""
        if name == STOP:
            self._is_stopping = True
            self._decisions.clear()
            return list(self._asks.withdraw_all()) if self._asks is not None else []
        if name.startswith("steer-"):
            return self._steered(name)
        decided = None if self._asks is None else self._asks.decided(name)
        return [] if decided is None else self._decided(decided)

    def _steered(self, name: str) -> list[Out]:
        if self._step is _Step.OVER:
            return [Event(kind="status", data={"state": "unread", "input": name})]
        self._steers.add(name)
        if not self._has_steering:
            self._prompts.add(name)
        return []

    def _decided(self, decided: Decided) -> list[Out]:
        pending = decided.pending
        if decided.is_refused:
            self._was_refused = True
            self._transcript.refuse(pending.tool)
        if decided.has_words and self._has_steering and pending.options:
            self._decisions[_words_id(pending.key)] = decided
        elif decided.has_words and self._takes_words and not self._has_steering:
            self._prompts.add(_words_id(pending.key))
        word = "refused" if decided.is_refused else "answered"
        return [Event(kind="status", data={"state": word, "key": pending.key, "tool": pending.tool or None})]

    # One line of the agent

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
            case (Result() | Failure()) as answer:
                return self._answered(answer)

    def _asked(self, request: Request) -> list[Out]:
        if request.method in ACKNOWLEDGED:
            return [*self._side_note(request.method, request.params), self._reply(_acknowledge(request))]
        if self._asks is None or (self._is_stopping and request.method == "session/request_permission"):
            return [self._reply(render_result(request.id, {"outcome": {"outcome": "cancelled"}}))]
        events: list[Out] = []
        call = request.params.get("toolCall")
        known: Mapping[str, Any] = {}
        if isinstance(call, dict):
            events += self._transcript.see(call, session=self._lane(request.params))
            known = self._transcript.asked(call)
        taken = self._asks.take(request, plans=self._transcript.plans, call=known)
        if taken is None:
            line = render_error(request.id, METHOD_NOT_FOUND, f"pal has no {request.method}")
            return [*events, self._reply(line)]
        if isinstance(taken, Ask):
            return [*events, taken]
        return [*events, self._ruled(call, taken), self._reply(taken.line)]

    def _ruled(self, call: object, ruled: Ruled) -> Event:
        """No person was asked: that is said."""
        call = call if isinstance(call, dict) else {}
        id = str(call.get("toolCallId") or "")
        if ruled.word == "refused":
            self._was_refused = True
            self._transcript.refuse(id)
        mode = None if self._task is None else str(self._task.mode)
        text = f"{call.get('title') or 'A question'}: {ruled.word} without asking"
        return Event(kind="status", text=text, data={"state": ruled.word, "tool": id or None, "mode": mode})

    def _told(self, notice: Notice) -> list[Out]:
        update = notice.params.get("update")
        if notice.method == "session/update" and isinstance(update, dict):
            return self._updated(update, self._lane(notice.params))
        id = notice.params.get("requestId")
        if notice.method == "$/cancel_request" and self._asks is not None and isinstance(id, int | str):
            gone, lines = self._asks.withdraw(id)
            return [*gone, self._reply(lines)] if gone else []
        return self._side_note(notice.method, notice.params)

    def _updated(self, update: Mapping[str, Any], session: str | None) -> list[Out]:
        """Before the prompt an agent tells a continued conversation once more: that was reported by earlier runs."""
        if self._step is _Step.BEGINNING:
            is_side = update.get("sessionUpdate") in ("available_commands_update", "usage_update")
            events = self._transcript.side_note(update) if is_side else []
            self._replayed += not is_side
        else:
            events = self._transcript.update(update, session=session)
        return list(events)

    def _side_note(self, method: str, params: Mapping[str, Any]) -> list[Out]:
        todos = params.get("todos")
        if method == "cursor/update_todos" and isinstance(todos, list):
            entries = [
                {"text": str(todo.get("content", "")), "status": str(todo.get("status", "pending"))}
                for todo in todos
                if isinstance(todo, dict)
            ]
            return [Event(kind="todo", data={"entries": entries})]
        if method == "cursor/task":
            id = str(params.get("agentId") or params.get("toolCallId") or "task")
            text = str(params.get("description") or "")
            return [Event(kind="subagent", text=text, data={"id": id, "parent": MAIN, "state": "done"})]
        if method in QUIET:
            return []
        return [Event(kind="status", data={"raw": cap_raw({"method": method, "params": params})})]

    def _lane(self, params: Mapping[str, Any]) -> str | None:
        """The session of a subagent; None for the run's own."""
        session = params.get("sessionId")
        return session if isinstance(session, str) and self._session and session != self._session else None

    # Answers to what we asked

    def _answered(self, answer: Result | Failure) -> list[Out]:
        id = answer.id
        if id is not None and id in self._calls:
            try:
                return self._went_on(self._calls.pop(id), answer)
            except HandshakeFailed as reason:
                return self._give_up(str(reason), kind=reason.kind)
        if isinstance(id, str) and id in self._decisions:
            decided = self._decisions.pop(id)
            return [] if self._asks is None else [self._reply(self._asks.render_decision(decided))]
        if id is not None and (id in self._prompts or id in self._steers):
            return self._prompt_answered(id, answer)
        if isinstance(answer, Failure):
            data = {"kind": "agent", "retryable": False, "status": answer.code}
            return [Event(kind="error", text=cap_text(answer.message, limit=ERROR_CHARS), data=data)]
        return []

    def _went_on(self, call: Call, answer: Result | Failure) -> list[Out]:
        """One more step towards the prompt. Raises HandshakeFailed."""
        assert self._handshake is not None
        shake = self._handshake
        match call.what:
            case "begin":
                events, following = shake.begun(answer)
                return [*events, self._call(following)]
            case "login":
                if isinstance(answer, Failure):
                    raise HandshakeFailed(f"the agent is not logged in: {answer.message}", kind="auth")
                events, following = shake.opening()
                return [*events, self._call(following)]
            case "open" | "continue":
                wanted = call.params.get("sessionId")
                events, next_call = shake.opened(answer, wanted=wanted)
                outs: list[Out] = [*events]
                if shake.session is not None:
                    outs.append(NativeSession(id=shake.session))
                    if not shake.is_resumed:
                        self._usage.cost_before = 0.0
                    self._is_settling = shake.is_resumed and self._dialect.replays_late
            case "settle":
                outs, next_call = [], None
                self._is_settling = self._replayed > 0
                self._replayed = 0
            case what:
                outs = [*shake.set(answer, what=what)]
                next_call = shake.next_setting()
        if next_call is None and self._is_settling:
            next_call = Call(what="settle", method="_pal/settle", params={})
        outs.append(self._call(next_call) if next_call is not None else self._prompt())
        return outs

    def _prompt(self) -> Reply:
        assert self._task is not None
        assert self._handshake is not None
        self._step = _Step.PROMPTED
        self._outcome = Outcome(error=BROKEN_OFF)
        self._usage.model = self._handshake.model
        if self._usage.cost_before is None:
            self._usage.cost_before = self._transcript.cost
        self._last_id += 1
        self._prompts.add(self._last_id)
        prompt = self._task.prompt
        if self._handshake.is_fresh:
            prompt = remind(prompt, recap=self._task.recap)
        text = safe_prompt(prompt, self._dialect, is_command=self._task.is_command and not self._handshake.is_fresh)
        shown = self._task.pictures if self._handshake.takes_pictures else []
        block = [{"type": "text", "text": text}, *shown]
        return self._reply(
            render_request(self._last_id, "session/prompt", {"sessionId": self._session, "prompt": block})
        )

    def _prompt_answered(self, id: Id, answer: Result | Failure) -> list[Out]:
        outs: list[Out] = []
        if isinstance(id, str) and id in self._steers:
            self._steers.discard(id)
            outs.append(_receipt(id, answer))
        if id not in self._prompts:
            return outs
        self._prompts.discard(id)
        if isinstance(answer, Failure):
            self._prompts.clear()
            if self._is_stopping:
                self._outcome = Outcome(is_interrupted=True, error=STOPPED)
            else:
                error, self._outcome = understand_failure(answer)
                outs.append(error)
        else:
            result = answer.result if isinstance(answer.result, dict) else {}
            self._usage.add(result)
            self._outcome = self._judge(str(result.get("stopReason") or "end_turn"))
        return outs if self._prompts else [*outs, *self._finish()]

    def _judge(self, stop: str) -> Outcome:
        """How the turn ended. A good end without a word or a deed is still one, and said to be."""
        if stop == "cancelled":
            if self._is_stopping:
                return Outcome(is_interrupted=True, error=STOPPED)
            if self._was_refused or self._prompts:
                return Outcome()
            return Outcome(error="the agent cancelled its turn")
        if stop in ENDED_EARLY:
            return Outcome(error=ENDED_EARLY[stop])
        return Outcome()

    def _finish(self) -> list[Out]:
        """The turn is over: nothing is open any more, and the agent may go."""
        self._step = _Step.OVER
        self._is_done = True
        outs: list[Out] = [*self._transcript.close()]
        outs += self._asks.withdraw_all() if self._asks is not None else []
        usage = self._usage.event(self._transcript)
        outs += [] if usage is None else [usage]
        if self._outcome.error is None and not self._transcript.has_said:
            outs.append(Event(kind="status", text="The agent ended its turn without a word.", data={"state": "notice"}))
        elif self._outcome.error is not None and not self._outcome.is_interrupted and self._outcome.error_kind is None:
            data = {"kind": "agent", "retryable": False, "status": None}
            outs.append(Event(kind="error", text=self._outcome.error, data=data))
        return [*outs, self._finished()]

    def _finished(self) -> Finished:
        has_servers = self._task is not None and bool(self._task.servers)
        return Finished(stays=self._dialect.stays_with_servers and has_servers)

    def _give_up(self, reason: str, *, kind: str) -> list[Out]:
        """There will be no turn."""
        self._step = _Step.OVER
        self._calls.clear()
        self._outcome = Outcome(error=reason, error_kind=kind)
        data = {"kind": kind, "retryable": False, "status": None}
        return [Event(kind="error", text=cap_text(reason, limit=ERROR_CHARS), data=data), self._finished()]

    def _close(self) -> list[Out]:
        """The process has ended; a turn that was still open is closed."""
        if self._step is _Step.OVER:
            return []
        self._step = _Step.OVER
        error = self._outcome.error or BROKEN_OFF
        self._outcome = replace(self._outcome, error=error, is_interrupted=self._is_stopping)
        return [*self._transcript.close(), *(self._asks.withdraw_all() if self._asks is not None else [])]

    # Our lines

    def _call(self, call: Call) -> Reply:
        self._last_id += 1
        self._calls[self._last_id] = call
        return self._reply(render_request(self._last_id, call.method, call.params))

    def _reply(self, data: bytes) -> Reply:
        """Named by its number: reading the spool once more makes the same names."""
        self._replies += 1
        return Reply(name=f"acp-{self._replies}", data=data)


def _acknowledge(request: Request) -> bytes:
    return render_result(request.id, ACKNOWLEDGED[request.method])


def _words(answer: Answer) -> str | None:
    """What an answer says that an option cannot: why not, or which plan instead."""
    if not answer.has_words:
        return None
    words = "\n".join(part for part in (answer.reason, answer.answer if answer.kind == "plan" else None) if part)
    if answer.decision == "deny":
        return f"That was refused by a person, who says:\n{words}"
    if answer.kind == "plan":
        return f"The plan is approved in this wording; do exactly this:\n{words}"
    return f"A person says about it:\n{words}"


def _words_id(key: str) -> str:
    return f"words-{key}"


def _receipt(id: str, answer: Result | Failure) -> Event:
    """Whether the model has read what it was told on the way."""
    result = answer.result if isinstance(answer, Result) and isinstance(answer.result, dict) else {}
    is_read = isinstance(answer, Result) and result.get("outcome", "injected") == "injected"
    return Event(kind="status", data={"state": "read" if is_read else "unread", "input": id})
