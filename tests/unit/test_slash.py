"""Which texts are commands to pal."""

import pytest

from pal_server.domain.slash import COMMANDS, parse_slash


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_understood_whomever_it_calls(name: str) -> None:
    for content in (f"/{name}", f"@bot /{name}", f"  @bot, /{name} ", f"/{name} @bot", f"@a @b: /{name}"):
        slash = parse_slash(content)

        assert slash is not None, content
        assert (slash.name, slash.rest) == (name, "")


@pytest.mark.parametrize(
    "content",
    ["", "/", "/unknown", "say /stop", "/stop!", "/ stop", "@bot", "/stopping", "`/stop`", "/stop " + "x" * 2000],
)
def test_other_texts_are_none(content: str) -> None:
    assert parse_slash(content) is None


def test_what_stands_after_it_is_kept_on_one_line() -> None:
    slash = parse_slash("@bot /model  claude-opus@2025\n now ")

    assert slash is not None
    assert slash.rest == "claude-opus@2025 now"
