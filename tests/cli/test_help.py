"""CL-2: help on every command, with examples; wrong words are met with a hint."""

from collections.abc import Iterator

import pytest
import typer

from pal_cli import inspection
from pal_cli.cli.commands import GROUP
from pal_cli.main import PARTS
from pal_console.main import app
from tests.cli.conftest import Pal

LIGHT = [*(f"cli {name}" for name in GROUP.entries), *inspection.GROUP.entries]


def console_commands(command: object = None, words: str = "console") -> Iterator[str]:
    """The words of every console command."""
    command = command or typer.main.get_command(app)
    below: dict[str, object] = getattr(command, "commands", {})
    if not below:
        yield words
    for name, one in below.items():
        yield from console_commands(one, f"{words} {name}")


@pytest.mark.parametrize("words", [*LIGHT, *console_commands(), "up", "doctor"])
def test_every_command_has_help_with_examples(words: str, pal: Pal) -> None:
    outcome = pal(*words.split(), "--help")

    assert (outcome.code, outcome.err) == (0, "")
    assert "xamples:" in outcome.out
    assert f"pal {words}" in outcome.out or "artifact put" in words or "chats" in words


@pytest.mark.parametrize("words", ["", "cli", "console", "cli rooms", "console agents", "console tokens"])
def test_every_group_has_help(words: str, pal: Pal) -> None:
    asked = pal(*words.split(), "--help")
    bare = pal(*words.split())

    assert (asked.code, asked.err) == (0, "")
    assert (bare.code, bare.out) == (2, "")
    assert asked.out.lower().startswith("usage: pal")


def test_the_overview_names_every_part(pal: Pal) -> None:
    told = pal("--help").out

    assert [part for part in PARTS if f"  {part} " not in told] == []


@pytest.mark.parametrize(
    ("argv", "hint"),
    [(["cil"], "pal cli"), (["cli", "sned"], "pal cli send"), (["cli", "rooms", "lits"], "rooms list")],
)
def test_a_slip_of_the_keyboard_gets_a_hint(argv: list[str], hint: str, pal: Pal) -> None:
    outcome = pal(*argv)

    assert outcome.code == 2
    assert hint in outcome.err
