"""Tells a run again from Claude Code's own transcript, whose lines are nearly those of its stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pal_daemon.runtimes.base import Event, Retold
from pal_daemon.runtimes.claude_code.reader import ClaudeReader
from pal_daemon.runtimes.transcripts import lines_between
from pal_daemon.spool import Record, Stream

KINDS = frozenset(("message", "reasoning", "tool_call", "tool_result", "command", "file_change", "web_search", "todo"))


def retell(file: Path, *, since: int, until: int) -> Iterator[Retold]:
    reader = ClaudeReader()
    end = 0
    for at, said in lines_between(file, since=since, until=until):
        line = _as_streamed(said)
        if line is None:
            continue
        end += len(line)
        outs = reader.feed(Record(stream=Stream.STDOUT, at=at, data=line, end=end))
        yield from (Retold(at=at, event=out) for out in outs if isinstance(out, Event) and out.kind in KINDS)


def _as_streamed(said: dict[str, Any]) -> bytes | None:
    """A line of the main conversation as the stream has it; None for what the stream does not say."""
    is_told = said.get("type") == "assistant" or (said.get("type") == "user" and "toolUseResult" in said)
    if not is_told or said.get("isSidechain") is True:
        return None
    line = {"type": said["type"], "message": said.get("message"), "tool_use_result": said.get("toolUseResult")}
    return msgspec.json.encode(line) + b"\n"
