"""What pal makes of Claude Code's lines, from recordings of the real program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pal_daemon.runtimes.base import STOP, Answer, Ask, Event, Finished, NativeSession, Out, Reply, Withdrawn
from pal_daemon.runtimes.claude_code.control import name_input
from pal_daemon.runtimes.claude_code.reader import ClaudeReader
from pal_daemon.spool import Stream
from tests.runtimes.recordings import events, exited, names, note, output, read, recorded_lines

RECORDINGS = names("claude")
LATER = "22222222-2222-4222-8222-222222222222"  # the uuid of a text sent while the program worked


def lines(name: str) -> list[bytes]:
    return recorded_lines(f"claude/{name}.jsonl")


def read_all(name: str, **memo: object) -> tuple[ClaudeReader, list[Out]]:
    reader = ClaudeReader()
    outs = read(reader, [note(Stream.MEMO, **{"run": 1, "mode": "ask", **memo})])
    return reader, outs + read(reader, output(*lines(name)))


def until_ask(name: str, number: int = 1, **memo: object) -> tuple[ClaudeReader, Ask]:
    """A reader that stands where the program waits."""
    reader = ClaudeReader()
    reader.feed(note(Stream.MEMO, **{"run": 1, "mode": "ask", **memo}))
    for record in output(*lines(name)):
        for out in reader.feed(record):
            if isinstance(out, Ask):
                number -= 1
                if not number:
                    return reader, out
    raise AssertionError("it asks nothing")


def said(data: bytes | None) -> list[dict[str, Any]]:
    assert data is not None
    return [json.loads(line) for line in data.splitlines()]


def given(data: bytes | None) -> dict[str, Any]:
    """The answer to a permission, from the line that carries it."""
    return said(data)[0]["response"]["response"]


# Every recording


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_however_the_output_is_cut_the_same_comes_out(name, size):
    data = b"".join(recorded_lines(f"claude/{name}"))
    whole, cut = ClaudeReader(), ClaudeReader()

    at_once = read(whole, output(data))
    in_pieces = read(cut, output(*(data[at : at + size] for at in range(0, len(data), size))))

    assert in_pieces == at_once
    assert cut.outcome() == whole.outcome()


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_line_is_unknown(name):
    _, outs = read_all(name.removesuffix(".jsonl"))

    assert [out.data["raw"] for out in events(outs, "status") if "raw" in out.data] == []
    assert events(outs, "output") == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_reader_that_begins_at_any_line_reads_on(name):
    recording = recorded_lines(f"claude/{name}")

    for start in range(len(recording)):
        outs = read(ClaudeReader(), [*output(*recording[start:]), exited()])
        assert not [out for out in events(outs, "status") if "raw" in out.data]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_program_that_dies_at_any_line_leaves_nothing_open(name):
    recording = recorded_lines(f"claude/{name}")

    for end in range(len(recording)):
        outs = read(ClaudeReader(), [*output(*recording[:end]), exited(code=None, signal=9)])
        begun = {event.data["id"] for event in events(outs, "tool_call")}
        ended = {event.data["id"] for event in events(outs, "tool_result")}
        assert begun <= ended


@pytest.mark.parametrize("name", RECORDINGS)
def test_lines_with_other_shapes_are_shown_and_never_an_error(name):
    for line in recorded_lines(f"claude/{name}"):
        for odd in _bent(json.loads(line)):
            read(ClaudeReader(), [*output(json.dumps(odd).encode() + b"\n"), exited()])
        read(ClaudeReader(), [*output(line[: len(line) // 2] + b"\n"), exited()])


def _bent(value: Any) -> Iterator[Any]:
    """The value with one part of it replaced by something of another type, for every part."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(parts):
        for odd in (None, 7, "x", [], {}, [7], {"x": 7}):
            yield _with(value, key, odd)
        if len(json.dumps(part)) < 2000:
            for bent in _bent(part):
                yield _with(value, key, bent)


def _with(value: Any, key: Any, part: Any) -> Any:
    changed = value.copy()
    changed[key] = part
    return changed


def test_what_is_no_json_is_output():
    outs = read(
        ClaudeReader(), output(b"Warning: something\n", b"[" * 200_000 + b"\n", b'{"type": "new_thing", "a": 1}\n')
    )

    assert [out.kind for out in outs if isinstance(out, Event)] == ["output", "output", "status"]
    assert events(outs, "status")[0].data == {"raw": {"type": "new_thing", "a": 1}}


def test_an_unknown_line_is_capped():
    (out,) = read(ClaudeReader(), output(json.dumps({"type": "new", "text": "x" * 3_000_000}).encode() + b"\n"))

    assert isinstance(out, Event)
    assert len(str(out.data)) < 5000


