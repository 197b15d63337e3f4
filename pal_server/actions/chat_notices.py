"""Chat notices: what a person's browser would be told, a bot writes to them in a chat outside too.

What is told is a fold of the log, as with webhooks: read on from where these notices are, put posts into the outbox,
move on, in one transaction. A post's key is made from the person and the event, so nothing is forgotten by a crash and
nothing is told twice; how a post gets there is the outbox's. A bot writes only to somebody an admin has said is this
user, and only for as long as that is so.
"""

from dataclasses import replace

from pal_server.actions import audit, news
from pal_server.actions.news import READERS
from pal_server.domain.actors import Actor
from pal_server.domain.bots import Bot, Identity, Standing
from pal_server.domain.chat_notices import (
    ChatNotices,
    ChatPlace,
    Choice,
    admit,
    greeting,
    let_go,
    summary_of,
    words_of,
)
from pal_server.domain.posts import PostKind, PostState, Purpose, key_of
from pal_server.errors import NotFound
from pal_server.storage import bots, chat_notices, events, identities, links, posts
from pal_server.storage.tx import Tx

CHANGED = "chat notices"  # woken when somebody chose a chat


def get(tx: Tx, *, actor: Actor) -> Choice | None:
    """This person's own choice."""
    news.need_self(actor)
    found = chat_notices.get(tx, user_id=actor.id)
    return None if found is None else _choice(tx, found)


def places(tx: Tx, *, actor: Actor) -> list[ChatPlace]:
    """Who could write to this person: bots of agents, on the platforms where an admin has said who they are."""
    news.need_self(actor)
    return [
        _place(bot, identity)
        for identity in identities.of_user(tx, user_id=actor.id, workspace_id=actor.workspace_id)
        for bot in bots.of_platform(tx, identity.platform, workspace_id=actor.workspace_id)
        if _why_not(bot, identity, user_id=actor.id) is None
    ]


def put(
    tx: Tx,
    *,
    actor: Actor,
    bot: str,
    identity: str,
    before: dict[str, str],
    needs: bool,
    mentions: bool,
    runs: bool,
    base_url: str,
) -> Choice:
    """Let this bot tell this person from now on; it says so there. `before` is what stands before a person's id where
    a platform is written to, by platform.
    """
    user = news.need_whole(tx, actor, what="chooses no chat")
    found, person = (
        bots.get(tx, bot, workspace_id=actor.workspace_id),
        identities.by_id(tx, identity, workspace_id=actor.workspace_id),
    )
    if found is None or person is None or _why_not(found, person, user_id=actor.id) is not None:
        raise NotFound("there is no such chat of yours", bot=bot, identity=identity)
    key = key_of("news", actor.id, tx.new_id("notices"))
    made = ChatNotices(
        user_id=actor.id,
        workspace_id=actor.workspace_id,
        bot_id=found.id,
        identity_id=person.id,
        chat=f"{before.get(found.platform, '')}{person.external_id}",
        needs=needs,
        mentions=mentions,
        runs=runs,
        position=events.newest(tx, workspace_id=actor.workspace_id),
        window_at=tx.now,
        told=0,
        held=0,
        newest_key=key,
        created_at=tx.now,
    )
    chat_notices.put(tx, made)
    _post(tx, made, bot=found, key=key, text=greeting(base_url))
    audit.record(
        tx,
        actor=actor,
        action="chat_notices.set",
        target=user.username,
        detail={"bot": found.id, "person": f"{person.platform}:{person.external_id}"},
    )
    tx.wake(CHANGED)
    return _choice(tx, made)


def choose(
    tx: Tx, *, actor: Actor, needs: bool | None = None, mentions: bool | None = None, runs: bool | None = None
) -> Choice:
    """Other news; what is None stays."""
    after = news.chosen(_find(tx, actor), needs=needs, mentions=mentions, runs=runs)
    chat_notices.choose(tx, after)
    return _choice(tx, after)


def drop(tx: Tx, *, actor: Actor) -> None:
    """Nothing is told there any more."""
    _find(tx, actor)
    chat_notices.drop(tx, user_id=actor.id)
    audit.record(tx, actor=actor, action="chat_notices.removed", target=actor.name)


def exist(tx: Tx, *, workspace_id: str) -> bool:
    """Whether anybody has chosen a chat: without, nothing has to be read."""
    return chat_notices.exist(tx, workspace_id=workspace_id)


def any_to_do(tx: Tx, *, workspace_id: str) -> bool:
    """Whether `read_on` has anything to do."""
    newest = events.newest(tx, workspace_id=workspace_id)
    return bool(chat_notices.behind(tx, workspace_id=workspace_id, newest=newest, limit=1)) or any(
        let_go(one, now=tx.now) is not None for one in chat_notices.holding(tx, workspace_id=workspace_id)
    )


