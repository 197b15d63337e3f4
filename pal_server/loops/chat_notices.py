"""Turns what people want to be told in chats outside into posts of the outbox."""

from collections.abc import Callable
from typing import ClassVar

from pal_server.actions import chat_notices
from pal_server.errors import Conflict
from pal_server.loops.loop import Context, Loop


class ChatNotices(Loop):
    """While nobody has chosen a chat it looks only when the first is chosen."""

    name: ClassVar[str] = "chat_notices"
    every: ClassVar[float] = 15.0
    needs_leader: ClassVar[bool] = True

    def __init__(self, context: Context, *, url: Callable[[], str]) -> None:
        super().__init__(context)
        self._url = url
        self._is_needed = True

    @property
    def keys(self) -> tuple[str, ...]:
        own = f"events:{self.context.workspace_id}"
        return (chat_notices.CHANGED, own) if self._is_needed else (chat_notices.CHANGED,)

    async def step(self) -> bool:
        store, workspace_id = self.context.store, self.context.workspace_id
        self._is_needed = await store.read(chat_notices.exist, workspace_id=workspace_id)
        if not self._is_needed or not await store.read(chat_notices.any_to_do, workspace_id=workspace_id):
            return False
        try:
            return await store.write(chat_notices.read_on, workspace_id=workspace_id, base_url=self._url())
        except Conflict:  # somebody chose anew at this moment: look again
            return True