# Texts


def test_a_text_that_came_in_pieces_is_not_said_twice():
    reader, outs = read_all("tools")

    assert "".join(event.text or "" for event in events(outs, "message")) == "fin"
    assert reader.outcome().text == "fin"


def test_a_text_that_is_asked_for_again_is_marked_as_discarded():
    start = {"type": "message_start", "message": {"id": "m1"}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "half"}}
    again = {"type": "message_start", "message": {"id": "m2"}}
    stream = [
        {"type": "stream_event", "event": event, "parent_tool_use_id": None} for event in (start, block, delta, again)
    ]

    outs = read(ClaudeReader(), output(*(json.dumps(line).encode() + b"\n" for line in stream)))

    assert [event.data for event in events(outs, "status")] == [{"state": "discarded", "kind": "message", "id": "m1/0"}]


def test_the_answer_of_every_turn_is_kept():
    reader, outs = read_all("background")

    assert reader.outcome().text == "started\n\nit is over"
    assert [event.data["state"] for event in events(outs, "subagent")] == ["running", "completed"]
    assert [place for place, out in enumerate(outs) if isinstance(out, Finished)] == [len(outs) - 1]


def test_a_search_in_the_web_is_told():
    call = {"type": "tool_use", "id": "toolu_1", "name": "WebSearch", "input": {"query": "tea"}}
    line = {"type": "assistant", "message": {"id": "m", "role": "assistant", "content": [call]}}

    (search,) = events(read(ClaudeReader(), output(json.dumps(line).encode() + b"\n")), "web_search")

    assert (search.text, search.data["id"]) == ("tea", "toolu_1")


def test_a_subagent_speaks_on_a_lane_of_its_own():
    reader, outs = read_all("subagent")

    lanes = {event.lane: event.text for event in events(outs, "message") if event.lane != "main"}
    assert lanes == {"toolu_0001": "sub or main B"}
    assert reader.outcome().text == "sub or main A\n\nC"


def test_the_session_is_named_once():
    _, outs = read_all("late_text")

    assert len([out for out in outs if isinstance(out, NativeSession)]) == 1


# Tools


def test_tools_files_and_todo_are_told_in_one_vocabulary():
    _, outs = read_all("tools")

    results = {event.data["id"]: event.data["status"] for event in events(outs, "tool_result")}
    assert [event.data["kind"] for event in events(outs, "tool_call")][:4] == ["read", "edit", "execute", "execute"]
    assert (results["toolu_0002"], results["toolu_0003"], results["toolu_0009"]) == ("ok", "refused", "failed")
    (change,) = events(outs, "file_change")
    assert change.data == {
        "path": "/project/f.txt",
        "change": "edit",
        "diff": "@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three",
    }
    assert [entry["status"] for entry in events(outs, "todo")[-1].data["entries"]] == ["completed", "pending"]
    assert [event.data["command"] for event in events(outs, "command")] == ["echo out; echo err >&2; exit 3", "ls"]


def test_a_failed_command_tells_its_exit_code():
    call = {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "false"}}
    ended = {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": "Exit code 3\nno"}
    reader = ClaudeReader()

    outs = read(
        reader,
        output(
            json.dumps({"type": "assistant", "message": {"id": "m", "content": [call]}}).encode() + b"\n",
            json.dumps({"type": "user", "message": {"content": [ended]}}).encode() + b"\n",
        ),
    )

    assert events(outs, "tool_result")[0].data == {"id": "t", "status": "failed", "exit": 3}


def test_use_is_booked_for_each_turn_and_summed_for_the_run():
    reader, outs = read_all("late_text")

    assert [event.data["output_tokens"] for event in events(outs, "usage")] == [10, 10]
    assert events(outs, "usage")[0].data["context_size"] == 1_000_000
    usage = reader.outcome().usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.cost_usd) == (200, 20, 0.0012)


# Permissions, questions, plans


def test_an_edit_is_asked_for_with_its_diff():
    _, ask = until_ask("tools")

    assert (ask.kind, ask.title) == ("approval", "Edit /project/f.txt")
    assert "-two\n+zwei" in ask.body


def test_an_approval_runs_what_was_shown():
    reader, ask = until_ask("tools")

    answer = given(reader.render_answer(Answer(key=ask.key, kind="approval", decision="approve")))

    assert answer["behavior"] == "allow"
    assert answer["updatedInput"]["new_string"] == "zwei"


def test_a_refusal_carries_its_reason_to_the_model():
    reader, ask = until_ask("tools")

    answer = given(reader.render_answer(Answer(key=ask.key, kind="approval", decision="deny", reason="not today")))

    assert answer == {"behavior": "deny", "message": "not today", "interrupt": False}


