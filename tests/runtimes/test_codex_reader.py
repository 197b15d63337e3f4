"""The client of Codex's app-server: recorded lines in, the same outs whenever they are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pal_daemon.runtimes.base import (
    STOP,
    Answer,
    Ask,
    Event,
    Finished,
    NativeSession,
    Out,
    Reply,
    Stoppable,
    Withdrawn,
    name_answer,
)
from pal_daemon.runtimes.codex.reader import CodexReader
from pal_daemon.spool import Record, Stream

THREAD, TURN = "thread-1", "turn-a"
TASK: dict[str, Any] = {
    "prompt": "do it",
    "thread": {"cwd": "/w", "approvalPolicy": "untrusted", "sandbox": "workspace-write"},
    "turn": {"approvalPolicy": "untrusted", "sandboxPolicy": {"type": "workspaceWrite"}},
    "approved": {"approvalPolicy": "untrusted", "sandboxPolicy": {"type": "workspaceWrite"}},
}
BEGUN = {"id": 1, "result": {"userAgent": "pal/0.169.0"}}
OPENED = {"id": 2, "result": {"thread": {"id": THREAD}, "model": "gpt-5.5"}}
TURNING = {"id": 4, "result": {"turn": {"id": TURN, "status": "inProgress"}}}


class Spool:
    """Feeds a reader as a keeper would; keeps what went in, to read it again."""

    def __init__(self, **task: Any) -> None:
        self.reader = CodexReader()
        self.records: list[Record] = []
        self.outs: list[Out] = []
        self._feed(Stream.MEMO, json.dumps({**TASK, **task}).encode())

    def says(self, *lines: dict[str, Any]) -> list[Out]:
        return self._feed(Stream.STDOUT, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def begins(self) -> list[Out]:
        return self.says(BEGUN, OPENED, TURNING)

    def written(self, name: str) -> list[Out]:
        return self._feed(Stream.INPUT, json.dumps({"id": name}).encode())

    def exits(self) -> list[Out]:
        return self._feed(Stream.EXIT, b"{}")

    def again(self, *, size: int) -> list[Out]:
        reader, outs = CodexReader(), []
        for record in self.records:
            step = size if record.stream is Stream.STDOUT else len(record.data)
            for at in range(0, len(record.data), step):
                outs += reader.feed(Record(stream=record.stream, at=1, data=record.data[at : at + step], end=1))
        return outs

    def _feed(self, stream: Stream, data: bytes) -> list[Out]:
        record = Record(stream=stream, at=1, data=data, end=1)
        self.records.append(record)
        outs = self.reader.feed(record)
        self.outs += outs
        return outs


def note(method: str, thread: str = THREAD, **params: Any) -> dict[str, Any]:
    return {"method": method, "params": {"threadId": thread, "turnId": TURN, **params}}


def item(state: str, /, type: str, id: str = "i", *, thread: str = THREAD, **more: Any) -> dict[str, Any]:
    return note(f"item/{state}", thread, item={"type": type, "id": id, **more})


def message(text: str, id: str = "m", *, thread: str = THREAD) -> list[dict[str, Any]]:
    half = len(text) // 2
    return [
        item("started", "agentMessage", id, thread=thread, text=""),
        note("item/agentMessage/delta", thread, itemId=id, delta=text[:half]),
        note("item/agentMessage/delta", thread, itemId=id, delta=text[half:]),
        item("completed", "agentMessage", id, thread=thread, text=text),
    ]


def ended(status: str = "completed", **more: Any) -> dict[str, Any]:
    return note("turn/completed", turn={"id": TURN, "status": status, **more})


def command(state: str = "started", **more: Any) -> dict[str, Any]:
    shell = {"command": "/bin/bash -lc 'touch zz'", "cwd": "/w", "commandActions": [{"command": "touch zz"}]}
    return item(state, "commandExecution", "call_1", **{"status": "inProgress", **shell, **more})


def approval(id: int = 0, **more: Any) -> dict[str, Any]:
    amendment = {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["touch", "zz"]}}
    params = {"threadId": THREAD, "itemId": "call_1", "cwd": "/w", "availableDecisions": ["accept", amendment], **more}
    return {"id": id, "method": "item/commandExecution/requestApproval", "params": params}


def lines_of(outs: list[Out]) -> list[dict[str, Any]]:
    return [json.loads(line) for out in outs if isinstance(out, Reply) for line in out.data.splitlines()]


def parsed(data: bytes | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data or b"").splitlines()]


def events(outs: list[Out], kind: str) -> list[Event]:
    return [out for out in outs if isinstance(out, Event) and out.kind == kind]


def test_a_thread_is_started_and_its_turn():
    spool = Spool(effort="high")

    outs = spool.begins()

    initialized, start, turn = lines_of(outs)
    assert (initialized["method"], start["method"], turn["method"]) == ("initialized", "thread/start", "turn/start")
    assert turn["params"]["input"] == [{"type": "text", "text": "do it"}]
    assert (turn["params"]["effort"], turn["params"]["sandboxPolicy"]) == ("high", {"type": "workspaceWrite"})
    assert NativeSession(id=THREAD) in outs


def test_a_thread_is_continued_and_a_lost_one_begun_afresh_with_a_word():
    spool = Spool(session="old", recap="It was about 4711.")
    gone = {"id": 3, "error": {"code": -32600, "message": "no rollout found"}}

    outs = spool.says(BEGUN, gone, OPENED)

    assert [line["method"] for line in lines_of(outs)] == ["initialized", "thread/resume", "thread/start", "turn/start"]
    lost = events(outs, "status")[0]
    assert (lost.data["state"], lost.data["reason"], lost.data["recap"]) == ("afresh", "no rollout found", True)
    assert lines_of(outs)[-1]["params"]["input"][0]["text"].startswith("It was about 4711.\n\n")


def test_an_answer_is_told_in_pieces_and_once():
    spool = Spool()
    spool.begins()

    outs = spool.says(*message("I am here"), ended())

    assert "".join(event.text or "" for event in events(outs, "message")) == "I am here"
    assert (spool.reader.outcome().text, spool.reader.outcome().error) == ("I am here", None)
    assert outs[-1] == Finished()


def test_usage_is_the_sum_of_the_calls_of_this_run():
    spool = Spool(session="old")
    spool.says(BEGUN, note("thread/tokenUsage/updated", tokenUsage=_usage(500, last=500)))
    spool.says({**OPENED, "id": 3}, TURNING)

    for total in (600, 600, 700):
        spool.says(note("thread/tokenUsage/updated", tokenUsage=_usage(total, last=100)))
    outs = spool.says(ended())

    assert spool.reader.outcome().usage.input_tokens == 200
    assert events(outs, "usage")[0].data["context_size"] == 1000


def test_a_command_is_told_with_its_output_and_exit():
    spool = Spool()
    spool.begins()

    outs = spool.says(
        command(),
        note("item/commandExecution/outputDelta", itemId="call_1", delta="out\n"),
        command("completed", status="failed", aggregatedOutput="out\n", exitCode=3),
    )

    (call,), (result,) = events(outs, "tool_call"), events(outs, "tool_result")
    assert (call.text, events(outs, "command")[0].data["command"]) == ("touch zz", "touch zz")
    assert (result.text, result.data) == ("out\n", {"id": "call_1", "status": "failed", "exit": 3})


def test_changed_files_are_told_with_their_differences():
    spool = Spool()
    spool.begins()
    changes = [
        {"path": "/w/a", "kind": {"type": "add"}, "diff": "one\ntwo\n"},
        {"path": "/w/b", "kind": {"type": "update"}, "diff": "@@ -1 +1 @@\n-x\n+y\n"},
    ]

    outs = spool.says(item("completed", "fileChange", "call_2", changes=changes, status="completed"))

    added, edited = events(outs, "file_change")
    assert (added.data["change"], added.data["diff"]) == ("add", "+one\n+two\n")
    assert (edited.data["change"], edited.data["diff"]) == ("edit", "@@ -1 +1 @@\n-x\n+y\n")


def test_a_commands_end_may_come_after_its_turns():
    spool = Spool()
    spool.begins()

    first = spool.says(command(), ended("interrupted"))
    second = spool.says(command("completed", status="completed", aggregatedOutput=""))

    assert [event.data["status"] for event in events(first, "tool_result")] == ["aborted"]
    assert events(second, "tool_result") == []


def test_subagents_speak_in_lanes_of_their_own():
    spool = Spool()
    spool.begins()

    outs = spool.says(*message("below", thread="child"), note("turn/completed", "child", turn={"status": "completed"}))
    rest = spool.says(*message("above", "n"), ended())

    assert {event.lane for event in events(outs, "message")} == {"child"}
    assert [event.data["state"] for event in events(outs, "subagent")] == ["running", "done"]
    assert Finished() not in outs
    assert Finished() in rest
    assert spool.reader.outcome().text == "above"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": '{"error": {"message": "bad"}}', "codexErrorInfo": "other"}, "agent"),
        ({"message": "x", "codexErrorInfo": {"responseTooManyFailedAttempts": {"httpStatusCode": 429}}}, "rate_limit"),
        ({"message": "x", "codexErrorInfo": "usageLimitExceeded"}, "rate_limit"),
        ({"message": "x", "codexErrorInfo": {"httpConnectionFailed": {"httpStatusCode": 401}}}, "auth"),
        (None, "agent"),
    ],
)
def test_a_failed_turn_fails_the_run_and_is_named(error, kind):
    spool = Spool()
    spool.begins()

    outs = spool.says(note("error", error=error, willRetry=False), ended("failed", error=error))

    assert spool.reader.outcome().error_kind == kind
    assert "{" not in (spool.reader.outcome().error or "")
    assert events(outs, "error")[0].data["kind"] == kind


def test_a_used_up_limit_says_when_it_begins_anew():
    spool = Spool()
    spool.begins()
    windows = {
        "primary": {"usedPercent": 100, "resetsAt": 1_800_000_000},
        "secondary": {"usedPercent": 40, "resetsAt": 1_900_000_000},
    }
    error = {"message": "You've hit your usage limit.", "codexErrorInfo": "usageLimitExceeded"}

    outs = spool.says({"method": "account/rateLimits/updated", "params": {"rateLimits": windows}})
    spool.says(ended("failed", error=error))

    told = events(outs, "status")[0].data
    assert told["quota"]["primary"]["usedPercent"] == 100
    assert told["windows"] == [
        {"name": "primary", "used_percent": 100, "resets_at": 1_800_000_000_000},
        {"name": "secondary", "used_percent": 40, "resets_at": 1_900_000_000_000},
    ]
    assert (spool.reader.outcome().error_kind, spool.reader.outcome().resume_at) == ("rate_limit", 1_800_000_000_000)


def test_a_retry_is_shown_and_no_failure():
    spool = Spool()
    spool.begins()

    outs = spool.says(
        note("error", error={"message": "Reconnecting... 1/5"}, willRetry=True), *message("Here."), ended()
    )

    assert events(outs, "status")[0].data["state"] == "retry"
    assert spool.reader.outcome().error is None


def test_a_program_that_dies_in_its_turn_leaves_nothing_open():
    spool = Spool()
    spool.begins()
    spool.says(command(), approval())

    outs = spool.exits()

    assert [event.data["status"] for event in events(outs, "tool_result")] == ["aborted"]
    assert Withdrawn(key="approval-0") in outs
    assert spool.reader.outcome().error


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ({"decision": "approve"}, "accept"),
        ({"decision": "deny"}, "decline"),
        (
            {"decision": "approve", "answer": "always"},
            {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["touch", "zz"]}},
        ),
        ({"decision": "deny", "answer": "Allow once"}, "decline"),
    ],
)
def test_an_approval_is_asked_and_answered(answer, decision):
    spool = Spool()
    spool.begins()

    (ask,) = [out for out in spool.says(command(), approval()) if isinstance(out, Ask)]
    (line,) = parsed(spool.reader.render_answer(Answer(key=ask.key, kind="approval", **answer)))

    assert "touch zz" in ask.title + ask.body
    assert (line["id"], line["result"]) == (0, {"decision": decision})


def test_what_a_change_of_files_is_about_is_on_its_card():
    spool = Spool()
    spool.begins()
    changes = [{"path": "/w/a", "kind": {"type": "add"}, "diff": "one\n"}]
    request = {"id": 1, "method": "item/fileChange/requestApproval", "params": {"itemId": "call_2"}}

    outs = spool.says(item("started", "fileChange", "call_2", changes=changes), request)

    (ask,) = [out for out in outs if isinstance(out, Ask)]
    assert "/w/a" in ask.body
    assert "+one" in ask.body


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/bin/bash -lc 'cd /secret && cat key | head -n 5'", "cd /secret && cat key | head -n 5"),
        ("/bin/zsh -lc \"echo 'it is'\"", "echo 'it is'"),
        ("python -c 'print(1)'", "python -c 'print(1)'"),
        ("bash -lc 'unfinished", "bash -lc 'unfinished"),
        ("bash -lc ls extra", "bash -lc ls extra"),
        ("./bash -c ls", "./bash -c ls"),
    ],
)
def test_a_card_has_the_command_that_would_run(line, shown):
    """The program's own summary of it leaves out where it goes first and what it goes through."""
    spool = Spool()
    spool.begins()
    summary = [{"type": "read", "command": "cat key", "name": "key", "path": "/secret/key"}]

    outs = spool.says(command(command=line, commandActions=summary), approval(command=line, commandActions=summary))

    (ask,) = [out for out in outs if isinstance(out, Ask)]
    assert ask.title == f"Run a command: {shown}"
    assert f"```\n{shown}\n```" in ask.body
    assert events(outs, "command")[0].text == shown


