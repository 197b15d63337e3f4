"""What ACP agents ask and are told on the way: cards, answers, steers and stops."""

from __future__ import annotations

import json

import pytest

from pal_daemon.runtimes.acp_client.dialect import Dialect, SecondPrompt
from pal_daemon.runtimes.base import (
    STOP,
    Answer,
    Ask,
    Finished,
    Stoppable,
    Withdrawn,
    name_answer,
)
from tests.runtimes.acp_lines import (
    BEGUN,
    FORM,
    OPENED,
    PROMPT,
    SESSION,
    Spool,
    ended,
    events,
    lines_of,
    parsed,
    permission,
    says,
    update,
)

ALLOW = Answer(key="permission-0", kind="approval", decision="approve")
DENY = Answer(key="permission-0", kind="approval", decision="deny")
JOINS = Dialect(second_prompt=SecondPrompt.JOINS)
REPLACES = Dialect(second_prompt=SecondPrompt.REPLACES)


# Permissions


def test_a_permission_is_asked_although_no_call_came_before():
    spool = Spool()
    spool.begins()

    outs = spool.says(permission())

    (ask,) = [out for out in outs if isinstance(out, Ask)]
    assert (ask.key, ask.kind, ask.title) == ("permission-0", "approval", "touch zz")
    assert "Allow for this session" in ask.options
    assert events(outs, "tool_call")[0].data["id"] == "call_1"
    assert events(outs, "command")[0].data["command"] == "touch zz"


def asked(*lines: dict[str, object]) -> Ask:
    spool = Spool()
    spool.begins()
    (ask,) = [out for out in spool.says(*lines) if isinstance(out, Ask)]
    return ask


def test_a_card_has_what_earlier_pieces_said_of_its_call():
    named = update("tool_call", toolCallId="call_1", title="bash", kind="execute", status="pending")
    filled = update("tool_call_update", toolCallId="call_1", title="remove it", rawInput={"command": "rm -rf build"})
    bare = permission()
    bare["params"]["toolCall"] = {"toolCallId": "call_1"}

    ask = asked(named, filled, bare)

    assert ask.title == "remove it"
    assert "rm -rf build" in ask.body


def test_a_command_is_shown_with_where_it_runs_and_a_change_with_what_it_takes_away():
    one = asked(permission(rawInput={"command": "rm -rf build", "description": "tidy up", "workdir": "/home"}))
    edits = [
        asked(permission(kind="edit", content=[{"type": "diff", "path": "/w/a", "oldText": old, "newText": "new\n"}]))
        for old in ("one\n", "two\n", "two")
    ]

    assert '"workdir": "/home"' in one.body
    assert "-one\n+new" in edits[0].body
    assert len({edit.body for edit in edits}) == 3
    assert [edit.whole for edit in edits] == ["", "", ""]


def test_what_is_too_long_for_a_card_is_told_apart():
    long = "x" * 50_000
    commands = [asked(permission(rawInput={"command": f"{long}; {end}"})) for end in ("ls", "rm", "ls")]
    diff = {"type": "diff", "path": "/w/a", "newText": "new\n"}
    edits = [
        asked(permission(kind="edit", content=[{**diff, "oldText": f"{long * 9}{end}"}])) for end in ("a", "b", "a")
    ]

    for asks in (commands, edits):
        assert asks[0] == asks[2]
        assert asks[0].body == asks[1].body
        assert asks[0].whole != asks[1].whole


@pytest.mark.parametrize(
    ("answer", "option"),
    [
        (ALLOW, "proceed_once"),
        (DENY, "cancel"),
        (Answer(key="permission-0", kind="approval", decision="approve", answer="always"), "proceed_always"),
        (
            Answer(key="permission-0", kind="approval", decision="approve", answer="Allow for this session"),
            "proceed_always",
        ),
        (Answer(key="permission-0", kind="approval", decision="deny", answer="Allow"), "cancel"),
    ],
)
def test_an_answer_becomes_the_option_that_says_it(answer, option):
    spool = Spool()
    spool.begins()
    spool.says(permission())

    (line,) = parsed(spool.reader.render_answer(answer))

    assert line == {"jsonrpc": "2.0", "id": 0, "result": {"outcome": {"outcome": "selected", "optionId": option}}}


def test_an_answer_to_nothing_is_no_bytes():
    spool = Spool()
    spool.begins()

    assert spool.reader.render_answer(ALLOW) is None


