"""Administration: what destroys asks first, secrets are shown once, wizards send what the flags would."""

import io
import sys
from typing import Any

import pytest

from tests.cli import answers
from tests.cli.answers import page
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

DESTRUCTIVE: dict[str, str] = {
    "agents delete --key codex": "DELETE /api/agents/codex",
    "computers revoke machine_a": "POST /api/computers/machine_a/revoke",
    "computers rotate-key machine_a": "POST /api/computers/machine_a/rotate",
    "accounts remove account_a": "DELETE /api/accounts/account_a",
    "tokens revoke token_a": "POST /api/tokens/token_a/revoke",
    "shares revoke share_a": "POST /api/shares/share_a/revoke",
    "invites revoke invite_a": "POST /api/invites/invite_a/revoke",
    "deliveries cancel 5": "POST /api/deliveries/5/cancel",
}
KEY: dict[str, Any] = {"computer": answers.COMPUTER, "api_key": "sk_machine_x", "command": "pal daemon …"}


class Terminal(io.StringIO):
    """Standard input of a person who sits there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("line", DESTRUCTIVE)
def test_without_yes_and_terminal_nothing_is_destroyed(line: str, pal: Pal, api: FakeApi) -> None:
    outcome = pal("console", *line.split())

    assert outcome.code == 2
    assert "--yes" in outcome.err
    assert api.asked == []


@pytest.mark.parametrize("line", DESTRUCTIVE)
def test_with_yes_it_is_done(line: str, pal: Pal, api: FakeApi) -> None:
    request = DESTRUCTIVE[line]
    api.answers[request] = KEY if request.endswith("rotate") else {"ok": True}

    outcome = pal("console", *line.split(), "--yes")

    assert outcome.code == 0, outcome.err
    assert f"{api.last().method} {api.last().path}" == request


@pytest.mark.parametrize(("said", "code"), [("y\n", 0), ("n\n", 3), ("", 3)])
def test_at_a_terminal_a_person_is_asked(
    said: str, code: int, pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answers["POST /api/tokens/token_a/revoke"] = {"ok": True}
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: True)

    outcome = pal("console", "tokens", "revoke", "token_a")

    assert outcome.code == code
    assert len(api.asked) == (1 if code == 0 else 0)


def test_provision_shows_key_and_command(pal: Pal, api: FakeApi) -> None:
    api.answers["POST /api/computers/provision"] = KEY

    outcome = pal("console", "computers", "provision", "--name", "box")

    assert api.last().body == {"name": "box", "server_url": api.url}
    assert "sk_machine_x" in outcome.out
    assert "pal daemon" in outcome.out


def test_a_token_is_alone_on_stdout(pal: Pal, api: FakeApi) -> None:
    api.answers["POST /api/tokens"] = {"token": {"id": "token_a", "name": "build"}, "secret": "pal_x"}

    outcome = pal("console", "tokens", "create", "--name", "build")

    assert outcome.out == "pal_x\n"
    assert "shown this once" in outcome.err


@pytest.mark.parametrize(
    ("line", "path", "kind", "body"),
    [
        (
            "shares create --topic 7 --rights comment",
            "/api/shares",
            "share",
            {"topic": 7, "rights": "comment", "may_trigger": False},
        ),
        ("invites create --room general", "/api/invites", "invite", {"room": "general"}),
    ],
)
def test_the_address_of_a_link_is_alone_on_stdout(
    line: str, path: str, kind: str, body: dict[str, Any], pal: Pal, api: FakeApi
) -> None:
    api.answers[f"POST {path}"] = {kind: {"id": f"{kind}_a"}, "token": "t", "url": "http://x/s/t"}

    outcome = pal("console", *line.split())

    assert outcome.out == "http://x/s/t\n"
    assert "shown this once" in outcome.err
    assert api.last().body == body


def test_the_wizard_sends_what_the_flags_would(pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.answers["GET /api/computers"] = page("computers", answers.COMPUTER)
    api.answers["POST /api/agents/onboard"] = {"agent": answers.AGENT}
    monkeypatch.setattr(sys, "stdin", Terminal("codex\nCodex Agent\nnonsense\ncodex\n\n\n\n"))

    outcome = pal("console", "agents", "onboard", "--interactive")

    assert outcome.code == 0, outcome.err
    assert api.last().body == {
        "agent_key": "codex",
        "display_name": "Codex Agent",
        "runtime": "codex",
        "computer_id": "machine_a",
    }


@pytest.mark.parametrize("computer", ["machine_a", None])
def test_the_wizard_of_an_update_offers_what_is_and_keeps_it(
    pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch, computer: str | None
) -> None:
    agent = {**answers.AGENT, "description": "reviews", "computer": computer}
    api.answers |= {
        "GET /api/agents": page("agents", agent),
        "GET /api/agents/codex": {"agent": agent},
        "GET /api/computers": page("computers", answers.COMPUTER),
        "PATCH /api/agents/codex": {"agent": agent},
    }
    monkeypatch.setattr(sys, "stdin", Terminal("\n\n\n\n\n\n"))

    outcome = pal("console", "agents", "update", "--interactive")

    assert outcome.code == 0, outcome.err
    last = api.last()
    assert (last.method, last.body) == (
        "PATCH",
        {"display_name": "Codex Agent", "runtime": "codex", "description": "reviews"},
    )


@pytest.mark.parametrize(("now", "said", "wanted"), [("machine_a", "none", None), (None, "machine_a", "machine_a")])
def test_the_wizard_of_an_update_moves_an_agent(
    pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch, now: str | None, said: str, wanted: str | None
) -> None:
    agent = {**answers.AGENT, "description": "reviews", "computer": now}
    api.answers |= {
        "GET /api/agents/codex": {"agent": agent},
        "GET /api/computers": page("computers", answers.COMPUTER),
        "PATCH /api/agents/codex": {"agent": agent},
        "POST /api/agents/codex/assignment": {"agent": agent},
    }
    monkeypatch.setattr(sys, "stdin", Terminal(f"Renamed\n\n\n{said}\n\n"))

    outcome = pal("console", "agents", "update", "--key", "codex", "--interactive")

    assert outcome.code == 0, outcome.err
    patch, assignment = api.asked[-2:]
    assert patch.body["display_name"] == "Renamed"
    assert assignment.body == {"computer_id": wanted}


TWO = [
    {"text": "Which?", "options": [{"label": "a"}, {"label": "b"}], "multiple": True},
    {"text": "Or else?", "options": [{"label": "none"}], "multiple": False},
]


@pytest.mark.parametrize(
    ("asked", "typed", "sent"),
    [
        ({"kind": "question", "options": ["red", "blue"]}, "7\ngreen\nblue\n", {"answer": "blue"}),
        ({"kind": "approval", "options": []}, "\ndeny\nnot today\n", {"decision": "deny", "reason": "not today"}),
        (
            {"kind": "question", "questions": TWO},
            "7\nb, a\na third, maybe\n",
            {"answers": [{"chosen": ["b", "a"]}, {"chosen": [], "text": "a third, maybe"}]},
        ),
    ],
    ids=["question", "approval", "questions"],
)
def test_the_wizard_of_an_answer_shows_what_waits_and_sends_what_was_shown(
    pal: Pal, api: FakeApi, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], typed: str, sent: dict[str, Any]
) -> None:
    one = {**answers.INTERACTION, "id": 7, "body": "All of it is at stake.", **asked}
    api.answers |= {
        "GET /api/interactions": page("interactions", one),
        "GET /api/interactions/7": {"interaction": one},
        "POST /api/interactions/7/answer": {"interaction": one},
    }
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    outcome = pal("cli", "answer", "--interactive")

    assert outcome.code == 0, outcome.err
    assert one["title"] in outcome.err
    assert one["body"] in outcome.err
    assert api.last().body == {**sent, "hash": one["hash"]}


def test_an_update_changes_only_what_is_named(pal: Pal, api: FakeApi) -> None:
    api.answers["PATCH /api/agents/codex"] = {"agent": answers.AGENT}
    api.answers["POST /api/agents/codex/assignment"] = {"agent": answers.AGENT}

    pal("console", "agents", "update", "--key", "codex", "--model", "m", "--unassign")

    patch, assignment = api.asked
    assert patch.body == {"model": "m"}
    assert assignment.body == {"computer_id": None}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("agents create --name X", "--key"),
        ("agents onboard --key x", "--name"),
        ("agents update --key x", "nothing to change"),
        ("agents update --key x --unassign --computer-id m", "--unassign"),
        ("agents create --key x --command '", "--command"),
        ("accounts add --computer c --runtime r --label l --env NOVALUE", "KEY=VALUE"),
        ("computers provision", "--name"),
        ("tokens create", "--name"),
        ("shares create --topic 1 --room general", "--topic"),
        ("shares create", "--topic"),
        ("invites create", "--room"),
        ("inbox", "--agent"),
        ("run-action 7 explode", "explode"),
        ("users add alice --role king", "king"),
    ],
)
def test_wrong_usage_names_the_field(line: str, names: str, pal: Pal, api: FakeApi) -> None:
    outcome = pal("console", *line.split(" "))

    assert outcome.code == 2
    assert names in outcome.err
    assert api.asked == []


def test_a_changed_audit_log_exits_1(pal: Pal, api: FakeApi) -> None:
    api.answers["GET /api/audit/verify"] = {"ok": False, "entries": 9, "first_changed": 4, "head": ""}

    outcome = pal("console", "audit", "verify")

    assert outcome.code == 1
    assert "entry 4" in outcome.out


def test_the_owner_token_is_printed(pal: Pal, home: Any) -> None:
    (home / "owner.token").write_text("pal_secret\n")

    assert pal("console", "token").out == "pal_secret\n"


@pytest.mark.parametrize(("flags", "draining"), [((), True), (("--off",), False)])
def test_a_computer_is_drained_and_given_work_again(
    pal: Pal, api: FakeApi, flags: tuple[str, ...], draining: bool
) -> None:
    api.answers["POST /api/computers/machine_a/drain"] = {"computer": {"id": "machine_a"}}

    ended = pal("console", "computers", "drain", "machine_a", *flags)

    assert ended.code == 0
    assert api.last().body == {"draining": draining}
