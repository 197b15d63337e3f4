"""The client of the Agent Client Protocol: recorded lines in, the same outs whenever they are read."""

from __future__ import annotations

import json
import re

import pytest

from pal_daemon.runtimes.acp_client.dialect import Dialect, SecondPrompt
from pal_daemon.runtimes.acp_client.handshake import WORD_JOINER
from pal_daemon.runtimes.acp_client.reader import AcpReader
from pal_daemon.runtimes.base import (
    Answer,
    Finished,
    NativeSession,
    Reply,
    Withdrawn,
    name_answer,
)
from pal_daemon.spool import Record, Stream
from tests.runtimes.acp_lines import (
    BEGUN,
    FORM,
    PROMPT,
    SESSION,
    Spool,
    ended,
    events,
    lines_of,
    permission,
    says,
    update,
)

ALLOW = Answer(key="permission-0", kind="approval", decision="approve")
DENY = Answer(key="permission-0", kind="approval", decision="deny")
JOINS = Dialect(second_prompt=SecondPrompt.JOINS)
REPLACES = Dialect(second_prompt=SecondPrompt.REPLACES)


# To the prompt


def test_a_session_is_opened_and_prompted():
    spool = Spool()

    outs = spool.begins()

    assert [line["method"] for line in lines_of(outs)] == ["session/new", "session/prompt"]
    assert NativeSession(id=SESSION) in outs
    assert lines_of(outs)[1]["params"] == {"sessionId": SESSION, "prompt": [{"type": "text", "text": "do it"}]}


def test_a_path_is_named_and_not_followed_by_an_agent_that_may_read_it():
    safe, measured = (
        Spool(prompt="see @/etc/passwd, mail a@b.c @ home"),
        Spool(Dialect(inlines_paths=False), prompt="@x"),
    )

    sent = lines_of(safe.begins())[1]["params"]["prompt"][0]["text"]

    assert "@/etc" not in sent
    assert sent.replace(WORD_JOINER, "") == "see @/etc/passwd, mail a@b.c @ home"
    assert sent.count(WORD_JOINER) == 1
    assert lines_of(measured.begins())[1]["params"]["prompt"][0]["text"] == "@x"


@pytest.mark.parametrize("text", ["/clear", "  /init now", "\n/help"])
def test_a_prompt_never_begins_with_a_slash(text):
    spool = Spool(prompt=text)

    sent = lines_of(spool.begins())[1]["params"]["prompt"][0]["text"]

    assert not sent.lstrip().startswith("/")
    assert text in sent


@pytest.mark.parametrize(
    ("can", "method"),
    [
        ({"loadSession": True}, "session/load"),
        ({"loadSession": True, "sessionCapabilities": {"resume": {}}}, "session/resume"),
    ],
)
def test_a_conversation_is_continued_the_best_way_the_agent_has(can, method):
    spool = Spool(session="old")
    begun = {"id": 1, "result": {**BEGUN["result"], "agentCapabilities": can}}

    outs = spool.says(begun, says("as I said yesterday"), {"id": 2, "result": {}})

    assert [line["method"] for line in lines_of(outs)] == [method, "session/prompt"]
    assert lines_of(outs)[0]["params"]["sessionId"] == "old"
    assert events(outs, "message") == []  # what is told once more was reported by an earlier run
    assert NativeSession(id="old") in outs


@pytest.mark.parametrize("answer", [{"id": 2, "error": {"code": -32002, "message": "no such session"}}])
def test_a_conversation_that_is_gone_is_followed_by_a_fresh_one_with_a_word(answer):
    spool = Spool(session="old", recap="It was about 4711.")

    outs = spool.says(BEGUN, answer, {"id": 3, "result": {"sessionId": "new"}})

    assert [line["method"] for line in lines_of(outs)] == ["session/load", "session/new", "session/prompt"]
    assert NativeSession(id="new") in outs
    assert [event.data["state"] for event in events(outs, "status")] == ["session", "afresh"]
    assert lines_of(outs)[-1]["params"]["prompt"][0]["text"].startswith("It was about 4711.\n\n")


def test_an_earlier_conversation_that_is_told_late_is_waited_for():
    spool = Spool(Dialect(replays_late=True), session="old")

    first = spool.says(BEGUN, {"id": 2, "result": {}}, says("as I said yesterday"))
    again = spool.says({"id": 3, "error": {"code": -32601, "message": "no such method"}}, says("and the day before"))
    still = spool.says({"id": 4, "error": {"code": -32601, "message": "no such method"}})
    quiet = spool.says({"id": 5, "error": {"code": -32601, "message": "no such method"}})

    assert [line["method"] for line in lines_of(first + again + still)] == ["session/load"] + ["_pal/settle"] * 3
    assert [line["method"] for line in lines_of(quiet)] == ["session/prompt"]
    assert events(spool.outs, "message") == []


