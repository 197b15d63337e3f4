"""Reads Claude Code's stream-json, both the model's words and the program's control requests. Pure.

What it relies on: a turn ends with `result`; more turns may follow unasked (background tasks, texts that came too
late to join), and the program is at rest when it says `idle` with no background task open. Only then stdin is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from pal_daemon.runtimes.afresh import begun_afresh
from pal_daemon.runtimes.base import (
    STOP,
    UNSPOKEN,
    Answer,
    Event,
    Finished,
    NativeSession,
    Out,
    Outcome,
)
from pal_daemon.runtimes.capping import cap_raw, cap_text, cap_value
from pal_daemon.runtimes.claude_code import control, tools
from pal_daemon.runtimes.claude_code.permissions import Permissions
from pal_daemon.runtimes.claude_code.receipts import Receipts
from pal_daemon.runtimes.claude_code.texts import Texts
from pal_daemon.runtimes.claude_code.usage import Spending
from pal_daemon.runtimes.lines import LineCutter, TextDecoder
from pal_daemon.runtimes.profile import Mode
from pal_daemon.spool import Record, Stream, parse_exit, parse_memo

NOTICE_CHARS = 4000
LONG_PAUSE = 10_000  # milliseconds the program waits for a limit from which on people see the run as paused
SILENT = frozenset(  # lines that tell nothing a person or another part of pal needs
    (
        "thinking_tokens",
        "task_progress",
        "task_updated",
        "hook_started",
        "hook_progress",
        "hook_response",
        "files_persisted",
        "post_turn_summary",
        "local_command_output",
    )
)
STATES = {"running": "running", "requires_action": "waiting", "idle": "idle"}
ERROR_KINDS = {"rate_limit": "rate_limit", "authentication_failed": "auth", "billing_error": "auth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A tool that runs."""

    name: str
    input: Mapping[str, Any]
    lane: str