def test_an_answer_after_the_tool_has_ended_is_none():
    reader, outs = read_all("tools")
    key = next(out.key for out in outs if isinstance(out, Ask))

    assert reader.render_answer(Answer(key=key, kind="approval", decision="approve")) is None


def test_a_request_that_is_withdrawn_takes_its_card_away():
    reader, outs = read_all("withdrawn")
    (ask,) = [out for out in outs if isinstance(out, Ask)]

    assert Withdrawn(key=ask.key) in outs
    assert reader.render_answer(Answer(key=ask.key, kind="approval", decision="approve")) is None


def test_the_same_permission_asked_twice_is_the_same_card():
    request = next(line for line in lines("tools") if b"can_use_tool" in line)

    first, second = read(ClaudeReader(), output(request, request))

    assert first == second


def permitted(name: str, **tool_input: object) -> Ask:
    request = {"subtype": "can_use_tool", "tool_name": name, "input": tool_input, "tool_use_id": "toolu_1"}
    line = json.dumps({"type": "control_request", "request_id": "r", "request": request}).encode() + b"\n"
    (ask,) = [out for out in read(ClaudeReader(), output(line)) if isinstance(out, Ask)]
    return ask


def test_no_edit_looks_like_another_one():
    """A rule for one is no rule for the other."""
    same = "same\n" * 9
    olds = ("one", "one\n", "one\r", f"one\n{same}", f"one\n{same}more\n", "\n" * 5_000, "\n" * 5_001)

    bodies = [permitted("Edit", file_path="/w/a", old_string=old, new_string="two").body for old in olds]

    assert len(set(bodies)) == len(olds)


def test_what_is_too_long_for_a_card_is_told_apart():
    first, second = (permitted("Bash", command=f"{'x' * 50_000}; {end}") for end in ("ls", "rm"))

    assert first.body == second.body
    assert first.whole != second.whole


def test_a_question_is_answered_by_its_text():
    reader, ask = until_ask("question")

    answer = given(reader.render_answer(Answer(key=ask.key, kind="question", answer="Blue")))

    assert (ask.kind, ask.title) == ("question", "Which colour?")
    assert answer["updatedInput"]["answers"] == {"Which colour?": "Blue"}


def test_a_plan_waits_for_a_person_and_edits_are_refused_until_then():
    _, outs = read_all("plan", mode="plan")
    refused = [out for out in outs if isinstance(out, Reply)]
    asks = [out for out in outs if isinstance(out, Ask)]

    assert [given(reply.data)["behavior"] for reply in refused] == ["deny"]
    assert [ask.kind for ask in asks] == ["plan", "plan", "approval"]
    assert asks[0].body == "# Plan\n1. do it\n"


def test_an_agent_that_may_only_read_is_refused_after_a_plan_too():
    _, outs = read_all("plan", mode="read_only")

    assert len([out for out in outs if isinstance(out, Reply)]) == 2


def test_an_edited_plan_reaches_the_agent_word_for_word():
    reader, ask = until_ask("plan", mode="plan")

    allowed, text = said(reader.render_answer(Answer(key=ask.key, kind="plan", decision="approve", answer="2. not it")))

    assert allowed["response"]["response"]["behavior"] == "allow"
    assert text["message"]["content"].endswith("\n\n2. not it")


def test_a_refused_plan_goes_back_with_what_is_missing():
    reader, ask = until_ask("plan", mode="plan")

    answer = given(reader.render_answer(Answer(key=ask.key, kind="plan", decision="deny", reason="make it longer")))

    assert (answer["behavior"], answer["message"]) == ("deny", "make it longer")


def test_an_unknown_request_is_answered_so_that_nothing_hangs():
    line = {"type": "control_request", "request_id": "r", "request": {"subtype": "new_wish"}}

    (reply,) = read(ClaudeReader(), output(json.dumps(line).encode() + b"\n"))

    assert isinstance(reply, Reply)
    assert said(reply.data)[0]["response"]["subtype"] == "error"


# Texts on the way, stops


def _steered(name: str, *, is_late: bool) -> list[Out]:
    """The recording with our uuid in the place of the recorded one; the receipt before it or behind it."""
    data = [line.replace(LATER.encode(), name_input(1, "steer-5").encode()) for line in lines(name)]
    reader = ClaudeReader()
    taken = [note(Stream.INPUT, id="steer-5", bytes=9)]
    memo = [note(Stream.MEMO, run=1, mode="ask")]
    records = [*output(*data), *taken] if is_late else [*taken, *output(*data)]
    return read(reader, memo + records)