def test_model_effort_and_mode_are_set_before_the_prompt():
    options = [
        {"id": "model", "category": "model", "currentValue": "a", "options": [{"value": "a"}, {"value": "b"}]},
        {"id": "effort", "category": "thought_level", "currentValue": "low", "options": [{"value": "high"}]},
        {"id": "mode", "category": "mode", "currentValue": "build", "options": [{"value": "plan"}]},
    ]
    spool = Spool(model="b", effort="high", mode="plan")

    outs = spool.says(BEGUN, {"id": 2, "result": {"sessionId": SESSION, "configOptions": options}})
    outs += spool.says({"id": 3, "result": {}}, {"id": 4, "result": {}}, {"id": 5, "result": {}})

    set_ = [(line["params"]["configId"], line["params"]["value"]) for line in lines_of(outs)[1:4]]
    assert set_ == [("model", "b"), ("effort", "high"), ("mode", "plan")]
    assert lines_of(outs)[4]["method"] == "session/prompt"


@pytest.mark.parametrize("servers", [[], [{"name": "pal", "command": "pal", "args": ["mcp"], "env": []}]])
def test_an_agent_that_stays_because_of_its_tool_servers_is_told_to_go(servers):
    spool = Spool(Dialect(stays_with_servers=True), servers=servers)
    spool.begins()

    outs = spool.says(says("done"), ended())

    assert outs[-1] == Finished(stays=bool(servers))


def test_a_model_the_agent_refuses_ends_the_run():
    models = {"currentModelId": "a", "availableModels": [{"modelId": "a"}]}
    spool = Spool(model="zzz")

    outs = spool.says(BEGUN, {"id": 2, "result": {"sessionId": SESSION, "models": models}})
    outs += spool.says({"id": 3, "error": {"code": -32602, "message": "unknown model"}})

    assert Finished() in outs
    assert "zzz" in (spool.reader.outcome().error or "")


def test_an_effort_nobody_knows_is_dropped_with_a_word():
    spool = Spool(effort="superhuman")

    outs = spool.begins()

    assert "superhuman" in (events(outs, "status")[-1].text or "")
    assert lines_of(outs)[-1]["method"] == "session/prompt"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ({"id": 1, "error": {"code": -32603, "message": "broken"}}, "agent"),
        ({"id": 1, "result": {"protocolVersion": 2}}, "agent"),
        ({"id": 1, "result": {"protocolVersion": 1, "agentInfo": {"version": "1.9.9"}}}, "old_program"),
    ],
)
def test_an_agent_that_does_not_fit_is_not_prompted(line, kind):
    spool = Spool(Dialect(oldest=(2, 0)))

    outs = spool.says(line)

    assert Finished() in outs
    assert spool.reader.outcome().error_kind == kind


def test_a_login_that_is_wanted_comes_first():
    spool = Spool(login="cursor_login")
    begun = {"id": 1, "result": {**BEGUN["result"], "authMethods": [{"id": "cursor_login"}]}}

    outs = spool.says(begun, {"id": 2, "result": {}}, {"id": 3, "result": {"sessionId": SESSION}})

    assert [line["method"] for line in lines_of(outs)] == ["authenticate", "session/new", "session/prompt"]


@pytest.mark.parametrize("code", [-32000, 401])
def test_nobody_logged_in_is_named_as_that(code):
    spool = Spool()

    spool.says(BEGUN, {"id": 2, "error": {"code": code, "message": "log in first"}})

    assert spool.reader.outcome().error_kind == "auth"


def test_an_agent_without_any_model_is_one_nobody_is_logged_in_to():
    spool = Spool()
    options = [{"id": "model", "category": "model", "currentValue": "unknown/unknown", "options": []}]

    outs = spool.says(BEGUN, {"id": 2, "result": {"sessionId": SESSION, "configOptions": options}})

    assert spool.reader.outcome().error_kind == "auth"
    assert Finished() in outs


# A turn


def test_an_answer_comes_in_pieces_and_once():
    spool = Spool()
    spool.begins()

    outs = spool.says(says("I "), says("am here"), ended(usage={"inputTokens": 7, "outputTokens": 3}))

    assert "".join(event.text or "" for event in events(outs, "message")) == "I am here"
    outcome = spool.reader.outcome()
    assert (outcome.text, outcome.error) == ("I am here", None)
    assert outcome.usage is not None
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (7, 3)
    assert outs[-1] == Finished()


