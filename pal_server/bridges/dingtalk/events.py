"""Payloads of DingTalk into events of pal: pure.

A message is one thing for ever by its `msgId`. A press has no id of its own: card, person, button and what was filled
in are what makes it one, and the server's own state says whether it still counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pal_server.bridges.inbound import CardAction, Person, Place, PlaceKind, Said

from . import reading
from .places import USER, place_of

Json = Mapping[str, Any]

CARD = "card:"  # begins the ref of a card; the outTrackId follows
QUERY = "query:"  # begins the ref of a robot message; the processQueryKey follows
SECRET = ("sessionWebhook", "sessionWebhookExpiredTime")  # whoever has the address can post
MOST_RAW = 20_000  # characters of a payload that are kept
TOKEN = re.compile(r"[A-Za-z0-9._-]{1,100}")
OUR_CARD = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def said_of(data: Json) -> Said:
    """A robot message. Raises KeyError, TypeError or ValueError for one of no shape that is known."""
    place, content = place_of(data), reading.content_of(data)
    return Said(
        event=f"m:{data['msgId']}",
        place=place,
        person=person_of(data),
        at=int(data.get("createAt") or 0),
        raw=raw_of(data),
        message=str(data["msgId"]),
        text=content.text,
        addressed=place.kind is PlaceKind.DIRECT or data.get("isInAtList") is not False or reading.answers_robot(data),
        reply_to=_answered(data),
        files=content.files,
        unsupported=content.unsupported,
    )


def _answered(data: Json) -> str:
    """The ref of the message that is quoted, where DingTalk says which one it is: of a robot's by the key that sending
    it gave, of a person's by its id. What went over a session webhook has neither.
    """
    key = reading.replied_query(data)
    return f"{QUERY}{key}" if key else reading.replied_to(data)


def person_of(data: Json) -> Person:
    """By the organisation's id; people outside have only the one that DingTalk encrypts for this app."""
    staff, sender = str(data.get("senderStaffId") or ""), str(data.get("senderId") or "")
    others = (sender,) if staff and sender else ()
    return Person(id=staff or sender, name=str(data.get("senderNick") or ""), others=others)


def action_of(data: Json, *, at: int) -> CardAction | None:
    """A press of one of our buttons; None for anything else that a card tells."""
    card, user = str(data.get("outTrackId") or ""), str(data.get("userId") or "")
    private = _object(_object(data.get("content") or data.get("value")).get("cardPrivateData"))
    params = _object(private.get("params"))
    ids = private.get("actionIds") or [""]
    token = str(params.get("token") or ids[0])
    if not (OUR_CARD.fullmatch(card) and TOKEN.fullmatch(token) and user):
        return None
    values = values_of(params)
    said = json.dumps([card, user, token, values], sort_keys=True, ensure_ascii=False)
    return CardAction(
        event=f"a:{hashlib.sha256(said.encode()).hexdigest()[:40]}",
        place=_place_of_press(data, user),
        person=Person(id=user),
        at=at,
        raw=raw_of(data),
        message=f"{CARD}{card}",
        token=token,
        values=values,
    )


def values_of(params: Json) -> dict[str, str | tuple[str, ...]]:
    """What was filled in, where a template of one's own has fields."""
    values: dict[str, str | tuple[str, ...]] = {}
    for name, value in params.items():
        if isinstance(value, str) and name != "token":
            values[str(name)] = value
        elif isinstance(value, list):
            values[str(name)] = tuple(str(one) for one in value)
    return values


def _place_of_press(data: Json, user: str) -> Place:
    """The space of the card: a group's is its conversation, that with the robot is the person's."""
    space, kind = str(data.get("spaceId") or ""), str(data.get("spaceType") or "")
    if kind == "IM_ROBOT" or not space:
        return Place(chat=f"{USER}{user}", kind=PlaceKind.DIRECT)
    return Place(chat=space, kind=PlaceKind.GROUP)


def _object(value: object) -> Json:
    """`content`, `value` and `extension` are JSON in a string."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, Mapping) else {}


def raw_of(data: Json) -> str:
    kept = {name: value for name, value in data.items() if name not in SECRET}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))[:MOST_RAW]
