"""Cards as the values of a template."""

import json

import pytest

from pal_server.bridges.cards import Button, Card, Mark, Step, Style, Tone
from pal_server.bridges.dingtalk.template import MOST, SHOWN, render_card, render_text, size_of

CARD = Card(
    title="Reviewer",
    tone=Tone.WORKING,
    state="working for 2 min",
    agent="Reviewer",
    computer="laptop",
    body="Look at **this**",
    plan=(Step(text="read", mark=Mark.DONE), Step(text="write", mark=Mark.NOW)),
    steps=(Step(text="ran tests", mark=Mark.DONE),),
    earlier=3,
    cost="12k tokens",
    buttons=(
        Button(label="Stop", style=Style.DANGER, token="stop.1.0.abc"),
        Button(label="Open", url="https://pal.example/r"),
    ),
    note="may be a repeat",
)


def test_a_card_shows_everything_there_is() -> None:
    params = render_card(CARD)

    assert params["msgTitle"] == "⚙️ Reviewer"
    for words in (
        "**working for 2 min**",
        "Look at **this**",
        "✓ read",
        "▶ write",
        "… 3 earlier steps",
        "✓ ran tests",
        "Reviewer · laptop · 12k tokens",
        "may be a repeat",
    ):
        assert words in params["msgContent"]


def test_buttons_come_back_by_their_token_and_links_open() -> None:
    buttons = json.loads(render_card(CARD)["sys_full_json_obj"])["msgButtons"]

    assert buttons == [
        {"text": "Stop", "color": "red", "id": "stop.1.0.abc", "request": True},
        {"text": "Open", "color": "gray", "url": "https://pal.example/r", "iosUrl": "https://pal.example/r"},
    ]


def test_each_state_gives_every_value_so_that_nothing_old_stays() -> None:
    done = Card(title="Reviewer", tone=Tone.DONE, state="done", final=True)

    assert set(render_card(done)) == set(render_card(CARD)) == set(render_text("x"))
    assert json.loads(render_card(done)["sys_full_json_obj"])["msgButtons"] == []


@pytest.mark.parametrize("tone", list(Tone))
def test_every_value_is_a_string_and_the_state_of_the_template_never_hides_them(tone: Tone) -> None:
    params = render_card(Card(title="t", tone=tone, state="s"))

    assert all(isinstance(value, str) and name for name, value in params.items())
    assert params["flowStatus"] == SHOWN


def test_what_does_not_fit_goes_oldest_step_first_and_never_state_or_buttons() -> None:
    many = tuple(Step(text=f"step {n} " + "张" * 50, mark=Mark.DONE) for n in range(400))
    params = render_card(Card(title="t", tone=Tone.WORKING, state="still at it", steps=many, buttons=CARD.buttons))

    assert size_of(params) <= MOST
    assert "still at it" in params["msgContent"]
    assert "step 399 " in params["msgContent"]
    assert "step 0 " not in params["msgContent"]
    assert "stop.1.0.abc" in params["sys_full_json_obj"]


def test_a_huge_body_is_cut_and_says_so() -> None:
    params = render_card(Card(title="t", tone=Tone.ASKING, state="?", body="word " * 10_000))

    assert size_of(params) <= MOST
    assert "…" in params["msgContent"]