def test_the_answer_is_what_was_said_after_the_last_tool():
    spool = Spool()
    spool.begins()
    done = update("tool_call_update", toolCallId="c", status="completed", content=[])

    spool.says(says("let me look"), update("tool_call", toolCallId="c", title="ls", kind="execute"), done)
    spool.says(says("it is empty"), ended())

    assert spool.reader.outcome().text == "it is empty"


def test_a_tool_is_put_together_from_its_pieces():
    spool = Spool()
    spool.begins()
    place = {"cwd": "/w"}

    outs = spool.says(
        update("tool_call", toolCallId="c", title="bash", kind="execute", status="pending", rawInput=place),
        update(
            "tool_call_update", toolCallId="c", status="in_progress", title="ls", rawInput={"command": "ls", **place}
        ),
        update("tool_call_update", toolCallId="c", status="in_progress", content=[_text("a\n")]),
        update(
            "tool_call_update",
            toolCallId="c",
            status="completed",
            content=[_text("a\n")],
            rawOutput={"output": "a\n", "metadata": {"exit": 3}},
        ),
    )

    (call,), (command,), (result,) = (events(outs, kind) for kind in ("tool_call", "command", "tool_result"))
    assert call.data["input"] == {"command": "ls", "cwd": "/w"}
    assert (command.data["command"], command.data["cwd"]) == ("ls", "/w")
    assert (result.text, result.data["status"], result.data["exit"]) == ("a\n", "ok", 3)


def test_a_changed_file_is_told_with_its_difference():
    spool = Spool()
    spool.begins()
    diff = {"type": "diff", "path": "/w/a", "oldText": "one\ntwo\n", "newText": "one\n2\n"}
    added = {"type": "diff", "path": "/w/b", "oldText": None, "newText": "new\n"}

    outs = spool.says(
        update("tool_call", toolCallId="c", title="edit", kind="edit", content=[diff, added]),
        update("tool_call_update", toolCallId="c", status="completed", content=[_text("ok")]),
    )

    first, second = events(outs, "file_change")
    assert (first.data["path"], first.data["change"]) == ("/w/a", "edit")
    assert "-two\n+2\n" in str(first.data["diff"])
    assert (second.data["change"], second.data["diff"]) == ("add", "+new\n")


@pytest.mark.parametrize(
    ("reason", "error"),
    [("max_tokens", "tokens"), ("max_turn_requests", "loop"), ("refusal", "refused"), ("cancelled", "cancelled")],
)
def test_an_end_that_is_no_good_one_fails_the_run(reason, error):
    spool = Spool()
    spool.begins()

    outs = spool.says(says("half of"), ended(reason))

    assert error in (spool.reader.outcome().error or "")
    assert Finished() in outs


def test_a_turn_without_a_word_is_said_to_be_one():
    spool = Spool()
    spool.begins()

    outs = spool.says(ended())

    assert spool.reader.outcome().error is None
    assert [event.data.get("state") for event in events(outs, "status")] == ["notice"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 400, "message": '{"error":{"code":400,"message":"bad model"}}'}, "agent"),
        ({"code": 429, "message": "slow down"}, "rate_limit"),
        ({"code": -32603, "message": "x", "data": {"errorKind": "rate_limit"}}, "rate_limit"),
        ({"code": -32603, "message": "x", "data": {"errorKind": "authentication_failed"}}, "auth"),
        ({"code": -32603, "message": "Internal error: Rate limit reached", "data": {}}, "rate_limit"),
        ({"code": -32000, "message": "log in"}, "auth"),
        ({"code": -32603, "message": "Internal error", "data": {"errorName": "APIError"}}, "agent"),
    ],
)
def test_an_error_of_the_model_is_named(error, kind):
    spool = Spool()
    spool.begins()

    outs = spool.says({"id": PROMPT, "error": error})

    assert spool.reader.outcome().error_kind == kind
    (event,) = events(outs, "error")
    assert event.data["kind"] == kind
    assert "{" not in (event.text or "")
    assert Finished() in outs


def test_what_is_open_when_the_turn_ends_is_ended():
    spool = Spool()
    spool.begins()

    outs = spool.says(update("tool_call", toolCallId="c", title="ls", kind="execute", status="in_progress"), ended())

    (result,) = events(outs, "tool_result")
    assert result.data["status"] == "aborted"


def test_a_program_that_dies_in_its_turn_leaves_nothing_open():
    spool = Spool()
    spool.begins()
    spool.says(update("tool_call", toolCallId="c", title="ls", kind="execute", status="in_progress"), permission())

    outs = spool.exits()

    assert [result.data["status"] for result in events(outs, "tool_result")] == ["aborted"] * 2
    assert Withdrawn(key="permission-0") in outs
    assert "before its turn did" in (spool.reader.outcome().error or "")


