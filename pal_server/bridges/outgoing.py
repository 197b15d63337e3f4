"""A claimed post becomes something a platform sends."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from pal_server.contract.bridges import ClaimedPost

from .cards import Card
from .inbound import Person, Place, PlaceKind
from .outbound import (
    EditCard,
    EditText,
    FileOut,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    React,
    Unreact,
    Withdraw,
)
from .platform import Capabilities

REPEAT = "(may be a repeat)"


def place_of(post: ClaimedPost) -> Place:
    return Place(chat=post.chat, thread=post.thread, kind=PlaceKind(post.place), title=post.title, memo=post.memo)


def outgoing(
    post: ClaimedPost, *, capabilities: Capabilities, emoji: str, file: FileOut | None = None, text: str | None = None
) -> Outgoing | None:
    """None when nothing has to be done: what is not there is not taken away."""
    place = place_of(post)
    if post.kind == "reaction":
        return _reaction(post, place=place, emoji=emoji)
    if post.gone:
        return None if post.ref is None else Withdraw(key=post.key, place=place, ref=post.ref)
    body = post.body
    reply_to = str(body.get("reply_to") or "")
    match post.kind:
        case "card":
            card = card_of(body["card"], capabilities=capabilities)
            if post.repeated or post.body.get("repeat"):
                card = replace(card, note=" · ".join(part for part in (card.note, REPEAT) if part))
            if post.ref is None:
                return PostCard(key=post.key, place=place, card=card, reply_to=reply_to)
            return EditCard(key=post.key, place=place, ref=post.ref, card=card, number=post.version)
        case "file":
            assert file is not None, "the caller fetched it"
            return PostFile(key=post.key, place=place, file=file, reply_to=reply_to)
        case _:
            words = str(body["text"]) if text is None else text
            if post.ref is not None:
                shown = f"{words}\n\n_{REPEAT}_" if post.repeated else words
                return EditText(key=post.key, place=place, ref=post.ref, text=shown)
            return PostText(
                key=post.key, place=place, text=words, reply_to=reply_to, mention=_mention(body.get("mention"))
            )


def as_repeat(out: Outgoing) -> Outgoing:
    """The same, saying that it may have been said before."""
    match out:
        case PostText():
            return replace(out, text=f"{out.text}\n\n_{REPEAT}_")
        case PostCard() if REPEAT not in out.card.note:
            return replace(out, card=replace(out.card, note=f"{out.card.note} {REPEAT}".strip()))
        case PostFile():
            return replace(out, file=replace(out.file, name=f"{REPEAT} {out.file.name}"))
        case _:
            return out


def card_of(told: Mapping[str, Any], *, capabilities: Capabilities) -> Card:
    """The card in the shape this platform can show: its note says what to write where there is nothing to press."""
    card = msgspec.convert(told, Card)
    if not capabilities.buttons:
        card = replace(card, buttons=tuple(button for button in card.buttons if button.url))
    return card if capabilities.forms else replace(card, form=None)


def file_out(path: Path, *, name: str, mime: str) -> FileOut:
    return FileOut(path=path, name=name, mime=mime, size=path.stat().st_size)


def _reaction(post: ClaimedPost, *, place: Place, emoji: str) -> Outgoing | None:
    message = str(post.body["message"])
    if not post.gone:
        return React(key=post.key, place=place, message=message, emoji=emoji)
    return None if post.ref is None else Unreact(key=post.key, place=place, message=message, emoji=emoji, ref=post.ref)


def _mention(told: Any) -> Person | None:
    if not isinstance(told, dict) or not told.get("id"):
        return None
    return Person(id=str(told["id"]), name=str(told.get("name") or ""))
