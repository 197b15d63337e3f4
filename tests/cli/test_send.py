"""RM-22, RM-4: what `pal cli send` takes, says and repeats."""

import json
from pathlib import Path

import pytest

from pal_server.client.terminal import sending
from tests.cli import answers
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi, Told, problem


@pytest.fixture(autouse=True)
def _known(api: FakeApi) -> None:
    api.answers["POST /api/messages"] = Told(status=201, body=answers.SENT)
    api.answers["POST /api/artifacts"] = Told(status=201, body={"artifact": answers.FILE})


def test_receipts_are_told_in_words(pal: Pal) -> None:
    outcome = pal("cli", "send", "--room", "general", "--mention", "codex", "hello")

    assert outcome.code == 0
    assert "codex: queued, 2nd; its computer is offline" in outcome.out
    assert "nobody here is called ghost" in outcome.err


def test_an_answer_that_is_held_is_not_said_to_be_sent(pal: Pal, api: FakeApi) -> None:
    held = {**answers.SENT, "message": {**answers.SENT["message"], "kind": "card", "card": {"type": "draft"}}}
    api.answers["POST /api/messages"] = Told(status=201, body=held)

    outcome = pal("cli", "send", "--room", "general", "done")

    assert (outcome.code, outcome.out.startswith("not sent, held as message")) == (0, True)


def test_json_is_what_the_api_answered_and_nothing_else(pal: Pal) -> None:
    outcome = pal("cli", "send", "--room", "general", "hello", "--json")

    assert json.loads(outcome.out) == answers.SENT
    assert outcome.err == ""


def test_standard_input_is_the_text(pal: Pal, api: FakeApi) -> None:
    outcome = pal("cli", "send", "--room", "general", "-", stdin="grüße\nzwei".encode())

    assert outcome.code == 0
    assert api.last().body["content"] == "grüße\nzwei"


def test_the_longest_text_fits_into_a_body_in_every_script(pal: Pal, api: FakeApi) -> None:
    text = "😀" * 200_000

    outcome = pal("cli", "send", "--room", "general", "-", stdin=text.encode())

    assert outcome.code == 0
    assert api.last().body["content"] == text
    assert int(api.last().headers["content-length"]) < 1024 * 1024


def test_attached_files_are_uploaded_first(pal: Pal, api: FakeApi) -> None:
    Path("a.bin").write_bytes(b"\0\xff")

    outcome = pal("cli", "send", "--room", "general", "--attach", "a.bin", "look")

    upload, message = api.asked
    assert outcome.code == 0
    assert (upload.path, upload.query["name"], upload.body) == ("/api/artifacts", "a.bin", b"\0\xff")
    assert message.body["files"] == ["file_a"]


def test_text_that_starts_with_a_dash_goes_after_two(pal: Pal, api: FakeApi) -> None:
    assert pal("cli", "send", "--room", "general", "--", "--help").code == 0
    assert api.last().body["content"] == "--help"


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["--room", "general"], "TEXT is missing"),
        (["--room", "general", ""], "TEXT is empty"),
        (["--room", "general", "  \n"], "TEXT is empty"),
        (["hello"], "--room is missing"),
        (["--room", "", "hello"], "--room is empty"),
        (["--room", "general", "--file", "text.txt", "hello"], "both given"),
        (["--room", "general", "--file", "missing.txt"], "--file missing.txt: there is no such file"),
        (["--room", "general", "--file", "."], "is a folder"),
        (["--room", "general", "--file", "latin.txt"], "not UTF-8"),
        (["--room", "general", "--file", "empty.txt"], "empty.txt is empty"),
        (["--room", "general", "--file", "nul.txt"], "NUL"),
        (["--room", "general", "--attach", "missing.bin", "hello"], "--attach missing.bin"),
        (["--room", "general", "--topic", "one", "hello"], "--topic"),
        (["--room", "general", "--parent", "-1", "hello"], "--parent"),
        (["--room", "general", "hello", "world"], "quotes"),
        (["--room", "general", "--colour", "red", "hello"], "--colour"),
    ],
)
def test_wrong_input_names_the_field_and_sends_nothing(argv: list[str], names: str, pal: Pal, api: FakeApi) -> None:
    Path("text.txt").write_text("text")
    Path("latin.txt").write_bytes("grüße".encode("latin-1"))
    Path("empty.txt").write_text("")
    Path("nul.txt").write_bytes(b"a\0b")

    outcome = pal("cli", "send", *argv)

    assert outcome.code == 2
    assert names in outcome.err
    assert outcome.out == ""
    assert api.asked == []


