"""Markdown and cards as Lark takes them: within its sizes, without what it would take for commands."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pal_server.bridges.cards import Button, Card, Field, Form, Mark, Step, Style, Tone
from pal_server.bridges.inbound import Heard, ToastKind
from pal_server.bridges.lark import PLATFORM, cards
from pal_server.bridges.lark.markdown import measure, post, render

Json = dict[str, Any]
CARD = Card(title="Fix it", tone=Tone.WORKING, state="working for 2 min")
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


def as_post(text: str) -> str:
    return render(text, headings=False, tables=0)


def elements(shown: Json, tag: str) -> list[Json]:
    """All elements with that tag, however deep."""
    found: list[Json] = []
    todo: list[Any] = [shown]
    while todo:
        one = todo.pop(0)
        if isinstance(one, dict):
            found += [one] if one.get("tag") == tag else []
            todo += one.values()
        elif isinstance(one, list):
            todo += one
    return found


@pytest.mark.parametrize(
    "text", ['<at user_id="all">x</at>', "<at id=all></at>", "<font color=red>x</font>", "</at>", "<!-- x -->"]
)
def test_no_text_can_mention_everybody_or_colour_the_chat(text: str) -> None:
    assert "<" not in as_post(text)
    assert "<" not in as_post(f"a **{text}** b")


def test_what_is_no_tag_stays() -> None:
    assert as_post("1 < 2 <= 3 <- x") == "1 < 2 <= 3 <- x"


def test_code_stays_as_it_is() -> None:
    text = "a `<b>` b\n```html\n<at id=all></at>\n# no heading\n[x](y)\n```\n``a`<i>``"

    assert as_post(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](https://x.y/z)", "[a](https://x.y/z)"),
        ("[a](./src/a.py)", "a (`./src/a.py`)"),
        ("[a](file:///etc)", "a (`file:///etc`)"),
        ("[a](javascript:x)", "a (`javascript:x`)"),
        ("![shot](https://x.y/z.png)", "[shot](https://x.y/z.png)"),
        ("<https://x.y>", "https://x.y"),
        ("[](https://x.y)", "[https://x.y](https://x.y)"),
    ],
)
def test_only_links_that_lark_takes_are_links(text: str, shown: str) -> None:
    assert as_post(text) == shown


def test_headings_become_bold_where_there_are_none() -> None:
    assert as_post("## The **plan** ##") == "**The plan**"
    assert render("## The plan", headings=True, tables=0) == "## The plan"


def test_tables_beyond_what_a_card_takes_become_code() -> None:
    text = "\n\n".join([TABLE] * 7)

    shown = render(text, headings=True, tables=5)

    assert shown.count("|---|---|") == 5
    assert shown.count("```") == 4
    assert "a | b\n--+--\n1 | 2" in shown


def test_a_fence_that_lark_would_end_early_does_not_end() -> None:
    shown = as_post("````md\n```py\nx\n```\n````")

    assert shown.count("```") == 2


def test_a_fence_that_is_never_closed_is_closed() -> None:
    assert as_post("```py\nx") == "```py\nx\n```"


@given(st.text(max_size=300))
def test_any_text_renders_and_is_measured_as_it_is_sent(text: str) -> None:
    content = json.dumps(post(text), ensure_ascii=False)

    assert measure(text) == len(json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass"))


@given(st.lists(st.sampled_from(["```", "~~~", "<at", "|", "|---|", "# ", "`", "[a](b)", "x", "\n"]), max_size=40))
def test_no_mix_of_marks_lets_a_tag_through(parts: list[str]) -> None:
    outside: list[str] = []
    is_code = False
    for line in as_post("".join(parts)).split("\n"):
        is_fence = re.fullmatch(r"```[^`]*", line) is not None
        if not is_code and not is_fence:
            outside.append(re.sub(r"(`+).*?\1", "", line))
        is_code ^= is_fence

    assert not is_code
    assert not [line for line in outside if "<at" in line]


def test_a_text_at_the_limit_is_within_what_lark_takes() -> None:
    text = '"\\\n' * 2400

    assert measure(text) <= PLATFORM.limits.text < 30_000
    assert measure(text + '"' * 4000) > PLATFORM.limits.text


def test_a_card_in_json_2() -> None:
    card = replace(
        CARD,
        agent="Reviewer",
        computer="mac",
        body="**why** `ls`",
        plan=(Step(text="look", mark=Mark.DONE), Step(text="fix", mark=Mark.NOW)),
        steps=(Step(text="Read\na.py", mark=Mark.DONE),),
        earlier=3,
        cost="12k tokens",
        note="answered by Ann",
        buttons=(
            Button(label="Approve", style=Style.PRIMARY, token="i.1.ok", confirm="Sure?"),
            Button(label="Open", url="https://pal.example/t/1"),
        ),
    )

    shown = cards.render_card(card)

    assert shown["schema"] == "2.0"
    assert shown["config"]["update_multi"] is True
    assert shown["header"]["template"] == "blue"
    assert shown["header"]["subtitle"]["content"] == "working for 2 min · Reviewer · mac"
    approve, link = elements(shown, "button")
    assert approve["behaviors"] == [{"type": "callback", "value": {"pal": "i.1.ok"}}]
    assert approve["confirm"]["text"]["content"] == "Sure?"
    assert link["behaviors"] == [{"type": "open_url", "default_url": "https://pal.example/t/1"}]
    texts = [one["content"] for one in elements(shown, "markdown")]
    assert "✓ look\n▶ fix" in texts
    assert "… 3 earlier\n✓ Read a.py" in texts
    assert "12k tokens · answered by Ann" in texts


def test_a_form_has_its_fields_and_one_button() -> None:
    fields = (
        Field(name="q1", label="Colour?", options=("red", "blue")),
        Field(name="q2", label="Which?", options=("a", "b"), many=True, free=True),
        Field(name="q3", label="Why?", required=False),
    )
    form = Form(fields=fields, submit=Button(label="Send", token="i.2"))

    shown = cards.render_card(replace(CARD, form=form))

    (box,) = elements(shown, "form")
    assert [one["name"] for one in elements(box, "select_static")] == ["q1"]
    assert [one["name"] for one in elements(box, "multi_select_static")] == ["q2"]
    assert [one["name"] for one in elements(box, "input")] == ["q2_text", "q3"]
    (submit,) = elements(box, "button")
    assert submit["form_action_type"] == "submit"
    assert submit["behaviors"][0]["value"] == {"pal": "i.2"}


@pytest.mark.parametrize("tone", Tone)
def test_every_tone_has_a_colour(tone: Tone) -> None:
    assert cards.render_card(replace(CARD, tone=tone))["header"]["template"]


def test_a_card_that_is_too_large_loses_old_steps_first_then_its_body() -> None:
    steps = tuple(Step(text=f"step {n} " + "中" * 250, mark=Mark.DONE) for n in range(60))
    buttons = (Button(label="Stop", token="r.1.stop"),)

    fewer = cards.render_card(replace(CARD, body="short", steps=steps, buttons=buttons))
    shorter = cards.render_card(replace(CARD, body="```\n" + "中\n" * 20_000, steps=steps, buttons=buttons))

    assert cards.size(fewer) <= cards.BYTES
    assert "step 59" in json.dumps(fewer)
    assert "earlier" in json.dumps(fewer)
    assert cards.size(shorter) <= cards.BYTES
    body = elements(shorter, "markdown")[0]["content"]
    assert body.endswith("shortened")
    assert body.count("```") == 2, "a block that was cut is closed"
    assert elements(shorter, "button")


def test_a_press_is_answered_with_words_and_the_card() -> None:
    said = cards.answer(Heard(text="Approved", kind=ToastKind.SUCCESS, card=CARD))

    assert said["toast"] == {"type": "success", "content": "Approved"}
    assert said["card"]["type"] == "raw"
    assert said["card"]["data"]["schema"] == "2.0"
    assert cards.answer(Heard()) == {}