def test_a_search_in_the_web_is_told():
    spool = Spool()
    spool.begins()

    outs = spool.says(item("started", "webSearch", query="tea"), item("completed", "webSearch", query="tea"))

    (search,) = events(outs, "web_search")
    assert search.text == "tea"


def test_changes_too_long_for_a_card_are_told_apart():
    asks = []
    for end in ("ls", "rm"):
        spool = Spool()
        spool.begins()
        changes = [{"path": "/w/a", "kind": {"type": "add"}, "diff": f"{'x' * 50_000}{end}\n"}]
        request = {"id": 1, "method": "item/fileChange/requestApproval", "params": {"itemId": "call_2"}}
        asks += spool.says(item("started", "fileChange", "call_2", changes=changes), request)[-1:]

    assert asks[0].body == asks[1].body
    assert asks[0].whole != asks[1].whole


def test_the_reason_of_a_refusal_follows_as_a_steer():
    spool = Spool()
    spool.begins()
    spool.says(command(), approval())
    answer = Answer(key="approval-0", kind="approval", decision="deny", reason="use python")

    refusal, words = parsed(spool.reader.render_answer(answer))
    spool.written(name_answer("approval-0", decision="deny", has_words=True))

    assert refusal["result"] == {"decision": "decline"}
    assert (words["method"], words["params"]["expectedTurnId"]) == ("turn/steer", TURN)
    assert "use python" in words["params"]["input"][0]["text"]
    assert Finished() in spool.says(ended())