class ClaudeReader:
    """One run of the program, from the memo on."""

    def __init__(self) -> None:
        self._lines = LineCutter()
        self._log = TextDecoder()
        self._run = 0
        self._permissions = Permissions()
        self._receipts = Receipts()
        self._effort: str | None = None
        self._wanted: str | None = None  # the model asked for
        self._model: str | None = None
        self._session: str | None = None
        self._cwd: str | None = None
        self._texts: dict[str, Texts] = {}
        self._calls: dict[str, _Call] = {}
        self._denied: set[str] = set()  # calls the program refused by itself
        self._todo = tools.TodoList()
        self._spending = Spending()
        self._steps = 0  # tools the agent itself used
        self._background: set[str] = set()
        self._is_owed_turn = False  # a background task has ended and the program will speak of it
        self._state = ""
        self._is_stopping = False
        self._is_finished = False
        self._said: list[str] = []
        self._error: str | None = None
        self._error_kind: str | None = None
        self._resume_at: int | None = None  # UTC milliseconds; when a used up quota is there again
        self._at = 0  # UTC milliseconds; of the record that is read
        self._is_interrupted = False
        self._has_result = False
        self._exit_code: int | None = None

    # What the daemon asks

    def feed(self, record: Record) -> list[Out]:
        self._at = record.at
        match record.stream:
            case Stream.STDOUT:
                return [out for line in self._lines.feed(record.data) for out in self._line(line)]
            case Stream.STDERR:
                text = self._log.feed(record.data)
                return [Event(kind="log", text=text, is_piece=True)] if text else []
            case Stream.MEMO:
                return self._begin(parse_memo(record))
            case Stream.INPUT:
                return self._taken(str(record.facts.get("id")))
            case Stream.EXIT:
                self._exit_code = parse_exit(record).code
                return [*self._line(self._lines.rest()), *self._close()]
            case _:
                return []

    def outcome(self) -> Outcome:
        error = self._error
        if not self._has_result and self._exit_code == 0:
            error = f"{UNSPOKEN} an answer"
        return Outcome(
            text="\n\n".join(self._said).strip() or None,
            usage=self._spending.usage,
            error=error,
            error_kind=self._error_kind if error else None,
            resume_at=self._resume_at if error and self._error_kind == "rate_limit" else None,
            is_interrupted=self._is_interrupted,
        )

    def render_answer(self, answer: Answer) -> bytes | None:
        return self._permissions.render(answer)

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        if self._is_finished or self._is_stopping:
            return None
        return control.render_text(text, uuid=control.name_input(self._run, key))

    def render_stop(self) -> bytes | None:
        return control.render_interrupt(queued=self._receipts.queued)

    # Records that are no lines

    def _begin(self, memo: Mapping[str, Any]) -> list[Out]:
        self._run = int(memo.get("run", 0))
        self._permissions.begin(run=self._run, mode=Mode(memo.get("mode", Mode.ASK)))
        self._receipts.begin(self._run)
        self._effort, self._wanted = memo.get("effort"), memo.get("model")
        lost = memo.get("lost")
        return [
            *([begun_afresh(str(lost["reason"]), has_recap=bool(lost["recap"]))] if lost else []),
            *(_notice(str(notice)) for notice in memo.get("notices") or ()),
        ]

    def _taken(self, name: str) -> list[Out]:
        """The program has bytes of ours in its pipe."""
        if name == STOP:
            self._is_stopping = True
            return self._finish() if self._state == "idle" else []
        return self._receipts.taken(name)

    def _close(self) -> list[Out]:
        """The program is gone: nothing it began goes on."""
        outs: list[Out] = [event for texts in self._texts.values() for event in texts.discard()]
        for call, tool in self._calls.items():
            outs.append(Event(kind="tool_result", lane=tool.lane, data={"id": call, "status": "aborted"}))
        self._calls.clear()
        return [*outs, *self._permissions.close()]

    # Lines

    def _line(self, line: bytes) -> list[Out]:
        if not line.strip():
            return []
        try:
            said = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            return [Event(kind="output", text=line.decode("utf-8", "replace") + "\n")]
        try:
            outs = self._understand(said)
        except (LookupError, TypeError, ValueError, AttributeError):  # a shape this version does not know
            outs = None
        return [_unknown(said)] if outs is None else outs

    def _understand(self, said: dict[str, Any]) -> list[Out] | None:
        """None for a line that is none of those we know."""
        match said.get("type"):
            case "stream_event":
                return [*self._lane(said).stream(said["event"])]
            case "assistant":
                return self._assistant(said)
            case "user":
                return self._user(said)
            case "system":
                return self._system(said)
            case "control_request":
                return self._permissions.request(str(said["request_id"]), said["request"])
            case "control_cancel_request":
                return self._permissions.withdraw(str(said["request_id"]))
            case "control_response":
                return self._control_answer(said["response"])
            case "command_lifecycle":
                return self._receipts.heard(str(said["command_uuid"]), str(said["state"]), step=self._steps)
            case "result":
                return self._result(said)
            case "rate_limit_event":
                return self._quota(said["rate_limit_info"])
            case "keep_alive":
                return []
            case _:
                return None

    def _lane(self, said: Mapping[str, Any]) -> Texts:
        lane = _lane_name(said)
        if lane not in self._texts:
            self._texts[lane] = Texts(lane)
        return self._texts[lane]

    def _assistant(self, said: Mapping[str, Any]) -> list[Out]:
        message, lane = said["message"], _lane_name(said)
        if said.get("is_api_error_message") or said.get("error"):
            return self._api_error(said)
        outs: list[Out] = []
        for block in message["content"]:
            match block:
                case {"type": "text", "text": str(text)}:
                    outs += self._lane(said).said("text", text, message=str(message.get("id")))
                case {"type": "thinking", "thinking": str(text)}:
                    outs += self._lane(said).said("thinking", text, message=str(message.get("id")))
                case {"type": "tool_use", "id": str(call), "name": str(name), "input": dict(tool_input)}:
                    self._calls[call] = _Call(name=name, input=tool_input, lane=lane)
                    self._steps += lane == "main"
                    outs += tools.call_events(call, name, tool_input, lane=lane, cwd=self._cwd)
                case _:
                    outs.append(Event(kind="status", lane=lane, data={"raw": cap_raw(block)}))
        if lane == "main":
            self._spending.note_context(message.get("usage"))
        return outs

    def _api_error(self, said: Mapping[str, Any]) -> list[Out]:
        """Comes before the result that says the same."""
        kind = str(said.get("error") or "unknown")
        self._error_kind = ERROR_KINDS.get(kind)
        text = tools.content_text(said["message"].get("content"))
        data = {"kind": kind, "retryable": kind in ("rate_limit", "server_error", "overloaded", "unknown")}
        if isinstance(said.get("api_error_status"), int):
            data["status"] = said["api_error_status"]
        return [Event(kind="error", text=cap_text(text, limit=NOTICE_CHARS), lane=_lane_name(said), data=data)]

    def _quota(self, quota: Mapping[str, Any]) -> list[Out]:
        """How much of a subscription is left, or that nothing is."""
        if quota.get("status") == "rejected":
            self._resume_at = _moment(quota.get("resetsAt"))
        data = {"state": "quota", "quota": cap_value(dict(quota)), "windows": _windows(quota)}
        return [Event(kind="status", data=data)]

    def _user(self, said: Mapping[str, Any]) -> list[Out]:
        content = said["message"]["content"]
        if isinstance(content, str):
            return [] if said.get("isReplay") else [_notice(content)]
        metas = {meta["id"]: meta for meta in said.get("tool_result_meta") or ()}
        outs: list[Out] = []
        for block in content:
            match block:
                case {"type": "tool_result", "tool_use_id": str(call)}:
                    outs += self._tool_result(call, block, detail=said.get("tool_use_result"), meta=metas.get(call, {}))
                case {"type": "text", "text": str(text)} if not said.get("isReplay"):
                    outs.append(_notice(text))
        return outs

    def _tool_result(
        self, call: str, block: Mapping[str, Any], *, detail: object, meta: Mapping[str, Any]
    ) -> list[Out]:
        tool = self._calls.pop(call, None)
        lane = "main" if tool is None else tool.lane
        self._permissions.settle(call)
        if call in self._denied:
            self._denied.discard(call)
            meta = {"non_execution_kind": "permission-rule"}
        outs: list[Out] = []
        if block.get("is_error") is not True and (change := tools.change_event(detail, lane=lane)) is not None:
            outs.append(change)
        outs.append(tools.result_event(call, block, detail=detail, meta=meta, was_aborted=self._is_stopping, lane=lane))
        if tool is not None and (todo := self._todo.after(tool.name, tool.input, detail)) is not None:
            outs.append(todo)
        return outs

    # What the program says of itself

    def _system(self, said: dict[str, Any]) -> list[Out] | None:
        subtype = said.get("subtype")
        if subtype in SILENT:
            return []
        acts: dict[object, Callable[[dict[str, Any]], list[Out]]] = {
            "init": self._init,
            "session_state_changed": self._state_changed,
            "status": self._status,
            "api_retry": self._retry,
            "permission_denied": self._permission_denied,
            "task_started": self._task_started,
            "task_notification": self._task_ended,
            "background_tasks_changed": self._tasks_changed,
            "informational": lambda said: [_notice(str(said.get("content", "")))],
            "compact_boundary": lambda said: [Event(kind="status", data={"state": "compacted"})],
        }
        return acts[subtype](said) if subtype in acts else None

    def _init(self, said: dict[str, Any]) -> list[Out]:
        """At the begin of every turn again."""
        outs: list[Out] = []
        self._cwd = said.get("cwd")
        if (session := said.get("session_id")) and session != self._session:
            self._session = str(session)
            outs.append(NativeSession(id=self._session))
        if said.get("model") != self._model:
            self._model = said.get("model")
            data = {
                "state": "session",
                "model": self._model,
                "version": said.get("claude_code_version"),
                "mode": said.get("permissionMode"),
            }
            outs.append(Event(kind="status", data=data))
        for server in said.get("mcp_servers") or ():
            if server.get("status") == "failed":
                outs.append(_notice(f"the MCP server {server.get('name')} could not be started"))
        return outs

    def _state_changed(self, said: dict[str, Any]) -> list[Out]:
        self._state = str(said["state"])
        outs: list[Out] = [Event(kind="status", data={"state": STATES.get(self._state, self._state)})]
        if self._state == "running":
            self._is_owed_turn = False
        return [*outs, *self._at_rest()]

    def _status(self, said: dict[str, Any]) -> list[Out]:
        if isinstance(said.get("permissionMode"), str):
            self._permissions.note_mode(said["permissionMode"])
        if said.get("status") in (None, "requesting"):
            return []
        return [Event(kind="status", data={"state": str(said["status"])})]

    def _retry(self, said: dict[str, Any]) -> list[Out]:
        why, after = said.get("error"), said.get("retry_delay_ms")
        data = {
            "state": "retry",
            "attempt": said.get("attempt"),
            "of": said.get("max_retries"),
            "after": after,
            "why": why,
            "status": said.get("error_status"),
        }
        outs: list[Out] = [Event(kind="status", text=f"the model service failed ({why}); asked again", data=data)]
        if why == "rate_limit" and isinstance(after, int | float) and after >= LONG_PAUSE:
            outs.append(Event(kind="status", data={"state": "paused", "resume_at": self._at + int(after)}))
        return outs

    def _permission_denied(self, said: dict[str, Any]) -> list[Out]:
        self._denied.add(str(said.get("tool_use_id")))
        return [_notice(str(said.get("message", "")))]

    def _task_started(self, said: dict[str, Any]) -> list[Out]:
        if not said.get("is_backgrounded") and said.get("task_type") == "local_bash":
            return []
        return [self._task_event(said, state="running", text=said.get("description"))]

    def _task_ended(self, said: dict[str, Any]) -> list[Out]:
        if said["task_id"] in self._background:
            self._is_owed_turn = self._state == "idle"
        elif said.get("output_file") == "":  # a command in the foreground: its result says it all
            return []
        return [self._task_event(said, state=str(said.get("status", "completed")), text=said.get("summary"))]

    def _task_event(self, said: Mapping[str, Any], *, state: str, text: object) -> Event:
        data = {"id": said["task_id"], "parent": said.get("tool_use_id"), "state": state, "kind": said.get("task_type")}
        return Event(kind="subagent", text=cap_text(str(text or ""), limit=NOTICE_CHARS), data=data)

    def _tasks_changed(self, said: dict[str, Any]) -> list[Out]:
        self._background = {str(task["task_id"]) for task in said["tasks"]}
        return self._at_rest()

    # Turns

    def _result(self, said: dict[str, Any]) -> list[Out]:
        self._has_result = True
        ended = str(said.get("terminal_reason") or "")
        text = said.get("result") if isinstance(said.get("result"), str) else None
        is_error = said.get("is_error") is True
        self._is_interrupted = ended.startswith("aborted")
        self._error = None
        outs: list[Out] = []
        if self._is_interrupted:
            self._error = "the turn was interrupted" if is_error else None
        elif is_error:
            errors = [str(error) for error in said.get("errors") or ()]
            self._error = cap_text(text or "; ".join(errors) or str(said.get("subtype")), limit=NOTICE_CHARS)
            if ended != "api_error":  # those were told by an event of their own
                outs.append(Event(kind="error", text=self._error, data={"kind": ended or str(said.get("subtype"))}))
        if text and not is_error and (not self._said or self._said[-1] != text):
            self._said.append(text)
        if not is_error:
            self._error_kind = None
        if (spent := self._spending.book(said)) is not None:
            outs.append(spent)
        if self._is_stopping or not self._state:  # asked to, or a program that never says when it is idle
            outs += self._finish()
        return outs

    def _at_rest(self) -> list[Out]:
        if self._state == "idle" and self._has_result and not self._background and not self._is_owed_turn:
            return self._finish()
        return []

    def _finish(self) -> list[Out]:
        if self._is_finished:
            return []
        self._is_finished = True
        return [Finished()]

    def _control_answer(self, response: Mapping[str, Any]) -> list[Out]:
        if response.get("request_id") != control.INITIALIZE:
            return []
        if response.get("subtype") != "success":
            return [_notice(f"the program did not introduce itself: {response.get('error')}")]
        return self._introduced(response["response"])

    def _introduced(self, answer: Mapping[str, Any]) -> list[Out]:
        """What the program can do, and whether the effort wished for is among it."""
        models = [model for model in answer.get("models") or () if isinstance(model, dict)]
        commands = [
            {"name": command.get("name"), "hint": cap_text(str(command.get("argumentHint") or ""), limit=200)}
            for command in answer.get("commands") or ()
            if isinstance(command, dict)
        ]
        data = {
            "state": "introduced",
            "models": cap_value([model.get("value") for model in models]),
            "commands": cap_value(commands),
        }
        outs: list[Out] = [Event(kind="status", data=data)]
        chosen = next((model for model in models if (self._wanted or "default") in _names(model)), {})
        known = [] if chosen.get("supportsEffort") is False else chosen.get("supportedEffortLevels")
        if self._effort is not None and isinstance(known, list) and self._effort not in known:
            outs.append(_notice(f"{chosen.get('displayName')} knows no effort {self._effort}: it uses its own"))
        return outs


