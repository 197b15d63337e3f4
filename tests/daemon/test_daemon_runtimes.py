"""Runtimes: recorded lines in, the same outs whatever pieces they come in; and what starts them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pal_daemon.runtimes.base import EVENT_KINDS, Answer, Ask, CannotStart, Context, Event, NativeSession, Runtime
from pal_daemon.runtimes.command import LONGEST_ANSWER, CommandRuntime
from pal_daemon.runtimes.lines import LineCutter
from pal_daemon.runtimes.program_lines import ProgramReader
from pal_daemon.runtimes.registry import load_registry, missing_note
from pal_daemon.spool import Record, Stream
from pal_server.contract.deliveries import AgentProfile, Work


def records(*parts: tuple[Stream, bytes]) -> list[Record]:
    made, end = [], 0
    for stream, data in (*parts, (Stream.EXIT, b"{}")):
        end += 20 + len(data)
        made.append(Record(stream=stream, at=1, data=data, end=end))
    return made


def stdout(*parts: bytes) -> list[Record]:
    return records(*((Stream.STDOUT, part) for part in parts))


def outs(reader, given: list[Record]) -> list[object]:
    return [out for record in given for out in reader.feed(record)]


def work(**agent: object) -> Work:
    profile = AgentProfile(**{"key": "worker", "display_name": "Worker", "runtime": "command", **agent})
    return Work(
        agent=profile, prompt="do it", content="do", room="r", room_name="general", topic=1, message=1, session="s"
    )


CONTEXT = Context(run=1, folder=Path("/tmp"), env={}, python=sys.executable, scratch=Path("/tmp"))
DEMO = (
    b'{"type": "session", "id": "s-1"}\n'
    b'{"type": "progress", "text": "1 of 2 seconds"}\n'
    b'{"type": "ask", "key": "ask-1", "kind": "question", "title": "Shall I?"}\n'
    b"hello from a library\n"
    b'{"type": "say", "text": "d\xc3\xb6ne"}\n'
)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_programs_lines_are_read_whatever_pieces_they_come_in(size):
    reader = ProgramReader()

    found = outs(reader, stdout(*(DEMO[at : at + size] for at in range(0, len(DEMO), size))))

    assert found == [
        NativeSession(id="s-1"),
        Event(kind="status", text="1 of 2 seconds"),
        Ask(key="ask-1", kind="question", title="Shall I?"),
        Event(kind="output", text="hello from a library\n"),
        Event(kind="message", text="döne"),
    ]
    assert reader.outcome().text == "döne"


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"null", b'{"type": 3}', b'{"type": "say"}', b'{"type": "ask", "key": 1}', b"\xff\xfe"]
)
def test_a_line_that_is_none_of_ours_becomes_plain_output(line):
    (out,) = outs(ProgramReader(), stdout(line + b"\n"))

    assert isinstance(out, Event)
    assert out.kind == "output"


def test_a_last_line_without_an_end_counts():
    reader = ProgramReader()

    outs(reader, stdout(b'{"type": "say", "text": "cut"}'))

    assert reader.outcome().text == "cut"


def test_a_commands_output_is_kept_as_it_came():
    reader = CommandRuntime().reader()

    found = outs(reader, stdout("  grüße\n".encode()[:5], "  grüße\n".encode()[5:]))

    assert "".join(out.text or "" for out in found if isinstance(out, Event)) == "  grüße\n"
    assert reader.outcome().text == "grüße"


def test_a_commands_long_answer_is_cut_with_a_note():
    reader = CommandRuntime().reader()

    outs(reader, stdout(b"\n" + b"x" * LONGEST_ANSWER, b"yy\n", b"\n\n"))

    text = reader.outcome().text or ""
    assert text.startswith("x" * LONGEST_ANSWER)
    assert text.endswith("[cut off here: 2 characters more are in the run's output]")


def test_a_commands_answer_of_just_the_limit_is_not_called_cut():
    reader = CommandRuntime().reader()

    outs(reader, stdout(b"x" * LONGEST_ANSWER, b"\n", b"  \n"))

    assert reader.outcome().text == "x" * LONGEST_ANSWER


def test_a_command_that_says_nothing_has_no_answer():
    assert CommandRuntime().reader().outcome().text is None


def test_a_command_is_split_as_a_shell_would_without_one():
    spec = CommandRuntime().launch(work(command="prog 'a b' \"$HOME\" *", command_allowed=True), CONTEXT)

    assert spec.argv == ("prog", "a b", "$HOME", "*")
    assert (spec.input, spec.close_input) == (b"do it", True)


@pytest.mark.parametrize("command", [None, "", "   ", "'open", "a\0b"])
def test_a_command_that_is_none_cannot_start(command):
    with pytest.raises(CannotStart):
        CommandRuntime().launch(work(command=command, command_allowed=True), CONTEXT)


def test_an_answer_is_one_line():
    line = ProgramReader().render_answer(Answer(key="ask-1", kind="approval", decision="deny", reason="no\nway"))

    assert line is not None
    assert line.count(b"\n") == 1
    assert b'"decision":"deny"' in line


def test_long_lines_are_put_together():
    cutter = LineCutter()

    assert cutter.feed(b"a" * 100_000) == []
    assert cutter.feed(b"b\nc\nd") == [b"a" * 100_000 + b"b", b"c"]
    assert cutter.rest() == b"d"


def test_every_built_in_runtime_is_one():
    registry = load_registry()

    assert set(registry.names) >= {"demo", "command", "manual"}
    for runtime in registry:
        assert isinstance(runtime, Runtime)
        assert set(runtime.capabilities.as_flags().values()) <= {True, False}


def test_kinds_are_the_one_vocabulary():
    assert {"message", "output", "log", "status", "file_change"} <= EVENT_KINDS


def test_a_missing_runtime_says_what_to_do():
    assert "npm install" in missing_note("codex")
    assert "no runtime named x" in missing_note("x")