@pytest.mark.parametrize(
    ("mode", "word"), [("bypass", "accept"), ("read_only", "decline"), ("plan", "decline"), ("accept_edits", None)]
)
def test_a_mode_decides_without_asking(mode, word):
    spool = Spool(mode=mode)
    spool.begins()

    outs = spool.says(command(), approval())

    if word is None:
        assert any(isinstance(out, Ask) for out in outs)
    else:
        assert lines_of(outs)[-1]["result"] == {"decision": word}


def test_a_request_somebody_else_resolved_is_withdrawn():
    spool = Spool()
    spool.begins()
    spool.says(command(), approval())

    outs = spool.says(note("serverRequest/resolved", requestId=0))

    assert outs == [Withdrawn(key="approval-0")]
    assert spool.reader.render_answer(Answer(key="approval-0", kind="approval", decision="approve")) is None


def test_a_question_is_asked_and_answered():
    spool = Spool(mode="plan")
    spool.begins()
    options = [{"label": "Blue", "description": "as the sky"}, {"label": "Red"}]
    questions = [{"id": "q1", "header": "Colour", "question": "Which colour?", "options": options}]

    (ask,) = spool.says({"id": 0, "method": "item/tool/requestUserInput", "params": {"questions": questions}})
    (line,) = parsed(spool.reader.render_answer(Answer(key=ask.key, kind="question", answer="Blue")))

    assert (ask.title, ask.options) == ("Which colour?", ("Blue", "Red"))
    assert line["result"] == {"answers": {"q1": {"answers": ["Blue"]}}}