def read_on(tx: Tx, *, workspace_id: str, base_url: str) -> bool:
    """Post what is to be told of the next events, and what was held long enough; True when there are more."""
    for held in chat_notices.holding(tx, workspace_id=workspace_id):
        _let_go(tx, held, base_url=base_url)
    newest = events.newest(tx, workspace_id=workspace_id)
    readers = chat_notices.behind(tx, workspace_id=workspace_id, newest=newest, limit=READERS)
    more = len(readers) == READERS
    for notices in readers:
        more = _read_on(tx, notices, newest=newest, base_url=base_url) or more
    return more


def _read_on(tx: Tx, notices: ChatNotices, *, newest: int, base_url: str) -> bool:
    actor = news.reader(tx, user_id=notices.user_id, workspace_id=notices.workspace_id)
    if actor is None:
        chat_notices.drop(tx, user_id=notices.user_id)
        return False
    happened = news.since(tx, wanted=notices, actor=actor, position=notices.position, newest=newest, base_url=base_url)
    after = replace(notices, position=happened.position)
    bot, person = _sides(tx, notices)
    if bot is not None and person is not None and _why_not(bot, person, user_id=actor.id) is None:
        for position, told in happened.told:
            if _is_shown_to(tx, person, bot=bot, topic_id=told["topic"]):
                continue
            after, is_single = admit(after, now=tx.now)
            if is_single:
                after = replace(after, newest_key=key_of("news", actor.id, position))
                _post(tx, after, bot=bot, key=after.newest_key, text=words_of(told))
    chat_notices.advance(tx, after, was=notices.position)
    return happened.more


def _let_go(tx: Tx, notices: ChatNotices, *, base_url: str) -> None:
    free = let_go(notices, now=tx.now)
    if free is None:
        return
    bot, person = _sides(tx, notices)
    if bot is not None and person is not None and _why_not(bot, person, user_id=notices.user_id) is None:
        free = replace(free, newest_key=key_of("news", notices.user_id, "held", notices.window_at))
        _post(tx, free, bot=bot, key=free.newest_key, text=summary_of(notices.held, base_url=base_url))
    chat_notices.advance(tx, free, was=notices.position)


def _is_shown_to(tx: Tx, person: Identity, *, bot: Bot, topic_id: int) -> bool:
    """What happens in the person's own talk with a bot on that platform is shown there already."""
    return any(
        link.platform == bot.platform and link.kind == "direct" and link.asker.get("id") == person.external_id
        for link in links.of_topic(tx, topic_id=topic_id)
    )


def _post(tx: Tx, notices: ChatNotices, *, bot: Bot, key: str, text: str) -> None:
    added = posts.add(
        tx,
        workspace_id=notices.workspace_id,
        bot_id=bot.id,
        link_id=None,
        chat=notices.chat,
        thread="",
        key=key,
        kind=PostKind.TEXT,
        purpose=Purpose.NOTICE,
        body={"text": text, "reply_to": "", "place": "direct", "memo": ""},
    )
    if added:
        tx.wake(f"bridge:{bot.platform}")


def _choice(tx: Tx, notices: ChatNotices) -> Choice:
    bot, person = _sides(tx, notices)
    if bot is None or person is None:
        return Choice(notices=notices, place=None, error="nobody knows any more who you are there")
    newest = posts.by_key(tx, notices.newest_key, workspace_id=notices.workspace_id)
    failed = newest.error if newest is not None and newest.state is PostState.FAILED else None
    return Choice(
        notices=notices,
        place=_place(bot, person),
        error=_why_not(bot, person, user_id=notices.user_id) or failed or bot.error,
    )


def _sides(tx: Tx, notices: ChatNotices) -> tuple[Bot | None, Identity | None]:
    return (
        bots.get(tx, notices.bot_id, workspace_id=notices.workspace_id),
        identities.by_id(tx, notices.identity_id, workspace_id=notices.workspace_id),
    )


def _why_not(bot: Bot, identity: Identity, *, user_id: str) -> str | None:
    """Why this bot writes nothing to this user; None when it may."""
    if bot.agent is None:
        return "the bot is connected to no agent"
    if identity.user_id != user_id or identity.platform != bot.platform:
        return "you are not known there any more"
    return None if identity.standing is Standing.ALLOWED else "you may not use bots there"


def _place(bot: Bot, identity: Identity) -> ChatPlace:
    return ChatPlace(
        bot=bot.id,
        platform=bot.platform,
        name=bot.label or bot.name or bot.agent or bot.app_id,
        agent=bot.agent or "",
        identity=identity.id,
        person=identity.name,
    )


def _find(tx: Tx, actor: Actor) -> ChatNotices:
    news.need_self(actor)
    found = chat_notices.get(tx, user_id=actor.id)
    if found is None:
        raise NotFound("you have chosen no chat")
    return found
