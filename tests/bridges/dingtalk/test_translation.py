"""Payloads of DingTalk into events of pal. The payloads are those of the platform's own documentation."""

import json
from typing import Any

import pytest

from pal_server.bridges.dingtalk import events
from pal_server.bridges.dingtalk.places import memo_of, open_space, reach_of
from pal_server.bridges.inbound import Attachment, Place, PlaceKind, Said

Json = dict[str, Any]

WEBHOOK = "https://oapi.dingtalk.com/robot/sendBySession?session=abc"
GROUP: Json = {
    "conversationId": "cidGROUP==",
    "conversationType": "2",
    "conversationTitle": "Builders",
    "msgId": "msg1==",
    "msgtype": "text",
    "text": {"content": " hello"},
    "senderId": "$:LWCP_v1:$xyz",
    "senderStaffId": "manager123",
    "senderNick": "Ann",
    "senderCorpId": "ding1",
    "isAdmin": False,
    "isInAtList": True,
    "atUsers": [{"dingtalkId": "$:LWCP_v1:$bot"}],
    "chatbotUserId": "$:LWCP_v1:$bot",
    "chatbotCorpId": "ding1",
    "robotCode": "dingrobot",
    "createAt": 1690362101894,
    "sessionWebhook": WEBHOOK,
    "sessionWebhookExpiredTime": 1690367502152,
}
DIRECT: Json = {**GROUP, "conversationId": "cidDIRECT==", "conversationType": "1", "conversationTitle": ""}


def of(kind: str, content: Json, **more: Any) -> Said:
    return events.said_of({**GROUP, "msgtype": kind, "content": content, "text": None, **more})


def test_a_mention_in_a_group_is_said_to_the_bot_without_its_name() -> None:
    said = events.said_of(GROUP)

    assert (said.event, said.message, said.text, said.at) == ("m:msg1==", "msg1==", "hello", 1690362101894)
    assert (said.person.id, said.person.name, said.person.others) == ("manager123", "Ann", ("$:LWCP_v1:$xyz",))
    assert (said.place.chat, said.place.kind, said.place.title) == ("cidGROUP==", PlaceKind.GROUP, "Builders")
    assert said.addressed
    assert said.place.thread == ""


def test_a_direct_chat_is_named_by_the_person_and_remembers_its_conversation() -> None:
    said = events.said_of(DIRECT)

    reach = reach_of(said.place)
    assert (said.place.chat, said.place.kind) == ("user:manager123", PlaceKind.DIRECT)
    assert (reach.session, reach.until, reach.conversation) == (WEBHOOK, 1690367502152, "cidDIRECT==")
    assert open_space(said.place) == "dtv1.card//IM_ROBOT.manager123"


@pytest.mark.parametrize("staff", [{"senderStaffId": ""}, {"senderStaffId": None}])
def test_people_outside_the_organisation_have_the_encrypted_id(staff: Json) -> None:
    said = events.said_of({**DIRECT, **staff})

    assert (said.person.id, said.person.others) == ("$:LWCP_v1:$xyz", ())
    assert said.place.chat == "cidDIRECT=="
    assert open_space(said.place) == ""


def test_the_address_to_answer_at_is_in_no_log() -> None:
    said = events.said_of(GROUP)

    assert "sendBySession" not in said.raw
    assert json.loads(said.raw)["msgId"] == "msg1=="


def test_a_memo_that_is_too_long_or_no_memo_is_none() -> None:
    long = memo_of({**GROUP, "sessionWebhook": "x" * 3000})

    assert long == ""
    for memo in ("", "no json", "[1]", '{"u": "x"}'):
        assert reach_of(Place(chat="cid1", kind=PlaceKind.GROUP, memo=memo)).session == ""


def test_a_message_that_names_the_bot_not_is_not_addressed_to_it() -> None:
    assert not events.said_of({**GROUP, "isInAtList": False}).addressed
    assert events.said_of({**DIRECT, "isInAtList": False}).addressed


def test_a_quoted_message_is_named_and_shown_above_the_answer() -> None:
    replied = {"msgId": "msg0==", "msgType": "text", "content": {"text": "two\nlines"}}
    said = events.said_of({**GROUP, "text": {"content": " why?", "isReplyMsg": True, "repliedMsg": replied}})

    assert said.reply_to == "msg0=="
    assert said.text == "> two\n> lines\n\nwhy?"


def test_an_answer_to_the_robot_is_for_it_and_names_what_it_sent() -> None:
    """Also where its client puts no mention before it. What went over a session webhook has no key."""
    replied = {"msgId": "msg0==", "msgType": "unknownMsgType", "senderId": GROUP["chatbotUserId"]}
    quoting = {**GROUP, "isInAtList": False, "text": {"content": " why?", "isReplyMsg": True, "repliedMsg": replied}}

    by_key = events.said_of({**quoting, "originalMsgId": "msg0==", "originalProcessQueryKey": "pqk1"})
    by_session = events.said_of(quoting)
    of_a_person = events.said_of(
        {**quoting, "text": {**quoting["text"], "repliedMsg": {**replied, "senderId": "$ann"}}}
    )

    assert [(said.addressed, said.reply_to) for said in (by_key, by_session, of_a_person)] == [
        (True, "query:pqk1"),
        (True, "msg0=="),
        (False, "msg0=="),
    ]


