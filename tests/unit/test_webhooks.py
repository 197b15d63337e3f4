"""What a webhook is told, how that is signed, and where a server may not be made to reach."""

import hashlib
import hmac
from typing import Any

import pytest

from pal_server.domain.news import news_of
from pal_server.domain.webhooks import (
    KEPT_FOR,
    PAUSES,
    Webhook,
    is_outside,
    may_reach,
    next_attempt,
    parse_url,
    sign,
)
from pal_server.errors import Invalid

HOOK = Webhook(
    user_id="user_1",
    workspace_id="w",
    url="https://example.com",
    needs=True,
    mentions=True,
    runs=True,
    position=0,
    created_at=0,
)
SAID = {"id": 7, "room": "r", "topic": 2, "content": "look @ada", "mentions": ["ada"], "sender": {"name": "lin"}}
ENDED = {"id": 4, "room": "r", "topic": 2, "message": 1, "agent": "kai", "status": "failed", "error": "exit 1"}


def told(kind: str, data: dict[str, Any], *, asked_by: str | None = None, **chosen: bool) -> dict[str, Any] | None:
    hook = Webhook(**{**{name: getattr(HOOK, name) for name in HOOK.__slots__}, **chosen})
    return news_of(hook, kind, data, username="ada", asked_by=asked_by, base_url="https://pal.example")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b:1::1",
    ],
)
def test_an_address_inside_a_network_is_not_reached(address: str) -> None:
    assert not is_outside(address)


def test_every_address_of_a_name_counts_and_an_operator_may_name_a_host() -> None:
    assert may_reach("example.com", ["93.184.216.34", "2606:2800:220:1::1"], allowed=frozenset())
    assert not may_reach("example.com", ["93.184.216.34", "10.0.0.1"], allowed=frozenset())
    assert may_reach("Hooks.internal", ["10.0.0.1"], allowed=frozenset({"hooks.internal"}))


@pytest.mark.parametrize(
    "url", ["", "ftp://example.com", "https://", "https://me:secret@example.com", "http://x:99999"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        parse_url(url)


def test_the_receiver_can_compute_the_signature() -> None:
    given = sign("secret", at=1_700_000_000_999, body='{"id":1}')

    digest = hmac.new(b"secret", b'1700000000.{"id":1}', hashlib.sha256).hexdigest()
    assert given == f"t=1700000000,v1={digest}"


def test_it_is_tried_again_ever_later_and_given_up() -> None:
    assert [next_attempt(attempts=n + 1, created_at=0, now=0) for n in range(len(PAUSES))] == list(PAUSES)
    assert next_attempt(attempts=len(PAUSES) + 1, created_at=0, now=0) is None
    assert next_attempt(attempts=1, created_at=0, now=KEPT_FOR + 1) is None


def test_it_is_told_what_its_person_wants_and_where_that_is() -> None:
    asked = {"id": 3, "room": "r", "topic": 2, "message": 9, "agent": "rue", "status": "pending", "title": "rm -r"}

    needs = told("interaction.opened", asked)
    assert needs is not None
    assert (needs["kind"], needs["url"]) == ("needs", "https://pal.example/r/r/2?message=9")
    assert told("interaction.opened", asked, needs=False) is None
    assert told("interaction.opened", {**asked, "status": "answered"}) is None
    mention = told("message.created", SAID)
    assert mention is not None
    assert mention["from"] == "lin"
    assert told("message.created", SAID, mentions=False) is None
    assert told("message.created", {**SAID, "mentions": ["kai"]}) is None
    assert told("message.created", {**SAID, "sender": {"kind": "user", "name": "ada"}}) is None
    run = told("run.finished", ENDED, asked_by="ada")
    assert run is not None
    assert (run["status"], run["url"]) == ("failed", "https://pal.example/r/r/2?run=4")
    assert told("run.finished", ENDED, asked_by="lin") is None
    assert told("run.finished", {**ENDED, "status": "cancelled"}, asked_by="ada") is None
