"""Pal's own words outside that are no messages of a topic: refusals, help, the end of a run told elsewhere."""

from pal_server.domain.bots import Bot
from pal_server.domain.inbound import Incoming
from pal_server.domain.posts import PostKind, Purpose, key_of
from pal_server.storage import links, posts
from pal_server.storage.links import Link
from pal_server.storage.tx import Tx


def post(tx: Tx, *, bot: Bot, incoming: Incoming, text: str, once: tuple[object, ...]) -> None:
    """Say it where the event came from. The same `once` of a bot is said once, ever."""
    link = links.find(tx, bot_id=bot.id, chat=incoming.chat, thread=incoming.thread)
    added = posts.add(
        tx,
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        link_id=None if link is None else link.id,
        chat=incoming.chat,
        thread=incoming.thread,
        key=key_of("notice", bot.id, *once),
        kind=PostKind.TEXT,
        purpose=Purpose.NOTICE,
        body={
            "text": text,
            "reply_to": incoming.ref,
            "place": incoming.place,
            "memo": incoming.memo,
            "mention": {"id": incoming.person, "name": incoming.person_name},
        },
    )
    if added:
        tx.wake(f"bridge:{bot.platform}")


def tell(tx: Tx, *, bot: Bot, chat: str, text: str, once: tuple[object, ...]) -> None:
    """Say it in a chat somebody chose. The same `once` of a bot is said once, ever."""
    added = posts.add(
        tx,
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        link_id=None,
        chat=chat,
        thread="",
        key=key_of("notice", bot.id, *once),
        kind=PostKind.TEXT,
        purpose=Purpose.NOTICE,
        body={"text": text, "reply_to": "", "place": "group", "memo": ""},
    )
    if added:
        tx.wake(f"bridge:{bot.platform}")


def say_missing(tx: Tx, *, bot: Bot, link: Link, message_id: int | None) -> None:
    """Say in a place that something that belongs there could not be shown. Once for a message, else once for a topic,
    whichever bots are there.
    """
    what = "Something that happened here" if message_id is None else f"A message here, {message_id} in pal,"
    once = ("topic", link.topic_id) if message_id is None else ("message", message_id)
    added = posts.add(
        tx,
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        link_id=link.id,
        chat=link.chat,
        thread=link.thread,
        key=key_of("missing", *link.place, *once),
        kind=PostKind.TEXT,
        purpose=Purpose.NOTICE,
        body={"text": f"{what} could not be shown.", "reply_to": link.answer_to, "place": link.kind, "memo": link.memo},
        message_id=message_id,
    )
    if added:
        tx.wake(f"bridge:{bot.platform}")
