"""Reads `program.py`: one JSON object a line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pal_daemon.runtimes.afresh import begun_afresh
from pal_daemon.runtimes.base import Answer, Event, NativeSession, Out, Outcome
from pal_daemon.runtimes.lines import LineCutter, TextDecoder
from pal_daemon.spool import Record, Stream, parse_memo
from pal_server.contract.runs import Usage

LONG_PAUSE = 10_000  # milliseconds of waiting for a limit from which on people see the run as paused
OUTCOME_KINDS = frozenset(("auth", "rate_limit"))  # of errors that a run's end has a word for


class OpenAiReader:
    """One turn. Nothing can be answered or told: the endpoint takes no text while it speaks."""

    def __init__(self) -> None:
        self._lines = LineCutter()
        self._log = TextDecoder()
        self._text: str | None = None
        self._usage: Usage | None = None
        self._error: str | None = None
        self._error_kind: str | None = None
        self._resume_at: int | None = None
        self._at = 0  # UTC milliseconds; of the record that is read

    def feed(self, record: Record) -> list[Out]:
        self._at = record.at
        match record.stream:
            case Stream.MEMO:
                return self._begin(parse_memo(record))
            case Stream.STDOUT:
                return [out for line in self._lines.feed(record.data) for out in self._read(line)]
            case Stream.STDERR:
                text = self._log.feed(record.data)
                return [Event(kind="log", text=text, is_piece=True)] if text else []
            case Stream.EXIT:
                return self._read(self._lines.rest())
            case _:
                return []

    def outcome(self) -> Outcome:
        return Outcome(
            text=self._text,
            usage=self._usage,
            error=self._error,
            error_kind=self._error_kind,
            resume_at=self._resume_at,
        )

    def render_answer(self, answer: Answer) -> bytes | None:
        return None

    def render_steer(self, text: str, *, key: str) -> bytes | None:
        return None

    def _begin(self, memo: Mapping[str, Any]) -> list[Out]:
        lost = memo.get("lost")
        return [
            *([begun_afresh(str(lost["reason"]), has_recap=bool(lost["recap"]))] if lost else []),
            *(_notice(str(notice)) for notice in memo.get("notices") or ()),
        ]

    def _read(self, line: bytes) -> list[Out]:
        if not line.strip():
            return []
        try:
            said = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.MsgspecError, RecursionError):
            said = {}
        match said:
            case {"type": "piece", "kind": "message" | "reasoning" as kind, "text": str(text)}:
                return [Event(kind=kind, text=text, is_piece=True, data={"id": "answer"})]
            case {"type": "session", "id": str(name)}:
                return [NativeSession(id=name)]
            case {"type": "done", "text": str(text)}:
                self._text = text.strip() or None
                return []
            case {"type": "note", "text": str(text)}:
                return [_notice(text)]
            case {"type": "retry"}:
                return [_retry(said), *self._pause(said)]
            case {"type": "usage"}:
                return [self._spent(said)]
            case {"type": "fail", "text": str(text), "kind": str(kind)}:
                self._error = text
                self._error_kind = kind if kind in OUTCOME_KINDS else None
                if kind == "rate_limit" and isinstance(said.get("after"), int | float):
                    self._resume_at = self._at + int(said["after"] * 1000)
                data = {"kind": kind, "retryable": kind in ("rate_limit", "network"), "status": said.get("status")}
                return [Event(kind="error", text=text, data=data)]
            case _:
                return [Event(kind="output", text=line.decode("utf-8", "replace") + "\n")]

    def _pause(self, said: dict[str, Any]) -> list[Out]:
        after = said.get("after")
        if said.get("status") != 429 or not isinstance(after, int) or after < LONG_PAUSE:
            return []
        return [Event(kind="status", data={"state": "paused", "resume_at": self._at + after})]

    def _spent(self, said: dict[str, Any]) -> Event:
        names = ("input_tokens", "output_tokens", "cached_tokens", "model")
        data = {name: said[name] for name in names if said.get(name) is not None}
        taken, given = (data.get(name) if isinstance(data.get(name), int) else None for name in names[:2])
        self._usage = Usage(input_tokens=taken, output_tokens=given)
        return Event(kind="usage", data=data)


def _notice(text: str) -> Event:
    return Event(kind="status", text=text, data={"state": "notice"})


def _retry(said: dict[str, Any]) -> Event:
    names = ("attempt", "after", "why", "status")
    return Event(
        kind="status",
        text=f"the endpoint failed ({said.get('why')}); asked again",
        data={"state": "retry", **{name: said.get(name) for name in names}},
    )
