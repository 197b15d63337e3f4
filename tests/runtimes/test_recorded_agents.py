"""What pal makes of what real agents wrote: ACP agents and Codex, recorded with the scripted models.

A line that begins with # is no output: it names the input the agent was given there, as the spool has it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pal_daemon.runtimes.base import EVENT_KINDS, Event, Finished, NativeSession, Out, Reader
from pal_daemon.runtimes.registry import load_registry
from pal_daemon.spool import Record, Stream
from tests.runtimes.recordings import events, exited, names, note, output, read, recorded_lines

AGENTS = {"gemini": "gemini", "opencode": "opencode", "claude-agent-acp": "acp", "cursor": "cursor", "codex": "codex"}
RECORDINGS = [f"{folder}/{name}" for folder in AGENTS for name in names(folder)]
REGISTRY = load_registry()
SIDES: dict[str, Any] = {"sandboxPolicy": {"type": "readOnly"}, "approvalPolicy": "never"}


def records(path: str, *, size: int | None = None) -> Iterator[Record]:
    """The run's spool without its end; output in pieces of `size` bytes."""
    for line in recorded_lines(path):
        if line.startswith(b"#"):
            yield note(Stream.INPUT, id=line[1:].decode().strip())
        else:
            step = size or len(line)
            yield from output(*(line[at : at + step] for at in range(0, len(line), step)))


def memo(path: str) -> Record:
    folder, _, name = path.partition("/")
    is_continued = name.startswith("continued")
    task: dict[str, Any] = {"prompt": "do it", "session": "old" if is_continued else None, "mode": "ask"}
    if name.startswith("plan"):
        task["mode"] = "plan"
    if folder == "codex":
        task |= {"thread": {"cwd": "/home/agent/folder"}, "turn": SIDES, "approved": SIDES}
    else:
        task |= {"folder": "/home/agent/folder", "login": "gemini-api-key" if folder == "gemini" else None}
    if folder == "cursor":
        task["login"] = "cursor_login"
    if path == "opencode/tools.jsonl":
        task["model"] = "loop/small"
    if path == "claude-agent-acp/tools.jsonl":
        task["model"] = "sonnet"
    return note(Stream.MEMO, **task)


def reader_of(path: str) -> Reader:
    runtime = REGISTRY.get(AGENTS[path.partition("/")[0]])
    assert runtime is not None
    return runtime.reader()


def read_all(path: str, *, size: int | None = None) -> tuple[Reader, list[Out]]:
    reader = reader_of(path)
    return reader, read(reader, [memo(path), *records(path, size=size)])


@pytest.mark.parametrize("path", RECORDINGS)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_however_the_output_is_cut_the_same_comes_out(path, size):
    whole, at_once = read_all(path)
    cut, in_pieces = read_all(path, size=size)

    assert in_pieces == at_once
    assert cut.outcome() == whole.outcome()


@pytest.mark.parametrize("path", RECORDINGS)
def test_a_run_is_read_from_its_session_to_its_end_and_no_line_is_unknown(path):
    _, outs = read_all(path)

    assert any(isinstance(out, NativeSession) for out in outs)
    assert [out for out in outs if isinstance(out, Finished)] == [Finished()]
    assert {out.kind for out in outs if isinstance(out, Event)} <= EVENT_KINDS
    assert [out.data["raw"] for out in events(outs, "status") if "raw" in out.data] == []
    assert events(outs, "output") == [] or path.startswith("codex")


@pytest.mark.parametrize("path", RECORDINGS)
def test_every_tool_that_began_has_ended_once(path):
    _, outs = read_all(path)

    begun = [event.data["id"] for event in events(outs, "tool_call")]
    assert sorted(event.data["id"] for event in events(outs, "tool_result")) == sorted(begun)
    assert len(set(begun)) == len(begun)


@pytest.mark.parametrize("path", RECORDINGS)
def test_a_program_that_dies_at_any_line_leaves_nothing_open(path):
    all_of_it = list(records(path))

    for count in range(len(all_of_it)):
        reader = reader_of(path)
        outs = read(reader, [memo(path), *all_of_it[:count], exited(code=1)])

        begun = {event.data["id"] for event in events(outs, "tool_call")}
        assert {event.data["id"] for event in events(outs, "tool_result")} == begun
        assert Finished() in outs or reader.outcome().error


