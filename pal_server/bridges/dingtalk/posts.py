"""Sending: one try of one thing.

A card is named by us, so whether it is there can be asked. A message is not: it goes out over the session webhook,
which names nothing, or over the robot's API, which names a `processQueryKey` that only the answer tells.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pal_server.bridges.inbound import Person, Place, PlaceKind
from pal_server.bridges.outbound import (
    EditCard,
    EditText,
    Limited,
    Outcome,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Refused,
    Sent,
    Unreact,
    Why,
    Withdraw,
)

from . import files, template
from .events import CARD, QUERY
from .markdown import measure, render, title_of
from .places import is_group, open_space, reach_of, staff_of
from .rates import session_bucket
from .web import NO_SESSION, SILENCED, Failed, Web

Json = dict[str, Any]

TEXT = 18_000  # bytes on the wire; DingTalk is said to take 20,000 with everything around
SESSION = "session:"  # begins the ref of an answer, which has no name on DingTalk
MARGIN = 5_000  # ms before its end from which a session webhook is not tried any more
UNABLE = "DingTalk changes and takes back nothing that a session webhook sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """How this bot posts."""

    code: str
    app: str
    template: str = template.TEMPLATE
    is_card: bool = False  # answers are cards, too: they can be looked up


async def send(web: Web, out: Outgoing, *, robot: Robot, now: int) -> Outcome:
    """`now` is UTC ms. Raises nothing but cancellation."""
    try:
        return await _send(web, out, robot=robot, now=now)
    except Failed as failed:
        return failed.outcome


async def _send(web: Web, out: Outgoing, *, robot: Robot, now: int) -> Outcome:
    match out:
        case PostText() if robot.is_card:
            return await _create(web, out, template.render_text(out.text), robot=robot, mention=out.mention)
        case PostText():
            return await _text(web, out, robot=robot, now=now)
        case PostCard():
            return await _create(web, out, template.render_card(out.card), robot=robot)
        case EditCard() if out.ref.startswith(CARD):
            return await update(web, out.ref, template.render_card(out.card))
        case EditCard():
            return Sent(ref=out.ref)  # it went as text, which stays as it was: said anew it would be there twice
        case EditText() if out.ref.startswith(CARD):
            return await update(web, out.ref, template.render_text(out.text))
        case EditText():
            return Refused(why=Why.UNABLE, reason=UNABLE)
        case PostFile():
            key, param = await files.upload(web, out.file)
            return await _message(web, out.place, key, param, robot=robot)
        case React() | Unreact():
            return await _reaction(web, out, robot=robot)
        case Withdraw():
            return await _withdraw(web, out, robot=robot)


# Texts


async def _text(web: Web, out: PostText, *, robot: Robot, now: int) -> Outcome:
    """To the session webhook while there is one that lives, else over the robot's API.

    What the webhook refuses certainly did not happen, so the other way may be tried at once; what is in doubt may not.
    """
    if measure(out.text) > TEXT:
        return Refused(why=Why.TOO_LONG, reason=f"DingTalk takes {TEXT} bytes of text at most")
    reach = reach_of(out.place)
    limited: Limited | None = None
    if reach.session and reach.until > now + MARGIN:
        try:
            await web.answer(reach.session, _answer(out))
            return Sent(ref=f"{SESSION}{out.key}")
        except Failed as failed:
            if failed.code == SILENCED and isinstance(failed.outcome, Limited):
                limited = Limited(after=failed.outcome.after, bucket=session_bucket(robot.app, out.place.chat))
            elif failed.code != NO_SESSION:
                raise
    text = _called(out.mention, out.place, f"@{out.mention.name}" if out.mention else "") + render(out.text)
    param = {"title": title_of(out.text, otherwise="pal"), "text": text or " "}
    try:
        outcome = await _message(web, out.place, "sampleMarkdown", param, robot=robot)
    except Failed as failed:
        outcome = failed.outcome
    return limited if limited is not None and isinstance(outcome, Refused) else outcome


def _answer(out: PostText) -> Json:
    """In Markdown a mention must stand in the text as well as in `at`; DingTalk shows the name in its place."""
    shown = {"title": title_of(out.text, otherwise="pal"), "text": render(out.text) or " "}
    staff = _mentioned(out.mention, out.place)
    if not staff:
        return {"msgtype": "markdown", "markdown": shown}
    shown["text"] = _called(out.mention, out.place, f"@{staff}") + shown["text"]
    return {"msgtype": "markdown", "markdown": shown, "at": {"atUserIds": [staff], "isAtAll": False}}


def _mentioned(person: Person | None, place: Place) -> str:
    """The staff id to call: only in groups, and only of people the organisation has."""
    is_known = person is not None and is_group(place) and not person.id.startswith("$")
    return person.id if person is not None and is_known else ""


def _called(person: Person | None, place: Place, words: str) -> str:
    return f"{words}  \n" if person is not None and is_group(place) and len(words) > 1 else ""


async def _message(web: Web, place: Place, key: str, param: Json, *, robot: Robot) -> Outcome:
    body: Json = {"robotCode": robot.code, "msgKey": key, "msgParam": json.dumps(param, ensure_ascii=False)}
    staff = staff_of(place)
    if is_group(place):
        told = await web.call("POST", "/v1.0/robot/groupMessages/send", {**body, "openConversationId": place.chat})
    elif staff:
        told = await web.call("POST", "/v1.0/robot/oToMessages/batchSend", {**body, "userIds": [staff]})
        if staff in (told.get("flowControlledStaffIdList") or ()):
            return Limited(after=60.0)
        if staff in (told.get("invalidStaffIdList") or ()):
            return Refused(why=Why.CLOSED, reason="DingTalk says that this person cannot be written to")
    else:
        return Refused(why=Why.CLOSED, reason="people outside the organisation can be answered for 90 minutes only")
    return Sent(ref=f"{QUERY}{told.get('processQueryKey') or ''}")


async def tell(web: Web, person: str, text: str, *, robot: Robot) -> None:
    """A word to one person, in their chat with the bot. Raises Failed."""
    place = Place(chat=f"user:{person}", kind=PlaceKind.DIRECT)
    param = {"title": title_of(text, otherwise="pal"), "text": render(text) or " "}
    await _message(web, place, "sampleMarkdown", param, robot=robot)


# Cards


async def _create(
    web: Web, out: PostText | PostCard, params: template.Params, *, robot: Robot, mention: Person | None = None
) -> Outcome:
    space = open_space(out.place)
    if not space:
        return Refused(why=Why.CARD, reason="DingTalk delivers no cards to people outside the organisation")
    track = track_of(out.key)
    body: Json = {
        "cardTemplateId": robot.template,
        "outTrackId": track,
        "callbackType": "STREAM",
        "cardData": {"cardParamMap": params},
        "openSpaceId": space,
        "userIdType": 1,
    }
    if is_group(out.place):
        staff = _mentioned(mention, out.place)
        calls = {"atUserIds": {staff: mention.name}} if staff and mention is not None else {}
        body["imGroupOpenSpaceModel"] = {"supportForward": True}
        body["imGroupOpenDeliverModel"] = {"robotCode": robot.code, **calls}
    else:
        body["imRobotOpenSpaceModel"] = {"supportForward": True}
        body["imRobotOpenDeliverModel"] = {"spaceType": "IM_ROBOT", "robotCode": robot.code}
    try:
        told = await web.call("POST", "/v1.0/card/instances/createAndDeliver", body)
    except Failed as failed:
        if failed.why is Why.SCOPE and isinstance(out, PostCard):
            return Refused(why=Why.CARD, reason=failed.reason)  # as text it may go, which needs no permission
        raise
    if wrong := _undelivered(told):
        return Refused(why=Why.CLOSED, reason=f"DingTalk made the card and did not deliver it: {wrong}")
    return Sent(ref=f"{CARD}{track}")


async def update(web: Web, ref: str, params: template.Params) -> Outcome:
    """All values, by name: without that option the ones left out would be taken away. Raises Failed."""
    body = {
        "outTrackId": ref.removeprefix(CARD),
        "cardData": {"cardParamMap": params},
        "cardUpdateOptions": {"updateCardDataByKey": True},
    }
    await web.call("PUT", "/v1.0/card/instances", body)
    return Sent(ref=ref)


def track_of(key: str) -> str:
    """Our own name for a card; the same in each try."""
    return f"pal-{key}"


def _undelivered(told: Json) -> str:
    result = told.get("result")
    results = result.get("deliverResults") if isinstance(result, dict) else None
    refused = [one for one in results or () if one.get("success") is False]
    return str(refused[0].get("errorMsg") or "it did not say why") if refused else ""


# The rest


async def _reaction(web: Web, out: React | Unreact, *, robot: Robot) -> Outcome:
    """A word with a picture on a message; the same body puts it and takes it away."""
    conversation = reach_of(out.place).conversation
    if not conversation:
        return Refused(why=Why.UNABLE, reason="the conversation of this message is not known")
    body = {
        "robotCode": robot.code,
        "openMsgId": out.message,
        "openConversationId": conversation,
        "emotionType": 2,
        "emotionName": out.emoji,
        "textEmotion": {
            "emotionId": "2659900",  # the one that shows a text of one's own
            "emotionName": out.emoji,
            "text": out.emoji,
            "backgroundId": "im_bg_1",
        },
    }
    path = "reply" if isinstance(out, React) else "recall"
    try:
        await web.call("POST", f"/v1.0/robot/emotion/{path}", body)
    except Failed as failed:
        if failed.why in (Why.INVALID, Why.GONE) and isinstance(out, Unreact):
            return Sent(ref=out.ref)  # it is not there any more, or never was
        if failed.why is Why.INVALID and isinstance(failed.outcome, Refused):
            return Refused(why=Why.UNABLE, reason=failed.outcome.reason)
        raise
    return Sent(ref=out.emoji)


async def _withdraw(web: Web, out: Withdraw, *, robot: Robot) -> Outcome:
    if not out.ref.startswith(QUERY) or out.ref == QUERY:
        return Refused(why=Why.UNABLE, reason=UNABLE)
    body: Json = {"robotCode": robot.code, "processQueryKeys": [out.ref.removeprefix(QUERY)]}
    if is_group(out.place):
        told = await web.call(
            "POST", "/v1.0/robot/groupMessages/recall", {**body, "openConversationId": out.place.chat}
        )
    else:
        told = await web.call("POST", "/v1.0/robot/otoMessages/batchRecall", body)
    failed = told.get("failedResult") or {}
    if failed:
        return Refused(
            why=Why.TOO_LATE, reason=f"DingTalk did not take it back: {str(next(iter(failed.values())))[:100]}"
        )
    return Sent(ref=out.ref)
