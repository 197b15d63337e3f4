"""Pal's own words outside that are no messages of a topic: refusals, help, the end of a run told elsewhere."""

from pal_server.domain.bots import Bot
from pal_server.domain.inbound import Incoming
from pal_server.domain.posts import PostKind, Purpose, key_of
from pal_server.storage import links, posts
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