def test_a_lost_answer_is_asked_for_again_under_the_same_id(pal: Pal, api: FakeApi) -> None:
    sent = Told(status=201, body=answers.SENT)
    api.answers["POST /api/messages"] = [Told(cut=True), problem(503, "unavailable"), sent]

    outcome = pal("cli", "send", "--room", "general", "hello")

    ids = {asked.body["client_id"] for asked in api.asked}
    assert (outcome.code, len(api.asked), len(ids)) == (0, 3, 1)


def test_two_sendings_have_two_ids(pal: Pal, api: FakeApi) -> None:
    pal("cli", "send", "--room", "general", "hello")
    pal("cli", "send", "--room", "general", "hello")

    assert len({asked.body["client_id"] for asked in api.asked}) == 2


def test_who_gives_up_says_how_to_repeat_it_safely(pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TRY_FOR", 0.15)
    api.answers["POST /api/messages"] = Told(cut=True)

    outcome = pal("cli", "send", "--room", "general", "hello")

    assert outcome.code == 4
    assert f"--client-id {api.last().body['client_id']}" in outcome.err


@pytest.mark.parametrize(
    ("status", "code", "exits"),
    [
        (400, "invalid", 2),
        (401, "unauthenticated", 3),
        (403, "forbidden", 3),
        (404, "not_found", 3),
        (409, "conflict", 3),
        (409, "already_exists", 3),
        (409, "lease_lost", 3),
        (413, "too_large", 2),
        (429, "rate_limited", 4),
        (503, "unavailable", 4),
        (500, "internal", 1),
    ],
)
def test_each_error_has_its_exit_code(
    status: int, code: str, exits: int, pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TRY_FOR", 0.0)
    api.answers["POST /api/messages"] = problem(status, code, "that cannot be")

    outcome = pal("cli", "send", "--room", "general", "hello")

    assert (outcome.code, outcome.out) == (exits, "")
    assert "that cannot be" in outcome.err


def test_an_ambiguous_beginning_lists_the_candidates(pal: Pal, api: FakeApi) -> None:
    api.answers["POST /api/messages"] = problem(
        409, "conflict", "two rooms begin so", candidates=["room_ab", "room_ac"]
    )

    outcome = pal("cli", "send", "--room", "room_a", "hello")

    assert outcome.code == 3
    assert "room_ab" in outcome.err
    assert "room_ac" in outcome.err


@pytest.mark.usefixtures("inside_run")
class TestInsideARun:
    def test_nothing_but_the_text_is_needed(self, pal: Pal, api: FakeApi) -> None:
        outcome = pal("cli", "send", "done")

        body, headers = api.last().body, api.last().headers
        assert outcome.code == 0
        assert (body["room"], body["topic"], body["parent"]) == ("general", 3, 12)
        assert headers["authorization"] == "Bearer pal_run_secret"

    def test_another_room_takes_neither_topic_nor_parent_along(self, pal: Pal, api: FakeApi) -> None:
        pal("cli", "send", "--room", "other", "hello")

        body = api.last().body
        assert body["room"] == "other"
        assert not {"topic", "parent"} & body.keys()

    def test_a_named_parent_decides_the_topic(self, pal: Pal, api: FakeApi) -> None:
        pal("cli", "send", "--parent", "99", "hello")

        body = api.last().body
        assert body["parent"] == 99
        assert "topic" not in body

    def test_what_it_may_not_do_exits_3(self, pal: Pal, api: FakeApi) -> None:
        api.answers["POST /api/rooms"] = problem(403, "forbidden", "a run may not make rooms")

        assert pal("cli", "rooms", "create", "mine").code == 3


def test_an_answer_is_waited_for_through_a_restart(pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gave up would ask again, and a person be asked twice."""
    monkeypatch.setattr("pal_cli.cli.asking._LOOK_EVERY", 0.0)
    asked = {"id": 3, "status": "pending", "kind": "question"}
    answered = {**asked, "status": "answered", "answer": {"answer": "main"}}
    api.answers["POST /api/interactions"] = Told(status=201, body={"interaction": asked})
    api.answers["GET /api/interactions/3"] = [
        Told(cut=True),
        problem(503, "unavailable"),
        {"interaction": asked},
        {"interaction": answered},
    ]

    outcome = pal("cli", "ask", "Which branch?", "--wait", "600")

    assert (outcome.code, outcome.out.strip()) == (0, "main")
