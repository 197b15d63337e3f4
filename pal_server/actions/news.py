"""The fold of the log that a person's webhook and their chat notices have in common: who they are, what they chose, and
what happened for them since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pal_server.actions import access
from pal_server.domain.actors import Actor, ActorKind
from pal_server.domain.chat_notices import ChatNotices
from pal_server.domain.news import Wanted, news_of
from pal_server.domain.users import User
from pal_server.domain.webhooks import Webhook
from pal_server.errors import Forbidden
from pal_server.storage import news, users
from pal_server.storage.tx import Tx

AT_ONCE = 200  # events read for one person in one transaction
READERS = 50  # people who are read on for in one transaction

Choice = TypeVar("Choice", Webhook, ChatNotices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What is to be told, with the position of each; the log was read up to `position`, and there may be `more`."""

    told: Sequence[tuple[int, dict[str, Any]]]
    position: int
    more: bool


def need_self(actor: Actor) -> None:
    """What is told is a person's own."""
    if actor.kind is not ActorKind.USER:
        raise Forbidden(f"this is for people, not for a {actor.kind}", actor=actor.kind)


def need_whole(tx: Tx, actor: Actor, *, what: str) -> User:
    """The person themselves. They are told what their user may see, so a credential with fewer rights cannot choose."""
    need_self(actor)
    user = access.user(tx, actor, actor.id)
    if user.role is not actor.role:
        raise Forbidden(f"a token with fewer rights than its user's {what}", needs=user.role)
    return user


def chosen(before: Choice, *, needs: bool | None, mentions: bool | None, runs: bool | None) -> Choice:
    """Other news; what is None stays."""
    return replace(
        before,
        needs=before.needs if needs is None else needs,
        mentions=before.mentions if mentions is None else mentions,
        runs=before.runs if runs is None else runs,
    )


def reader(tx: Tx, *, user_id: str, workspace_id: str) -> Actor | None:
    """The person as they may look now; None for who may not log in, and is told nothing either."""
    user = users.get(tx, user_id, workspace_id=workspace_id)
    if user is None or user.disabled:
        return None
    return Actor(kind=ActorKind.USER, workspace_id=workspace_id, id=user.id, name=user.username, role=user.role)


def since(tx: Tx, *, wanted: Wanted, actor: Actor, position: int, newest: int, base_url: str) -> Happened:
    """Of the next events, those this person wants to hear of."""
    happened = news.since(tx, actor=actor, position=position, newest=newest, limit=AT_ONCE)
    told = []
    for at, kind, data in happened:
        asked_by = news.asked_by(tx, message_id=data["message"]) if data.get("message") else None
        one = news_of(wanted, kind, data, username=actor.name, asked_by=asked_by, base_url=base_url)
        if one is not None:
            told.append((at, one))
    more = len(happened) == AT_ONCE
    return Happened(told=told, position=happened[-1][0] if more else newest, more=more)
