"""Long texts in parts: nothing is lost, no part is too long, and no code block is torn."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pal_server.bridges.inbox import clean
from pal_server.bridges.text import NOTE, cut, split

CODE = "intro\n\n```python\n" + "\n".join(f"line_{number} = {number}" for number in range(60)) + "\n```\n\nthe end"


def fences(text: str) -> int:
    return len(re.findall(r"^(?:```|~~~)", text, re.M))


def words(text: str) -> str:
    """What is to be read, without the marks that open and close blocks."""
    return "".join(re.sub(r"^(?:```|~~~)\w*$", "", text, flags=re.M).split())


def test_what_fits_stays_as_it_is() -> None:
    assert split("short", limit=100, measure=len) == (["short"], False)


def test_a_torn_code_block_is_closed_and_opened_again() -> None:
    parts = cut(CODE, limit=300, measure=len)

    assert len(parts) > 2
    assert all(fences(part) % 2 == 0 and len(part) <= 300 for part in parts)
    assert all(part.startswith("```python\n") for part in parts[1:-1])
    assert words("\n".join(parts)) == words(CODE)


def test_paragraphs_are_cut_between_them() -> None:
    text = "\n\n".join("word " * 15 for _ in range(6)).strip()

    parts = cut(text, limit=200, measure=len)

    assert all(not part.startswith("\n") and part.endswith("word") for part in parts)


def test_a_very_long_text_begins_and_follows_as_a_file() -> None:
    parts, as_file = split("word " * 2_000, limit=200, measure=len)

    assert (len(parts), as_file) == (1, True)
    assert parts[0].endswith(NOTE)
    assert len(parts[0]) <= 200


@pytest.mark.parametrize("measure", [len, lambda text: len(text.encode())])
def test_bytes_or_characters(measure) -> None:  # type: ignore[no-untyped-def]  # two functions
    text = "字🦊 " * 300

    parts = cut(text, limit=120, measure=measure)

    assert all(measure(part) <= 120 for part in parts)
    assert words("".join(parts)) == words(text)


@given(
    st.lists(st.sampled_from(["word", "\n", "\n\n", "```\n", "\n```\n", "~~~c\n", "x" * 50, "字", " "]), max_size=80)
)
def test_any_text_is_whole_again(pieces: list[str]) -> None:
    text = "".join(pieces)

    parts = cut(text, limit=90, measure=len)

    shown = re.sub(r"[`~c]", "", "".join("".join(parts).split()))
    assert shown == re.sub(r"[`~c]", "", "".join(text.split()))


def test_what_no_database_holds_is_replaced_and_costs_nothing_else() -> None:
    assert clean("a\0b \ud83dc 👩‍👧 ‏שלום") == "a\ufffdb ?c 👩‍👧 ‏שלום"
    assert len(clean("word " * 1_000_000)) < 300_000