def test_an_answer_that_is_asked_for_twice_is_the_same():
    spool = Spool()
    spool.begins()
    spool.says(permission())
    first = spool.reader.render_answer(ALLOW)
    spool.written(name_answer("permission-0", decision="approve"))

    assert spool.reader.render_answer(ALLOW) == first


def test_ids_of_the_agent_are_none_of_ours():
    spool = Spool()
    spool.begins()

    spool.says(permission(id=PROMPT))
    outs = spool.says(says("still here"))

    assert events(outs, "message")
    assert Finished() not in spool.outs


def test_a_refused_call_that_is_heard_of_no_more_is_ended_as_refused():
    spool = Spool()
    spool.begins()
    spool.says(permission())

    spool.written(name_answer("permission-0", decision="deny"))
    outs = spool.says(says("Then not."), ended())

    (result,) = events(outs, "tool_result")
    assert result.data["status"] == "refused"
    assert spool.reader.outcome().error is None


def test_a_turn_that_ends_over_a_refusal_is_no_failure():
    spool = Spool()
    spool.begins()
    spool.says(permission())
    spool.written(name_answer("permission-0", decision="deny"))

    spool.says(ended("cancelled"))

    assert spool.reader.outcome().error is None


@pytest.mark.parametrize("dialect", [JOINS, REPLACES], ids=["joins", "replaces"])
def test_the_reason_of_a_refusal_follows_it(dialect):
    spool = Spool(dialect)
    spool.begins()
    spool.says(permission())
    answer = Answer(key="permission-0", kind="approval", decision="deny", reason="use python")

    refusal, words = parsed(spool.reader.render_answer(answer))
    spool.written(name_answer("permission-0", decision="deny", has_words=True))
    early = spool.says(ended("cancelled" if dialect is REPLACES else "end_turn"))
    outs = spool.says(says("python it is"), ended(id=words["id"]))

    assert refusal["result"]["outcome"]["optionId"] == "cancel"
    assert (words["method"], "use python" in words["params"]["prompt"][0]["text"]) == ("session/prompt", True)
    assert Finished() not in early
    assert outs[-1] == Finished()
    assert (spool.reader.outcome().text, spool.reader.outcome().error) == ("python it is", None)


def test_the_reason_is_there_before_the_step_at_which_a_steer_is_read():
    spool = Spool()
    spool.says({"id": 1, "result": {**BEGUN["result"], "_meta": {"steering": {"supported": True}}}}, OPENED)
    spool.says(permission())
    answer = Answer(key="permission-0", kind="approval", decision="deny", reason="use python")

    (words,) = parsed(spool.reader.render_answer(answer))
    spool.written(name_answer("permission-0", decision="deny", has_words=True))
    (refusal,) = lines_of(spool.says({"id": words["id"], "result": {"outcome": "injected"}}))

    assert (words["method"], refusal["result"]["outcome"]["optionId"]) == ("_session/steering", "cancel")
    assert Finished() in spool.says(ended())


def test_a_reason_with_no_way_to_the_agent_is_left_out():
    spool = Spool()
    spool.begins()
    spool.says(permission())
    answer = Answer(key="permission-0", kind="approval", decision="deny", reason="use python")

    assert len(parsed(spool.reader.render_answer(answer))) == 1
    spool.written(name_answer("permission-0", decision="deny", has_words=True))
    assert Finished() in spool.says(ended())


@pytest.mark.parametrize(
    ("mode", "kind", "option"),
    [
        ("bypass", "execute", "proceed_once"),
        ("accept_edits", "edit", "proceed_once"),
        ("read_only", "edit", "cancel"),
        ("plan", "execute", "cancel"),
    ],
)
def test_a_mode_decides_without_asking(mode, kind, option):
    spool = Spool(mode=mode)
    spool.begins()

    outs = spool.says(permission(kind=kind))

    assert lines_of(outs)[-1]["result"]["outcome"]["optionId"] == option
    assert not any(isinstance(out, Ask) for out in outs)
    assert events(outs, "status")[-1].data["mode"] == mode


@pytest.mark.parametrize(("mode", "kind"), [("ask", "edit"), ("accept_edits", "execute"), ("read_only", "read")])
def test_what_a_mode_does_not_decide_is_asked(mode, kind):
    spool = Spool(mode=mode)
    spool.begins()

    assert any(isinstance(out, Ask) for out in spool.says(permission(kind=kind)))