def test_an_unknown_request_is_refused_at_once():
    spool = Spool()
    spool.begins()

    (line,) = lines_of(spool.says({"id": 0, "method": "item/tool/call", "params": {}}))

    assert (line["id"], line["error"]["code"]) == (0, -32601)


# Plans


def planned() -> Spool:
    spool = Spool(mode="plan")
    spool.begins()
    spool.says(item("completed", "plan", "p", text="1. Write it."), ended())
    return spool


def test_a_plan_waits_for_a_person():
    spool = planned()

    ask = spool.outs[-1]

    assert isinstance(ask, Ask)
    assert (ask.kind, ask.body) == ("plan", "1. Write it.")
    assert lines_of(spool.outs)[-1]["params"]["collaborationMode"]["mode"] == "plan"
    assert Finished() not in spool.outs


def test_an_approved_plan_is_carried_out_in_the_next_turn():
    spool = planned()

    (line,) = parsed(spool.reader.render_answer(Answer(key="plan-1", kind="plan", decision="approve")))
    spool.written(name_answer("plan-1", decision="approve"))
    outs = spool.says({"id": 5, "result": {"turn": {"id": "turn-b"}}}, *message("Done."), ended())

    assert (line["id"], line["method"], line["params"]["collaborationMode"]["mode"]) == (5, "turn/start", "default")
    assert line["params"]["sandboxPolicy"] == TASK["approved"]["sandboxPolicy"]
    assert outs[-1] == Finished()
    assert (spool.reader.outcome().text, spool.reader.outcome().error) == ("Done.", None)


