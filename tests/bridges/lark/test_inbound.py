"""Lark's events in words of pal, on payloads of the shapes Lark sends (facts of its documentation and the SDK)."""

import json
from typing import Any

import pytest

from pal_server.bridges.inbound import CardAction, Deleted, Edited, Person, PlaceKind, Said
from pal_server.bridges.lark.inbound import Self, Unreadable, read_event, read_item

Json = dict[str, Any]
BOT = Self(app_id="cli_me", open_id="ou_bot")
IDS = {"open_id": "ou_ann", "union_id": "on_ann", "user_id": None}
OUR_MENTION = {
    "key": "@_user_1",
    "id": {"open_id": "ou_bot", "union_id": "on_bot", "user_id": None},
    "mentioned_type": "bot",
    "name": "Bot",
    "tenant_key": "t",
}
BOB = {"key": "@_user_10", "id": {"open_id": "ou_bob", "union_id": "on_bob"}, "name": "Bob", "tenant_key": "t"}


def event(kind: str, body: Json, **header: Any) -> Json:
    return {
        "schema": "2.0",
        "header": {
            "event_id": "5e3702a84e847582be8db7fb73283c02",
            "event_type": kind,
            "create_time": "1608725989000",
            "token": "",
            "app_id": "cli_me",
            "tenant_key": "2ca1d211f64f6438",
            **header,
        },
        "event": body,
    }


def message(content: Json, *, kind: str = "text", sender: Json | None = None, **more: Any) -> Json:
    return event(
        "im.message.receive_v1",
        {
            "sender": sender or {"sender_id": IDS, "sender_type": "user", "tenant_key": "t"},
            "message": {
                "message_id": "om_1",
                "create_time": "1609073151345",
                "update_time": "1609073151345",
                "chat_id": "oc_1",
                "chat_type": "group",
                "message_type": kind,
                "content": json.dumps(content, ensure_ascii=False),
                **more,
            },
        },
    )


def said(content: Json, **more: Any) -> Said:
    found = read_event(message(content, **more), bot=BOT)
    assert isinstance(found, Said)
    return found


def test_a_mention_is_one_thing_by_its_message_id() -> None:
    heard = said({"text": "@_user_1 hello"}, mentions=[OUR_MENTION])

    assert (heard.event, heard.message, heard.text, heard.addressed) == ("om_1", "om_1", "hello", True)
    assert heard.at == 1609073151345
    assert heard.person == Person(id="on_ann", others=("ou_ann",))
    assert (heard.place.chat, heard.place.thread, heard.place.kind) == ("oc_1", "om_1", PlaceKind.GROUP)


def test_mentions_become_names_and_one_is_no_prefix_of_another() -> None:
    text = "@_user_1 ask @_user_10 and @_user_100, @_all"

    heard = said({"text": text}, mentions=[OUR_MENTION, BOB])

    assert heard.text == "ask @Bob and @_user_100, @all"


def test_all_are_not_the_bot() -> None:
    """@all is often not among the mentions, and does not ask for an answer."""
    assert not said({"text": "@_all lunch"}).addressed


@pytest.mark.parametrize("kind", ["group", "topic_group", "private", "something new"])
def test_what_is_not_p2p_is_a_group(kind: str) -> None:
    heard = said({"text": "hi"}, chat_type=kind)

    assert (heard.place.kind, heard.addressed) == (PlaceKind.GROUP, False)


def test_a_direct_message_is_for_the_bot_and_one_conversation() -> None:
    heard = said({"text": "hi"}, chat_type="p2p", root_id="om_0", parent_id="om_0")

    assert heard.addressed
    assert (heard.place.thread, heard.reply_to) == ("", "om_0")


def test_a_topic_in_a_direct_chat_is_a_thread() -> None:
    heard = said({"text": "hi"}, chat_type="p2p", root_id="om_0", parent_id="om_0", thread_id="omt_1")

    assert (heard.place.thread, heard.place.memo) == ("om_0", "omt_1")


def test_every_message_of_a_thread_names_its_first() -> None:
    first = said({"text": "a"}, thread_id="omt_1")
    reply = said({"text": "b"}, message_id="om_2", root_id="om_1", parent_id="om_1", thread_id="omt_1")
    deeper = said({"text": "c"}, message_id="om_3", root_id="om_1", parent_id="om_2")

    assert {first.place.thread, reply.place.thread, deeper.place.thread} == {"om_1"}
    assert deeper.reply_to == "om_2"
    assert first.place.memo == "omt_1"