def test_a_plan_is_a_card_of_its_own_and_unlocks_what_follows():
    spool = Spool(mode="plan")
    spool.begins()
    plan = permission(title="Ready to code?", kind="switch_mode", rawInput={"plan": "1. Write it."})

    (ask,) = [out for out in spool.says(plan) if isinstance(out, Ask)]
    spool.written(name_answer(ask.key, decision="approve"))
    outs = spool.says(permission(id=1, tool="call_2", kind="edit"))

    assert (ask.kind, ask.body) == ("plan", "1. Write it.")
    assert any(isinstance(out, Ask) for out in outs)


def test_a_plan_that_is_only_a_file_is_shown_all_the_same():
    spool = Spool(mode="plan")
    spool.begins()
    path = "/home/agent/plans/plan.md"
    diff = {"type": "diff", "path": path, "oldText": "", "newText": "1. Write it."}
    spool.says(update("tool_call_update", toolCallId="w", status="completed", kind="edit", content=[diff]))

    outs = spool.says(permission(tool="exit_plan_mode__1", kind="other", title=f"Requesting plan approval for: {path}"))

    (ask,) = [out for out in outs if isinstance(out, Ask)]
    assert (ask.kind, ask.body) == ("plan", "1. Write it.")


def test_a_permission_that_is_taken_back_is_withdrawn():
    spool = Spool()
    spool.begins()
    spool.says(permission())

    outs = spool.says({"method": "$/cancel_request", "params": {"requestId": 0}})

    assert Withdrawn(key="permission-0") in outs
    assert lines_of(outs) == [{"jsonrpc": "2.0", "id": 0, "result": {"outcome": {"outcome": "cancelled"}}}]
    assert spool.reader.render_answer(ALLOW) is None


@pytest.mark.parametrize("method", ["fs/write_text_file", "fs/read_text_file", "terminal/create", "something/else"])
def test_what_we_cannot_do_is_said_at_once(method):
    spool = Spool()
    spool.begins()

    (line,) = lines_of(spool.says({"id": 0, "method": method, "params": {"sessionId": SESSION}}))

    assert (line["id"], line["error"]["code"]) == (0, -32601)


# Questions


def test_a_question_becomes_a_card_and_its_answer_the_forms_content():
    spool = Spool()
    spool.begins()

    (ask,) = spool.says(FORM)
    (line,) = parsed(spool.reader.render_answer(Answer(key="question-0", kind="question", answer="blue")))

    assert (ask.title, ask.options) == ("Which colour?", ("Blue", "Red"))
    assert "as the sky" in ask.body
    assert line["result"] == {"action": "accept", "content": {"question_0": "Blue"}}


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        ("Blue\na, b", {"question_0": "Blue", "question_1": ["a", "b"]}),
        ("2: a, other", {"question_1": ["a"], "question_1_custom": "other"}),
        ("1. green\n2) b", {"question_0_custom": "green", "question_1": ["b"]}),
    ],
)
def test_several_questions_are_answered_line_by_line(answer, content):
    form = json.loads(json.dumps(FORM))
    properties = form["params"]["requestedSchema"]["properties"]
    anyof = {"anyOf": [{"const": "a", "title": "a"}, {"const": "b", "title": "b"}]}
    properties["question_1"] = {"type": "array", "description": "Which letters?", "items": anyof}
    properties["question_1_custom"] = {"type": "string"}
    spool = Spool()
    spool.begins()

    (ask,) = spool.says(form)
    (line,) = parsed(spool.reader.render_answer(Answer(key=ask.key, kind="question", answer=answer)))

    assert "Which letters?" in ask.body
    assert ask.options == ()
    assert line["result"]["content"] == content


def test_a_form_we_cannot_show_is_declined():
    spool = Spool()
    spool.begins()

    (line,) = lines_of(spool.says({"id": 0, "method": "elicitation/create", "params": {"mode": "url", "url": "x"}}))

    assert line["result"] == {"action": "decline"}


