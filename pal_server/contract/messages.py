"""Messages: sending, reading, the inbox of an agent, and the trace that explains a silence."""

from typing import Any, Literal

import msgspec

from .base import Answer, Page, Request
from .words import Busy, DeliveryReason, DeliveryStatus, ReceiptOutcome


class Sender(Answer, frozen=True, kw_only=True):
    kind: Literal["user", "agent", "guest", "system"]
    name: str
    display_name: str = ""
    origin: str = ""
    """For a guest: the credential it came through, as "user owner" or "computer build-1"."""


class FileRef(Answer, frozen=True, kw_only=True):
    id: str
    name: str
    mime: str
    size: int


class Message(Answer, frozen=True, kw_only=True):
    id: int
    room: str
    room_name: str
    topic: int
    seq: int
    """The message's place in its room: grows by one, never repeats."""
    parent: int | None = None
    kind: Literal["text", "card", "system"]
    sender: Sender
    content: str
    mentions: list[str] = []
    files: list[FileRef] = []
    card: dict[str, Any] | None = None
    run: int | None = None
    client_id: str | None = None
    created_at: int
    edited_at: int | None = None
    deleted_at: int | None = None


class MessageAnswer(Answer, frozen=True, kw_only=True):
    message: Message


class MessagesAnswer(Answer, frozen=True, kw_only=True):
    messages: list[Message]
    next: str | None = None


class SentDelivery(Answer, frozen=True, kw_only=True):
    id: int
    agent: str
    status: DeliveryStatus
    reason: DeliveryReason


class Receipt(Answer, frozen=True, kw_only=True):
    """What happens now with a message for one agent, and why, in words."""

    agent: str
    outcome: ReceiptOutcome
    text: str
    delivery: int | None = None
    place: int | None = None
    """For `queued`: 1 is the next to run."""
    interaction: int | None = None
    """What its run waits for: answer it with `message`, and this is the answer instead of the next turn."""


class SentAnswer(Answer, frozen=True, kw_only=True):
    message: Message
    deliveries: list[SentDelivery]
    unresolved_mentions: list[str] = []
    receipts: list[Receipt] = []


class SendMessage(Request, frozen=True, kw_only=True):
    room: str | None = None
    chat: str | None = None
    """Alias of `room`."""
    topic: int | None = None
    parent: int | None = None
    sender: str | None = None
    mentions: list[str] = []
    content: str = ""
    files: list[str] = []
    steer: Busy | None = None
    """What it does to an agent that is at work in the topic: wait its turn, be told to the run now, or stop the run.
    Without it the room's rule counts.
    """
    client_id: str | None = None


class EditMessage(Request, frozen=True, kw_only=True):
    content: str
    mentions: list[str] | msgspec.UnsetType = msgspec.UNSET


class ChooseForDraft(Request, frozen=True, kw_only=True):
    """What becomes of an answer that was held because something newer was said."""

    choice: Literal["send", "revise", "drop"]


class MessagesQuery(Request, frozen=True, kw_only=True):
    room: str | None = None
    chat: str | None = None
    topic: int | None = None
    parent: int | None = None
    after: int | None = None
    """A message id: only later ones, oldest first."""
    before: int | None = None
    """A message id: only earlier ones, newest first, answered oldest first."""
    q: str | None = None
    limit: int = 50


class InboxQuery(Request, frozen=True, kw_only=True):
    agent: str | None = None
    after: int | None = None
    limit: int = 50


class InboxItem(Answer, frozen=True, kw_only=True):
    message: Message
    reason: str
    delivery: int | None = None
    status: DeliveryStatus | None = None


class InboxAnswer(Answer, frozen=True, kw_only=True):
    messages: list[Message]
    items: list[InboxItem]
    next: str | None = None


class TraceStep(Answer, frozen=True, kw_only=True):
    """One link of the way from message to answer, in plain words."""

    at: int | None
    what: str
    text: str
    ok: bool | None
    """True: done. False: broken here. None: not reached yet."""
    facts: dict[str, Any] = {}


class TraceAnswer(Answer, frozen=True, kw_only=True):
    message: int
    steps: list[TraceStep]
    broken: str | None = None
    """The first broken link, or null."""
    advice: str | None = None


class DeliveriesOf(Page, frozen=True, kw_only=True):
    message: int | None = None
