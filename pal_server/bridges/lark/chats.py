"""What groups are called. Asked once in a while, remembered while the process lives."""

from __future__ import annotations

import time
from collections import OrderedDict

from pal_server.bridges.lark.api import Api, Lost, NotLeft
from pal_server.bridges.platform import BadCredentials

TITLE_WITHIN = 0.4  # seconds; the ack waits for it
GOOD_FOR = 3_600.0  # seconds a name, or that there is none to be had, is taken for true
MOST_KNOWN = 5_000


class Chats:
    """Groups as one app sees them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()  # name, monotonic seconds of its end

    async def title_of(self, chat: str) -> str:
        """The name; empty when the app may not know it, or Lark does not say at once."""
        title, good_until = self._known.get(chat, ("", 0.0))
        if time.monotonic() < good_until:
            return title
        title = await self._ask(chat) or title
        self._known[chat] = (title, time.monotonic() + GOOD_FOR)
        self._known.move_to_end(chat)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return title

    async def _ask(self, chat: str) -> str:
        try:
            answer = await self._api.call("GET", f"/open-apis/im/v1/chats/{chat}", within=TITLE_WITHIN)
        except (NotLeft, Lost, BadCredentials):
            return ""
        return str(answer.data.get("name") or "") if answer.is_good else ""
