"""Secrets in what agents say do not leave the computer, however they are cut."""

from __future__ import annotations

import sys

import pytest

from pal_daemon.redaction import HIDDEN, Redactor, secrets_of
from pal_daemon.runtimes.base import Ask, Event, Outcome

KEYS = [  # put together here, so that this file holds none
    "sk-ant-api03-" + "a1B2c3D4" * 5,
    "sk-proj-" + "a1b2" * 10,
    "ghp_" + "a1B2c3D4e5" * 4,
    "xo" + "xb-1234567890-abcdefghij",
    "AKIA" + "ABCDEFGH12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlc2ln",
    "sk_machine_" + "a1b2" * 6,
    "pal_run_" + "a1b2" * 6,
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
]
PLAIN = [
    "This text has nothing to hide; it ends with s",
    "use class s" + "k-folding-cube-of-the-spinner-kit for it",
    "a line -----\nand ----- another -----BEG and so on",
    "x" * 20_000,
    "hash 9b2c3d4e5f60718293a4b5c6d7e8f90123456789 and eyJust text",
]


def said(text: str, size: int, **data: object) -> str:
    """The text as it is told when it comes in pieces of this size."""
    redactor = Redactor()
    pieces = [Event(kind="message", text=text[at : at + size], is_piece=True) for at in range(0, len(text), size)]
    told = [event for piece in pieces for event in redactor.events(piece)] + redactor.rest()
    return "".join(event.text or "" for event in told)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_key_is_hidden_in_however_many_pieces_it_comes(key, size):
    assert said(f"it is {key}, keep it", size) == f"it is {HIDDEN}, keep it"
    assert said(f"it is {key}", size) == f"it is {HIDDEN}"


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


@pytest.mark.parametrize("text", ["sk-", "eyJ-", "x.", "-----BEGIN ", "-----BEGIN A " + "PRIVATE KEY-----", "AKIA"])
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
