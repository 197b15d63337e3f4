"""The part of a message's way that lies outside: how it came in from a platform, and where its answers were shown."""

from dataclasses import dataclass, field
from typing import Any

from pal_server.domain.bots import Bot, BotState
from pal_server.domain.posts import Post, PostKind, PostState, Purpose
from pal_server.storage import bots, inbound, posts
from pal_server.storage.tx import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideStep:
    """A link of the way, as `trace.Step` has it."""

    what: str
    text: str
    ok: bool | None
    at: int
    advice: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def received(tx: Tx, *, workspace_id: str, message_id: int) -> list[OutsideStep]:
    """How a platform told it; nothing for what was said here."""
    event = inbound.of_message(tx, workspace_id=workspace_id, message_id=message_id)
    if event is None:
        return []
    late = event.received_at - event.said_at
    text = f"received from {event.platform}, chat {event.chat}, as {event.ref}"
    slow = f", {late // 1000} s after it was said" if late > 10_000 else ""
    facts = {"platform": event.platform, "event": event.event, "ref": event.ref, "chat": event.chat}
    return [OutsideStep(what="received", text=text + slow, ok=True, at=event.received_at, facts=facts)]


def shown(tx: Tx, *, workspace_id: str, message_id: int) -> list[OutsideStep]:
    """Where a message was shown outside, or what keeps it."""
    steps = []
    for post in posts.of_message(tx, message_id=message_id):
        bot = bots.get(tx, post.bot_id, workspace_id=workspace_id)
        if bot is None or post.kind is PostKind.REACTION:
            continue
        if post.purpose is Purpose.MESSAGE:
            steps.append(_shown(post, bot=bot, now=tx.now))
        elif post.purpose is Purpose.NOTICE:
            steps.append(_missing(post, bot=bot))
    return steps


def _missing(post: Post, *, bot: Bot) -> OutsideStep:
    """A notice in the message's place: pal met a defect of its own."""
    text = f"it could not be shown on {bot.platform}, chat {post.chat}; a notice there says so"
    advice = "the server's log has the reason; an edit of the message is shown in place of the notice"
    return _step(post, text, ok=False, advice=advice, facts={"post": post.id, "platform": bot.platform})


def _shown(post: Post, *, bot: Bot, now: int) -> OutsideStep:
    part = f", part {post.part} of {post.parts}" if post.parts > 1 else ""
    where = f"{bot.platform}, chat {post.chat}{part}"
    facts = {"post": post.id, "platform": bot.platform, "ref": post.ref, "key": post.key}
    match post.state:
        case PostState.CONFIRMED:
            return _step(post, f"shown on {where}, as {post.ref}", ok=True, facts=facts)
        case PostState.DOUBTFUL:
            text = f"shown on {where}, and perhaps twice: the platform could not say, so the second one is marked"
            return _step(post, text, ok=True, facts=facts)
        case PostState.FAILED:
            advice = f"when that is put right: pal console {bot.platform} retry {post.id}"
            return _step(post, f"{bot.platform} refused it: {post.error}", ok=False, advice=advice, facts=facts)
        case _:
            return _waits(post, bot=bot, where=where, now=now, facts=facts)


def _waits(post: Post, *, bot: Bot, where: str, now: int, facts: dict[str, Any]) -> OutsideStep:
    if bot.agent is None:
        advice = f"bind it: pal console agents update --key AGENT --{bot.platform}-…"
        return _step(post, f"the {bot.platform} bot is bound to no agent now", ok=False, advice=advice, facts=facts)
    if not bot.is_held(now=now):
        advice = f"pal console {bot.platform} list, and the server's log; or start one: pal bridge run {bot.platform}"
        return _step(post, f"no bridge holds the {bot.platform} bot", ok=False, advice=advice, facts=facts)
    if bot.state is BotState.ERROR:
        advice = f"pal doctor {bot.platform}"
        return _step(post, f"the {bot.platform} bot: {bot.error}", ok=False, advice=advice, facts=facts)
    why = f" ({post.error})" if post.error else ""
    return _step(post, f"on its way to {where}{why}", ok=None, facts=facts)


def _step(post: Post, text: str, *, ok: bool | None, facts: dict[str, Any], advice: str = "") -> OutsideStep:
    return OutsideStep(what="shown", text=text, ok=ok, at=post.updated_at, advice=advice, facts=facts)
