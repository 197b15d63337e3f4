"""Markdown to Slack's markup and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pal_server.bridges.slack.mrkdwn import JOINT, render
from pal_server.bridges.slack.reading import flattened, mentions, people_in, quoted, to_markdown


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("plain", "plain"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("<!channel> <@U123> <!here|x>", "&lt;!channel&gt; &lt;@U123&gt; &lt;!here|x&gt;"),
        ("**bold** and *slanted* and ***both***", "*bold* and _slanted_ and *_both_*"),
        ("__bold__ and _slanted_", "*bold* and _slanted_"),
        ("~~gone~~", "~gone~"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2*3*4"),
        ("一**粗**字", f"一{JOINT}*粗*{JOINT}字"),
        ("# Title", "*Title*"),
        ("## **Title** of `x`", "*Title of `x`*"),
        ("- one\n  - two\n* three\n+ four", "• one\n  • two\n• three\n• four"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("- [ ] open\n- [x] done", "☐ open\n☑ done"),
        ("> quoted & said", "> quoted &amp; said"),
        ("---", "───"),
        ("[here](https://a.b/c?d=1&e=2)", "<https://a.b/c?d=1&amp;e=2|here>"),
        ("[**here**](https://a.b)", "<https://a.b|*here*>"),
        ("[a|b](https://a.b/x|y)", "<https://a.b/x%7Cy|a¦b>"),
        ("[x](javascript:alert)", "x (javascript:alert)"),
        ("[file](src/a.py)", "file (src/a.py)"),
        ("[wiki](https://a.b/C_(d))", "<https://a.b/C_(d)|wiki>"),
        ("![a cat](https://a.b/c.png)", "<https://a.b/c.png|a cat>"),
        ("<https://a.b>", "<https://a.b>"),
        ("`a<b` **c**", "`a&lt;b` *c*"),
        ("``a`b``", "`aˋb`"),
        ("`**not bold**`", "`**not bold**`"),
        (r"\*not slanted\*", "*not slanted*"),
        ("```python\nif a < b & c:\n    **x**\n```", "```\nif a &lt; b &amp; c:\n    **x**\n```"),
        ("```\nnever closed", "```\nnever closed\n```"),
        ("````\n```\ninner\n```\n````", f"```\n`{JOINT}`{JOINT}`\ninner\n`{JOINT}`{JOINT}`\n```"),
        ("| a | bb |\n|---|:-:|\n| 1 | 2 |\nafter", "```\na  bb\n-  --\n1  2\n```\nafter"),
        ("מזל טוב 🎉 e\u0301", "מזל טוב 🎉 e\u0301"),
    ],
)
def test_markdown_becomes_mrkdwn(markdown: str, mrkdwn: str) -> None:
    assert render(markdown) == mrkdwn


@given(st.text(alphabet="<>&@!U1#|*_~`[]()\\ \nab:/-"))
def test_no_text_calls_anybody(text: str) -> None:
    """Whatever is in a text, an opening bracket of ours begins a link and nothing else."""
    rendered = render(text)

    openings = [rendered[at + 1 :] for at, sign in enumerate(rendered) if sign == "<"]
    assert all(rest.startswith(("http://", "https://", "mailto:")) for rest in openings)


@pytest.mark.parametrize(
    ("mrkdwn", "markdown"),
    [
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("*bold* _slanted_ ~gone~", "**bold** _slanted_ ~~gone~~"),
        ("2*3*4 ~5", "2*3*4 ~5"),
        ("<https://a.b/?x=1&amp;y=2>", "https://a.b/?x=1&y=2"),
        ("<https://a.b|here>", "[here](https://a.b)"),
        ("<mailto:a@b.c|a@b.c>", "a@b.c"),
        ("<#C1|general> <#C2>", "#general #C2"),
        ("<!here> <!subteam^S1|@team> <!date^1^{date}|today>", "@here @team today"),
        ("<@U1> and <@U2|bob> and <@U3>", "@Alice and @bob and @U3"),
        ("<@U9> do it", "do it"),
        ("please <@U9> do it", "please do it"),
        ("`a *b* &lt;c&gt;` *d*", "`a *b* <c>` **d**"),
        ("```x *y*\n<https://a.b|z>```", "```x *y*\nhttps://a.b```"),
        ("&gt; quoted", "> quoted"),
    ],
)
def test_mrkdwn_becomes_markdown(mrkdwn: str, markdown: str) -> None:
    assert to_markdown(mrkdwn, names={"U1": "Alice"}, without="U9") == markdown


def test_mentions_are_of_people_by_id() -> None:
    assert people_in("<@U1> <@W2|x> <@U1> &lt;@U3&gt;") == ("U1", "W2")
    assert mentions("hey <@U1>", user="U1")
    assert not mentions("hey <@U12>", user="U1")


def test_what_was_forwarded_is_a_quote_and_what_was_unfolded_is_not() -> None:
    forwarded = {"is_share": True, "from_url": "https://a.b", "text": "one\ntwo", "author_name": "Bob"}
    unfolded = {"from_url": "https://c.d", "text": "preview"}

    assert quoted([forwarded, unfolded]) == "&gt; Bob:\n&gt; one\n&gt; two"


def test_blocks_without_a_text_are_flattened() -> None:
    words = [
        {"type": "text", "text": "ask "},
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " about "},
        {"type": "link", "url": "https://a.b", "text": "this"},
        {"type": "emoji", "name": "wave"},
    ]
    listed = [{"type": "rich_text_section", "elements": [{"type": "text", "text": t}]} for t in ("one", "two")]
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Deploy"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*done*"}, "fields": [{"type": "mrkdwn", "text": "f"}]},
        {"type": "divider"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": listed}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "by"}, {"type": "plain_text", "text": "ci"}]},
    ]

    assert flattened(blocks) == "Deploy\n*done*\nf\nask <@U1> about <https://a.b|this>:wave:\none\ntwo\nby ci"
