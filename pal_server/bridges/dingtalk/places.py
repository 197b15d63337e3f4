"""Places as DingTalk reaches them: a group by its conversation, a person by the organisation's id for them.

A message brings an address that answers it without a token for some ninety minutes, the session webhook. It is kept in
the place's memo, with the conversation's own id, which reactions need.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pal_server.bridges.inbound import Place, PlaceKind

USER = "user:"  # begins the chat of a person; the staff id follows
MOST_MEMO = 2_000  # characters
DIRECT = "1"  # `conversationType`


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    session: str = ""  # the session webhook
    until: int = 0  # UTC ms; it is good for nothing afterwards
    conversation: str = ""  # the conversation's own id, in a direct chat too


def place_of(data: Mapping[str, Any]) -> Place:
    """Of a robot message."""
    conversation = str(data.get("conversationId") or "")
    staff = str(data.get("senderStaffId") or "")
    if str(data.get("conversationType")) != DIRECT:
        title = str(data.get("conversationTitle") or "")
        return Place(chat=conversation, kind=PlaceKind.GROUP, title=title, memo=memo_of(data))
    chat = f"{USER}{staff}" if staff else conversation  # whoever is outside the organisation has no staff id
    return Place(chat=chat, kind=PlaceKind.DIRECT, memo=memo_of(data))


def memo_of(data: Mapping[str, Any]) -> str:
    session, until = str(data.get("sessionWebhook") or ""), int(data.get("sessionWebhookExpiredTime") or 0)
    memo = json.dumps({"s": session, "u": until, "c": str(data.get("conversationId") or "")}, separators=(",", ":"))
    return memo if len(memo) <= MOST_MEMO else ""


def reach_of(place: Place) -> Reach:
    """What the memo says; nothing when it says nothing readable."""
    conversation = "" if place.chat.startswith(USER) else place.chat
    try:
        memo = json.loads(place.memo or "{}")
        return Reach(
            session=str(memo.get("s") or ""),
            until=int(memo.get("u") or 0),
            conversation=str(memo.get("c") or "") or conversation,
        )
    except (ValueError, TypeError, AttributeError):
        return Reach(conversation=conversation)


def staff_of(place: Place) -> str:
    """The staff id of the one person there; empty in groups and for people outside the organisation."""
    return place.chat.removeprefix(USER) if place.chat.startswith(USER) else ""


def is_group(place: Place) -> bool:
    """By the chat: what is sent by hand, or to a chosen chat, says no more of a place than that."""
    return place.kind is PlaceKind.GROUP and not staff_of(place)


def open_space(place: Place) -> str:
    """Where a card is delivered; empty where cards cannot go."""
    if staff := staff_of(place):
        return f"dtv1.card//IM_ROBOT.{staff}"
    return f"dtv1.card//IM_GROUP.{place.chat}" if place.kind is PlaceKind.GROUP else ""