def test_an_edited_plan_is_what_the_agent_gets():
    spool = planned()

    (line,) = parsed(
        spool.reader.render_answer(Answer(key="plan-1", kind="plan", decision="approve", answer="2. Look."))
    )

    assert "2. Look." in line["params"]["input"][0]["text"]


def test_a_plan_that_is_refused_with_words_is_made_again_and_without_them_dropped():
    again, dropped = planned(), planned()

    (line,) = parsed(again.reader.render_answer(Answer(key="plan-1", kind="plan", decision="deny", reason="smaller")))
    assert "smaller" in line["params"]["input"][0]["text"]
    assert line["params"]["collaborationMode"]["mode"] == "plan"
    assert again.written(name_answer("plan-1", decision="deny", has_words=True)) == []

    assert dropped.reader.render_answer(Answer(key="plan-1", kind="plan", decision="deny")) == b""
    assert dropped.written(name_answer("plan-1", decision="deny"))[-1] == Finished()
    assert dropped.reader.outcome().error is None


# Words on the way, and the stop


def test_a_steer_is_read_when_it_enters_the_conversation():
    spool = Spool()
    spool.begins()

    (line,) = parsed(spool.reader.render_steer("with honey", key="steer-7"))
    spool.written("steer-7")
    outs = spool.says(item("completed", "userMessage", "u", clientId="steer-7"))

    assert (line["id"], line["method"], line["params"]["clientUserMessageId"]) == ("steer-7", "turn/steer", "steer-7")
    assert events(outs, "status")[0].data == {"state": "read", "input": "steer-7"}


@pytest.mark.parametrize(
    "line", [{"id": "steer-7", "error": {"code": -32600, "message": "no active turn"}}, ended()], ids=["error", "end"]
)
def test_a_steer_nobody_read_is_said_to_be_unread(line):
    spool = Spool()
    spool.begins()
    spool.written("steer-7")

    outs = spool.says(line)

    assert {"state": "unread", "input": "steer-7"} in [event.data for event in events(outs, "status")]


def test_a_stop_interrupts_the_turn_and_ends_its_commands():
    spool = Spool()
    spool.begins()
    spool.says(command(), approval())
    assert isinstance(spool.reader, Stoppable)

    interrupt, clean = parsed(spool.reader.render_stop())
    withdrawn = spool.written(STOP)
    outs = spool.says({"id": "clean", "result": {}}, {"id": "stop", "result": {}}, ended("interrupted"))

    assert (interrupt["method"], clean["method"]) == ("turn/interrupt", "thread/backgroundTerminals/clean")
    assert withdrawn == [Withdrawn(key="approval-0")]
    assert outs[-1] == Finished()
    assert spool.reader.outcome().is_interrupted


# Reading again


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_the_same_records_give_the_same_outs_however_they_are_cut(size):
    spool = planned()
    spool.written(name_answer("plan-1", decision="approve"))
    spool.says({"id": 5, "result": {"turn": {"id": "turn-b"}}}, command(), approval())
    spool.written(name_answer("approval-0", decision="deny", has_words=True))
    spool.says(command("completed", status="declined"), *message("grüße"), ended())
    spool.exits()

    assert spool.again(size=size) == spool.outs


@pytest.mark.parametrize(
    "line", [note("something/new", a=1), item("completed", "novelty"), {"method": "x"}, {"result": 1}, {"id": 99}]
)
def test_what_nobody_knows_harms_nothing(line):
    spool = Spool()
    spool.begins()

    assert {out.kind for out in spool.says(line) if isinstance(out, Event)} <= {"status", "output"}


def _usage(total: int, *, last: int) -> dict[str, Any]:
    def count(tokens: int) -> dict[str, int]:
        return {"totalTokens": tokens, "inputTokens": tokens, "outputTokens": 0, "cachedInputTokens": 0}

    return {"total": count(total), "last": count(last), "modelContextWindow": 1000}


def test_pictures_go_with_the_prompt_and_with_no_later_turn():
    spool = Spool(pictures=["/runs/1/files/1-a.png"])

    replies = b"".join(out.data for out in spool.begins() if isinstance(out, Reply))
    turns = [json.loads(line) for line in replies.splitlines()]
    steer = spool.reader.render_steer("more", key="steer-1")

    begun = next(turn for turn in turns if turn.get("method") == "turn/start")
    assert begun["params"]["input"][1:] == [{"type": "localImage", "path": "/runs/1/files/1-a.png"}]
    assert steer is not None
    assert len(json.loads(steer)["params"]["input"]) == 1
