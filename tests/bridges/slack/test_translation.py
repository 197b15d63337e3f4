"""Payloads as Slack sends them, and the cards it is sent."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pal_cli.chaos.platforms.slack.limits import wrong_blocks, wrong_text
from pal_server.bridges.cards import Button, Card, Field, Form, Mark, Step, Style, Tone
from pal_server.bridges.inbound import CardAction, Deleted, Edited, PlaceKind, Said
from pal_server.bridges.slack import blocks, events
from pal_server.bridges.slack.blocks import render_card
from pal_server.bridges.slack.pulse import Pulse
from pal_server.bridges.slack.redaction import redacted

Json = dict[str, Any]

ME = events.Me(user="U0BOT", bot="B0BOT", team="T1", app="A1")


def payload(**event: Any) -> Json:
    whole = {"type": "message", "user": "U1", "text": "hello", "ts": "1610197986.000300", "channel": "C1", **event}
    return {
        "token": "verification",
        "team_id": "T1",
        "api_app_id": "A1",
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": 1610197986,
        "event": {"channel_type": "channel", "event_ts": whole["ts"], **whole},
    }


def heard(names: dict[str, str] | None = None, **event: Any) -> Any:
    return events.event_of(payload(**event), me=ME, names=names or {})


def test_a_mention_and_its_twin_are_the_same() -> None:
    twin = heard(text="<@U0BOT> hello")
    mention = heard(type="app_mention", text="<@U0BOT> hello", channel_type=None)

    assert isinstance(mention, Said)
    assert replace(mention, raw="") == replace(twin, raw="")
    assert mention.addressed
    assert mention.at == 1610197986000


def test_a_reply_belongs_to_its_thread_and_a_root_to_its_own() -> None:
    reply, root = heard(thread_ts="1610197000.000100"), heard(thread_ts="1610197986.000300")

    assert (reply.place.thread, reply.reply_to) == ("1610197000.000100", "1610197000.000100")
    assert (root.place.thread, root.reply_to) == ("1610197986.000300", "")


@pytest.mark.parametrize(
    ("event", "kind", "thread"),
    [
        ({"channel": "D1", "channel_type": "im"}, PlaceKind.DIRECT, ""),
        ({"channel": "D1", "channel_type": "im", "thread_ts": "1.2"}, PlaceKind.DIRECT, "1.2"),
        ({"channel": "G1", "channel_type": "mpim"}, PlaceKind.GROUP, "1610197986.000300"),
        ({"channel": "C1", "channel_type": "group"}, PlaceKind.GROUP, "1610197986.000300"),
    ],
)
def test_places_are_direct_or_not(event: Json, kind: PlaceKind, thread: str) -> None:
    said = heard(**event)

    assert (said.place.kind, said.place.thread) == (kind, thread)
    assert said.addressed is (kind is PlaceKind.DIRECT)


def test_files_come_along_and_stubs_too() -> None:
    full = {"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 5, "mode": "hosted", "url_private": "x"}
    stub = {"id": "F2", "mode": "file_access", "file_access": "check_file_info"}
    elsewhere = {"id": "F3", "mode": "external", "title": "Plan", "url_private": "https://docs.example/plan"}
    gone = {"id": "F4", "mode": "tombstone"}

    said = heard(subtype="file_share", text="", files=[full, stub, elsewhere, gone])

    assert [(file.key, file.name, file.size) for file in said.files] == [("F1", "a.png", 5), ("F2", "F2", None)]
    assert said.text == "[Plan](https://docs.example/plan)"
    assert said.unsupported == ""


def test_a_message_without_anything_to_read_says_so() -> None:
    assert heard(text="", channel="D1", channel_type="im").unsupported == "a message without text or files"


@pytest.mark.parametrize(
    "event",
    [
        {"user": "U0BOT"},
        {"bot_id": "B0BOT", "user": "U0BOT", "subtype": "bot_message"},
        {"subtype": "message_changed", "message": {"bot_id": "B0BOT", "ts": "1.2", "text": "x"}},
        {"subtype": "message_deleted", "deleted_ts": "1.2", "previous_message": {"bot_id": "B0BOT", "ts": "1.2"}},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"type": "reaction_added"},
        {"type": "app_home_opened"},
        {"bot_id": "B9", "user": "U9", "text": "another program, to nobody"},
    ],
)
def test_echoes_and_noise_are_nothing(event: Json) -> None:
    assert heard(**event) is None


def test_another_bot_that_calls_us_is_heard_as_itself() -> None:
    said = heard(bot_id="B9", user="U9", text="<@U0BOT> deploy", username="deployer")

    assert (said.person.id, said.person.others, said.person.name) == ("U9", ("B9",), "deployer")


def test_an_edit_is_one_only_when_a_person_made_it() -> None:
    before = {"type": "message", "user": "U1", "ts": "1.2", "text": "one"}
    unfolded = {**before, "attachments": [{"from_url": "https://a.b"}]}
    edited = {**before, "text": "two", "edited": {"user": "U1", "ts": "5.0"}}

    def change(message: Json) -> Any:
        return heard(subtype="message_changed", hidden=True, message=message, previous_message=before, ts="6.0")

    assert change(unfolded) is None
    assert isinstance(change(edited), Edited)
    assert (change(edited).event, change(edited).text, change(edited).addressed) == ("e:T1:C1:1.2:5.0", "two", False)
    assert change({**edited, "text": "<@U0BOT> two"}).addressed
    assert isinstance(change({**before, "subtype": "tombstone"}), Deleted)


def test_a_raw_event_keeps_nothing_that_could_be_used_again() -> None:
    raw = events.raw_of(
        {"token": "verification", "response_url": "https://hooks", "trigger_id": "1.2", "event_id": "Ev1"}
    )

    assert json.loads(raw) == {"event_id": "Ev1"}


def press(**more: Any) -> Json:
    action = {"type": "button", "action_id": "pal:press:0", "block_id": "b", "value": "t.1", "action_ts": "7.5"}
    return {
        "type": "block_actions",
        "user": {"id": "U1", "username": "alice", "name": "alice"},
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        "response_url": "https://hooks.slack.com/actions/x",
        "container": {"type": "message", "message_ts": "2.0", "channel_id": "C1", "thread_ts": "1.0"},
        "channel": {"id": "C1", "name": "general"},
        "message": {"ts": "2.0", "thread_ts": "1.0"},
        "actions": [{**action, **more}],
        "state": {"values": {}},
    }


def test_a_press_is_known_by_its_trigger() -> None:
    one = events.action_of(press(), me=ME, names={})
    again = events.action_of(press(action_ts="9.9"), me=ME, names={})

    assert isinstance(one, CardAction)
    assert isinstance(again, CardAction)
    assert one.event == again.event
    assert (one.message, one.place.thread, one.token) == ("2.0", "1.0", "t.1")
    assert "hooks.slack.com" not in one.raw


@pytest.mark.parametrize(
    "more", [{"action_id": "other"}, {"value": ""}, {"type": "static_select"}, {"value": None, "url": "https://a.b"}]
)
def test_menus_links_and_strange_buttons_are_nothing(more: Json) -> None:
    assert events.action_of(press(**more), me=ME, names={}) is None


def test_a_command_has_its_name_and_its_words() -> None:
    given = {"command": "/pal", "text": "stop &amp; go", "user_id": "U1", "user_name": "alice", "channel_id": "C1"}

    command = events.command_of({**given, "trigger_id": "7"}, me=ME, names={"U1": "Alice"}, now=5)

    assert (command.name, command.text, command.at, command.event) == ("pal", "stop & go", 5, "c:A1:7")
    assert (command.person.name, command.place.chat, command.place.thread) == ("Alice", "C1", "")


# Cards


def full() -> Card:
    return Card(
        title="Reviewer <3",
        tone=Tone.ASKING,
        state="waiting for an answer",
        agent="Reviewer",
        computer="laptop",
        body="May I run `rm -rf build`?",
        plan=(Step(text="read", mark=Mark.DONE), Step(text="write", mark=Mark.NOW)),
        steps=(Step(text="looked at **a.py**", mark=Mark.DONE),),
        earlier=3,
        cost="12k tokens",
        form=Form(
            fields=(
                Field(name="which", label="Which?", options=("one", "two"), free=True),
                Field(name="many", label="All of?", options=tuple(f"option {n}" for n in range(12)), many=True),
                Field(name="why", label="Why?"),
            ),
            submit=Button(label="Send", style=Style.PRIMARY, token="send.1"),
        ),
        buttons=(
            Button(label="Deny", style=Style.DANGER, token="deny.1", confirm="Sure?"),
            Button(label="Open", url="https://pal.example/t/1"),
        ),
        note="may be a repeat",
    )


def test_a_card_has_everything_and_slack_takes_it() -> None:
    shown = render_card(full())

    said = json.dumps(shown, ensure_ascii=False)
    assert wrong_text("chat.update", shown) is None
    assert shown["text"].startswith("*Reviewer &lt;3* · waiting for an answer")
    for part in ("laptop", "rm -rf build", "✓ read", "▶ write", "3 earlier steps", "12k tokens", "may be a repeat"):
        assert part in said
    assert [
        element["action_id"]
        for block in shown["blocks"]
        for element in block.get("elements", ())
        if "action_id" in element
    ] == [
        "pal:press:0",
        "pal:press:1",
        "pal:press:2",
    ]


def test_what_is_filled_in_comes_back_by_field() -> None:
    shown = {block["block_id"]: block for block in render_card(full())["blocks"] if "block_id" in block}
    first = shown["pal:field:which"]["element"]["options"][0]
    boxes = shown["pal:field:many"]["element"]["options"][:2]

    values = blocks.values_of(
        {
            "pal:field:which": {"value": {"type": "radio_buttons", "selected_option": first}},
            "pal:field:which_text": {"value": {"type": "plain_text_input", "value": "or this"}},
            "pal:field:many": {"value": {"type": "multi_static_select", "selected_options": boxes}},
            "pal:field:why": {"value": {"type": "plain_text_input", "value": None}},
            "other": {"x": {"type": "plain_text_input", "value": "not ours"}},
        }
    )

    assert values == {"which": "one", "which_text": "or this", "many": ("option 0", "option 1")}


words = st.text(alphabet="ab <>&*`\n🎉字", max_size=4000)
steps = st.lists(st.builds(Step, text=words, mark=st.sampled_from(Mark)), max_size=40).map(tuple)
buttons = st.lists(st.builds(Button, label=st.text(min_size=1, max_size=75), token=st.just("t.1")), max_size=30).map(
    tuple
)
cards = st.builds(
    Card,
    title=words,
    state=words,
    tone=st.sampled_from(Tone),
    body=words,
    plan=steps,
    steps=steps,
    buttons=buttons,
    note=words,
)


@settings(max_examples=40)
@given(cards)
def test_no_card_is_too_much_for_slack(card: Card) -> None:
    shown = render_card(card)

    assert wrong_blocks(shown["blocks"]) is None
    assert wrong_text("chat.update", shown) is None


def test_what_does_not_fit_goes_oldest_steps_first() -> None:
    many = tuple(Step(text=f"step {n} " + "x" * 300, mark=Mark.DONE) for n in range(60))

    said = json.dumps(render_card(replace(full(), steps=many)))

    assert "step 59" in said
    assert "step 0 " not in said
    assert "rm -rf build" in said


def test_what_a_person_has_to_read_before_answering_is_whole() -> None:
    body = "字" * 6_000

    shown = render_card(replace(full(), body=body))

    assert json.dumps(shown, ensure_ascii=False).count("字") >= 6_000
    assert wrong_blocks(shown["blocks"]) is None


# Small things


def test_a_socket_is_deaf_when_an_echo_is_missing_and_nothing_else_came() -> None:
    pulse = Pulse(echo_within=30)
    pulse.connected(0)
    pulse.heard(1, chat="C1", ts="1.0", is_own=True)

    pulse.posted("C1", "2.0", 10)

    assert not pulse.is_deaf(39)
    assert pulse.is_deaf(41)
    assert not pulse.is_deaf(42)


def test_an_app_without_message_events_is_suspected_once_only() -> None:
    pulse = Pulse(echo_within=30)
    pulse.connected(0)
    pulse.posted("C1", "1.0", 10)
    assert pulse.is_deaf(41)

    pulse.connected(50)
    pulse.posted("C1", "2.0", 60)

    assert not pulse.is_deaf(91)


def test_an_echo_or_anything_later_clears_a_socket() -> None:
    pulse = Pulse(echo_within=30)
    pulse.connected(0)
    pulse.posted("C1", "1.0", 10)
    pulse.posted("C1", "2.0", 10)
    pulse.heard(11, chat="C1", ts="1.0", is_own=True)

    assert not pulse.is_deaf(41)


def test_tokens_and_tickets_are_taken_out_of_texts() -> None:
    token = "xoxb-" + "12-ab"
    said = redacted(f"{token} wss://x/?ticket=abc&app_id=A1 xapp-1-A1-zz hunter22", ["hunter22"])

    assert said == "[secret] wss://x/?[secret]&app_id=A1 [secret] [secret]"