def test_ids_that_are_not_told_are_no_ids() -> None:
    sender = {"sender_id": {"open_id": "ou_x", "union_id": None, "user_id": ""}, "sender_type": "user"}

    assert said({"text": "hi"}, sender=sender).person == Person(id="ou_x")


def test_bots_do_not_hear_each_other() -> None:
    sender = {"sender_id": {"open_id": "ou_other", "union_id": None}, "sender_type": "app"}

    assert read_event(message({"text": "@_user_1 hi"}, sender=sender, mentions=[OUR_MENTION]), bot=BOT) is None


def test_rich_text_is_flattened() -> None:
    content = {
        "title": "Plan",
        "content": [
            [
                {"tag": "at", "user_id": "@_user_1", "user_name": "Bot"},
                {"tag": "text", "text": " see "},
                {"tag": "a", "text": "the page", "href": "https://example.com/x"},
                {"tag": "text", "text": " now", "style": ["bold"]},
            ],
            [{"tag": "img", "image_key": "img_1"}, {"tag": "emotion", "emoji_type": "SMILE"}],
            [{"tag": "code_block", "language": "PYTHON", "text": "print(1)\n"}],
            [{"tag": "hr"}, {"tag": "md", "text": "- @_user_10"}, {"tag": "new", "text": "unknown"}],
            [{"tag": "at", "user_id": "ou_bob", "user_name": "Bob"}, {"tag": "media", "file_key": "file_9"}],
        ],
    }

    heard = said(content, kind="post", mentions=[OUR_MENTION, BOB])

    assert heard.addressed
    assert heard.text.splitlines()[:2] == ["**Plan**", " see [the page](https://example.com/x) **now**"]
    assert "```python\nprint(1)\n```" in heard.text
    assert "- @Bob" in heard.text
    assert heard.text.endswith("@Bob")
    assert [file.key for file in heard.files] == ["image:img_1", "file:file_9"]


def test_rich_text_may_have_a_locale() -> None:
    heard = said({"zh_cn": {"title": "", "content": [[{"tag": "text", "text": "你好"}]]}}, kind="post")

    assert heard.text == "你好"


@pytest.mark.parametrize(
    ("kind", "content", "key", "name"),
    [
        ("image", {"image_key": "img_1"}, "image:img_1", "image.png"),
        ("file", {"file_key": "file_1", "file_name": "a.pdf"}, "file:file_1", "a.pdf"),
        ("audio", {"file_key": "file_1", "duration": 2000}, "file:file_1", "voice.opus"),
        ("media", {"file_key": "file_1", "image_key": "img_1", "file_name": "v.mp4"}, "file:file_1", "v.mp4"),
    ],
)
def test_files_are_attached(kind: str, content: Json, key: str, name: str) -> None:
    files = said(content, kind=kind).files

    assert [(file.key, file.name) for file in files] == [(key, name)]


@pytest.mark.parametrize(
    "kind", ["sticker", "share_chat", "share_user", "merge_forward", "location", "todo", "vote", "hongbao", "unheard"]
)
def test_a_kind_that_cannot_be_read_is_named(kind: str) -> None:
    heard = said({"file_key": "x"}, kind=kind)

    assert heard.unsupported
    assert (heard.text, heard.files) == ("", ())


def test_a_card_in_a_message_is_read_as_far_as_it_goes() -> None:
    content = {"title": "Build", "elements": [[{"tag": "text", "text": "failed"}]]}

    assert said(content, kind="interactive").text == "**Build**\nfailed"
    assert said({}, kind="interactive").unsupported == "a card"


def test_content_that_is_no_json_is_named() -> None:
    broken = message({})
    broken["event"]["message"]["content"] = "{"

    found = read_event(broken, bot=BOT)

    assert isinstance(found, Said)
    assert found.unsupported


def test_names_of_any_script_survive() -> None:
    name = "🦊 ‏أحمد‏ 王"
    heard = said({"text": "hi @_user_10"}, mentions=[{**BOB, "name": name}])

    assert heard.text == f"hi @{name}"


def test_a_message_that_was_taken_back() -> None:
    body = {"message_id": "om_1", "chat_id": "oc_1", "recall_time": "1687343654666", "recall_type": "message_owner"}

    found = read_event(event("im.message.recalled_v1", body), bot=BOT)

    assert isinstance(found, Deleted)
    assert (found.event, found.message, found.at) == ("recalled:om_1", "om_1", 1687343654666)


PRESS = {
    "operator": {"tenant_key": "t", "open_id": "ou_ann", "user_id": None, "union_id": "on_ann"},
    "token": "c-295ee57216a5dc9de90fefd0aadb4b1d7d6caeed",
    "host": "im_message",
    "action": {"tag": "button", "value": {"pal": "i.7.approve"}},
    "context": {"open_message_id": "om_card", "open_chat_id": "oc_1"},
}


