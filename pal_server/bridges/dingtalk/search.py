"""Was it posted? A card is asked for by the name we gave it; messages have no name that could be asked for."""

from __future__ import annotations

import asyncio

from pal_server.bridges.outbound import (
    CannotTell,
    Doubtful,
    Found,
    Limited,
    NotThere,
    Outgoing,
    PostCard,
    PostFile,
    PostText,
    Sent,
    Unsent,
    Why,
)

from . import template
from .events import CARD
from .posts import Robot, track_of, update
from .web import Failed, Web

SETTLE = 2.0  # seconds in which a request that was cut may still be carried out


async def find(web: Web, out: Outgoing, *, robot: Robot) -> Found:
    """Edits, reactions and withdrawals may be done again without harm: they are said not to be there."""
    match out:
        case PostCard():
            return await _find(web, out.key, template.render_card(out.card))
        case PostText() if robot.is_card:
            return await _find(web, out.key, template.render_text(out.text))
        case PostText() | PostFile():
            return CannotTell(reason="DingTalk keeps no record by which a message could be found")
        case _:
            return NotThere()


async def _find(web: Web, key: str, params: template.Params) -> Found:
    """Giving the card the values it was to have anyway does nothing to one that is there."""
    ref = f"{CARD}{track_of(key)}"
    for wait in (SETTLE, 0.0):
        try:
            await update(web, ref, params)
            return Sent(ref=ref)
        except Failed as failed:
            if failed.why is not Why.GONE:
                return CannotTell(reason=failed.reason, again=isinstance(failed.outcome, Limited | Unsent | Doubtful))
        await asyncio.sleep(wait)
    return NotThere()