def test_rich_text_is_flattened_and_its_pictures_are_files() -> None:
    parts = [
        {"text": "look at\n"},
        {"type": "picture", "downloadCode": "c1"},
        {"text": "and"},
        {"type": "picture", "downloadCode": "c2"},
    ]
    said = of("richText", {"richText": parts})

    assert said.text == "look at\n\n[picture.jpg]\nand\n[picture2.jpg]"
    assert [file.key for file in said.files] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("kind", "content", "file", "text"),
    [
        ("picture", {"downloadCode": "c"}, Attachment(key="c", name="picture.jpg", mime="image/jpeg"), ""),
        (
            "file",
            {"downloadCode": "c", "fileName": "a b.pdf", "fileId": "1", "spaceId": "2"},
            Attachment(key="c", name="a b.pdf", mime="application/pdf"),
            "",
        ),
        (
            "audio",
            {"downloadCode": "c", "duration": 2100, "recognition": "say it"},
            Attachment(key="c", name="voice.amr", mime="audio/amr"),
            "say it",
        ),
        (
            "video",
            {"downloadCode": "c", "videoType": "mp4"},
            Attachment(key="c", name="video.mp4", mime="video/mp4"),
            "",
        ),
    ],
)
def test_kinds_the_sdk_s_model_does_not_know_are_read_from_the_payload(
    kind: str, content: Json, file: Attachment, text: str
) -> None:
    said = of(kind, content)

    assert said.files == (file,)
    assert (said.text, said.unsupported) == (text, "")
    assert of(kind, json.dumps(content)).files == (file,)  # type: ignore[arg-type]  # DingTalk gives some as text


def test_a_kind_that_nobody_knows_is_named_not_dropped() -> None:
    assert of("location", {}).unsupported == "a location"
    assert of("hologram", {}).unsupported == "a message of the kind hologram"


@pytest.mark.parametrize("payload", [{}, {"msgtype": "file", "msgId": "1", "content": {}}, {**GROUP, "createAt": "x"}])
def test_a_payload_of_no_shape_raises_what_the_edge_expects(payload: Json) -> None:
    with pytest.raises((KeyError, ValueError, TypeError)):
        events.said_of(payload)


@pytest.mark.parametrize("name", ["😀👩‍👩‍👧", "مريم", "张伟", "a" * 500, ""])
def test_any_name_is_a_name(name: str) -> None:
    assert events.said_of({**GROUP, "senderNick": name}).person.name == name


# Presses

CONTENT: Json = {"cardPrivateData": {"actionIds": ["approve.7.0.abc"], "params": {}}}
PRESS: Json = {
    "outTrackId": "pal-kkk",
    "userId": "manager123",
    "userIdType": 1,
    "corpId": "ding1",
    "spaceId": "cidGROUP==",
    "spaceType": "IM_GROUP",
    "extension": "{}",
    "content": json.dumps(CONTENT),
    "value": json.dumps(CONTENT),
    "type": "actionCallback",
}


def press(**private: Any) -> Json:
    content = json.dumps({"cardPrivateData": {**CONTENT["cardPrivateData"], **private}})
    return {**PRESS, "content": content, "value": content}


def test_a_press_brings_its_token_card_and_person() -> None:
    action = events.action_of(PRESS, at=5)

    assert action is not None
    assert (action.token, action.message, action.person.id, action.at) == (
        "approve.7.0.abc",
        "card:pal-kkk",
        "manager123",
        5,
    )
    assert (action.place.chat, action.place.kind) == ("cidGROUP==", PlaceKind.GROUP)


def test_a_press_with_the_robot_alone_is_in_the_person_s_chat() -> None:
    action = events.action_of({**PRESS, "spaceType": "IM_ROBOT", "spaceId": "manager123"}, at=5)

    assert action is not None
    assert (action.place.chat, action.place.kind) == ("user:manager123", PlaceKind.DIRECT)


def test_the_same_press_is_one_thing_and_any_other_is_another() -> None:
    one = events.action_of(PRESS, at=5)
    again = events.action_of(PRESS, at=9)
    others = [
        events.action_of(payload, at=5)
        for payload in (
            {**PRESS, "userId": "manager9"},
            {**PRESS, "outTrackId": "pal-mmm"},
            press(actionIds=["deny.7.0.abc"]),
            press(params={"why": "no"}),
        )
    ]

    assert one is not None
    assert again is not None
    assert one.event == again.event
    assert len({one.event, *(other.event for other in others if other is not None)}) == 5


def test_fields_of_a_template_of_one_s_own_are_values() -> None:
    action = events.action_of(press(params={"token": "answer.1.0.x", "why": "because", "which": ["a", "b"]}), at=5)

    assert action is not None
    assert action.token == "answer.1.0.x"
    assert action.values == {"why": "because", "which": ("a", "b")}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {**PRESS, "content": "no json", "value": ""},
        {**PRESS, "content": "[]", "value": "[]"},
        {**PRESS, "userId": ""},
        {**PRESS, "outTrackId": "no card of ours\n"},
        press(actionIds=[]),
        press(actionIds=["not a token"]),
        press(actionIds=["x" * 101]),
    ],
)
def test_what_is_no_press_of_ours_is_nothing(payload: Json) -> None:
    assert events.action_of(payload, at=5) is None