@pytest.mark.parametrize("value", [{"pal": "i.7.approve"}, '{"pal": "i.7.approve"}'])
def test_a_press_gives_the_token_back_whether_object_or_string(value: Any) -> None:
    body = {**PRESS, "action": {"tag": "button", "value": value}}

    found = read_event(event("card.action.trigger", body, create_time="1608725989000123"), bot=BOT)

    assert isinstance(found, CardAction)
    assert (found.token, found.message, found.person.id) == ("i.7.approve", "om_card", "on_ann")
    assert found.at == 1608725989000, "callbacks count in microseconds"
    assert "c-295ee" not in found.raw, "the token of a callback can change the card"


@pytest.mark.parametrize("value", [None, "", "x", "[1]", {}, {"other": 1}])
def test_a_press_of_a_foreign_button_is_nothing(value: Any) -> None:
    body = {**PRESS, "action": {"tag": "button", "value": value}}

    assert read_event(event("card.action.trigger", body), bot=BOT) is None


def test_a_form_gives_what_was_filled_in() -> None:
    values = {"q1": "red", "q2": ["a", "b"], "q3": "", "q3_text": "words", "q4": [], "q5": None}
    body = {**PRESS, "action": {"tag": "button", "value": {"pal": "i.7"}, "form_value": values}}

    found = read_event(event("card.action.trigger", body), bot=BOT)

    assert isinstance(found, CardAction)
    assert found.values == {"q1": "red", "q2": ("a", "b"), "q3_text": "words"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("im.message.reaction.created_v1", {"operator_type": "app", "app_id": "cli_me", "message_id": "om_1"}),
        ("im.message.message_read_v1", {"reader": {}, "message_id_list": []}),
        ("im.chat.access_event.bot_p2p_chat_entered_v1", {"chat_id": "oc_1"}),
        ("im.chat.disbanded_v1", {}),
        ("something.new_v9", {"a": 1}),
    ],
)
def test_what_is_said_to_nobody_is_nothing(kind: str, body: Json) -> None:
    assert read_event(event(kind, body), bot=BOT) is None


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"header": {}},
        event("im.message.receive_v1", {}),
        event("im.message.receive_v1", {"sender": None, "message": {}}),
        event("card.action.trigger", {"action": None}),
        event("im.message.recalled_v1", {"message_id": "om_1", "chat_id": "oc_1", "recall_time": "soon"}),
    ],
)
def test_what_cannot_be_read_says_so(broken: Json) -> None:
    with pytest.raises(Unreadable):
        read_event(broken, bot=BOT)


ITEM = {
    "message_id": "om_1",
    "msg_type": "text",
    "create_time": "1609073151345",
    "update_time": "1609073151345",
    "deleted": False,
    "updated": False,
    "chat_id": "oc_1",
    "sender": {"id": "ou_ann", "id_type": "open_id", "sender_type": "user", "tenant_key": "t"},
    "body": {"content": '{"text":"@_user_1 hello"}'},
    "mentions": [{"key": "@_user_1", "id": "ou_bot", "id_type": "open_id", "name": "Bot", "tenant_key": "t"}],
}
ANN = Person(id="on_ann", others=("ou_ann",))


def test_a_message_read_back_is_the_one_that_would_have_been_pushed() -> None:
    pushed = said({"text": "@_user_1 hello"}, mentions=[OUR_MENTION])

    (read,) = read_item(ITEM, bot=BOT, kind=PlaceKind.GROUP, person=ANN)

    assert isinstance(read, Said)
    same = ("event", "message", "text", "addressed", "place", "at", "person")
    assert {name: getattr(read, name) for name in same} == {name: getattr(pushed, name) for name in same}


def test_an_edit_is_told_when_it_is_read_back() -> None:
    """Lark pushes no event for it."""
    edited = {**ITEM, "updated": True, "update_time": "1609073160000"}

    _, edit = read_item(edited, bot=BOT, kind=PlaceKind.GROUP, person=ANN)

    assert isinstance(edit, Edited)
    assert (edit.event, edit.text) == ("om_1:1609073160000", "hello")


@pytest.mark.parametrize(
    "change", [{"deleted": True}, {"msg_type": "system"}, {"sender": {"id": "cli_me", "sender_type": "app"}}]
)
def test_what_nobody_said_is_not_read_back(change: Json) -> None:
    assert read_item({**ITEM, **change}, bot=BOT, kind=PlaceKind.GROUP, person=ANN) == ()