def _names(model: Mapping[str, Any]) -> tuple[object, object]:
    return model.get("value"), model.get("resolvedModel")


def _lane_name(said: Mapping[str, Any]) -> str:
    return str(said.get("parent_tool_use_id") or "main")


def _windows(quota: Mapping[str, Any]) -> list[dict[str, object]]:
    """The windows of a subscription: how much of each is used, and when it begins anew."""
    windows = quota.get("unifiedWindows")
    named = windows if isinstance(windows, dict) else {str(quota.get("rateLimitType") or "window"): quota}
    return [
        {
            "name": name,
            "used_percent": 100.0 * used if isinstance(used := window.get("utilization"), int | float) else None,
            "resets_at": _moment(window.get("resetsAt")),
        }
        for name, window in named.items()
        if isinstance(window, dict)
    ]


def _moment(seconds: object) -> int | None:
    """UTC seconds → milliseconds."""
    return seconds * 1000 if isinstance(seconds, int) and 0 < seconds < 1 << 33 else None


def _notice(text: str) -> Event:
    return Event(kind="status", text=cap_text(text, limit=NOTICE_CHARS), data={"state": "notice"})


def _unknown(said: Mapping[str, Any]) -> Event:
    return Event(kind="status", data={"raw": cap_raw(said)})
