"""DingTalk's Markdown is small; nothing an agent writes gets lost in it."""

import pytest

from pal_server.bridges.dingtalk.markdown import measure, render, title_of


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**bold** and *thin*", "**bold** and *thin*"),
        ("# Head\ntext", "# Head\ntext"),
        ("one\ntwo\n\nthree", "one  \ntwo\n\nthree"),
        ("text\n- a\n- b", "text\n- a\n- b"),
        ("- a\n  more of a", "- a  \n  more of a"),
        ("- [ ] open\n- [x] done", "- ☐ open\n- ☑ done"),
        ("> quoted", "> quoted"),
        ("a <b> c </b> <!-- d -->", "a <\u200bb> c <\u200b/b> <\u200b!-- d -->"),
        ("`<b>` stays", "`<b>` stays"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("see <https://example.com/a>", "see [https://example.com/a](https://example.com/a)"),
        ("~~gone~~", "gone"),
        ("```py\nx = '<b>'\n\ny\n```", "```py\nx = '<b>'\n\ny\n```"),
        ("```\nnever closed", "```\nnever closed\n```"),
        ("~~~\ntildes\n~~~", "~~~\ntildes\n~~~"),
        ("", ""),
        ("张伟 👍", "张伟 👍"),
    ],
)
def test_a_text_is_shown(markdown: str, shown: str) -> None:
    assert render(markdown) == shown


def test_a_table_becomes_a_list_that_every_client_shows() -> None:
    shown = render("| name | size |\n|---|---:|\n| a | 1 |\n| b\\|c | 2 |\nafter")

    assert shown == "**name · size**\n\n- a · 1\n- b|c · 2\n\nafter"


def test_a_pipe_without_a_table_stays() -> None:
    assert render("a | b\nc | d") == "a | b  \nc | d"


def test_the_measure_is_of_what_goes_over_the_wire() -> None:
    assert measure("a") == 7  # two pairs of quotation marks, one of them escaped
    assert measure("\n\nx\n\ny") > len("x\n\ny") + 6
    assert measure("张" * 10) == 30 + 6


def test_a_notification_shows_the_first_words_without_marks() -> None:
    assert title_of("\n## **Done** with [it](https://example.com)\nmore", otherwise="pal") == "Done with it"
    assert title_of("```\n```", otherwise="pal") == "pal"
    assert len(title_of("word " * 50, otherwise="pal")) == 60
