"""Titles made from what was said."""

import pytest

from pal_server.domain.rooms import TITLE_FROM_WORDS, title_from


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("@bot fix the login page", "fix the login page"),
        ("\n\n# A heading\nand text", "A heading"),
        ("@bot\nlook at this", "look at this"),
        ("- one thing", "one thing"),
        ("mail a@example.com", "mail a@example.com"),
        ("@bot", None),
        ("???", None),
        ("", None),
    ],
)
def test_the_first_line_that_says_something(words: str, title: str | None) -> None:
    assert title_from(words) == title


def test_a_long_line_is_cut_between_words() -> None:
    title = title_from("word " * 50)

    assert title is not None
    assert len(title) <= TITLE_FROM_WORDS + 1
    assert title.endswith("word…")
