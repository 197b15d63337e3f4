"""What of a text is a mention, and what of it is said to an agent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pal_server.domain.messages import CONTENT_LIMIT, mentions_in, parse_content, parse_guest, without_mention
from pal_server.errors import Invalid


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bot go", ["bot"]),
        ("hello @bot, and @other.", ["bot", "other"]),
        ("(@bot)", ["bot"]),
        ("@bot @bot", ["bot"]),
        ("@claude-code @x.y_z", ["claude-code", "x.y_z"]),
        ("mail me@example.com", []),
        ("https://x.org/@bot", []),
        ("a/@bot", []),
        ("`@bot` and ```\n@other\n``` and ```@third", []),
        ("@@bot @ bot @-", []),
        ("", []),
        ("ask @bot: now!", ["bot"]),
        ("@bot...", ["bot"]),
        ("\uff20bot look, and \uff20other", ["bot", "other"]),
        ("me\uff20example.com @\uff20bot", []),
        ("> @bot said so\n  >> and @other too\nno, @third", ["third"]),
        ("a > @bot", ["bot"]),
        ("请@bot看看，还有\uff20other。", ["bot", "other"]),
        ("これ@bot頼む 한국어@other ขอ@third", ["bot", "other", "third"]),
        ("张三@example.com 写信，é@bot я@bot １@bot", []),
    ],
)
def test_names_after_an_at(text: str, names: list[str]) -> None:
    assert mentions_in(text) == names


def test_a_name_with_a_dot_is_called_after_a_word_when_it_is_known() -> None:
    assert mentions_in("请@x.y看看，张三@example.com", known={"x.y"}) == ["x.y"]


def test_a_sign_at_the_end_belongs_to_the_sentence_unless_a_name_ends_with_it() -> None:
    assert mentions_in("@bot- and @dash-.", known={"bot", "dash-"}) == ["bot", "dash-"]


@given(st.text(max_size=200))
def test_any_text_has_some_mentions_or_none(text: str) -> None:
    assert all(name and name[-1] not in ".-_" for name in mentions_in(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@bot draw a cat", "draw a cat"),
        ("@bot, draw", "draw"),
        ("@Bot: draw", "draw"),
        ("\uff20bot draw", "draw"),
        ("draw a cat @bot", "draw a cat"),
        ("tell @bot about it", "tell @bot about it"),
        ("@bot-2 draw", "@bot-2 draw"),
        ("@bot.x draw", "@bot.x draw"),
        ("@bot. draw", ". draw"),
        ("write to me@bot", "write to me@bot"),
        ("@bot", ""),
        ("@bot，看看", "看看"),
        ("@bot看看", "看看"),
        ("看看@bot", "看看"),
    ],
)
def test_what_is_said_to_an_agent(text: str, said: str) -> None:
    assert without_mention(text, agent="bot") == said


def test_a_text_is_not_empty_and_not_endless() -> None:
    for wrong in ("", "  \n", "a" * (CONTENT_LIMIT + 1)):
        with pytest.raises(Invalid):
            parse_content(wrong)
    assert parse_content("", has_files=True) == ""


@pytest.mark.parametrize("name", ["Ada", "Ada Lovelace", "李", "a.b-c", "Zoë", "Дима (Dima)", "Ada 🎈"])
def test_a_guest_may_be_called(name: str) -> None:
    assert parse_guest(name) == name


@pytest.mark.parametrize(
    "name",
    ["demo\u200b", "\u202edemo", "de\u00admo", "demo\ufe0f", "demo\u3164", "demo ", "demo\u00a0", "\uff44emo", "𝐝𝐞𝐦𝐨"],
)
def test_a_guest_is_called_what_one_sees(name: str) -> None:
    assert parse_guest(name) == "demo"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a",
        "a@b",
        "a/b",
        "<b>",
        'a"',
        "a\nb",
        "a\0",
        "a" * 65,
        "dem\u043e",
        "\u200b",
        "\uff20a",
        "system",
        "Pal",
        "\uff53ystem",
    ],
)
def test_a_guest_may_not_be_called(name: str) -> None:
    with pytest.raises(Invalid):
        parse_guest(name)
