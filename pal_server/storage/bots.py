"""Bots, as rows."""

import json

from pal_server.domain.bots import Bot, BotState
from pal_server.domain.pages import Place
from pal_server.errors import Conflict
from pal_server.storage.tx import Row, Tx


def insert(tx: Tx, bot: Bot) -> None:
    tx.sql.run(
        "bots.insert",
        id=bot.id,
        workspace_id=bot.workspace_id,
        platform=bot.platform,
        app_id=bot.app_id,
        sealed=bot.sealed,
        agent=bot.agent,
        label=bot.label,
        name=bot.name,
        bot_id=bot.bot_id,
        base_url=bot.base_url,
        options=json.dumps(bot.options),
        notify_chat=bot.notify_chat,
        from_file=int(bot.from_file),
        state=bot.state,
        now=bot.created_at,
    )


def get(tx: Tx, id: str, *, workspace_id: str) -> Bot | None:
    row = tx.sql.one("bots.get", workspace_id=workspace_id, id=id)
    return None if row is None else _bot(row)


def get_locked(tx: Tx, id: str, *, workspace_id: str) -> Bot | None:
    """As `get`; nobody else changes it until the commit."""
    row = tx.sql.one("bots.locked", workspace_id=workspace_id, id=id)
    return None if row is None else _bot(row)


def by_app(tx: Tx, app_id: str, *, workspace_id: str, platform: str) -> Bot | None:
    row = tx.sql.one("bots.by_app", workspace_id=workspace_id, platform=platform, app_id=app_id)
    return None if row is None else _bot(row)


def of_agent(tx: Tx, agent: str, *, workspace_id: str, platform: str) -> Bot | None:
    row = tx.sql.one("bots.of_agent", workspace_id=workspace_id, platform=platform, agent=agent)
    return None if row is None else _bot(row)


def all_of_agent(tx: Tx, agent: str, *, workspace_id: str) -> list[Bot]:
    return [_bot(row) for row in tx.sql.all("bots.all_of_agent", workspace_id=workspace_id, agent=agent)]


def of_platform(tx: Tx, platform: str, *, workspace_id: str) -> list[Bot]:
    return [_bot(row) for row in tx.sql.all("bots.of_platform", workspace_id=workspace_id, platform=platform)]


def revision(tx: Tx, platform: str, *, workspace_id: str) -> int:
    """Of all bots of the platform together: another one when any has changed."""
    row = tx.sql.one("bots.revision", workspace_id=workspace_id, platform=platform)
    return 0 if row is None else int(row.revision)


def list_page(tx: Tx, *, workspace_id: str, platform: str, place: Place, limit: int) -> list[Bot]:
    rows = tx.sql.all(
        "bots.list_page", workspace_id=workspace_id, platform=platform, at=place.at, id=place.id, limit=limit
    )
    return [_bot(row) for row in rows]


def platforms(tx: Tx, *, workspace_id: str) -> list[str]:
    """Those with a bot that somebody should listen for."""
    return [row.platform for row in tx.sql.all("bots.platforms", workspace_id=workspace_id)]


def lapsed(tx: Tx, *, workspace_id: str) -> list[Bot]:
    """Bots whose bridge has not renewed its lease."""
    return [_bot(row) for row in tx.sql.all("bots.lapsed", workspace_id=workspace_id, now=tx.now)]


def put(tx: Tx, bot: Bot, *, was: Bot) -> None:
    """Store a change. `Conflict` when the row is no longer what was read."""
    changed = tx.sql.run(
        "bots.put",
        id=bot.id,
        sealed=bot.sealed,
        draft=bot.draft,
        agent=bot.agent,
        label=bot.label,
        name=bot.name,
        bot_id=bot.bot_id,
        base_url=bot.base_url,
        options=json.dumps(bot.options),
        notify_chat=bot.notify_chat,
        from_file=int(bot.from_file),
        revision=bot.revision,
        state=bot.state,
        error=bot.error,
        heard_at=bot.heard_at,
        deaf_since=bot.deaf_since,
        holder=bot.holder,
        lease_id=bot.lease_id,
        lease_until=bot.lease_until,
        fence=bot.fence,
        updated_at=bot.updated_at,
        was_fence=was.fence,
        was_revision=was.revision,
    )
    if not changed:
        raise Conflict("the bot has changed meanwhile: look again", bot=bot.id)


def _bot(row: Row) -> Bot:
    return Bot(
        id=row.id,
        workspace_id=row.workspace_id,
        platform=row.platform,
        app_id=row.app_id,
        sealed=row.sealed,
        draft=row.draft,
        agent=row.agent,
        label=row.label,
        name=row.name,
        bot_id=row.bot_id,
        base_url=row.base_url,
        options=json.loads(row.options),
        notify_chat=row.notify_chat,
        from_file=bool(row.from_file),
        revision=row.revision,
        state=BotState(row.state),
        error=row.error,
        heard_at=row.heard_at,
        deaf_since=row.deaf_since,
        holder=row.holder,
        lease_id=row.lease_id,
        lease_until=row.lease_until,
        fence=row.fence,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
