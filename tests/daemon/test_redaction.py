"""Secrets in what agents say do not leave the computer, however they are cut."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from urllib.parse import quote

import pytest

from pal_daemon.redaction import HIDDEN, Redactor, secrets_of
from pal_daemon.runtimes.base import Ask, Event, Outcome
from pal_daemon.runtimes.capping import cap_text

KEYS = [  # put together here, so that this file holds none
    "sk-ant-api03-" + "a1B2c3D4" * 5,
    "sk-proj-" + "a1b2" * 10,
    "ghp_" + "a1B2c3D4e5" * 4,
    "ghu_" + "a1B2c3D4e5" * 4,
    "xapp-" + "1-A012345-67890-abcdef0123",
    "xo" + "xb-1234567890-abcdefghij",
    "AKIA" + "ABCDEFGH12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlc2ln",
    "sk_machine_" + "a1b2" * 6,
    "pal_run_" + "a1b2" * 6,
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----",
]
VALUE = 'correct "horse" battery'
PLAIN = [
    "This text has nothing to hide; it ends with s",
    "use class s" + "k-folding-cube-of-the-spinner-kit for it",
    "a line -----\nand ----- another -----BEG and so on",
    "x" * 20_000,
    "hash 9b2c3d4e5f60718293a4b5c6d7e8f90123456789 and eyJust text",
]


def said(text: str, size: int, *values: str) -> str:
    """The text as it is told when it comes in pieces of this size."""
    redactor = Redactor(values)
    pieces = [Event(kind="message", text=text[at : at + size], is_piece=True) for at in range(0, len(text), size)]
    told = [event for piece in pieces for event in redactor.events(piece)] + redactor.rest()
    return "".join(event.text or "" for event in told)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_key_is_hidden_in_however_many_pieces_it_comes(key, size):
    assert said(f"it is {key}, keep it", size) == f"it is {HIDDEN}, keep it"
    assert said(f"it is {key}", size) == f"it is {HIDDEN}"


@pytest.mark.parametrize("before", ["\\n", "\\t", "%3D", "\x1b[m", "\x1b[1;31m", "\\u001b[31m"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_a_key_is_found_behind_an_escape(before, size):
    for key in (KEYS[0], KEYS[2]):
        assert said(f'{{"it": "is{before}{key}"}}', size) == f'{{"it": "is{before}{HIDDEN}"}}'


@pytest.mark.parametrize(
    "written",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        quote(VALUE, safe=""),
        *(base64.b64encode(user + VALUE.encode() + b"..").decode() for user in (b"", b"u", b"u:", b"me:", b"user:")),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_a_value_is_hidden_as_others_write_it_and_in_pieces(written, size):
    told = said(f"it is {written}, keep it", size, VALUE)

    assert HIDDEN in told
    assert told.startswith("it is ")
    assert told.endswith(", keep it")
    assert len(told) <= len(f"it is {HIDDEN}, keep it") + 12  # what base64 has of its neighbours


@pytest.mark.parametrize(
    "text", ["a cat at the corner", "correct", 'correct "horse" batter', "100% [3", "C:\\nothing\\"]
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_beginning_of_a_value_alone_is_told(text, size):
    assert said(text, size, VALUE) == text


def test_a_text_that_was_cut_in_a_secret_has_no_half_of_it():
    redactor = Redactor([VALUE])

    for secret in (KEYS[0], VALUE):
        cut = cap_text(f"{'x' * 50} {secret}", limit=51 + len(secret) - 5)
        (event,) = redactor.events(Event(kind="tool_call", data={"input": {"command": cut}}))
        assert event.data == {"input": {"command": f"{'x' * 50} {HIDDEN}\n[5 characters more]"}}
    assert redactor.text(cap_text("in many words", limit=9)) == "in many w\n[4 characters more]"


def test_a_name_in_data_is_a_text_too():
    (event,) = Redactor().events(Event(kind="tool_call", data={"input": {"env": {KEYS[0]: [{KEYS[2]: 1}]}}}))

    assert event.data == {"input": {"env": {HIDDEN: [{HIDDEN: 1}]}}}


@pytest.mark.parametrize("text", PLAIN)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_no_secret_arrives_as_it_was(text, size):
    assert said(text, size) == text


def test_ordinary_words_are_not_held_back():
    redactor = Redactor()

    told = redactor.events(Event(kind="message", text="Good morn", is_piece=True))

    assert [event.text for event in told] == ["Good morn"]


def test_another_event_lets_go_what_was_held_back_before_it():
    redactor = Redactor()

    told = redactor.events(Event(kind="message", text="task sk", is_piece=True))
    told += redactor.events(Event(kind="status", data={"state": "idle"}))

    assert [(event.kind, event.text) for event in told] == [("message", "task "), ("message", "sk"), ("status", None)]


def test_a_variable_that_is_a_whole_configuration_has_secrets_too():
    options = {
        "apiKey": "hunter-two-and-more",
        "headers": [{"Authorization": "Basic hunter-three"}],
        "keyboard": "qwertz-and",
    }
    env = {
        "OPENCODE_CONFIG_CONTENT": json.dumps({"provider": {"mine": {"options": options}}}),
        "HALF": '{"apiKey": "half',
    }

    assert secrets_of(env) == ("hunter-two-and-more", "Basic hunter-three")


def test_the_values_of_secret_variables_are_hidden_in_data_cards_and_ends():
    env = {"API_KEY": "hunter-two-and-more", "KEYBOARD": "qwertz-and-more"}
    env |= {"SSH_KEY": "/home/me/.ssh/id", "TOKEN": "short"}
    redactor = Redactor(secrets_of(env))
    told = "echo hunter-two-and-more qwertz-and-more /home/me/.ssh/id short"
    hidden = f"echo {HIDDEN} qwertz-and-more /home/me/.ssh/id short"

    (event,) = redactor.events(Event(kind="command", data={"input": {"argv": [told]}, "exit": 3}))

    assert event.data == {"input": {"argv": [hidden]}, "exit": 3}
    assert redactor.ask(Ask(key="k", kind="approval", title=told, body=told)).body == hidden
    assert redactor.outcome(Outcome(text=told, error=told)).error == hidden


@pytest.mark.parametrize(
    "text", ["sk-", "eyJ-", "x.", "-----BEGIN ", "-----BEGIN A " + "PRIVATE KEY-----", "AKIA", "[5meyJ-", "%3Dsk-"]
)
def test_a_text_made_to_be_slow_is_not(text):
    """It would take minutes if each of its words were compared with all that follows."""
    redactor = Redactor()

    for _ in range(4):
        redactor.events(Event(kind="message", text=text * 16_000, is_piece=True))


async def test_a_run_tells_no_secret_of_its_own(bus, start_daemon):
    await start_daemon()
    tell = "import os, sys; key = os.environ['MY_TOKEN']; print('it is', key); print(key, file=sys.stderr)"
    account = {"label": "work", "env": {"MY_TOKEN": "swordfish-of-the-account"}}

    run = await bus.end_of(
        await bus.given_delivery(
            runtime="command",
            command=f'{sys.executable} -c "{tell}"',
            command_allowed=True,
            settings={"account": account},
        )
    )

    assert run.text("output") == f"it is {HIDDEN}\n"
    assert run.finish["text"] == f"it is {HIDDEN}"
    assert "swordfish" not in str(run.finish) + str(run.events)


async def test_requests_that_differ_in_a_secret_alone_are_not_the_same(bus, start_daemon):
    """Else a rule made of one would say yes to the other."""
    await start_daemon()
    keys = [f"sk-{letter * 30}1" for letter in "aba"]

    deliveries = [await bus.given_delivery(content=f"/approve send {key} away") for key in keys]
    runs = [await bus.run_of(delivery) for delivery in deliveries]
    await bus.until(lambda: all(run.asks for run in runs))

    first, other, again = (run.asks[0] for run in runs)
    assert {first["title"], other["title"]} == {f"send {HIDDEN} away"}
    assert first["body"] == again["body"] != other["body"]
    assert "not all of it is shown" in first["body"]
    assert not any(key in bus.everything_said() for key in keys)


async def test_a_request_of_one_endless_line_is_asked_and_is_not_the_same_as_another(bus, start_daemon):
    """The server refuses a longer card, and an agent nobody can answer would wait for ever."""
    await start_daemon()
    line = "x" * 60_000

    deliveries = [await bus.given_delivery(content=f"/approve {line}{letter}") for letter in "ab"]
    runs = [await bus.run_of(delivery) for delivery in deliveries]
    await bus.until(lambda: all(run.asks for run in runs))

    bodies = [run.asks[0]["body"] for run in runs]
    assert [len(body) <= 50_000 for body in bodies] == [True, True]
    assert bodies[0] != bodies[1]


async def test_an_agents_own_name_is_no_secret(bus, start_daemon):
    await start_daemon()

    run = await bus.end_of(await bus.given_delivery(key="frontend-developer", content="/echo I am frontend-developer"))

    assert run.finish["text"] == "I am frontend-developer"


async def test_a_later_daemon_hides_what_the_first_one_would(bus, start_daemon, settings, tmp_path):
    first = await start_daemon()
    go = tmp_path / "go"
    os.mkfifo(go)
    tell = (
        "import os; key = os.environ['MY_TOKEN']; print('it is', key[:9], end='', flush=True); "
        f"open('{go}').read(); print(key[9:], 'and again', key)"
    )
    account = {"label": "work", "env": {"MY_TOKEN": "swordfish-of-the-account"}}
    delivery = await bus.given_delivery(
        runtime="command", command=f'{sys.executable} -c "{tell}"', command_allowed=True, settings={"account": account}
    )
    run = await bus.run_of(delivery)
    await bus.until(lambda: (settings.runs_folder / str(run.id) / "runtime").exists())

    await first.vanish()
    await start_daemon()
    await asyncio.to_thread(go.write_text, "")
    await bus.end_of(delivery)

    assert run.finish["text"] == f"it is {HIDDEN} and again {HIDDEN}"
    assert "swordfish" not in str(run.finish) + str(run.events)
    assert (settings.runs_folder / str(run.id) / "secrets").stat().st_mode & 0o777 == 0o600