@pytest.mark.parametrize("path", RECORDINGS)
@pytest.mark.parametrize(
    "bend", [lambda line: line[: len(line) // 2] + b"\n", lambda line: b"[1]\n", lambda line: line * 2]
)
def test_a_line_that_is_broken_or_comes_twice_breaks_nothing(path, bend: Callable[[bytes], bytes]):
    all_of_it = list(records(path))

    for place, record in enumerate(all_of_it):
        if record.stream is Stream.STDOUT:
            bent = Record(stream=record.stream, at=1, data=bend(record.data), end=record.end)
            read(reader_of(path), [memo(path), *all_of_it[:place], bent, *all_of_it[place + 1 :], exited()])


@pytest.mark.parametrize("path", RECORDINGS)
def test_a_reader_that_begins_at_any_line_does_not_break(path):
    all_of_it = list(records(path))

    for place in range(len(all_of_it)):
        read(reader_of(path), [*all_of_it[place:], exited()])
        read(reader_of(path), [memo(path), *all_of_it[place:], exited()])


@pytest.mark.parametrize("path", RECORDINGS)
def test_a_value_of_another_type_breaks_nothing(path):
    all_of_it = list(records(path))
    seen: set[tuple[str, ...]] = set()

    for place, record in enumerate(all_of_it):
        shape = _shape(json.loads(record.data)) if record.stream is Stream.STDOUT else ()
        if not shape or shape in seen:
            continue
        seen.add(shape)
        before = reader_of(path)
        read(before, [memo(path), *all_of_it[:place]])
        for strange in _bent(json.loads(record.data)):
            line = json.dumps(strange).encode() + b"\n"
            bent = Record(stream=record.stream, at=1, data=line, end=record.end)
            read(copy.deepcopy(before), [bent])


@pytest.mark.parametrize("path", [path for path in RECORDINGS if "/tools" in path and "cursor" not in path])
def test_tools_are_told_alike_whichever_agent_uses_them(path):
    reader, outs = read_all(path)

    assert reader.outcome().text == "All done."
    assert "a.txt" in events(outs, "command")[0].data["command"]
    (change,) = events(outs, "file_change")
    assert (change.data["change"], "+two" in change.data["diff"]) == ("add", True)
    assert events(outs, "reasoning")
    if "codex" not in path:
        assert {event.data["kind"] for event in events(outs, "tool_call")} >= {"execute", "edit"}


@pytest.mark.parametrize("path", [path for path in RECORDINGS if "/refused" in path])
def test_a_refusal_is_told_alike_whichever_agent_hears_it(path):
    reader, outs = read_all(path)

    (result,) = events(outs, "tool_result")
    assert result.data["status"] == "refused"
    assert "Python it is." in (reader.outcome().text or "")
    assert reader.outcome().error is None


@pytest.mark.parametrize("path", [path for path in RECORDINGS if "/stopped" in path])
def test_a_stop_is_told_alike_whichever_agent_is_stopped(path):
    reader, _ = read_all(path)

    assert reader.outcome().is_interrupted


@pytest.mark.parametrize("path", [path for path in RECORDINGS if "/continued" in path])
def test_nothing_of_an_earlier_conversation_is_told_again(path):
    _, outs = read_all(path)

    assert "".join(event.text or "" for event in events(outs, "message")) == "As before."


def _shape(line: dict[str, Any]) -> tuple[str, ...]:
    """What kind of line it is: one of each kind is enough to bend."""
    params = line.get("params") or {}
    item = params.get("item") or params.get("update") or {}
    words = (line.get("method"), item.get("type"), item.get("sessionUpdate"), item.get("status"))
    return (*map(str, words), *sorted(line), str(line.get("id")) if "result" in line else "")


def _bent(value: Any) -> Iterator[Any]:
    """The value with each part in turn replaced by one of another type."""
    yield from (None, 7, "x", [], {})
    if isinstance(value, dict):
        for name, part in value.items():
            yield from ({**value, name: strange} for strange in _bent(part))
    elif isinstance(value, list):
        for place, part in enumerate(value[:2]):
            yield from ([*value[:place], strange, *value[place + 1 :]] for strange in _bent(part))