def test_a_program_that_speaks_something_else_is_said_to():
    spool = Spool()

    outs = spool.says("Usage: agent [options]")

    assert events(outs, "output")[0].text == "Usage: agent [options]\n"
    spool.exits()
    assert spool.reader.outcome().error


def test_costs_of_a_continued_session_are_booked_as_a_difference():
    begun = {"id": 2, "result": {}}
    usage = {"used": 10, "size": 100, "cost": {"amount": 1.25, "currency": "USD"}}
    later = {"used": 20, "size": 100, "cost": {"amount": 1.5, "currency": "USD"}}

    known, unknown = Spool(session="old"), Spool(session="old")
    known.says(BEGUN, update("usage_update", **usage), begun, update("usage_update", **later), ended())
    unknown.says(BEGUN, begun, update("usage_update", **later), ended())

    assert known.reader.outcome().usage.cost_usd == 0.25
    assert unknown.reader.outcome().usage is None


def test_a_text_that_is_none_is_not_in_the_answer():
    spool = Spool(Dialect(noise=re.compile(r"\[MODE_UPDATE\] \w+")))
    spool.begins()

    outs = spool.says(says("[MODE_UPDATE] default"), says("Done."), ended())

    assert spool.reader.outcome().text == "Done."
    assert len(events(outs, "message")) == 1


def test_a_search_in_the_web_is_told():
    spool = Spool()
    spool.begins()

    outs = spool.says(update("tool_call", toolCallId="c", kind="fetch", title="tea", rawInput={"query": "tea"}))

    (search,) = events(outs, "web_search")
    assert (search.text, search.data["id"]) == ("tea", "c")


def test_a_todo_list_and_a_subagent_are_told():
    spool = Spool()
    spool.begins()
    entries = [{"content": "look", "status": "completed", "priority": "high"}]
    elsewhere = says("from below")
    elsewhere["params"]["sessionId"] = "child"

    outs = spool.says(update("plan", entries=entries), elsewhere, ended())

    assert events(outs, "todo")[0].data == {"entries": [{"text": "look", "status": "completed"}]}
    assert events(outs, "subagent")[0].data["id"] == "child"
    assert events(outs, "message")[0].lane == "child"
    assert spool.reader.outcome().text is None


@pytest.mark.parametrize(
    "line",
    [
        update("something_new", a=1),
        update("agent_message_chunk", content={"type": "image", "data": "x" * 100_000}),
        update("tool_call", toolCallId=7),
        {"method": "session/update", "params": {"update": "?"}},
        {"method": "_vendor/news", "params": {"a": 1}},
    ],
)
def test_what_nobody_knows_becomes_a_plain_event(line):
    spool = Spool()
    spool.begins()

    outs = spool.says(line)

    assert [event.kind for event in outs] == ["status"]
    assert len(json.dumps(outs[0].data)) < 10_000


# Reading again


def test_the_same_records_give_the_same_outs_however_they_are_cut():
    spool = Spool(REPLACES)
    spool.begins()
    spool.says(says("grüße "), permission())
    spool.written(name_answer("permission-0", decision="deny", has_words=True))
    spool.says(ended("cancelled"), says("python"), FORM)
    spool.written(name_answer("question-0", decision=None))
    spool.says(ended(id="words-permission-0"))
    spool.exits()

    assert spool.again() == spool.outs
    assert spool.again(size=1) == spool.outs


def test_our_lines_have_names_of_their_own():
    spool = Spool(session="old", model="m")
    spool.begins()
    spool.says(permission(), {"id": 9, "method": "fs/read_text_file", "params": {}})

    names = [out.name for out in spool.outs if isinstance(out, Reply)]

    assert len(set(names)) == len(names)
    assert all(name.isascii() and " " not in name for name in names)


def test_a_line_of_megabytes_is_one_line():
    spool = Spool()
    spool.begins()
    whole = (json.dumps(says("x" * 3_000_000)) + "\n").encode()

    outs = []
    for at in range(0, len(whole), 65536):
        outs += spool.reader.feed(Record(stream=Stream.STDOUT, at=1, data=whole[at : at + 65536], end=at))

    assert len(events(outs, "message")[0].text or "") == 3_000_000


def test_a_reader_without_a_memo_does_not_break():
    reader = AcpReader(Dialect())

    for line in (json.dumps(BEGUN), json.dumps(permission()), "?", "null"):
        reader.feed(Record(stream=Stream.STDOUT, at=1, data=line.encode() + b"\n", end=1))

    assert reader.outcome().error


def _text(text: str) -> dict[str, object]:
    return {"type": "content", "content": {"type": "text", "text": text}}