@pytest.mark.parametrize("is_late", [False, True])
def test_the_receipt_of_a_text_is_the_programs_own_word(is_late):
    outs = _steered("steered", is_late=is_late)

    reads = [event.data for event in events(outs, "status") if "input" in event.data]
    assert reads == [
        {"state": "queued", "input": "steer-5"},
        {"state": "read", "input": "steer-5", "step": 1},
    ]


def test_a_text_that_came_too_late_to_join_has_a_turn_before_the_end():
    outs = _steered("late_text", is_late=False)

    (was_read,) = [event for event in events(outs, "status") if event.data.get("state") == "read"]
    finished = [place for place, out in enumerate(outs) if isinstance(out, Finished)]
    assert len(finished) == 1
    assert outs.index(was_read) < finished[0]


def test_nothing_is_told_to_a_program_that_is_done():
    reader, _ = read_all("question")

    assert reader.render_steer("and this", key="steer-9") is None


def test_a_text_is_only_text():
    (line,) = said(ClaudeReader().render_steer("/clear @/etc/passwd", key="steer-1"))

    assert line["client_composed"] is True
    assert line["message"]["content"] == "/clear @/etc/passwd"


def test_a_stop_takes_back_what_waits_and_ends_the_turn():
    reader = ClaudeReader()
    for record in output(*lines("late_text")):
        reader.feed(record)
        if b'"queued"' in record.data and LATER.encode() in record.data:
            break

    cancel, interrupt = said(reader.render_stop())

    assert cancel["request"] == {"subtype": "cancel_async_message", "message_uuid": LATER}
    assert interrupt["request"] == {"subtype": "interrupt"}


def test_an_interrupted_turn_is_told_as_that():
    reader = ClaudeReader()

    outs = read(reader, [note(Stream.INPUT, id=STOP, bytes=1), *output(*lines("interrupted"))])

    assert reader.outcome().is_interrupted
    assert Finished() in outs
    assert [event.data["status"] for event in events(outs, "tool_result")] == ["aborted"]


# Failures


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("rate_limited", "rate_limit", "slow down"),
        ("not_logged_in", "auth", "Not logged in"),
        ("unknown_session", None, "No conversation found"),
    ],
)
def test_an_error_is_one_whatever_the_result_calls_itself(name, kind, words):
    reader, outs = read_all(name)

    outcome = reader.outcome()
    assert words in (outcome.error or "")
    assert outcome.error_kind == kind
    assert outcome.text is None
    assert len(events(outs, "error")) == 1


def test_a_used_up_quota_says_when_it_goes_on():
    reader, outs = read_all("quota_used_up")

    reset = 1_795_182_000
    (told,) = [event.data for event in events(outs, "status") if event.data["state"] == "quota"]
    assert (told["quota"]["rateLimitType"], told["quota"]["resetsAt"]) == ("five_hour", reset)
    assert told["windows"] == [{"name": "five_hour", "used_percent": 100.0, "resets_at": reset * 1000}]
    assert (reader.outcome().error_kind, reader.outcome().resume_at) == ("rate_limit", reset * 1000)


@pytest.mark.parametrize(("delay", "pauses"), [(1017, 0), (60_000, 1)])
def test_a_long_wait_for_a_limit_is_a_pause(delay, pauses):
    line = {"type": "system", "subtype": "api_retry", "attempt": 1, "retry_delay_ms": delay, "error": "rate_limit"}

    outs = read(ClaudeReader(), output(json.dumps(line).encode() + b"\n"))

    paused = [event.data for event in events(outs, "status") if event.data["state"] == "paused"]
    assert paused == [{"state": "paused", "resume_at": 1 + delay}] * pauses


def test_retries_are_shown():
    _, outs = read_all("rate_limited")

    retries = [event.data for event in events(outs, "status") if event.data["state"] == "retry"]
    assert [retry["attempt"] for retry in retries] == [1, 2]
    assert retries[0]["status"] == 429


def test_an_end_without_an_answer_is_a_failure():
    reader = ClaudeReader()
    read(reader, [exited(code=0)])

    assert reader.outcome().error == "the program ended without an answer"


@pytest.mark.parametrize("change", [{"supportsEffort": False}, {"supportedEffortLevels": ["low"]}])
def test_an_effort_the_model_does_not_know_is_said(change):
    line = json.loads(lines("question")[0])
    models = line["response"]["response"]["models"]
    next(model for model in models if model["value"] == "haiku").update(change)
    memo = note(Stream.MEMO, run=1, mode="ask", model="haiku", effort="max")

    outs = read(ClaudeReader(), [memo, *output(json.dumps(line).encode() + b"\n")])

    assert [event.text for event in events(outs, "status") if event.data["state"] == "notice"] == [
        "Haiku knows no effort max: it uses its own"
    ]
