"""CL-1, CB-8: bots of every platform on the command line, as the seed has them for Lark."""

import json
import shlex
from typing import Any

import pytest

from tests.cli import answers
from tests.cli.answers import page
from tests.cli.conftest import Pal
from tests.support.fake_api import FakeApi

BOT: dict[str, Any] = {
    "id": "bot_a",
    "platform": "lark",
    "app_id": "cli_a",
    "agent": "codex",
    "label": "",
    "name": "Codex",
    "state": "listening",
    "error": None,
    "heard_at": 1,
    "waits_for_reload": False,
    "options": {"replies": "quote", "held_by": "token_a"},
}
PERSON: dict[str, Any] = {
    "external_id": "on_a",
    "name": "Ann",
    "standing": "allowed",
    "level": "operate",
    "quota": None,
    "user": None,
}
POST: dict[str, Any] = {"id": 9, "updated_at": 1, "purpose": "notice", "chat": "oc_a", "state": "failed", "error": "no"}
EVENT: dict[str, Any] = {"received_at": 1, "app_id": "cli_a", "kind": "said", "person": "on_a", "outcome": "done"}
KNOWN: dict[str, Any] = {
    "GET /api/bots": page("bots", BOT),
    "POST /api/bots": {"bot": BOT, "findings": []},
    "POST /api/bots/unbind": {"bots": [BOT]},
    "POST /api/bots/bot_a/forget": {"bot": BOT, "findings": []},
    "POST /api/lark/reload": {"bots": [BOT], "file": None},
    "POST /api/slack/reload": {"bots": [BOT], "file": None},
    "GET /api/platform-events": page("events", EVENT | {"raw": "{}"}),
    "GET /api/posts": page("posts", POST),
    "POST /api/posts": {"post": POST},
    "POST /api/posts/9/retry": {"post": POST},
    "GET /api/identities": page("identities", PERSON),
    "POST /api/identities": {"identity": PERSON},
    "POST /api/identities/remove": {"identity": PERSON},
    "POST /api/agents/onboard": {"agent": answers.AGENT},
    "GET /api/agents/codex": {"agent": answers.AGENT},
}
LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "console lark list": ("GET /api/bots", {"platform": "lark"}),
    "console slack list --json": ("GET /api/bots", {"platform": "slack"}),
    "console lark events --limit 20": ("GET /api/platform-events", {"platform": "lark", "limit": "20"}),
    'console lark send --app-id cli_a --to oc_a "Hello"': (
        "POST /api/posts",
        {"platform": "lark", "app_id": "cli_a", "to": "oc_a", "text": "Hello"},
    ),
    'console lark send --app-id cli_a --to a@example.org --to-type email "Hello"': (
        "POST /api/posts",
        {"to": "a@example.org"},
    ),
    'console dingtalk send --app-id ding_a --to manager1 --to-type user "Hello"': (
        "POST /api/posts",
        {"platform": "dingtalk", "to": "user:manager1"},
    ),
    "console lark reload": ("POST /api/lark/reload", {}),
    "console slack reload": ("POST /api/slack/reload", {}),
    "console lark posts --state failed": ("GET /api/posts", {"platform": "lark", "state": "failed"}),
    "console lark retry 9": ("POST /api/posts/9/retry", {}),
    "console lark forget --app-id cli_a --yes": ("POST /api/bots/bot_a/forget", {}),
    "console lark-users list": ("GET /api/identities", {"platform": "lark"}),
    "console lark-users list --asked": ("GET /api/identities", {"platform": "lark", "standing": "asked"}),
    'console lark-users add --user-id on_a --name "Display Name"': (
        "POST /api/identities",
        {"platform": "lark", "external_id": "on_a", "name": "Display Name", "allowed": True},
    ),
    "console slack-users add --user-id U1 --level own --quota 5": (
        "POST /api/identities",
        {"platform": "slack", "external_id": "U1", "level": "own", "quota": 5},
    ),
    "console lark-users add --user-id on_a --user ann": (
        "POST /api/identities",
        {"external_id": "on_a", "user": "ann"},
    ),
    "console lark-users add --user-id on_a --user ''": ("POST /api/identities", {"external_id": "on_a", "user": None}),
    "console dingtalk-users add --user-id m1 --deny": ("POST /api/identities", {"allowed": False}),
    "console lark-users delete --user-id on_a": ("POST /api/identities/remove", {"external_id": "on_a"}),
}
BINDINGS: dict[str, dict[str, Any]] = {
    "--lark-app-id cli_a --lark-app-secret s3 --lark-label Desk --rebind-lark": {
        "platform": "lark",
        "app_id": "cli_a",
        "credentials": {"app_id": "cli_a", "app_secret": "s3"},
        "agent": "codex",
        "label": "Desk",
        "rebind": True,
        "reload": True,
    },
    "--lark-app-id cli_a --lark-app-secret s3 --no-reload": {"reload": False},
    "--lark-app-id cli_a --rebind-lark": {"app_id": "cli_a", "rebind": True, "agent": "codex"},
    "--lark-label Desk": {"app_id": "cli_a", "agent": "codex", "label": "Desk"},
    "--lark-notify-chat oc_b --lark-base-url ''": {"app_id": "cli_a", "notify_chat": "oc_b", "base_url": None},
    "--lark-prompt '{sender}: {text}' --lark-held-by ''": {
        "app_id": "cli_a",
        "options": {"replies": "quote", "prompt": "{sender}: {text}"},
    },
    "--dingtalk-client-id ding_a --dingtalk-client-secret s3 --dingtalk-answers card": {
        "platform": "dingtalk",
        "options": {"answers": "card"},
    },
    "--slack-bot-token xoxb-1 --slack-app-token xapp-1": {
        "platform": "slack",
        "credentials": {"bot_token": "xoxb-1", "app_token": "xapp-1"},
    },
    "--dingtalk-client-id ding_a --dingtalk-client-secret s3": {
        "platform": "dingtalk",
        "app_id": "ding_a",
        "credentials": {"client_id": "ding_a", "client_secret": "s3"},
    },
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_about_bots_works(line: str, pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)

    outcome = pal(*shlex.split(line))

    request, given = LINES[line]
    asked = api.last()
    assert (outcome.code, f"{asked.method} {asked.path}") == (0, request), outcome.err
    carried = asked.query | (asked.body if isinstance(asked.body, dict) else {})
    assert {name: carried.get(name) for name in given} == given


@pytest.mark.parametrize("flags", BINDINGS)
@pytest.mark.parametrize("verb", ["update", "onboard"])
def test_an_agent_is_bound_to_a_bot(flags: str, verb: str, pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)
    more = ["--name", "Codex"] if verb == "onboard" else []

    outcome = pal("console", "agents", verb, "--key", "codex", *more, *shlex.split(flags))

    assert outcome.code == 0, outcome.err
    (saved,) = [asked.body for asked in api.asked if (asked.method, asked.path) == ("POST", "/api/bots")]
    assert {name: saved.get(name) for name in BINDINGS[flags]} == BINDINGS[flags]
    assert "s3" not in outcome.out + outcome.err


def test_the_older_way_to_hold_bots_is_the_bridge(pal: Pal, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[list[str], str]] = []
    monkeypatch.setattr("os.execve", lambda _, words, env: begun.append((words[1:], env["PAL_TOKEN"])))

    outcome = pal("console", "lark", "daemon", "--server", "http://127.0.0.1:9", "--token", "a-bridges")

    line = ["-m", "pal_server.bridges.run", "run", "lark", "--server", "http://127.0.0.1:9"]
    assert (outcome.code, begun) == (0, [(line, "a-bridges")])


@pytest.mark.parametrize(
    ("bots", "told"), [([BOT], "codex has no Lark/Feishu bot any more; its credential is kept"), ([], "codex had no")]
)
def test_unbinding_keeps_the_credential(bots: list[Any], told: str, pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)
    api.answers["POST /api/bots/unbind"] = {"bots": bots}

    outcome = pal("console", "agents", "update", "--key", "codex", "--unbind-lark")

    assert outcome.code == 0, outcome.err
    assert told in outcome.err
    assert [asked.body for asked in api.asked if asked.path == "/api/bots/unbind"] == [
        {"agent": "codex", "platform": "lark"}
    ]


@pytest.mark.parametrize("flags", ["--lark-app-secret s3", "--slack-bot-token xoxb-1", "--rebind-lark"])
def test_half_a_credential_is_wrong_usage(flags: str, pal: Pal, api: FakeApi) -> None:
    outcome = pal("console", "agents", "update", "--key", "codex", *shlex.split(flags))

    assert outcome.code == 2
    assert "s3" not in outcome.err


def test_doctor_says_when_nobody_may_use_the_bots(pal: Pal, api: FakeApi) -> None:
    api.answers.update(KNOWN)
    api.answers["POST /api/bots/bot_a/check"] = {"bot": BOT, "findings": []}
    api.answers["GET /api/identities"] = {"identities": [], "next": None}

    outcome = pal("doctor", "lark", "--json")

    (_, people) = json.loads(outcome.out)["checks"]
    assert (outcome.code, people["state"], people["text"]) == (0, "warn", "nobody may use the bots yet")
    assert "pal console lark-users add" in people["remedy"]


def test_doctor_looks_at_every_bot_of_a_platform(pal: Pal, api: FakeApi) -> None:
    finding = {"what": "scopes", "ok": False, "text": "im:message is missing", "advice": "add it"}
    api.answers.update(KNOWN)
    api.answers["POST /api/bots/bot_a/check"] = {"bot": BOT, "findings": [finding]}

    outcome = pal("doctor", "lark", "--json")

    told = json.loads(outcome.out)
    assert (outcome.code, told["ok"]) == (1, False)
    assert [(check["name"], check["state"], check["remedy"]) for check in told["checks"]] == [
        ("cli_a", "ok", ""),
        ("scopes", "fail", "add it"),
    ]