def test_cursors_requests_never_stall_its_turn():
    question = {"id": "q", "prompt": "Which?", "options": [{"id": "1", "label": "One"}, {"id": "2", "label": "Two"}]}
    spool = Spool()
    spool.begins()

    (ask,) = spool.says({"id": 4, "method": "cursor/ask_question", "params": {"questions": [question]}})
    (plan,) = spool.says({"id": 5, "method": "cursor/create_plan", "params": {"name": "Plan", "plan": "1. Go."}})
    todos = spool.says(
        {"id": 6, "method": "cursor/update_todos", "params": {"todos": [{"content": "x", "status": "pending"}]}}
    )

    (answered,) = parsed(spool.reader.render_answer(Answer(key=ask.key, kind="question", answer="Two")))
    (accepted,) = parsed(spool.reader.render_answer(Answer(key=plan.key, kind="plan", decision="approve")))
    picked = [{"questionId": "q", "selectedOptionIds": ["2"]}]
    assert answered["result"] == {"outcome": {"outcome": "answered", "answers": picked}}
    assert (plan.kind, accepted["result"]) == ("plan", {"outcome": {"outcome": "accepted"}})
    assert (lines_of(todos)[0]["id"], events(todos, "todo")[0].data["entries"]) == (
        6,
        [{"text": "x", "status": "pending"}],
    )


# Words on the way, and the stop


def test_a_steer_by_the_extension_is_read_when_the_agent_says_so():
    spool = Spool()
    begun = {"id": 1, "result": {**BEGUN["result"], "_meta": {"steering": {"supported": True}}}}
    spool.says(begun, OPENED)

    (line,) = parsed(spool.reader.render_steer("/with honey", key="steer-7"))
    assert (line["id"], line["method"]) == ("steer-7", "_session/steering")
    assert not line["params"]["prompt"][0]["text"].startswith("/")
    spool.written("steer-7")
    read = spool.says({"id": "steer-7", "result": {"outcome": "injected"}})

    assert [event.data for event in events(read, "status")] == [{"state": "read", "input": "steer-7"}]
    assert Finished() in spool.says(ended())


def test_a_steer_the_agent_did_not_take_is_not_called_read():
    spool = Spool()
    spool.says({"id": 1, "result": {**BEGUN["result"], "_meta": {"steering": {"supported": True}}}}, OPENED)
    spool.written("steer-7")

    outs = spool.says({"id": "steer-7", "result": {"outcome": "promptRequired"}})

    assert events(outs, "status")[0].data["state"] == "unread"


def test_a_second_prompt_is_waited_for_where_prompts_join():
    spool = Spool(JOINS)
    spool.begins()
    (line,) = parsed(spool.reader.render_steer("with honey", key="steer-7"))
    spool.written("steer-7")

    first = spool.says(ended())
    second = spool.says(ended(id="steer-7"))

    assert line["method"] == "session/prompt"
    assert Finished() not in first
    assert events(second, "status")[0].data == {"state": "read", "input": "steer-7"}
    assert Finished() in second


@pytest.mark.parametrize("dialect", [Dialect(), REPLACES], ids=["unknown", "replaces"])
def test_an_agent_that_takes_no_words_on_the_way_is_not_given_any(dialect):
    spool = Spool(dialect)
    spool.begins()

    assert spool.reader.render_steer("with honey", key="steer-7") is None


def test_a_steer_that_comes_too_late_is_said_to_be_unread():
    spool = Spool(JOINS)
    spool.begins()
    spool.says(ended())

    outs = spool.written("steer-7")

    assert [event.data["state"] for event in events(outs, "status")] == ["unread"]
    assert spool.reader.render_steer("more", key="steer-8") is None


def test_a_stop_cancels_the_turn_and_answers_what_is_open():
    spool = Spool()
    spool.begins()
    spool.says(permission())
    assert isinstance(spool.reader, Stoppable)

    cancel, answer = parsed(spool.reader.render_stop())
    withdrawn = spool.written(STOP)
    late = spool.says(permission(id=1, tool="call_2"))
    outs = spool.says(ended("cancelled"))

    assert cancel == {"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": SESSION}}
    assert answer["result"] == {"outcome": {"outcome": "cancelled"}}
    assert withdrawn == [Withdrawn(key="permission-0")]
    assert lines_of(late)[0]["result"] == {"outcome": {"outcome": "cancelled"}}
    assert Finished() in outs
    assert spool.reader.outcome().is_interrupted


def test_nothing_but_signals_helps_before_the_prompt():
    spool = Spool()

    assert spool.reader.render_stop() is None
